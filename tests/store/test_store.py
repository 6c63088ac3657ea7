"""What the store promises, on both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.core.broadcast import Refusal, Step
from bot.core.cadence import DAY_MS
from bot.core.frequency import WEEK_MS, Frequency
from bot.core.matching import satisfies
from bot.core.model import (
    Article,
    ArticleTag,
    Chat,
    ChatKind,
    DeliveryState,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    Member,
    RuleSpec,
    Ruling,
    TagSource,
    Validators,
    Verdict,
)
from bot.core.roles import Role
from bot.store.database import Database, StorageError
from bot.store.schema import metadata
from tests.hot import confirmed, drafted, send_hot, step

if TYPE_CHECKING:
    from bot.store.store import Store

NOW = 1_800_000_000_000
FEEDS = (
    Feed(name="one", url="https://one.example/rss", title="One"),
    Feed(name="two", url="https://two.example/rss", title="Two"),
)


def change(
    key: str,
    *slugs: str,
    canonical: str = "",
    new: bool = True,
    title: str = "Title",
    carriers: tuple[str, ...] = (),
    **more: object,
) -> EntryChange:
    article = Article(
        link=f"https://one.example/{key}",
        title=title,
        summary="Summary",
        source="One",
        language="en",
        section="",
        published_at=NOW,
        seen_at=NOW,
        minutes=None,
        tags=tuple(ArticleTag(slug, TagSource.CATEGORY) for slug in slugs),
        carriers=carriers,
    )
    return EntryChange(
        key=key, content_hash=f"{key}{title}", canonical=canonical or article.link, article=article, new=new, **more
    )


def update(*changes: EntryChange, feed: str = "one", alert: bool = True) -> FeedUpdate:
    state = FeedState(primed=True, validators=Validators(etag='W/"x"'), polled_at=NOW)
    return FeedUpdate(feed=feed, state=state, changes=changes, alert=alert)


async def reader(store: Store, number: int, *specs: RuleSpec, thread: int = 0) -> None:
    await store.chats.upsert(Chat(id=number, kind=ChatKind.PRIVATE, title="R"), NOW)
    await store.rules.follow(number, thread, specs, NOW)


@pytest.fixture
async def ready(store: Store) -> Store:
    await store.feeds.sync_catalogue(FEEDS)
    return store


async def apply(store, one):
    """Store one poll."""
    (stored,) = await store.feeds.apply([one], NOW)
    return stored


async def test_the_migrated_schema_is_the_declared_one(store: Store) -> None:
    def difference(connection):
        # The search index is made differently on each engine, with tables of its own on SQLite; it has its own tests.
        mine = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("search_index")}
        return compare_metadata(MigrationContext.configure(connection, opts=mine), metadata)

    async with store.database.transaction() as connection:
        assert await connection.run_sync(difference) == []


async def test_a_newer_schema_is_refused(store: Store, database_url: str) -> None:
    async with store.database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer than this tagwire knows"):
        await Database.open(database_url)


async def test_the_first_poll_fills_the_archive_and_alerts_nobody(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    stored = await apply(ready, update(change("a", "nato"), alert=False))
    assert (stored.new, stored.alerts) == (1, 0)
    assert [article.title for article in await ready.articles.latest(slugs=["nato"])] == ["Title"]


async def test_an_article_of_two_feeds_and_many_tags_gives_one_alert(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)), RuleSpec(("eu",)))
    first = await apply(ready, update(change("a", "nato", "eu")))
    second = await apply(ready, update(change("b", "nato", canonical="https://one.example/a"), feed="two"))
    assert (first.alerts, second.alerts) == (1, 0)


async def test_a_tag_that_comes_late_reaches_those_it_concerns_once(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await reader(ready, 2, RuleSpec(("eu",)))
    await apply(ready, update(change("a", "nato")))
    late = await apply(ready, update(change("b", "eu", canonical="https://one.example/a"), feed="two"))
    assert late.alerts == 1


@pytest.mark.parametrize("borne", [(), ("a",), ("b",), ("a", "b"), ("a", "c"), ("a", "b", "c")])
async def test_fan_out_agrees_with_the_pure_rule(ready: Store, borne: tuple[str, ...]) -> None:
    specs = [
        RuleSpec(("a",)),
        RuleSpec(("a", "b")),
        RuleSpec(("b", "a")),
        RuleSpec(("a",), ("b",)),
        RuleSpec(("a", "b"), ("c",)),
        RuleSpec(("c",), ("a", "b")),
    ]
    for number, spec in enumerate(specs, 1):
        await reader(ready, number, spec)
    await apply(ready, update(change("x", *borne)))
    got = {delivery.chat_id for delivery in await ready.outbox.claim("w", NOW, 1000, 100)}
    assert got == {number for number, spec in enumerate(specs, 1) if satisfies(spec, set(borne))}


async def test_muted_rules_and_retired_chats_get_nothing(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await reader(ready, 2, RuleSpec(("nato",)))
    await ready.rules.mute([rule.id for rule in await ready.rules.of_chat(1, 0)], NOW + 1)
    await ready.chats.retire(2, "blocked", NOW)
    assert (await apply(ready, update(change("a", "nato")))).alerts == 0


async def test_a_correction_keeps_tags_and_alerts_nobody(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await apply(ready, update(change("a", "nato")))
    stored = await apply(ready, update(change("a", new=False, title="Corrected")))
    assert (stored.new, stored.changed, stored.alerts) == (0, 1, 0)
    (article,) = await ready.articles.latest()
    assert (article.title, [tag.slug for tag in article.tags]) == ("Corrected", ["nato"])


async def test_a_rehearsal_tells_and_leaves_no_trace(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    rehearsal = await ready.feeds.rehearse(FEEDS, [update(change("a", "nato"))], NOW)
    assert [(chat, article.title) for chat, _, article in rehearsal.alerts] == [(1, "Title")]
    assert await ready.articles.latest() == []
    assert await ready.outbox.counts() == {}


async def test_validators_are_kept_byte_for_byte_and_forgotten_with_the_address(ready: Store) -> None:
    await apply(ready, update())
    assert (await ready.feeds.states(["one"]))["one"].validators.etag == 'W/"x"'
    await ready.feeds.sync_catalogue([Feed(name="one", url="https://new.example/rss", title="One")])
    states = await ready.feeds.states()
    assert set(states) == {"one"}
    assert (states["one"].primed, states["one"].validators.etag) == (False, None)


async def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await apply(ready, update(change("a", "nato")))
    (mine,) = await ready.outbox.claim("one", NOW, 1000, 10)
    assert mine.attempts == 1
    assert await ready.outbox.leave("one", [mine.id]) == {mine.id}
    assert await ready.outbox.claim("two", NOW + 999, 1000, 10) == []
    (theirs,) = await ready.outbox.claim("two", NOW + 1000, 1000, 10)
    assert theirs.attempts == 2
    assert await ready.outbox.leave("one", [mine.id]) == set()
    await ready.outbox.settle([(mine, Verdict(ruling=Ruling.SENT, message_id=5))], "one", NOW + 1001)
    assert await ready.outbox.counts() == {DeliveryState.CLAIMED: 1}


async def claimed(store: Store, *, number: int = 1, thread: int = 0):
    await reader(store, number, RuleSpec(("nato",)), thread=thread)
    await apply(store, update(change("a", "nato")))
    await apply(store, update(change("b", "nato")))
    first, *_ = await store.outbox.claim("w", NOW, 1000, 1)
    return first


@pytest.mark.parametrize(
    ("verdict", "states"),
    [
        (Verdict(ruling=Ruling.SENT, message_id=9), {DeliveryState.SENT: 1, DeliveryState.QUEUED: 1}),
        (Verdict(ruling=Ruling.DROP), {DeliveryState.DROPPED: 1, DeliveryState.QUEUED: 1}),
        (Verdict(ruling=Ruling.PARK), {DeliveryState.PARKED: 1, DeliveryState.QUEUED: 1}),
        (Verdict(ruling=Ruling.RETRY, at=NOW + 5), {DeliveryState.QUEUED: 2}),
        (Verdict(ruling=Ruling.RETIRE, reason="blocked"), {DeliveryState.DROPPED: 2}),
        (Verdict(ruling=Ruling.MOVE, moved_to=-5), {DeliveryState.QUEUED: 2}),
    ],
)
async def test_each_ruling_is_carried_out(ready: Store, verdict: Verdict, states: dict[DeliveryState, int]) -> None:
    delivery = await claimed(ready)
    await ready.outbox.settle([(delivery, verdict)], "w", NOW)
    assert await ready.outbox.counts() == states


async def test_a_moved_group_keeps_all_it_follows(ready: Store) -> None:
    delivery = await claimed(ready, number=-1)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.MOVE, moved_to=-100))], "w", NOW)
    assert [rule.spec.key for rule in await ready.rules.of_chat(-100, 0)] == ["nato"]
    assert {row.chat_id for row in await ready.outbox.claim("w", NOW, 1000, 10)} == {-100}
    old = await ready.chats.get(-1)
    assert old is not None
    assert not old.active


async def test_a_closed_topic_falls_back_to_the_chats_root(ready: Store) -> None:
    delivery = await claimed(ready, number=-1, thread=7)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.ROOT))], "w", NOW)
    assert 0 in {row.thread_id for row in await ready.outbox.claim("w", NOW, 1000, 10)}


async def test_a_try_that_never_left_does_not_count(ready: Store) -> None:
    delivery = await claimed(ready)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.RETRY, at=NOW, free=True))], "w", NOW)
    assert {row.attempts for row in await ready.outbox.claim("w", NOW, 1000, 10)} == {1}


async def test_a_try_counts_from_when_it_leaves(ready: Store) -> None:
    delivery = await claimed(ready)
    for times in range(3):
        assert await ready.outbox.release_all(NOW) == 1
        (delivery, *_) = await ready.outbox.claim("w", NOW, 1000, 1)
        assert delivery.attempts == min(times, 1) + 1
        if times < 1:
            await ready.outbox.leave("w", [delivery.id])
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.RETRY, at=NOW))], "w", NOW)
    assert {row.attempts for row in await ready.outbox.claim("w", NOW, 1000, 1)} == {3}


async def test_a_broadcast_is_confirmed_once_as_it_was_seen(ready: Store) -> None:
    await reader(ready, 1)
    await reader(ready, 2)
    draft = await drafted(ready, "<b>Now</b>", NOW, author=7)
    assert await step(ready, Step.CONFIRM, draft, NOW, seen="0" * 16) is Refusal.CHANGED
    assert await confirmed(ready, draft, NOW) == 2
    assert await confirmed(ready, draft, NOW) is None
    assert await step(ready, Step.CANCEL, draft, NOW) is Refusal.STATE


async def test_hot_news_goes_before_alerts(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await apply(ready, update(change("a", "nato")))
    await send_hot(ready, "now", NOW + 5)
    (hot,) = await ready.outbox.claim("w", NOW + 5, 1000, 10)
    assert hot.kind.value == "broadcast"
    assert await ready.outbox.claim("another", NOW + 5, 1000, 10) == []  # one after the other, whoever sends
    await ready.outbox.settle([(hot, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW + 5)
    assert [row.kind.value for row in await ready.outbox.claim("w", NOW + 5, 1000, 10)] == ["alert"]


async def test_rules_are_followed_and_unfollowed_by_meaning(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("a", "b"), ("c",)))
    assert await ready.rules.follow(1, 0, [RuleSpec(("b", "a"), ("c",))], NOW) == []
    assert await ready.rules.unfollow(1, 0, [RuleSpec(("b", "a"), ("c",))]) != []
    assert await ready.rules.count(1) == 0


async def test_rates_count_what_a_rule_would_have_brought(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("a",)), RuleSpec(("a",), ("b",)), RuleSpec(("a", "b")))
    await apply(ready, update(change("x", "a"), change("y", "a", "b"), alert=False))
    found = await ready.rules.frequencies(1, 0, NOW - DAY_MS, NOW)
    by_key = {rule.spec.key: found[rule.id] for rule in await ready.rules.of_chat(1, 0)}
    assert by_key == {"a": Frequency(2, 1, NOW), "a-b": Frequency(1, 1, NOW), "a+b": Frequency(1, 1, NOW)}


async def test_rates_count_by_when_articles_were_published_not_by_when_they_came(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("a",)))
    old = change("x", "a")
    await apply(ready, update(replace(old, article=replace(old.article, published_at=NOW - 9 * DAY_MS)), alert=False))
    assert await ready.rules.frequencies(1, 0, NOW - WEEK_MS, NOW) == {}
    assert await ready.rules.preview(RuleSpec(("a",)), [], NOW - WEEK_MS, NOW) == Frequency(0, 7)
    assert await ready.articles.first_seen() == NOW


async def test_related_articles_share_most_tags_first(ready: Store) -> None:
    changes = [change("x", "a", "b"), change("y", "a"), change("z", "a", "b"), change("w", "c")]
    await apply(ready, update(*changes, alert=False))
    articles = {article.link[-1]: article.id for article in await ready.articles.latest()}
    related = await ready.articles.load(await ready.articles.related(articles["x"], 5))
    assert [article.link[-1] for article in related] == ["z", "y"]


async def test_what_was_asked_is_answered_once_and_in_time(ready: Store) -> None:
    await reader(ready, 1)
    await ready.chats.set_pending(1, "sub", NOW)
    assert await ready.chats.take_pending(1, NOW + 1, 10) == "sub"
    assert await ready.chats.take_pending(1, NOW + 1, 10) is None
    await ready.chats.set_pending(1, "sub", NOW)
    assert await ready.chats.take_pending(1, NOW + 11, 10) is None


async def test_statistics_count_everything(ready: Store) -> None:
    delivery = await claimed(ready)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW)
    stats = await ready.stats.collect(NOW)
    counts = {"healthy": 1, "failing": 0, "frozen": 0, "gone": 0, "new": 1, "paused": 0, "merged": 0}
    assert stats.feeds == counts
    assert (stats.articles, stats.subscriptions, stats.chats) == (2, 1, {"active": 1, "inactive": 0})
    assert (stats.queue["sent"], stats.queue["queued"], stats.deliveries_24h["sent"]) == (1, 1, 1)


async def test_tombstones_outlive_a_feeds_window(ready: Store) -> None:
    await apply(ready, update(change("a", "nato")))
    assert await ready.feeds.prune_entries(NOW + 89 * 86_400_000) == 0
    assert await ready.feeds.prune_entries(NOW + 91 * 86_400_000) == 1


async def test_what_was_sent_is_kept_for_a_month_and_what_waits_for_ever(ready: Store) -> None:
    delivery = await claimed(ready)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW)
    month = 30 * 24 * 60 * 60 * 1000
    assert await ready.outbox.prune(NOW + month) == 0
    assert await ready.outbox.prune(NOW + month + 1) == 1
    assert await ready.outbox.counts() == {DeliveryState.QUEUED: 1}


async def test_a_role_is_given_changed_and_taken(store: Store) -> None:
    await store.staff.put(Member(user_id=7, role=Role.AUTHOR, name="Ann"), 1, NOW)
    await store.staff.put(Member(user_id=7, role=Role.PUBLISHER, name="Ann"), 1, NOW)
    assert await store.staff.role(7) is Role.PUBLISHER
    assert await store.staff.members() == [Member(user_id=7, role=Role.PUBLISHER, name="Ann")]
    assert await store.staff.remove(7, 1, NOW)
    assert not await store.staff.remove(7, 1, NOW)
    assert await store.staff.role(7) is None
