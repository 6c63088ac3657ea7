"""A minute under Telegram's strict limits: how near to 30 a second, and how often Telegram said 429."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from typing import TYPE_CHECKING

from bot.core.model import Card, Fate
from bot.core.pacing import Pacer
from bot.playground.server import Playground
from bot.telegram.application import TelegramBot
from tests.bench.wire import TEXT, TOKEN

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

MINUTE_S, READERS, IN_FLIGHT = 60.0, 2_000, 8


def _telegram(told: Connection) -> None:
    async def serve() -> None:
        async with Playground(limits=True) as playground:
            readers = [playground.telegram.add_user("R") for _ in range(READERS)]
            told.send((playground.url, readers))
            await asyncio.Event().wait()

    asyncio.run(serve())


async def measure(_: Path) -> list[tuple[str, str, float]]:
    """Messages a second over a minute, and floods."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_telegram, args=(theirs,), daemon=True)
    process.start()
    try:
        url, readers = ours.recv()
        sent, floods = await _send(url, readers)
    finally:
        process.kill()
        process.join()
    what = f"strict limits, {MINUTE_S:.0f} s, {IN_FLIGHT} in flight"
    return [(what, "messages / s", sent / MINUTE_S), (what, "429s", floods)]


async def _send(url: str, readers: list[int]) -> tuple[int, int]:
    bot = TelegramBot(token=TOKEN, api_url=url, pacer=Pacer())
    await bot.connect()
    card, left, fates = Card(html=TEXT, plain=TEXT), iter(readers), []
    end = time.monotonic() + MINUTE_S

    async def worker() -> None:
        for reader in left:
            outcome = await bot.sender.send(reader, 0, card)
            if time.monotonic() > end:
                break
            fates.append(outcome.fate)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    await bot.close()
    return fates.count(Fate.SENT), fates.count(Fate.FLOOD)
