"""Polling: against a local site, into a real database of each engine."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.core.model import Chat, ChatKind, Kind, Pace, PageMode
from bot.pipeline.retrieve import Result
from bot.pipeline.watch import Watch
from bot.store.database import StorageError
from tests.site import fetcher

from .conftest import NOW, World, item

if TYPE_CHECKING:
    from bot.feeds.worker import ParserPool
    from bot.store.store import Store


async def test_one_bad_feed_never_stops_the_rest(world: World) -> None:
    world.feed("good", item(1))
    world.feed("missing")
    world.feed("page")
    world.site.serve("/page", body=b"<html>no feed</html>")
    world.feed("entities")
    world.site.serve("/entities", body=b'<!DOCTYPE r [<!ENTITY a "b">]><rss/>')
    world.feed("half", "<item><title>a &#55296; b</title></item>")
    totals = await world.poll()
    assert (totals.feeds, totals.fetched, totals.failed, totals.articles_new) == (5, 2, 3, 2)
    details = world.details()
    assert "HTTP 404" in details["missing"]
    assert "it is a web page" in details["page"]
    assert "XML entities" in details["entities"]


async def test_the_archive_is_filled_in_silence_and_only_news_alerts(world: World) -> None:
    world.feed("a", item(1) + item(2))
    assert (await world.poll()).alerts_queued == 0
    world.publish("a", item(3) + item(1) + item(2))
    totals = await world.poll()
    assert (totals.articles_new, totals.alerts_queued, world.woken) == (1, 1, 1)
    world.publish("a", item(2) + item(1) + item(3))  # another order is no news
    totals = await world.poll()
    assert (totals.articles_new, totals.articles_changed, totals.alerts_queued) == (0, 0, 0)
    world.publish("a", item(3, "NATO corrected"))
    totals = await world.poll()
    assert (totals.articles_new, totals.articles_changed, totals.alerts_queued) == (0, 1, 0)


async def test_a_story_of_two_feeds_is_one_alert(world: World) -> None:
    world.feed("a", "")
    world.feed("b", "")
    await world.poll()
    world.publish("a", item(1))
    world.publish("b", item(1).replace("e.org/1", "e.org/1?utm_source=b"))
    totals = await world.poll()
    assert totals.alerts_queued == 1


async def test_a_feed_that_is_gone_and_one_that_asked_to_wait_are_left_alone(world: World) -> None:
    world.feed("gone")
    world.site.serve("/gone", status=410)
    world.feed("busy")
    world.site.serve("/busy", status=503, Retry_After="60")
    assert (await world.poll()).failed == 2
    asked = len(world.site.asked)
    assert (await world.poll()).left_alone == 2
    assert len(world.site.asked) == asked
    assert world.details() == {"gone": "the feed is gone (410)", "busy": "its site has asked to wait"}
    world.now += 61_000
    world.publish("busy", item(1))
    totals = await world.poll()
    assert (totals.left_alone, totals.fetched) == (1, 1)


async def test_an_unchanged_document_is_not_parsed_again(world: World) -> None:
    world.feed("a", item(1))
    await world.poll()
    parsed: list[object] = []
    world.parsers = _Counting(world.parsers, parsed)  # type: ignore[assignment]
    totals = await world.poll()
    assert (totals.fetched, parsed) == (1, [])


class _Counting:
    def __init__(self, parsers: ParserPool, seen: list[object]) -> None:
        self._parsers, self._seen = parsers, seen

    async def parse(self, fetched):
        self._seen.append(fetched)
        return await self._parsers.parse(fetched)


async def test_pages_are_read_for_news_only_and_a_failing_page_costs_nothing(world: World) -> None:
    world.feed("a", item(1), pages=PageMode.ALWAYS)
    await world.poll()
    assert [request.path for request in world.site.asked] == ["/a"]
    page = b"<article><p>Tags: #nato</p></article>"
    for number in range(2, 8):
        world.site.serve(f"/p{number}", body=page)
    world.site.serve("/p7", status=500)
    items = "".join(
        item(n, "Talks").replace(f"https://e.org/{n}", f"{world.site.url}/p{n}") for n in (7, 2, 3, 4, 5, 6)
    )
    world.publish("a", items)
    totals = await world.poll()
    assert totals.articles_new == 6
    pages = [request.path for request in world.site.asked if request.path.startswith("/p")]
    assert len(pages) == 3  # the limit
    assert totals.alerts_queued == 2


async def test_a_defect_of_ours_in_one_feed_is_loud_and_stops_no_other(world: World) -> None:
    world.feed("a", item(1))
    world.feed("b", item(2))
    world.parsers = _Failing(world.parsers)  # type: ignore[assignment]
    totals = await world.poll()
    assert (totals.fetched, totals.failed) == (1, 1)
    assert "a fault of tagwire itself (ZeroDivisionError)" in world.details()["a"]


class _Failing:
    def __init__(self, parsers: ParserPool) -> None:
        self._parsers = parsers

    async def parse(self, fetched):
        return 1 / 0 if fetched.url.endswith("/a") else await self._parsers.parse(fetched)


async def test_a_database_that_went_away_ends_the_round_with_its_name(world: World, database_url: str) -> None:
    world.feed("a", item(1))
    await world.poll()
    await take_away(world.store, database_url)
    world.publish("a", "".join(item(n, description="x" * 1500) for n in range(2, 60)))
    async with fetcher() as fetch:
        with pytest.raises(StorageError, match="cannot be used"):
            await world.poller(fetch).poll_all(["a"])


async def take_away(store: Store, database_url: str) -> None:
    """Fill the disk of an SQLite file; turn PostgreSQL's clients out and lock the door."""
    if store.database.is_sqlite:
        async with store.database.transaction() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
        return
    name = make_url(database_url).database
    server = await asyncpg.connect(os.environ["TAGWIRE_TEST_POSTGRES"])
    await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await server.close()


async def test_ticks_poll_what_is_due_and_nothing_twice_at_once(world: World) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_):
        from aiohttp import web  # noqa: PLC0415

        started.set()
        await go_on.wait()
        return web.Response(body=f"<rss version='2.0'><channel>{item(1)}</channel></rss>".encode())

    world.feed("a")
    world.site.handle("/a", slow)
    await world.store.feeds.sync_catalogue(list(world.feeds.values()))
    async with fetcher() as fetch:
        poller = world.poller(fetch)
        await poller.tick()
        await started.wait()
        await poller.tick()
        go_on.set()
        await asyncio.gather(*poller._under_way.values())
        assert len(world.site.asked) == 1
        await poller.tick()  # not due yet
        assert not poller._under_way
        world.now += 300_000
        await poller.tick()
        assert list(poller._under_way) == ["a"]
        await poller.stop()
    assert (await world.store.feeds.states(["a"]))["a"].primed


async def test_what_sites_and_documents_ask_is_kept_over_a_restart(world: World) -> None:
    body = (
        "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>a</title>"
        "<ttl>90</ttl><skipHours><hour>0</hour><hour>24</hour><hour>5</hour></skipHours>"
        "<skipDays><day>Sunday</day></skipDays><sy:updatePeriod>hourly</sy:updatePeriod>"
        f"<sy:updateFrequency>2</sy:updateFrequency>{item(1)}</channel></rss>"
    )
    world.feed("slow")
    world.site.serve("/slow", body=body.encode())
    world.feed("cached", item(2))
    world.site.serve("/cached", body=b"<rss version='2.0'><channel/></rss>", Cache_Control="max-age=7200", Age="1200")
    await world.poll()
    states = await world.store.feeds.states()
    assert states["slow"].pace == Pace(asked_s=5400, skip_hours=0b100001, skip_days=0b1000000)
    assert states["slow"].next_poll_at - NOW == 5_400_000
    assert states["cached"].next_poll_at - NOW == 6_000_000


async def test_a_permanent_move_is_followed_and_kept_after_three_polls(world: World) -> None:
    world.feed("old")
    world.feed("temporary")
    world.publish("new", item(1))
    for path, status in (("old", 301), ("temporary", 302)):
        world.site.serve(f"/{path}", status=status, Location="/new")
    for _ in range(4):
        world.now += 600_000
        await world.poll()
    states = await world.store.feeds.states()
    assert states["old"].address == f"{world.site.url}/new"
    assert states["temporary"].address == ""
    assert [request.path for request in world.site.asked].count("/old") == 3
    assert await world.notices() == [("moved", "old", f"{world.site.url}/new")]
    world.feeds["old"] = replace(world.feeds["old"], url=f"{world.site.url}/newest")  # the operator knows best
    world.publish("newest", item(1))
    await world.poll()
    assert (await world.store.feeds.states())["old"].address == ""


async def test_two_feeds_that_meet_at_one_address_become_one(world: World) -> None:
    world.feed("new", item(1))
    world.feed("old", item(2))
    await world.poll()
    world.site.serve("/old", status=308, Location="/new")
    for _ in range(3):
        world.now += 600_000
        await world.poll()
    assert await world.notices() == [("merged", "old", "new")]
    world.publish("new", item(3) + item(2) + item(1))
    totals = await world.poll()
    assert (totals.left_alone, totals.articles_new, totals.alerts_queued) == (1, 1, 1)  # item 2 is no news to anybody
    assert world.details()["old"] == "it is the same feed as new now"


async def test_a_429_rests_every_feed_of_that_site(world: World) -> None:
    world.feed("a")
    world.feed("b", item(1))
    world.site.serve("/a", status=429, Retry_After="600")
    totals = await world.poll()
    assert (totals.failed, totals.left_alone) == (1, 1)
    assert [request.path for request in world.site.asked] == ["/a"]  # b waited for its turn, and then left it
    assert (await world.poll()).left_alone == 2  # over a restart too
    assert len(world.site.asked) == 1
    world.now += 601_000
    world.publish("a", item(2))
    assert (await world.poll()).fetched == 2


async def test_a_page_is_asked_where_its_feed_is(world: World) -> None:
    world.feed("site")
    world.site.serve(
        "/site",
        body=b"<!doctype html><html><head><link rel='alternate' type='application/rss+xml' href='/real'></head></html>",
    )
    world.publish("real", item(1))
    totals = await world.poll()
    assert (totals.fetched, totals.articles_new) == (1, 1)
    assert await world.notices() == [("moved", "site", f"{world.site.url}/real")]
    world.now += 600_000
    await world.poll()
    assert [request.path for request in world.site.asked] == ["/site", "/real", "/real"]


async def test_a_restart_makes_no_burst(world: World) -> None:
    for number in range(30):
        world.feed(f"feed{number}", item(number))
    world.feed("new")
    await world.poll()
    world.now += 86_400_000
    async with fetcher() as fetch:
        await world.poller(fetch).spread()
    due = [len(await world.store.feeds.due(world.now + second * 1000, 99)) for second in (0, 20, 40, 60)]
    assert due[0] <= 2
    assert due == sorted(due)
    assert 5 < due[1] < 20
    assert due[-1] == 31


async def test_admins_whom_the_bot_knows_are_told(world: World) -> None:
    await world.store.chats.upsert(Chat(id=99, kind=ChatKind.PRIVATE), NOW)
    world.feed("gone")
    world.site.serve("/gone", status=410)
    await world.poll()
    watch = Watch(store=world.store, clock=lambda: NOW, admins=(99, 100), disk=lambda: None)
    await watch.look()
    await watch.look()
    assert await world.notices() == [("gone", "gone", f"{world.site.url}/gone: gone for good (HTTP 410)")]
    ((kind, chat),) = [(row.kind, row.chat_id) for row in await world.store.outbox.claim("w", NOW, 1000, 10)]
    assert (kind, chat) == (Kind.NOTICE, 99)


def test_results_are_the_words_of_the_contract() -> None:
    assert {result.value for result in Result} == {"fetched", "not_modified", "failed", "left_alone"}
