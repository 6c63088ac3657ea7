"""The rate of all senders: a row of PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest
from structlog.testing import capture_logs

from bot.store.database import Database
from bot.store.rate import SharedRate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[list[Database]]:
    opened = [await Database.open(database_url) for _ in range(3)]
    yield opened
    for database in opened:
        await database.close()


async def test_lots_of_several_senders_never_overlap(databases: list[Database]) -> None:
    rates = [SharedRate(database, "bot", 2) for database in databases]
    gap = rates[0].gap
    chance = random.Random(5)
    lots: list[tuple[float, int]] = []

    async def sender(rate: SharedRate) -> None:
        for _ in range(8):
            number = chance.randint(1, 4)
            lots.append((await rate.take(number) + time.monotonic(), number))

    await asyncio.gather(*(sender(rate) for rate in rates))
    first = min(moment for moment, _ in lots)
    permits = sorted(round((moment - first) / gap) + i for moment, number in lots for i in range(number))
    assert permits == list(range(len(permits)))


async def test_an_idle_rate_gives_one_permit_at_once_and_no_burst(databases: list[Database]) -> None:
    rate = SharedRate(databases[0], "bot", 1)
    assert await rate.take(1) < rate.gap / 2
    assert await rate.take(1) > rate.gap / 2


async def test_two_bots_have_a_rate_each_and_paid_broadcasts_another(databases: list[Database]) -> None:
    await SharedRate(databases[0], "one", 1).take(100)
    assert await SharedRate(databases[0], "two", 1).take(1) < 0.5
    assert await SharedRate(databases[0], "one", 1).take(1, paid=True) < 0.5


async def test_a_server_clock_that_is_set_back_does_not_stop_everybody(
    databases: list[Database], database_url: str
) -> None:
    rate = SharedRate(databases[0], "bot", 1)
    await rate.take(1)
    server = await asyncpg.connect(database_url)
    try:
        await server.execute("UPDATE rates SET free_at = free_at + 3600 * 1000000::bigint")
    finally:
        await server.close()
    assert 0.5 < await rate.take(1) < 1.5


async def test_while_the_database_is_away_nobody_gets_a_permit(databases: list[Database], database_url: str) -> None:
    rate = SharedRate(databases[0], "bot", 1)
    await rate.take(1)
    name = database_url.partition("?")[0].rpartition("/")[2]
    server = await asyncpg.connect(database_url.replace(f"/{name}", "/postgres"))
    try:
        await server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        with capture_logs() as logs:
            taking = asyncio.create_task(rate.take(1))
            async with asyncio.timeout(20):
                while not logs:  # noqa: ASYNC110 - a log tells nobody
                    await asyncio.sleep(0.01)
            assert logs[0]["event"] == "rate.waits"
            assert not taking.done()
            await server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
            assert await asyncio.wait_for(taking, 20) < 2
    finally:
        await server.close()
