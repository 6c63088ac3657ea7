"""Pages: read once, for those who could profit, and never at the price of a late alert."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.cadence import VISITED_WITHIN_MS, VISITS_MS, next_visit
from bot.core.model import Chat, ChatKind, Kind, PageFacts, PageMode, RuleSpec, Ruling, Verdict
from bot.core.search import understand
from bot.pipeline.searching import find
from tests.site import fetcher

from .conftest import NOW, READER, item

if TYPE_CHECKING:
    from .conftest import World

PAGE = b"<article><p>Tags: #nato</p></article>"


def asked(world: World, path: str) -> int:
    return sum(request.path == path for request in world.site.asked)


async def ready(world: World, *names: str, **options: object) -> None:
    """Feeds that have shown their archive."""
    for name in names:
        world.feed(name, "", pages=PageMode.ALWAYS, **options)
    await world.poll()


def story(world: World, number: int, title: str = "Talks") -> str:
    return item(number, title).replace(f"https://e.org/{number}", f"{world.site.url}/p{number}")


async def test_a_page_that_fails_holds_nothing_up_and_its_tags_follow_once(world: World) -> None:
    await ready(world, "a")
    await world.store.rules.follow(READER, 0, [RuleSpec(("talks",))], NOW)
    world.site.serve("/p1", status=500)
    world.publish("a", story(world, 1, "NATO and talks"))
    assert (await world.poll()).alerts_queued == 1  # with what is known
    await world.store.chats.upsert(Chat(id=8, kind=ChatKind.PRIVATE), NOW)
    await world.store.rules.follow(8, 0, [RuleSpec(("peace_plan",))], NOW)
    world.site.serve("/p1", body=b"<article><p>Tags: #nato #peace_plan</p></article>")
    assert (await world.poll()).alerts_queued == 0  # not yet its time
    world.now += VISITS_MS[0]
    assert (await world.poll()).alerts_queued == 1  # the one whom the late tag concerns
    world.now += VISITED_WITHIN_MS
    assert (await world.poll()).alerts_queued == 0
    assert asked(world, "/p1") == 2


async def test_the_lead_of_a_late_page_is_the_summary_of_an_article_without_one(world: World) -> None:
    await ready(world, "a")
    world.site.serve("/p1", status=500)
    world.site.serve("/p2", status=500)
    own = story(world, 2, "NATO meets").replace("</item>", "<description>Its own words.</description></item>")
    world.publish("a", story(world, 1, "NATO talks") + own)
    await world.poll()
    for _ in range(2):
        (row,) = await world.store.outbox.claim("w", world.now, 1000, 10)
        await world.store.outbox.settle([(row, Verdict(ruling=Ruling.SENT, message_id=row.id))], "w", world.now)
    lead = b'<meta property="og:description" content="Ministers met in Brussels on Friday, an official has said.">'
    for path in ("/p1", "/p2"):
        world.site.serve(path, body=b"<html><head>" + lead + b"</head><body><article>A.</article></body></html>")
    world.now += VISITS_MS[0]
    await world.poll()
    talks, meets = sorted(await world.store.articles.latest(), key=lambda article: article.title, reverse=True)
    assert talks.summary == "Ministers met in Brussels on Friday, an official has said."
    assert meets.summary == "Its own words."
    forms = world.tagger.lexicon.forms
    assert await find(world.store, understand("Brussels", forms), forms, 10) == [talks.id]
    # Cards that are read already get it, and a corrected headline does not take it away.
    (edit,) = await world.store.outbox.claim("w", world.now, 1000, 10)
    assert edit.kind is Kind.EDIT
    world.publish("a", story(world, 1, "NATO talks end") + own)
    await world.poll()
    corrected = await world.store.articles.get(talks.id)
    assert corrected is not None
    assert (corrected.title, corrected.summary) == ("NATO talks end", talks.summary)


async def test_a_site_that_keeps_us_waiting_delays_an_article_by_a_set_time_at_most(world: World) -> None:
    await ready(world, "a")
    never = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    world.site.handle("/p1", hang)
    world.page_wait_s = 0.2
    world.publish("a", story(world, 1, "NATO"))
    totals = await world.poll()
    assert (totals.articles_new, totals.alerts_queued) == (1, 1)
    (late,) = await world.store.pages.due(NOW * 2, 10)
    assert late.article.title == "NATO"


async def test_pages_beyond_the_limit_of_a_poll_follow(world: World) -> None:
    await ready(world, "a")
    for number in range(1, 6):
        world.site.serve(f"/p{number}", body=PAGE)
    world.publish("a", "".join(story(world, number) for number in range(1, 6)))
    assert (await world.poll()).alerts_queued == 3  # page_limit
    world.now += VISITS_MS[0]
    assert (await world.poll()).alerts_queued == 2


async def test_a_page_is_read_once_whichever_feeds_carry_it(world: World) -> None:
    await ready(world, "a", "b")
    world.site.serve("/p1", body=PAGE)
    world.publish("a", story(world, 1))
    assert (await world.poll()).alerts_queued == 1
    world.publish("b", story(world, 1))
    assert (await world.poll()).alerts_queued == 0
    assert asked(world, "/p1") == 1


async def test_a_page_is_read_once_when_feeds_bring_its_article_at_the_same_time(world: World) -> None:
    await ready(world, "a", "b", "c")
    world.site.serve("/p1", body=PAGE)
    for name in ("a", "b", "c"):
        world.publish(name, story(world, 1))
    totals = await world.poll()
    assert (totals.articles_new, totals.alerts_queued) == (3, 1)
    assert asked(world, "/p1") == 1
    assert await world.store.pages.due(NOW * 2, 10) == []


async def test_a_page_that_failed_for_one_feed_is_not_asked_for_at_once_by_another(world: World) -> None:
    await ready(world, "a", "b")
    world.site.serve("/p1", status=500)
    for name in ("a", "b"):
        world.publish(name, story(world, 1))
    await world.poll()
    assert asked(world, "/p1") == 1
    world.site.serve("/p1", body=PAGE)
    world.now += VISITS_MS[0]
    assert (await world.poll()).alerts_queued == 1
    assert asked(world, "/p1") == 2


async def test_a_poll_that_gives_up_on_a_page_leaves_it_to_the_other(world: World) -> None:
    await ready(world, "a", "b")
    hung, answers = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        if not hung.is_set():
            hung.set()
            await answers.wait()
        return web.Response(body=PAGE)

    world.site.handle("/p1", slow)
    async with fetcher(per_host=2) as fetch:
        feed, retriever = world.feeds["a"], world.retriever(fetch)
        first = asyncio.create_task(retriever.read_once(feed, f"{world.site.url}/p1", NOW))
        await hung.wait()
        second = asyncio.create_task(retriever.read_once(feed, f"{world.site.url}/p1", NOW))
        first.cancel()
        page = await second
        answers.set()
    assert isinstance(page, PageFacts)
    assert page.tags == ("nato",)


async def test_a_page_that_is_not_there_is_not_asked_for_again(world: World) -> None:
    await ready(world, "a")
    world.site.serve("/p1", status=404)
    world.publish("a", story(world, 1))
    await world.poll()
    assert await world.store.pages.due(NOW * 2, 10) == []


async def test_without_readers_no_page_is_asked_for(world: World) -> None:
    await ready(world, "a")
    await world.store.rules.unfollow(READER, 0, [RuleSpec(("nato",))])  # a chat that follows nothing is none
    world.site.serve("/p1", body=PAGE)
    world.publish("a", story(world, 1))
    assert (await world.poll()).articles_new == 1
    assert asked(world, "/p1") == 0


async def test_a_late_page_is_not_asked_for_when_nobody_follows_anything_any_more(world: World) -> None:
    await ready(world, "a")
    world.site.serve("/p1", status=503)
    world.publish("a", story(world, 1))
    await world.poll()
    await world.store.rules.unfollow(READER, 0, [RuleSpec(("nato",))])
    world.now += VISITS_MS[0]
    await world.poll()
    assert asked(world, "/p1") == 1


async def test_a_tick_reads_late_pages_and_wakes_the_deliverer(world: World) -> None:
    await ready(world, "a")
    world.site.serve("/p1", status=503)
    world.publish("a", story(world, 1))
    await world.poll()
    world.site.serve("/p1", body=PAGE)
    world.now += VISITS_MS[0]
    async with fetcher() as fetch:
        poller = world.poller(fetch)
        await poller.tick()
        async with asyncio.timeout(20):
            await world.awake.wait()
        await poller.stop()
    assert await world.store.pages.due(NOW * 2, 10) == []


def test_a_page_is_asked_for_ever_more_rarely_and_then_not_at_all() -> None:
    assert next_visit(1, NOW, NOW) == NOW + VISITS_MS[1]
    assert next_visit(1, NOW, NOW, asked_s=1800) == NOW + 1_800_000
    assert next_visit(len(VISITS_MS), NOW, NOW) is None
    assert next_visit(1, NOW, NOW + VISITED_WITHIN_MS) is None
