"""Fan-outs in pages: the readers of one statement, each once, whatever happens in between."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from bot.core.matching import satisfies
from bot.core.model import Chat, ChatKind, Feed, Kind, RuleSpec, Ruling, Verdict
from bot.store.articles import NEWS_MS
from bot.store.database import Database
from bot.store.fanouts import LONGEST, PAGE, TOP, fan_out, queue_page
from bot.store.schema import fanouts, outbox
from bot.store.store import Store
from tests.crowd import NOW, crowd, news

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.model import FeedUpdate, StoredUpdate

FEEDS = (Feed(name="one", url="https://one.example/rss", title="One"),
         Feed(name="two", url="https://two.example/rss", title="Two"))  # fmt: skip
MANY = LONGEST + 200


@pytest.fixture
async def ready(store: Store) -> Store:
    await store.feeds.sync_catalogue(FEEDS)
    return store


@pytest.fixture
async def again(ready: Store, database_url: str) -> AsyncIterator[Store]:
    """The same database after a crash, or as another worker sees it."""
    database = await Database.open(database_url)
    yield Store(database)
    await database.close()


async def reader(store: Store, number: int, *specs: RuleSpec, thread: int = 0) -> None:
    await store.chats.upsert(Chat(id=number, kind=ChatKind.PRIVATE), NOW)
    await store.rules.follow(number, thread, specs, NOW)


async def store_owed(store: Store, *slugs: str) -> int:
    """An article all of whose alerts are owed."""
    (stored,) = await store.feeds.apply([news("owed", *slugs)], NOW)
    (article_id,) = stored.owed
    assert stored.alerts == 0
    return article_id


async def apply(store: Store, found: FeedUpdate, now: int = NOW) -> StoredUpdate:
    (stored,) = await store.feeds.apply([found], now)
    return stored


def corrected(key: str, *slugs: str, title: str = "Changed") -> FeedUpdate:
    """What a poll found: an article that it knows, changed."""
    found = news(key, *slugs)
    (change,) = found.changes
    article = replace(change.article, title=title)
    return replace(found, changes=(replace(change, article=article, content_hash=title, new=False),))


async def alerted(store: Store) -> list[int]:
    """The chats with an alert, as often as they have one."""
    query = select(outbox.c.chat_id).where(outbox.c.kind == Kind.ALERT.value).order_by(outbox.c.chat_id)
    async with store.database.reading() as connection:
        return list((await connection.scalars(query)).all())


async def page(store: Store, article_id: int, length: int = PAGE) -> int | None:
    async with store.database.transaction() as connection:
        return await queue_page(connection, article_id, length)


async def queued(store: Store, article_id: int) -> list[tuple[int, int]]:
    query = select(outbox.c.chat_id, outbox.c.thread_id).where(outbox.c.subject == article_id)
    async with store.database.reading() as connection:
        return sorted((chat, thread) for chat, thread in await connection.execute(query))


async def owed(store: Store) -> list[int]:
    async with store.database.reading() as connection:
        return list((await connection.scalars(select(fanouts.c.article_id))).all())


@pytest.mark.parametrize("seed", range(4))
async def test_pages_of_any_length_find_whom_the_pure_rule_names(ready: Store, seed: int) -> None:
    drawn = random.Random(seed)
    tags = ["a", "b", "c", "d"]
    expected = set()
    borne = drawn.sample(tags, drawn.randint(1, 4))
    for chat in drawn.sample([*range(-9, 0), *range(1, 9), -(10**12), 10**12], 14):
        for thread in drawn.sample([0, 5], drawn.randint(1, 2)):
            for _ in range(drawn.randint(1, 3)):
                chosen = drawn.sample(tags, drawn.randint(1, 3))
                spec = RuleSpec(tuple(chosen[:2]), tuple(chosen[2:]))
                await reader(ready, chat, spec, thread=thread)
            rules = await ready.rules.of_chat(chat, thread)
            muted = [rule.id for rule in rules if drawn.random() < 0.2]
            await ready.rules.mute(muted, NOW + 1)
            if any(satisfies(rule.spec, borne) for rule in rules if rule.id not in muted):
                expected.add((chat, thread))
        if drawn.random() < 0.2:
            await ready.chats.retire(chat, "blocked", NOW)
            expected -= {(chat, 0), (chat, 5)}
    await ready.feeds.apply([news(f"{length}", *borne, alert=False) for length in range(7)], NOW)
    for length, article in enumerate(reversed(await ready.articles.latest())):
        async with ready.database.transaction() as connection:
            if length == 0:
                total = (await fan_out(connection, [article.id], NOW)).queued[article.id]
            else:
                await connection.execute(insert(fanouts).values(article_id=article.id, queued_at=NOW, before_chat=TOP))
                total = 0
                while (number := await queue_page(connection, article.id, length)) is not None:
                    total += number
        assert (await queued(ready, article.id), total) == (sorted(expected), len(expected))
    assert await owed(ready) == []


async def test_of_several_articles_those_of_few_readers_do_not_wait(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    await reader(ready, 1, RuleSpec(("eu",)))
    few, many, nobody = await ready.feeds.apply([news("a", "eu"), news("b", "nato", "eu"), news("c", "sport")], NOW)
    assert [(one.alerts, len(one.owed)) for one in (few, many, nobody)] == [(1, 0), (0, 1), (0, 0)]
    seen: list[int] = []
    assert await ready.fanouts.finish(many.owed, lambda: seen.append(len(seen))) == MANY
    assert len(seen) > 1
    assert len(set(await queued(ready, many.owed[0]))) == MANY
    assert await owed(ready) == []


async def test_what_two_feeds_bring_at_once_is_counted_once(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    stored = await ready.feeds.apply([news("a", "nato"), news("a", "nato", feed="two")], NOW)
    assert [one.alerts for one in stored] == [1, 0]


async def test_first_readers_are_served_while_the_rest_is_owed(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    article_id = await store_owed(ready, "nato")
    assert await page(ready, article_id) == PAGE
    assert len(await ready.outbox.claim("w", NOW, 1000, 10)) == 10
    assert await owed(ready) == [article_id]


async def test_a_crash_between_pages_loses_nothing_and_doubles_nothing(ready: Store, again: Store) -> None:
    await crowd(ready, "nato", MANY)
    article_id = await store_owed(ready, "nato")
    await page(ready, article_id)
    assert await again.fanouts.resume(NOW - 1) == 0  # nobody has died yet
    assert await again.fanouts.resume(NOW) == MANY - PAGE
    assert len(await queued(ready, article_id)) == MANY
    assert await ready.fanouts.finish([article_id]) == 0


async def test_a_crash_within_a_page_takes_the_page_back_whole(ready: Store, again: Store) -> None:
    await crowd(ready, "nato", MANY)
    article_id = await store_owed(ready, "nato")

    async def crash() -> None:
        async with ready.database.transaction() as connection:
            await queue_page(connection, article_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    assert await queued(ready, article_id) == []
    assert await again.fanouts.resume(NOW) == MANY


async def test_a_poll_that_is_cancelled_leaves_the_rest_owed(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    article_id = await store_owed(ready, "nato")
    task = asyncio.create_task(ready.fanouts.finish([article_id], lambda: task.cancel() and None))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await owed(ready) == [article_id]
    await ready.fanouts.resume(NOW)
    assert len(await queued(ready, article_id)) == MANY


async def test_two_workers_share_a_fan_out(ready: Store, again: Store) -> None:
    await crowd(ready, "nato", MANY)
    article_id = await store_owed(ready, "nato")
    numbers = await asyncio.gather(ready.fanouts.finish([article_id]), again.fanouts.resume(NOW))
    assert sum(numbers) == MANY
    assert len(await queued(ready, article_id)) == MANY


async def test_a_tag_that_comes_late_reaches_chats_that_were_passed(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    await reader(ready, 10**9, RuleSpec(("eu",)))
    article_id = await store_owed(ready, "nato")
    await page(ready, article_id)
    (late,) = await ready.feeds.apply([news("owed", "eu", feed="two")], NOW)
    assert late.owed == (article_id,)
    await ready.fanouts.finish(late.owed)
    assert len(await queued(ready, article_id)) == MANY + 1


async def test_a_tag_gained_by_a_correction_reaches_whom_it_newly_concerns_once(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)), RuleSpec(("eu",)))
    await reader(ready, 2, RuleSpec(("eu",)))
    await reader(ready, 3, RuleSpec(("nato", "eu")))
    await reader(ready, 4, RuleSpec(("eu",), ("nato",)))
    await apply(ready, news("a", "nato"))
    (delivery,) = await ready.outbox.claim("w", NOW, 1000, 10)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW)
    await reader(ready, 5, RuleSpec(("nato",)))  # who begins to follow what it bore before is not told what is old
    stored = await apply(ready, corrected("a", "nato", "eu"))
    assert (stored.changed, stored.alerts) == (1, 2)
    assert await alerted(ready) == [1, 2, 3]
    assert (await apply(ready, corrected("a", "eu", title="Again"))).alerts == 0
    assert await alerted(ready) == [1, 2, 3]


@pytest.mark.parametrize(("late_ms", "alerts"), [(NEWS_MS, 1), (NEWS_MS + 1, 0)])
async def test_a_tag_gained_later_than_news_is_news_reaches_nobody(ready: Store, late_ms: int, alerts: int) -> None:
    await reader(ready, 2, RuleSpec(("eu",)))
    await apply(ready, news("a", "nato"))
    assert (await apply(ready, corrected("a", "eu"), NOW + late_ms)).alerts == alerts
    assert [article.title for article in await ready.articles.latest(slugs=["eu"])] == ["Changed"]


async def test_an_archives_correction_alerts_nobody_of_what_was_there_before(ready: Store) -> None:
    await reader(ready, 1, RuleSpec(("nato",)))
    await reader(ready, 2, RuleSpec(("eu",)))
    await apply(ready, news("a", "nato", alert=False))
    assert (await apply(ready, corrected("a", "nato", "eu"))).alerts == 1
    assert await alerted(ready) == [2]


async def test_a_gained_tag_of_many_is_owed_to_its_own_readers_alone(ready: Store, again: Store) -> None:
    await crowd(ready, "nato", MANY)
    await apply(ready, news("a", "eu", alert=False))
    for chat, wanted in ((10**9, ("eu",)), (10**9 + 1, ("eu", "sport")), (10**9 + 2, ("eu", "nato"))):
        await reader(ready, chat, RuleSpec(wanted))
    stored = await apply(ready, corrected("a", "nato"))
    assert (stored.alerts, len(stored.owed)) == (0, 1)
    # While they are owed it gains one more: its readers are added, and no others.
    (also,) = await ready.feeds.apply([corrected("a", "sport", title="Again")], NOW)
    assert also.alerts == 1
    await again.fanouts.resume(NOW)
    assert await alerted(ready) == [*range(1, MANY + 1), 10**9 + 1, 10**9 + 2]
    assert await owed(ready) == []


@pytest.mark.parametrize("all_owed_before", [True, False])
async def test_what_is_owed_of_several_corrections_is_owed_of_all(ready: Store, *, all_owed_before: bool) -> None:
    await crowd(ready, "nato", PAGE + 1)
    await crowd(ready, "sport", PAGE + 2)
    await crowd(ready, "eu", PAGE + 3)
    await apply(ready, news("a", "eu", alert=all_owed_before))
    await apply(ready, corrected("a", "nato"))
    stored = await apply(ready, corrected("a", "sport", title="Again"))
    await ready.fanouts.finish(stored.owed)
    assert await alerted(ready) == [*range(1, PAGE + (4 if all_owed_before else 3))]


async def test_who_follows_meanwhile_gets_one_or_none(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    await crowd_of_another_tag(ready)
    article_id = await store_owed(ready, "nato", "eu")
    await page(ready, article_id)
    for chat, slug in ((10**9, "nato"), (-5, "nato"), (MANY, "eu"), (1, "eu")):
        await reader(ready, chat, RuleSpec((slug,)))
    await ready.fanouts.finish([article_id])
    rows = await queued(ready, article_id)
    assert len(rows) == len(set(rows)) == MANY + 1  # the chat below the page is in, the one above came too late
    assert (-5, 0) in rows


async def crowd_of_another_tag(store: Store) -> None:
    await store.articles.ensure_tags(["eu"])
    await store.rules.follow(7, 0, [RuleSpec(("eu",)), RuleSpec(("eu", "nato"))], NOW)


@pytest.mark.parametrize("before_its_page", [True, False])
async def test_a_group_that_moves_meanwhile_gets_one(ready: Store, *, before_its_page: bool) -> None:
    await crowd(ready, "nato", MANY)
    await reader(ready, -5, RuleSpec(("nato",)))
    await reader(ready, -6, RuleSpec(("nato",)))
    article_id = await store_owed(ready, "nato")
    await page(ready, article_id)
    if not before_its_page:
        assert await page(ready, article_id, MANY - PAGE + 1) == MANY - PAGE + 1
    await ready.chats.move(-5, -(10**12), NOW)
    await ready.fanouts.finish([article_id])
    groups = [chat for chat, _ in await queued(ready, article_id) if chat < 0]
    assert groups == [-(10**12), -6]


async def test_a_moved_group_does_not_get_again_what_it_was_sent(ready: Store) -> None:
    await reader(ready, -5, RuleSpec(("nato",)), RuleSpec(("eu",)))
    await ready.feeds.apply([news("a", "nato")], NOW)
    (delivery,) = await ready.outbox.claim("w", NOW, 1000, 10)
    await ready.outbox.settle([(delivery, Verdict(ruling=Ruling.SENT, message_id=1))], "w", NOW)
    await ready.chats.move(-5, -(10**12), NOW)
    (late,) = await ready.feeds.apply([news("a", "eu", feed="two")], NOW)
    assert late.alerts == 0


async def test_a_rehearsal_counts_what_would_be_owed(ready: Store) -> None:
    await crowd(ready, "nato", MANY)
    rehearsal = await ready.feeds.rehearse(FEEDS, [news("a", "nato")], NOW)
    assert (rehearsal.total.alerts, len(rehearsal.alerts)) == (MANY, MANY)
    assert (await owed(ready), await ready.outbox.counts()) == ([], {})
