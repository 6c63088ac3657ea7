"""1 000 random SIGKILLs over a queue of 20 000 alerts, on a file of SQLite: what is lost, and what comes twice.

A sender is started, works, and is killed up to LIFE_S after its first answer; so again and again, then one is let finish.
`make soak` runs it; minutes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from bot.core.model import DeliveryState
from tests.bench.served import served
from tests.end_to_end.killing import CONTEXT, deliver, opened
from tests.end_to_end.pumping import NOW, follow, publish, story

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store.store import Store

READERS, STORIES, KILLS, IN_FLIGHT = 4_000, 5, 1_000, 8
#: So short that the queue lasts for all the kills.
LIFE_S = 0.06


def telegram() -> web.Application:
    """A Telegram that says yes and counts what it has accepted, by chat and text."""
    accepted: Counter[tuple[str, str]] = Counter()
    changed = asyncio.Condition()

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "getMe":
            return _yes({"id": 42, "is_bot": True, "first_name": "B", "username": "b"})
        body = await (request.json() if request.content_type == "application/json" else request.post())
        async with changed:
            accepted[str(body["chat_id"]), str(body["text"]).splitlines()[0]] += 1
            changed.notify_all()
        return _yes({"message_id": 1, "date": 1, "chat": {"id": int(str(body["chat_id"])), "type": "private"}})

    async def total(request: web.Request) -> web.Response:
        """How much was accepted, once it is more than `after`, or a second later."""
        after = int(request.query.get("after", -1))
        try:
            async with asyncio.timeout(5), changed:
                await changed.wait_for(lambda: accepted.total() > after)
        except TimeoutError:
            pass
        return web.json_response(accepted.total())

    async def copies(_: web.Request) -> web.Response:
        """How many messages came once, twice, and so on."""
        return web.json_response(Counter(accepted.values()))

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    app.router.add_get("/total", total)
    app.router.add_get("/copies", copies)
    return app


def _yes(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Kills, what they caught in flight, and what came of it."""
    database_url = f"sqlite:///{folder / 'crash.db'}"
    with served(telegram) as url:
        async with opened(database_url) as store, aiohttp.ClientSession(url) as web_session:
            await follow(store, *range(1, READERS + 1))
            await publish(store, NOW, *[story(number, NOW) for number in range(1, STORIES + 1)])
            await store.fanouts.resume(NOW)
            if (await store.outbox.counts())[DeliveryState.QUEUED] != READERS * STORIES:
                raise RuntimeError("not all alerts are queued")
            caught, now = 0, NOW
            for _ in range(KILLS):
                now += 1000
                await _live_and_die(database_url, url, now, web_session)
                caught += (await store.outbox.counts()).get(DeliveryState.CLAIMED, 0)
            last = CONTEXT.Process(target=deliver, args=(database_url, url, now + 1000, IN_FLIGHT))
            last.start()
            await asyncio.to_thread(last.join)
            async with web_session.get("/copies") as answer:
                copies = {int(times): number for times, number in (await answer.json()).items()}
            return await _figures(store, copies, caught)


async def _live_and_die(database_url: str, url: str, now: int, session: aiohttp.ClientSession) -> None:
    async with session.get("/total") as answer:
        before = await answer.text()
    process = CONTEXT.Process(target=deliver, args=(database_url, url, now, IN_FLIGHT))
    process.start()
    async with session.get("/total", params={"after": before}) as answer:
        await answer.read()
    await asyncio.sleep(random.uniform(0, LIFE_S))
    process.kill()
    await asyncio.to_thread(process.join)


async def _figures(store: Store, copies: dict[int, int], caught: int) -> list[tuple[str, str, float]]:
    states = await store.outbox.counts()
    what = f"{KILLS:,} SIGKILLs over {READERS * STORIES:,} alerts"
    return [
        (what, "in flight at a kill", caught),
        (what, "lost", READERS * STORIES - sum(copies.values())),
        (what, "copies too many", sum((times - 1) * number for times, number in copies.items())),
        (what, "most copies", max(copies)),
        (what, "parked", states.get(DeliveryState.PARKED, 0)),
        (what, "left", states.get(DeliveryState.QUEUED, 0) + states.get(DeliveryState.CLAIMED, 0)),
    ]
