"""Rounds over local feeds of 30 entries: all new, nothing new (304), 2 % changed. The site is a process of its own.

Peers on the same work, feeds for one CPU second (feeds.md 5.3): all new newsboat 74, reader 25, rss2email 16; 304
rss2email 495, reader 394; 2 % changed rss2email 370, reader 327.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from pathlib import Path

from aiohttp import web

from bot.core.lexicon import Lexicon
from bot.core.model import Feed
from bot.core.thesaurus import Thesaurus, ThesaurusEntry
from bot.feeds.fetch import Fetcher
from bot.feeds.morphology import Morphology
from bot.feeds.worker import ParserPool
from bot.pipeline.poll import Poller, PollTotals
from bot.pipeline.ports import SilentMeter
from bot.pipeline.tagging import Tagger
from bot.store.database import Database
from bot.store.store import Store
from tests.bench.served import served

SIZES, ITEMS = (500, 2000), 30
ROUNDS = ("all new", "304", "2 % changed")


def site() -> web.Application:
    """A site of many feeds that knows its ETags; `?round=3` changes every fiftieth feed."""
    current = {"round": 1}

    async def feed(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        edition = 1 if current["round"] < 3 or int(name[1:]) % 50 else 2
        if request.headers.get("If-None-Match") == f'"{edition}"':
            return web.Response(status=304)
        items = "".join(
            f"<item><guid>{name}-{n}</guid><title>Headline {n} of {name} about NATO</title>"
            f"<link>https://e.org/{name}/{n}</link><description>{'Words of a summary. ' * 10}</description>"
            f"<pubDate>Fri, 21 Nov 2025 17:11:00 +0200</pubDate></item>"
            for n in range(edition, ITEMS + edition)
        )
        text = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": f'"{edition}"'})

    async def turn(request: web.Request) -> web.Response:
        current["round"] = int(request.query["round"])
        return web.Response()

    app = web.Application()
    app.router.add_get("/turn", turn)
    app.router.add_get("/{name}", feed)
    return app


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Feeds for one CPU second (ours and the parsers' together), peak memory of all, and the loop's longest stall."""
    figures = []
    for size in SIZES:
        with served(site) as url:
            database = await Database.open(f"sqlite:///{folder / f'bench{size}.db'}")
            try:
                figures += await _rounds(Store(database), url, size)
            finally:
                await database.close()
    return figures


async def _rounds(store: Store, url: str, size: int) -> list[tuple[str, str, float]]:
    feeds = [Feed(name=f"f{n}", url=f"{url}/f{n}", title=f"F{n}") for n in range(size)]
    await store.feeds.sync_catalogue(feeds)
    fetcher = Fetcher(
        user_agent="bench", timeout_s=20, max_bytes=10**7, allow_private=True, per_host=8, pause_s=0, connections=20
    )
    thesaurus = Thesaurus.build([ThesaurusEntry("nato", {}, {"en": ("NATO",)})])
    tagger = Tagger(store, Lexicon(thesaurus, Morphology()), lambda: time.time_ns() // 1_000_000)
    gc.freeze()  # as the service does
    others = _children()  # the site, and what starts processes
    figures: list[tuple[str, str, float]] = []
    peak = stall = 0.0
    for number, what in enumerate(ROUNDS, 1):
        wall, cpu = time.perf_counter(), _cpu()
        async with fetcher, ParserPool(max_workers=1) as parsers:
            await fetcher.fetch_page(f"{url}/turn?round={number}")
            poller = Poller(
                store=store, fetcher=fetcher, parsers=parsers, tagger=tagger, page_wait_s=20, feeds=feeds,
                clock=lambda: time.time_ns() // 1_000_000, meter=SilentMeter(), page_limit=0, at_once=20,
            )  # fmt: skip
            longest = [0.0]
            watch = asyncio.create_task(_watch(longest))
            totals = await poller.poll_all([feed.name for feed in feeds])
            watch.cancel()
            stall = max(stall, longest[0])
            peak = max(peak, _memory(others))
        _check(totals, what, size)
        figures += [
            (f"poll {size} feeds, {what}", "feeds / CPU s", size / (_cpu() - cpu)),
            (f"poll {size} feeds, {what}", "feeds / s", size / (time.perf_counter() - wall)),
        ]
    return [
        *figures,
        (f"poll {size} feeds, peak memory with workers", "MB", peak),
        (f"poll {size} feeds, longest stall of the loop", "ms", stall * 1000),
    ]


async def _watch(longest: list[float]) -> None:
    """Note by how much a sleep of 10 ms overran, at worst."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        longest[0] = max(longest[0], time.perf_counter() - before - 0.01)


def _check(totals: PollTotals, what: str, size: int) -> None:
    expected = {"all new": (size * ITEMS, 0), "304": (0, size), "2 % changed": (size // 50, size - size // 50)}[what]
    if (totals.articles_new, totals.not_modified) != expected:
        raise RuntimeError(f"the round went wrong: {what}: {totals}")


def _cpu() -> float:
    """CPU seconds of this process and of the workers that ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _memory(others: set[str]) -> float:
    """Megabytes of this process at its peak, and of its workers, which are the children that others are not."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    workers = sum(_peak(Path(f"/proc/{child}/status")) for child in _children() - others)
    return (own + workers) / 1e6


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def _peak(status: Path) -> int:
    try:
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * 1024
