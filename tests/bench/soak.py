"""Ten simulated days of 1 000 local feeds with faults: what leaks, shows."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from hashlib import md5
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.lexicon import Lexicon
from bot.core.model import Feed
from bot.core.thesaurus import Thesaurus, ThesaurusEntry
from bot.feeds.fetch import Fetcher
from bot.feeds.morphology import Morphology
from bot.feeds.worker import ParserPool
from bot.pipeline.poll import Poller
from bot.pipeline.ports import SilentMeter
from bot.pipeline.tagging import Tagger
from bot.store.database import Database
from bot.store.store import Store
from tests.bench.served import served

if TYPE_CHECKING:
    from pathlib import Path

FEEDS, DAYS, ITEMS = 1000, 10, 20
STEP_MS, DAY_MS = 10 * 60 * 1000, 24 * 60 * 60 * 1000
NOW = 1_763_683_200_000


def site() -> web.Application:
    """A site that publishes as its clock, a query parameter, goes on, and fails now and then."""
    dice = random.Random(7)

    async def feed(request: web.Request) -> web.Response:
        name, now = request.match_info["name"], clock["now"]
        luck = dice.random()
        if luck < 0.01:
            return web.Response(status=dice.choice([500, 502, 404]))
        if luck < 0.015:
            return web.Response(status=503, headers={"Retry-After": "1800"})
        if luck < 0.02:
            return web.Response(body=b"<rss" + os.urandom(200))
        if luck < 0.025 and request.transport:
            request.transport.abort()
        # One story every six hours, each feed at its own minute.
        number = (now + int(md5(name.encode()).hexdigest()[:6], 16) * 1000) // (6 * 60 * 60 * 1000)
        tag = f'"{number}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        items = "".join(
            f"<item><guid>{name}-{n}</guid><title>Story {n} of {name} about NATO</title><link>https://e.org/{name}/{n}</link></item>"
            for n in range(number, number - ITEMS, -1)
        )
        text = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": tag})

    clock = {"now": NOW}

    async def tell(request: web.Request) -> web.Response:
        clock["now"] = int(request.query["now"])
        return web.Response()

    app = web.Application()
    app.router.add_get("/clock", tell)
    app.router.add_get("/{name}", feed)
    return app


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Tasks, file handles and memory after the second day and after the last."""
    with served(site) as url:
        database = await Database.open(f"sqlite:///{folder / 'soak.db'}")
        store = Store(database)
        feeds = [Feed(name=f"f{n}", url=f"{url}/f{n}", title=f"F{n}", every=3600) for n in range(FEEDS)]
        await store.feeds.sync_catalogue(feeds)
        fetcher = Fetcher(
            user_agent="soak", timeout_s=5, max_bytes=10**6, allow_private=True, per_host=20, pause_s=0, connections=20
        )
        now, polls, started = NOW, 0, time.perf_counter()
        thesaurus = Thesaurus.build([ThesaurusEntry("nato", {}, {"en": ("NATO",)})])
        tagger = Tagger(store, Lexicon(thesaurus, Morphology()), lambda: now)
        async with fetcher, ParserPool(max_workers=1) as parsers:
            poller = Poller(
                store=store, fetcher=fetcher, parsers=parsers, tagger=tagger, page_wait_s=20, feeds=feeds, clock=lambda: now,
                meter=SilentMeter(), page_limit=0, at_once=20, floor_s=60, effort=1.5,
            )  # fmt: skip
            early: tuple[int, int, float] = (0, 0, 0.0)
            while now < NOW + DAYS * DAY_MS:
                await fetcher.fetch_page(f"{url}/clock?now={now}")
                await poller.tick()
                under_way = list(poller._under_way.values())
                polls += len(under_way)
                await asyncio.gather(*under_way)
                now += STEP_MS
                if now == NOW + 2 * DAY_MS:
                    early = _held()
            late = _held()
        stats = await store.stats.collect(now)
        await database.close()
    return [
        ("soak: polls", "", polls),
        ("soak: articles", "", stats.articles),
        ("soak: wall", "s", time.perf_counter() - started),
        ("soak: tasks, day 2 -> 10", "", late[0] - early[0]),
        ("soak: file handles, day 2 -> 10", "", late[1] - early[1]),
        ("soak: memory, day 2", "MB", early[2]),
        ("soak: memory, day 10", "MB", late[2]),
    ]


def _held() -> tuple[int, int, float]:
    gc.collect()
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - no folder, a kernel's answer
        pages = int(statm.read().split()[1])
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), pages * 4096 / 1e6  # noqa: PTH208
