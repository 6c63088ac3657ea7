"""The audit: every administrative act, who did it and when. Rows are only ever added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.articles import insert
from bot.store.schema import audit

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis


async def record(connection: AsyncConnection, actor_id: int, action: str, detail: str, now: Millis) -> None:
    """Note an act, in the transaction of the act itself."""
    await connection.execute(insert(connection, audit).values(at=now, actor_id=actor_id, action=action, detail=detail))
