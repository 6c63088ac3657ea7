"""The limiter: an answer to a person while 10 000 bulk calls wait, and what a call costs with many chats."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from telegram.ext import ExtBot

from bot.core.model import Lane
from bot.core.pacing import Pacer
from bot.telegram.pacing import Pace, PacingLimiter
from bot.telegram.request import HIDDEN, AiohttpRequest
from tests.bench.served import served
from tests.bench.wire import LATENCY_S, TOKEN, telegram

if TYPE_CHECKING:
    from pathlib import Path

WAITING, ANSWERS, EVERY_S = 10_000, 200, 0.05
CHATS, CALLS = (100, 10_000, 100_000), 100_000


async def measure(_: Path) -> list[tuple[str, str, float]]:
    """Both."""
    with served(telegram) as url:
        took = sorted(await _answers(url))
    what = f"an answer while {WAITING:,} bulk calls wait, {LATENCY_S * 1000:.0f} ms server"
    figures = [
        (what, f"{name}, ms", took[int(len(took) * share)] * 1000) for name, share in (("p50", 0.5), ("p99", 0.99))
    ]
    return figures + [(f"pacer, {chats:,} chats", "us / call", _cost(chats)) for chats in CHATS]


async def _answers(url: str) -> list[float]:
    """Seconds from the call to Telegram's yes, for each answer."""
    calls, updates = (AiohttpRequest(token=TOKEN, connections=64) for _ in range(2))
    limiter = PacingLimiter(Pacer())
    async with ExtBot(
        HIDDEN, base_url=f"{url}/bot", request=calls, get_updates_request=updates, rate_limiter=limiter
    ) as bot:
        pace = Pace(Lane.ALERT, patience=float("inf"))
        bulk = [
            asyncio.create_task(bot.send_message(chat, "news", rate_limit_args=pace)) for chat in range(1, WAITING + 1)
        ]
        await asyncio.sleep(1)

        async def answer(number: int) -> float:
            await asyncio.sleep(number * EVERY_S)
            asked = time.perf_counter()
            await bot.send_message(WAITING + number + 1, "answer")
            return time.perf_counter() - asked

        took = await asyncio.gather(*(answer(number) for number in range(ANSWERS)))
        for one in bulk:
            one.cancel()
        await asyncio.gather(*bulk, return_exceptions=True)
    return took


def _cost(chats: int) -> float:
    """Microseconds of a call, each chat called every two seconds, so that all of them are remembered."""
    pacer, now = Pacer(overall=0), 0.0
    for warm in (True, False):
        calls = chats if warm else CALLS
        started = time.perf_counter()
        for call in range(calls):
            now += 2 / chats
            chat = call % chats + 1
            pacer.wait(chat, Lane.ALERT, now)
            pacer.ask(chat, now, lane=Lane.ALERT)
            pacer.due(now)
            pacer.next_at()
        took = time.perf_counter() - started
    return took / CALLS * 1e6
