"""What the newsroom runs the service by, on both engines: the audit's chain, people, feeds by chat, days, alarms."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select, text

from bot.core.alarms import Move, Step
from bot.core.cadence import DAY_MS
from bot.core.frequency import WEEK_MS
from bot.core.model import (
    Delivery,
    DeliveryState,
    Feed,
    Kind,
    Member,
    NoticeCode,
    PageMode,
    RuleSpec,
    Ruling,
    Tally,
    Verdict,
)
from bot.core.roles import Role
from bot.pipeline.roster import Roster
from bot.store.audit import record
from bot.store.database import MIGRATIONS, Database, _engines
from bot.store.schema import audit, outbox
from bot.store.staff import Invitation
from bot.store.store import Store
from tests.hot import send_hot

from .test_store import FEEDS, NOW, apply, change, reader, ready, update  # noqa: F401 - `ready` is a fixture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADMIN, HOUR = 900, 3_600_000


@pytest.fixture
async def other(database_url: str, store: Store) -> AsyncIterator[Store]:
    """Another worker's store on the same database."""
    database = await Database.open(database_url)
    yield Store(database)
    await database.close()


# --------------------------------------------------------------------------- the audit


async def test_acts_of_two_workers_at_once_are_one_chain(store: Store, other: Store) -> None:
    async def act(of: Store, number: int) -> None:
        async with of.database.transaction() as connection:
            await record(connection, 1 + number % 7, "feed.poll", f"n{number}", NOW + number, about=number % 3)

    await asyncio.gather(*(act(of, number) for number in range(40) for of in (store, other)))
    found = await store.audit.verify()
    assert (found.acts, found.broken) == (80, None)
    assert found.last == await _value(store, select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit SET detail = 'x' WHERE id = 3",
        "UPDATE audit SET actor = 2 WHERE id = 3",
        "UPDATE audit SET at = at + 1 WHERE id = 3",
        "UPDATE audit SET hash = 'abc' WHERE id = 3",
        "DELETE FROM audit WHERE id = 2",
    ],
)
async def test_a_changed_or_missing_row_is_named(store: Store, forgery: str) -> None:
    for number in range(5):
        async with store.database.transaction() as connection:
            await record(connection, ADMIN, "feed.poll", f"n{number}", NOW)
    assert (await store.audit.verify()).broken is None
    async with store.database.transaction() as connection:
        await connection.execute(text(forgery))
    assert (await store.audit.verify()).broken == 3


async def test_an_act_that_is_rolled_back_leaves_no_gap(store: Store) -> None:
    for fails in (False, True, False):
        with suppress(ZeroDivisionError):
            async with store.database.transaction() as connection:
                await record(connection, ADMIN, "feed.poll", "one\0two", NOW)
                assert 1 // (not fails)
    found = await store.audit.verify()
    assert (found.acts, found.broken) == (2, None)
    assert [one.act.detail for one in await store.audit.newest(0, 9)] == ["onetwo", "onetwo"]


async def test_what_the_audit_held_before_is_chained_by_the_migration(database_url: str) -> None:
    writer, reading = _engines(database_url)

    def upgrade(connection: Connection, to: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    async with writer.begin() as connection:
        await connection.run_sync(upgrade, "0012")
        for number, actor in enumerate((7, 0, 8, 7), 1):
            act = {"at": NOW + number, "actor": actor, "detail": f"трансляція {number}"}
            await connection.execute(
                text("INSERT INTO audit (at, actor_id, action, detail) VALUES (:at, :actor, 'a', :detail)"), act
            )
        await connection.execute(text("INSERT INTO feeds (name) VALUES ('well')"))
        await connection.execute(text("INSERT INTO feeds (name, noticed, polled_at) VALUES ('bad', 'failing', 5)"))
    await writer.dispose()
    await reading.dispose()
    database = await Database.open(database_url)
    store = Store(database)
    try:
        assert (await store.audit.verify()).broken is None
        assert [one.actor_id for one in await store.audit.newest(0, 9)] == [7, 8, 0, 7]
        async with database.transaction() as connection:
            await record(connection, 9, "b", "", NOW)
        assert (await store.audit.verify()) == await store.audit.verify()
        assert (await store.audit.newest(0, 1))[0].actor_id == 9
        known = await store.alarms.known()
        assert [(key, one.open, one.told_at) for key, one in known.items()] == [((NoticeCode.FAILING, "bad"), True, 5)]
    finally:
        await database.close()


# --------------------------------------------------------------------------- people


async def test_an_invitation_ends_with_its_time_its_use_and_its_maker(store: Store) -> None:
    staff = store.staff
    await staff.invite(Invitation("h1", Role.EDITOR, NOW + DAY_MS), ADMIN, NOW)
    assert await staff.accept("h1", 5, "Five", NOW + DAY_MS, {ADMIN}) is None
    assert await staff.accept("other", 5, "Five", NOW, {ADMIN}) is None
    assert await staff.accept("h1", 5, "Five", NOW, set()) is None  # its maker is no admin any more
    assert await staff.accept("h1", 5, "Five", NOW, {ADMIN}) is Role.EDITOR
    assert await staff.accept("h1", 6, "Six", NOW, {ADMIN}) is None
    await staff.put(Member(user_id=6, role=Role.ADMIN, name="Six"), ADMIN, NOW)
    await staff.invite(Invitation("h2", Role.ADMIN, NOW + DAY_MS), 6, NOW)
    await staff.put(Member(user_id=6, role=Role.EDITOR, name="Six"), ADMIN, NOW)
    assert await staff.invited(NOW) == []
    acts = [(one.act.action, one.actor_id, one.about_id, one.act.detail) for one in await store.audit.newest(0, 9)]
    assert acts[::-1] == [
        ("staff.invite", ADMIN, 0, "editor"),
        ("staff.join", 5, ADMIN, "editor"),
        ("staff.put", ADMIN, 6, "admin"),
        ("staff.invite", 6, 0, "admin"),
        ("staff.put", ADMIN, 6, "editor"),
    ]


async def test_of_many_who_open_one_invitation_one_has_it(store: Store, other: Store) -> None:
    await store.staff.invite(Invitation("h", Role.EDITOR, NOW + DAY_MS), ADMIN, NOW)
    opened = (of.staff.accept("h", number, "", NOW, {ADMIN}) for number in range(1, 11) for of in (store, other))
    roles = await asyncio.gather(*opened)
    members = await store.staff.members()
    assert len(members) == 1
    assert {role for role in roles if role} == {Role.EDITOR}


# --------------------------------------------------------------------------- feeds by chat


def city(name: str = "city", url: str = "https://city.example/rss") -> Feed:
    return Feed(name=name, url=url, title="City")


async def test_what_one_worker_adds_another_polls_and_the_file_wins(ready: Store, other: Store) -> None:  # noqa: F811
    roster = Roster(other, FEEDS)
    number = await ready.added.draft(city(), ADMIN, NOW)
    await roster.refresh()
    assert [*roster.feeds] == [feed.name for feed in FEEDS]
    assert (await ready.added.confirm(number, ADMIN, NOW)) is not None
    assert await ready.added.confirm(number, ADMIN, NOW) is None
    await roster.refresh()
    assert roster.titles["city"] == "City"
    assert "city" in await other.feeds.due(NOW, 99)
    await other.feeds.sync_catalogue(FEEDS)  # another start
    assert "city" in await ready.feeds.due(NOW, 99)
    held = [*FEEDS, Feed(name="mine", url="https://CITY.example/rss", title="Mine")]
    await other.feeds.sync_catalogue(held)
    assert {"mine"} == {*await ready.feeds.states()} - {feed.name for feed in FEEDS}
    await other.feeds.sync_catalogue(FEEDS)
    assert await ready.added.remove("city", ADMIN, NOW)
    assert not await ready.added.remove("city", ADMIN, NOW)
    await roster.refresh()
    assert "city" not in roster.feeds
    assert "city" not in await other.feeds.states()


async def test_two_drafts_of_one_name_or_address_are_one_feed(ready: Store, other: Store) -> None:  # noqa: F811
    drafts = [city(), city("other"), city(url="https://else.example/rss"), city()]
    numbers = [await ready.added.draft(one, ADMIN, NOW) for one in drafts]
    done = await asyncio.gather(
        *(of.added.confirm(number, ADMIN, NOW) for number, of in zip(numbers, (ready, other) * 2, strict=True))
    )
    added = {feed.name: feed.url for feed in done if feed}
    assert len(added) == len({*added.values()})
    assert added.keys() == {feed.name for feed in await ready.added.feeds()}
    assert await ready.added.drafted(numbers[0]) is None


async def test_a_draft_is_kept_for_a_day(store: Store) -> None:
    old = await store.added.draft(city(), ADMIN, NOW)
    assert await store.added.drafted(old) == replace(city(), pages=PageMode.WHEN_UNTAGGED)
    assert await store.added.draft(city("b"), ADMIN, NOW + DAY_MS + 1) != old  # whose button is still there
    assert await store.added.drafted(old) is None


async def test_a_paused_feed_is_due_for_nobody_and_a_poll_under_way_does_not_wake_it(ready: Store) -> None:  # noqa: F811
    await ready.feedbook.pause("one", ADMIN, NOW, paused=True)
    await ready.feedbook.pause("one", ADMIN, NOW, paused=True)
    await apply(ready, update(change("a", "nato")))
    assert "one" not in await ready.feeds.due(NOW + DAY_MS, 99)
    assert (await ready.feeds.states(["one"]))["one"].paused
    await ready.feeds.sync_catalogue(FEEDS)
    assert "one" not in await ready.feeds.due(NOW + DAY_MS, 99)
    await ready.feedbook.pause("one", ADMIN, NOW, paused=False)
    assert "one" in await ready.feeds.due(NOW, 99)
    assert [one.act.action for one in await ready.audit.newest(0, 9)] == ["feed.resume", "feed.pause"]


async def test_the_newest_article_and_the_tally_of_a_feed_are_kept(ready: Store) -> None:  # noqa: F811
    tally = Tally(day=1, polls=2, failed=3, polls_before=4, failed_before=5)
    (listed,) = [one for one in await ready.feedbook.listed() if one.name == "one"]
    assert await ready.feedbook.newest([listed.id, 999]) == {}
    one = update(change("a", "nato"))
    await apply(ready, replace(one, state=replace(one.state, tally=tally)))
    assert await ready.feedbook.newest([listed.id, 999]) == {listed.id: NOW}
    assert (await ready.feeds.states(["one"]))["one"].tally == tally


async def test_what_readers_lose_with_a_feed(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("@one",)), RuleSpec(("rare",)), RuleSpec(("nato",)))
    await reader(ready, 2, RuleSpec(("@one", "nato")), RuleSpec(("shared",)), RuleSpec(("x",), ("unwanted",)))
    await reader(ready, 3, RuleSpec(("@two",)))
    await apply(ready, update(change("a", "rare", "nato", "nobody", "unwanted", carriers=("one",))))
    await apply(ready, update(change("b", "shared", carriers=("one",))))
    await apply(ready, update(change("b2", "shared", canonical="https://one.example/b", carriers=("two",)), feed="two"))
    await apply(ready, update(change("c", "nato", carriers=("two",)), feed="two"))
    lost = await ready.feedbook.loss("one", NOW)
    assert (lost.followers, lost.articles, lost.only) == (2, 2, ("rare",))
    assert (await ready.feedbook.loss("one", NOW + WEEK_MS + 1)).articles == 0


# --------------------------------------------------------------------------- days


async def test_days_are_counted_anew_until_they_end(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("nato",)))
    await ready.days.count(100)
    await reader(ready, 2, RuleSpec(("nato",)), RuleSpec(("eu",)))
    await ready.days.count(100)
    await ready.days.count(101)
    assert [(one.day, one.readers, one.follows) for one in await ready.days.counted(100)] == [(100, 2, 3), (101, 2, 3)]
    assert await ready.days.top_tags(1) == [("nato", 2)]
    assert await ready.days.top_tags(9) == [("nato", 2), ("eu", 1)]


async def test_alerts_and_their_times_by_the_newsrooms_day(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("nato",)))
    await apply(ready, update(change("a", "nato")))
    await apply(ready, update(change("b", "nato")))
    for later in (5_000, DAY_MS):
        (row,) = await ready.outbox.claim("w", NOW + later, 1000, 1)
        sent = [(row, Verdict(ruling=Ruling.SENT, message_id=1))]
        await ready.outbox.settle(sent, "w", NOW + later)
    first = 719_163 + (NOW + 5_000) // DAY_MS
    assert await ready.days.alerts(first, 0) == {first: 1, first + 1: 1}
    assert await ready.days.alerts(first + 1, 0) == {first + 1: 1}
    assert [(one.day, one.spans) for one in await ready.days.speeds(first, 0)] == [
        (first, (5_000,)),
        (first + 1, (DAY_MS,)),
    ]
    to_midnight = DAY_MS - (NOW + 5_000) % DAY_MS  # a zone where the day of the first has just begun
    assert await ready.days.alerts(first, to_midnight) == {first + 1: 2}
    assert await ready.days.alerts(first, to_midnight - 1) == {first: 1, first + 1: 1}


# --------------------------------------------------------------------------- alarms


async def _claimed(store: Store, now: int) -> list[Delivery]:
    return await store.outbox.claim("w", now, 1000, 10)


async def test_an_alarm_is_told_to_every_admin_once_and_what_is_over_changes_what_was_sent(store: Store) -> None:
    await store.staff.put(Member(user_id=2, role=Role.ADMIN), ADMIN, NOW)
    await store.staff.put(Member(user_id=3, role=Role.EDITOR), ADMIN, NOW)
    for number in (1, 2, 3):
        await reader(store, number)
    key = NoticeCode.FAILING, "one"
    known = await store.alarms.known()
    assert await store.alarms.carry_out([Move(Step.TELL, *key, "503")], known, NOW, [1, 99]) == 2
    assert await store.alarms.carry_out([Move(Step.TELL, *key, "503")], known, NOW, [1]) == 0  # another did
    rows = await _claimed(store, NOW)
    assert {(row.kind, row.chat_id) for row in rows} == {(Kind.NOTICE, 1), (Kind.NOTICE, 2)}
    sent = [(row, Verdict(ruling=Ruling.SENT, message_id=70 + row.chat_id)) for row in rows if row.chat_id == 1]
    dropped = [(row, Verdict(ruling=Ruling.DROP)) for row in rows if row.chat_id == 2]
    await store.outbox.settle([*sent, *dropped], "w", NOW)
    known = await store.alarms.known()
    assert await store.alarms.carry_out([Move(Step.FIX, *key)], known, NOW + 5, [1]) == 2
    assert await store.alarms.carry_out([Move(Step.FIX, *key)], known, NOW + 5, [1]) == 0
    fixed = await _claimed(store, NOW + 5)
    assert {row.kind for row in fixed} == {Kind.FIXED}
    material = await store.materials.of(fixed, NOW + 5)
    assert sorted(material.told.values()) == [71]
    assert {one.fixed_at for one in material.notices.values()} == {NOW + 5}
    assert not (await store.alarms.known())[key].open


async def test_an_alarm_is_muted_by_its_number_and_closed_with_what_it_was_of(store: Store) -> None:
    key = NoticeCode.FAILING, "one"
    await store.alarms.carry_out([Move(Step.TELL, *key)], {}, NOW, [])
    alarm = (await store.alarms.known())[key]
    assert await store.alarms.mute(alarm.id, NOW + HOUR, ADMIN, NOW)
    assert not await store.alarms.mute(999, NOW + HOUR, ADMIN, NOW)
    assert (await store.alarms.known())[key].muted_until == NOW + HOUR
    assert (await store.audit.newest(0, 1))[0].act.detail == "failing one"
    await store.alarms.carry_out([Move(Step.CLOSE, *key)], await store.alarms.known(), NOW, [])
    assert await store.alarms.known() == {}


async def test_the_queue_is_measured_by_what_is_due_and_hot_news_is_not_looked_at(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("nato",)))
    assert await ready.alarms.queue(NOW) == (0, False)
    await send_hot(ready, "hot", NOW, author=ADMIN)
    assert await ready.alarms.queue(NOW + HOUR) == (0, False)
    await apply(ready, update(change("a", "nato")))
    assert await ready.alarms.queue(NOW + HOUR) == (HOUR, False)
    (hot,) = [row for row in await _claimed(ready, NOW + HOUR) if row.kind is Kind.BROADCAST]
    await ready.outbox.settle([(hot, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW + HOUR)
    assert await ready.alarms.queue(NOW + HOUR) == (HOUR, True)
    assert await _value(ready, select(func.count()).where(outbox.c.state == DeliveryState.SENT.value)) == 1


async def _value(store: Store, query: object) -> object:
    async with store.database.reading() as connection:
        return await connection.scalar(query)  # type: ignore[call-overload]
