"""How several workers share one outbox on PostgreSQL: claims in turn, a chat with one of them, its pace handed on.

An SQLite file has one process, which takes over the pace from the one before it, and nothing else of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from bot.core.model import DeliveryState
from bot.store.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis

#: Claims go one after the other; any constant does.
CLAIM_LOCK = 7_461_728
#: The longest time over which Telegram counts what one chat gets (telegram.md 1.1).
MINUTE_MS = 60_000


async def in_turn(connection: AsyncConnection) -> None:
    """Wait for the claims of other workers, so that the next statement sees what they took; until the commit."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLAIM_LOCK})


async def sent_by_others(
    connection: AsyncConnection, owner: str, chats: Collection[int], now: Millis
) -> dict[int, list[Millis]]:
    """When others sent to these chats in the last minute: their limits count that too."""
    if not chats:
        return {}
    query = select(outbox.c.chat_id, outbox.c.settled_at).where(
        outbox.c.settled_at > now - MINUTE_MS,
        outbox.c.state == DeliveryState.SENT.value,
        outbox.c.lease_owner != owner,
        outbox.c.chat_id.in_(chats),
    )
    times: dict[int, list[Millis]] = {}
    # A chat's rows that were settled together were one message: a digest, or a card for many.
    for chat_id, at in await connection.execute(query.distinct()):
        times.setdefault(chat_id, []).append(at)
    return times
