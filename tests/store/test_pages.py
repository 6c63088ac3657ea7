"""What articles' pages told, early and late, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.cadence import VISITS_MS
from bot.core.model import ArticleTag, Link, PageFacts, RuleSpec, TagSource
from bot.store.articles import NEWS_MS

from .test_store import NOW, apply, change, reader, ready, update  # noqa: F401 - `ready` is a fixture

if TYPE_CHECKING:
    from bot.store.store import Store

PAGE = PageFacts(
    section="Facts", author="A. Writer", image="https://one.example/i.jpg", minutes=2, related=(Link("More", "https://one.example/m"),)
)  # fmt: skip


async def test_what_a_page_told_is_kept_with_its_article(ready: Store) -> None:  # noqa: F811
    await apply(ready, update(change("a", page=PAGE)))
    (article,) = await ready.articles.latest()
    assert (article.section, article.author, article.image, article.minutes) == (
        "Facts", "A. Writer", "https://one.example/i.jpg", 2,
    )  # fmt: skip
    assert await ready.articles.related_links(article.id) == [Link("More", "https://one.example/m")]
    assert await ready.articles.unread_pages([article.link, "https://one.example/b"]) == {"https://one.example/b"}


async def test_a_late_page_reaches_those_whom_its_tags_concern_once(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("nato",)))
    await reader(ready, 2, RuleSpec(("peace_plan",)))
    await reader(ready, 3, RuleSpec(("peace_plan",), ("nato",)))
    assert (await apply(ready, update(change("a", "nato", page_due=True)))).alerts == 1
    assert await ready.pages.due(NOW, 10) == []
    (late,) = await ready.pages.due(NOW + VISITS_MS[0], 10)
    assert (late.feed, late.attempts, late.article.title) == ("one", 0, "Title")
    tags = [ArticleTag("nato", TagSource.PAGE), ArticleTag("peace_plan", TagSource.PAGE)]
    assert (await ready.pages.read(late.article.id, PAGE, tags, NOW)).alerts == 1
    assert await ready.pages.due(NOW * 2, 10) == []
    rows = await ready.outbox.claim("w", NOW, 1000, 10)
    assert sorted(row.chat_id for row in rows) == [1, 2]


@pytest.mark.parametrize(("late_ms", "alerts"), [(NEWS_MS, 1), (NEWS_MS + 1, 0)])
async def test_a_late_page_alerts_while_its_article_is_news_whom_its_tags_newly_concern(
    ready: Store,  # noqa: F811
    late_ms: int,
    alerts: int,
) -> None:
    await apply(ready, update(change("a", "nato", page_due=True)))
    await reader(ready, 1, RuleSpec(("nato",)))  # follows what it bore before: not newly concerned
    await reader(ready, 2, RuleSpec(("peace_plan",)))
    (late,) = await ready.pages.due(NOW * 2, 10)
    tags = [ArticleTag("nato", TagSource.PAGE), ArticleTag("peace_plan", TagSource.PAGE)]
    assert (await ready.pages.read(late.article.id, PAGE, tags, NOW + late_ms)).alerts == alerts
    assert [row.chat_id for row in await ready.outbox.claim("w", NOW * 2, 1000, 10)] == [2] * alerts


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("due_first", [True, False])
async def test_a_page_that_one_feed_has_read_is_not_due_for_another(
    ready: Store,  # noqa: F811
    at_once: bool,
    due_first: bool,
) -> None:
    link = "https://one.example/a"
    polls = [update(change("a", page=PAGE)), update(change("b", canonical=link, page_due=True), feed="two")]
    ordered = polls[::-1] if due_first else polls
    for group in [ordered] if at_once else [[one] for one in ordered]:
        await ready.feeds.apply(group, NOW)
    assert await ready.articles.unread_pages([link]) == set()
    assert await ready.pages.due(NOW * 2, 10) == []


async def test_a_page_that_fails_is_put_off_and_given_up(ready: Store) -> None:  # noqa: F811
    await apply(ready, update(change("a", page_due=True)))
    (late,) = await ready.pages.due(NOW * 2, 10)
    await ready.pages.put_off(late.article.id, NOW * 2 + 5)
    assert await ready.pages.due(NOW * 2, 10) == []
    (late,) = await ready.pages.due(NOW * 2 + 5, 10)
    assert late.attempts == 1
    await ready.pages.put_off(late.article.id, None)
    assert await ready.pages.due(NOW * 3, 10) == []


async def test_pages_have_readers_while_an_active_chat_follows_something(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1)
    assert not await ready.pages.have_readers()
    await reader(ready, 2, RuleSpec(("nato",)))
    assert await ready.pages.have_readers()
    await ready.chats.retire(2, "blocked", NOW)
    assert not await ready.pages.have_readers()
    await reader(ready, 3, RuleSpec(("nato",)))
    await ready.rules.unfollow(3, 0, [RuleSpec(("nato",))])
    assert not await ready.pages.have_readers()
