"""Moves a living installation from one database to another: every row, in one transaction of the target."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, func, select, text

from bot.core.model import DeliveryState
from bot.store.database import StorageError, shown
from bot.store.locks import in_use
from bot.store.schema import metadata, outbox, rates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.database import Database

BATCH = 1_000
#: Says nothing about the installation, only how fast its workers were a moment ago.
PASSING = (rates,)


async def copy(
    source: Database, target: Database, *, on_rows: Callable[[int, int], None] = lambda _done, _of: None
) -> dict[str, int]:
    """Copy everything to an empty database; the rows of each table.

    Neither may be in use, and the source is held meanwhile: what was being sent when its service stopped is queued in
    the target. A failure leaves the target empty. `on_rows` gets the rows written so far and their number in all.
    Raises StorageError.
    """
    async with AsyncExitStack() as stack:
        for database in (source, target):
            await stack.enter_async_context(in_use(database, alone=True))
        reading = await stack.enter_async_context(source.snapshot())
        writing = await stack.enter_async_context(target.transaction())
        tables = [table for table in metadata.sorted_tables if table not in PASSING]  # parents before their children
        filled = [name for name, number in (await _counts(writing, tables)).items() if number]
        if filled:
            raise StorageError(f"{shown(target.url)}: is not empty (it has {', '.join(filled)}); name a new database")
        counts = await _counts(reading, tables)
        done = 0
        for table in tables:
            async for rows in _batches(reading, table):
                await writing.execute(table.insert(), rows)
                done += len(rows)
                on_rows(done, sum(counts.values()))
        if not target.is_sqlite:
            await _set_sequences(writing, tables)
        arrived = await _counts(writing, tables)
        if arrived != counts:
            wrong = ", ".join(
                f"{name} {arrived[name]} of {counts[name]}" for name in counts if arrived[name] != counts[name]
            )
            raise StorageError(f"{shown(target.url)}: the copy failed, nothing was kept: {wrong}")
        return counts


async def _batches(reading: AsyncConnection, table: Table) -> Any:
    """The rows of a table, in the order of its key."""
    query = select(table).order_by(*table.primary_key)
    async with reading.stream(query) as result:
        async for rows in result.mappings().partitions(BATCH):
            yield [_arriving(table, dict(row)) for row in rows]


def _arriving(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is written: nobody sends anything yet."""
    if table is outbox and row["state"] == DeliveryState.CLAIMED.value:
        return {**row, "state": DeliveryState.QUEUED.value, "lease_owner": None, "lease_until": 0}
    return row


async def _counts(connection: AsyncConnection, tables: Iterable[Table]) -> dict[str, int]:
    return {table.name: await connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


async def _set_sequences(writing: AsyncConnection, tables: Iterable[Table]) -> None:
    """The next id of each table follows its greatest: rows were written with theirs."""
    for table in tables:
        if table.autoincrement_column is None:
            continue
        column = table.autoincrement_column.name
        await writing.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column}'), "  # noqa: S608 - our own names
                f"COALESCE(max({column}), 0) + 1, false) FROM {table.name}"
            )
        )
