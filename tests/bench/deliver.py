"""From the outbox over the wire: a server that answers after 50 ms, in a process of its own, no limits."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.model import (
    Article,
    ArticleTag,
    Chat,
    ChatKind,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    RuleSpec,
    TagSource,
)
from bot.core.pacing import Pacer
from bot.pipeline.deliver import Deliverer
from bot.pipeline.ports import SilentMeter
from bot.store.database import Database
from bot.store.store import Store
from bot.telegram.application import TelegramBot
from bot.telegram.texts import words
from tests.bench.served import served

if TYPE_CHECKING:
    from pathlib import Path

READERS, LATENCY_S, IN_FLIGHT = 3_000, 0.05, 60
NOW = 1_700_000_000_000
TOKEN = "42:bench-00000000000000000000000000000000"


def telegram() -> web.Application:
    """A Telegram that takes its time and never says no."""

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "getMe":
            result: dict[str, object] = {"id": 42, "is_bot": True, "first_name": "B", "username": "b"}
        else:
            form = await request.post()
            await asyncio.sleep(LATENCY_S)
            result = {"message_id": 1, "date": 1, "chat": {"id": int(str(form["chat_id"])), "type": "private"}}
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    return app


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Messages a second, and CPU for each."""
    with served(telegram) as url:
        return await _deliver(folder, url)


async def _deliver(folder: Path, url: str) -> list[tuple[str, str, float]]:
    database = await Database.open(f"sqlite:///{folder / 'bench.db'}")
    store = Store(database)
    await store.feeds.sync_catalogue([Feed(name="f", url="https://e.org/rss", title="F")])
    for reader in range(1, READERS + 1):
        await store.chats.upsert(Chat(id=reader, kind=ChatKind.PRIVATE), NOW)
        await store.rules.follow(reader, 0, [RuleSpec(("nato",))], NOW)
    article = Article(
        link="https://e.org/1", title="Headline of a story", summary="S " * 100, source="F", language="en", section="",
        published_at=NOW, seen_at=NOW, minutes=1, tags=(ArticleTag("nato", TagSource.PAGE),),
    )  # fmt: skip
    change = EntryChange(key="k", content_hash="h", canonical="https://e.org/1", article=article, new=True)
    await store.feeds.apply(
        [FeedUpdate(feed="f", state=FeedState(primed=True), changes=(change,), seen_keys=("k",), alert=True)], NOW
    )
    bot = TelegramBot(token=TOKEN, api_url=url, pacer=Pacer(overall=0, per_chat=0, per_group=0))
    await bot.connect()
    deliverer = Deliverer(
        store=store, sender=bot.sender, words=words, clock=lambda: time.time_ns() // 1_000_000, meter=SilentMeter(),
        owner="bench", in_flight=IN_FLIGHT, batch=500, lease_ms=120_000,
    )  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    totals = await deliverer.drain()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await bot.close()
    await database.close()
    if totals.sent != READERS:
        raise RuntimeError(f"only {totals.sent} were sent")
    what = f"outbox and wire, {LATENCY_S * 1000:.0f} ms server, {IN_FLIGHT} in flight"
    return [(what, "messages / s", READERS / wall), (what, "CPU us / message", cpu / READERS * 1e6)]
