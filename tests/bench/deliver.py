"""From the outbox over the wire: a server that answers after 50 ms, in a process of its own, without limits of its own.

First as fast as it goes; then under Telegram's limits with a long queue: how soon hot news and answers get through.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy import insert

from bot.core.model import (
    Article,
    ArticleTag,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    TagSource,
)
from bot.core.pacing import Pacer
from bot.pipeline.deliver import Deliverer
from bot.pipeline.ports import SilentMeter
from bot.store.database import Database
from bot.store.schema import chats, rules
from bot.store.store import Store
from bot.telegram.application import TelegramBot
from bot.telegram.texts import words
from tests.bench.served import served
from tests.hot import confirmed, drafted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.model import Card, Outcome

READERS, LATENCY_S = 3_000, 0.05
#: What a crash may repeat: a few for the free limit, many for paid broadcasts.
IN_FLIGHT = (60, 250)
BACKLOG, ANSWERS = 10_000, 40
TOKEN = "42:bench-00000000000000000000000000000000"


def now_ms() -> int:
    """The clock."""
    return time.time_ns() // 1_000_000


def telegram() -> web.Application:
    """A Telegram that takes its time and never says no."""

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "getMe":
            result: dict[str, object] = {"id": 42, "is_bot": True, "first_name": "B", "username": "b"}
        else:
            body = await (request.json() if request.content_type == "application/json" else request.post())
            await asyncio.sleep(LATENCY_S)
            result = {"message_id": 1, "date": 1, "chat": {"id": int(str(body["chat_id"])), "type": "private"}}
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    return app


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Messages a second, CPU for each, and what waits least."""
    with served(telegram) as url:
        few, many = [await _as_fast_as_it_goes(folder, url, in_flight) for in_flight in IN_FLIGHT]
        return [*few, *many, *await _under_limits(folder, url)]


async def queued(store: Store, readers: int) -> None:
    """A story waits for so many readers of one tag."""
    await store.feeds.sync_catalogue([Feed(name="f", url="https://e.org/rss", title="F")])
    tag = (await store.articles.ensure_tags(["nato"]))["nato"]
    people = [{"id": n, "kind": "private", "language": "en", "time_zone": "Europe/Kyiv", "created_at": 1}
              for n in range(1, readers + 1)]  # fmt: skip
    async with store.database.transaction() as connection:
        await connection.execute(insert(chats), people)
        follows = [{"chat_id": one["id"], "key": "nato", "anchor_id": tag, "created_at": 1} for one in people]
        await connection.execute(insert(rules), follows)
    now = now_ms()
    article = Article(
        link="https://e.org/1", title="Headline of a story", summary="Summary " * 33, source="F", language="en",
        section="", published_at=now, seen_at=now, minutes=1, tags=(ArticleTag("nato", TagSource.PAGE),),
    )  # fmt: skip
    change = EntryChange(key="k", content_hash="h", canonical="https://e.org/1", article=article, new=True)
    await store.feeds.apply(
        [FeedUpdate(feed="f", state=FeedState(primed=True), changes=(change,), seen_keys=("k",), alert=True)], now
    )


@asynccontextmanager
async def ready(
    database_url: str, api_url: str, pacer: Pacer, readers: int
) -> AsyncIterator[tuple[Store, TelegramBot]]:
    """A store with a queue, and a bot that is connected."""
    database = await Database.open(database_url)
    bot = TelegramBot(token=TOKEN, api_url=api_url, pacer=pacer, in_flight=max(IN_FLIGHT))
    try:
        await queued(store := Store(database), readers)
        await bot.connect()
        yield store, bot
    finally:
        await bot.close()
        await database.close()


def deliverer(store: Store, sender: object, in_flight: int) -> Deliverer:
    """The pump."""
    return Deliverer(
        store=store, sender=sender, words=words, clock=now_ms, meter=SilentMeter(),
        owner="bench", in_flight=in_flight, batch=500, lease_ms=120_000,
    )  # fmt: skip


async def _as_fast_as_it_goes(folder: Path, url: str, in_flight: int) -> list[tuple[str, str, float]]:
    unlimited = Pacer(overall=0, per_chat=0, per_group=0)
    async with ready(f"sqlite:///{folder / f'{in_flight}.db'}", url, unlimited, READERS) as (store, bot):
        wall, cpu = time.perf_counter(), time.process_time()
        totals = await deliverer(store, bot.sender, in_flight).drain()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if totals.sent != READERS:
        raise RuntimeError(f"only {totals.sent} were sent")
    what = f"outbox and wire, {LATENCY_S * 1000:.0f} ms server, {in_flight} in flight"
    return [(what, "messages / s", READERS / wall), (what, "CPU us / message", cpu / READERS * 1e6)]


class Watching:
    """A sender that notes when the first of the cards with `mark` had arrived."""

    def __init__(self, sender: object, mark: str) -> None:
        self._sender, self._mark = sender, mark
        self.arrived = asyncio.Event()

    async def send(self, chat_id: int, thread_id: int, card: Card, *, plain: bool = False, **_: object) -> Outcome:
        """Send."""
        outcome = await self._sender.send(chat_id, thread_id, card, plain=plain)
        if card.html == self._mark:
            self.arrived.set()
        return outcome


async def _under_limits(folder: Path, url: str) -> list[tuple[str, str, float]]:
    async with ready(f"sqlite:///{folder / 'limits.db'}", url, Pacer(), BACKLOG) as (store, bot):
        watching = Watching(bot.sender, "hot")
        pump = deliverer(store, watching, 8)
        running = asyncio.create_task(pump.run())
        await asyncio.sleep(2)
        draft = await drafted(store, "hot", now_ms())
        started = time.perf_counter()
        await confirmed(store, draft, now_ms())
        pump.wake()
        await watching.arrived.wait()
        hot = time.perf_counter() - started
        answers = []
        for number in range(ANSWERS):
            started = time.perf_counter()
            await bot._application.bot.send_message(BACKLOG + number + 1, "an answer")
            answers.append(time.perf_counter() - started)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return [
        (f"first hot copy over {BACKLOG:,} alerts, 30 / s", "ms", hot * 1000),
        (f"an answer while {BACKLOG:,} hot rows wait, slowest of {ANSWERS}", "ms", max(answers) * 1000),
    ]
