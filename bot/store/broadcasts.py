"""Broadcasts: hot news, from draft to outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from bot.core.model import Broadcast, BroadcastState
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.outbox import enqueue_broadcast
from bot.store.schema import broadcasts

if TYPE_CHECKING:
    from sqlalchemy import RowMapping, Update

    from bot.core.model import Millis
    from bot.store.database import Database


class Broadcasts:
    """Hot news."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, author_id: int, html: str, now: Millis) -> Broadcast:
        """Keep a draft; nothing is sent."""
        values = {"author_id": author_id, "html": html, "created_at": now}
        async with self._database.transaction() as connection:
            made = insert(connection, broadcasts).values(values).returning(broadcasts)
            return broadcast_of((await connection.execute(made)).mappings().one())

    async def get(self, broadcast_id: int) -> Broadcast | None:
        """A broadcast in any state."""
        async with self._database.reading() as connection:
            query = select(broadcasts).where(broadcasts.c.id == broadcast_id)
            row = (await connection.execute(query)).mappings().first()
        return broadcast_of(row) if row else None

    async def confirm(self, broadcast_id: int, author_id: int, now: Millis) -> int | None:
        """Send a draft of this author: the readers it was queued for, or None when it is no such draft any more.

        The state, the queue and the audit change in one transaction, so a second press finds no draft.
        """
        async with self._database.transaction() as connection:
            sending = _turn(broadcast_id, author_id, BroadcastState.SENDING)
            if (await connection.execute(sending)).rowcount != 1:
                return None
            queued = await enqueue_broadcast(connection, broadcast_id, now)
            await record(connection, author_id, "broadcast.confirm", f"broadcast {broadcast_id} to {queued}", now)
            return queued

    async def cancel(self, broadcast_id: int, author_id: int, now: Millis) -> bool:
        """Throw a draft away; False when it is no draft of this author any more."""
        async with self._database.transaction() as connection:
            cancelled = _turn(broadcast_id, author_id, BroadcastState.CANCELLED)
            if (await connection.execute(cancelled)).rowcount != 1:
                return False
            await record(connection, author_id, "broadcast.cancel", f"broadcast {broadcast_id}", now)
            return True

    async def latest(self, limit: int) -> list[Broadcast]:
        """The newest that were sent."""
        query = (
            select(broadcasts)
            .where(broadcasts.c.state == BroadcastState.SENDING.value)
            .order_by(broadcasts.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [broadcast_of(row) for row in (await connection.execute(query)).mappings()]


def _turn(broadcast_id: int, author_id: int, state: BroadcastState) -> Update:
    return (
        update(broadcasts)
        .where(
            broadcasts.c.id == broadcast_id,
            broadcasts.c.author_id == author_id,
            broadcasts.c.state == BroadcastState.DRAFT.value,
        )
        .values(state=state.value)
    )


def broadcast_of(row: RowMapping) -> Broadcast:
    """A broadcast from its row."""
    return Broadcast(
        id=row["id"],
        author_id=row["author_id"],
        html=row["html"],
        state=BroadcastState(row["state"]),
        created_at=row["created_at"],
    )
