"""Rounds over local feeds: all new, and nothing new. The site runs in a process of its own."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.lexicon import Thesaurus, ThesaurusEntry
from bot.core.model import Feed
from bot.feeds.fetch import Fetcher
from bot.feeds.worker import ParserPool
from bot.pipeline.poll import Poller
from bot.pipeline.ports import SilentMeter
from bot.store.database import Database
from bot.store.store import Store
from tests.bench.served import served

if TYPE_CHECKING:
    from pathlib import Path

FEEDS, ITEMS = 400, 30


def site() -> web.Application:
    """A site of many feeds that knows its ETags."""

    async def feed(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match"):
            return web.Response(status=304)
        name = request.match_info["name"]
        items = "".join(
            f"<item><guid>{name}-{n}</guid><title>Headline {n} of {name} about NATO</title>"
            f"<link>https://e.org/{name}/{n}</link><description>{'Words of a summary. ' * 10}</description></item>"
            for n in range(ITEMS)
        )
        text = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": '"1"'})

    app = web.Application()
    app.router.add_get("/{name}", feed)
    return app


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Feeds for one CPU second, ours and the parsers' together."""
    figures = []
    with served(site) as url:
        database = await Database.open(f"sqlite:///{folder / 'bench.db'}")
        store = Store(database)
        feeds = [Feed(name=f"f{n}", url=f"{url}/f{n}", title=f"F{n}") for n in range(FEEDS)]
        await store.feeds.sync_catalogue(feeds)
        fetcher = Fetcher(
            user_agent="bench", timeout_s=20, max_bytes=10**7, allow_private=True, per_host=8, pause_s=0, connections=20
        )
        thesaurus = Thesaurus.build([ThesaurusEntry("nato", {"en": "NATO"}, {"en": ("NATO",)}, ())])
        for what in ("all new", "nothing new (304)"):
            start, cpu = time.perf_counter(), _cpu()
            async with fetcher, ParserPool(max_workers=1) as parsers:
                poller = Poller(
                    store=store, fetcher=fetcher, parsers=parsers, thesaurus=thesaurus, feeds=feeds,
                    clock=lambda: time.time_ns() // 1_000_000, meter=SilentMeter(), page_limit=0, at_once=20,
                )  # fmt: skip
                totals = await poller.poll_all([feed.name for feed in feeds])
            spent, wall = _cpu() - cpu, time.perf_counter() - start
            if (totals.articles_new, totals.not_modified) not in {(FEEDS * ITEMS, 0), (0, FEEDS)}:
                raise RuntimeError(f"the round went wrong: {totals}")
            figures += [(f"poll, {what}", "feeds / CPU s", FEEDS / spent), (f"poll, {what}", "feeds / s", FEEDS / wall)]
        await database.close()
    return figures


def _cpu() -> float:
    """CPU seconds of this process and of the workers that ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
