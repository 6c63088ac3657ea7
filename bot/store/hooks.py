"""WebSub subscriptions: which feeds a hub pushes to us, under which secret, until when."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from bot.core.model import Hook
from bot.store.articles import insert
from bot.store.schema import feeds, hooks

if TYPE_CHECKING:
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis, Push
    from bot.store.database import Database


async def remember(connection: AsyncConnection, feed: str, push: Push) -> None:
    """Keep where a feed is pushed from; another hub or topic is asked anew, under a new secret."""
    known = (await connection.execute(select(hooks.c.hub, hooks.c.topic).where(hooks.c.feed == feed))).first()
    if known is not None and (known.hub, known.topic) == (push.hub, push.topic):
        return
    values = {
        "hub": push.hub, "topic": push.topic, "token": secrets.token_urlsafe(24), "secret": secrets.token_urlsafe(32),
        "asked_at": 0, "leased_until": 0,
    }  # fmt: skip
    made = insert(connection, hooks).values(feed=feed, **values)
    await connection.execute(made.on_conflict_do_update(index_elements=["feed"], set_=values))


class Hooks:
    """WebSub subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: Millis, *, renew_ms: int, patience_ms: int) -> list[Hook]:
        """Those whose lease ends within `renew_ms` or never began, and that were not asked for within `patience_ms`."""
        query = (
            select(hooks)
            .join(feeds, feeds.c.name == hooks.c.feed)
            .where(
                feeds.c.active,
                ~feeds.c.gone,
                hooks.c.leased_until < now + renew_ms,
                or_(hooks.c.asked_at == 0, hooks.c.asked_at < now - patience_ms),
            )
        )
        async with self._database.reading() as connection:
            return [_hook(row) for row in (await connection.execute(query)).mappings()]

    async def asked(self, feed: str, now: Millis) -> None:
        """The hub was asked just now."""
        await self._set(feed, asked_at=now)

    async def leased(self, feed: str, until: Millis) -> None:
        """The hub pushes until then."""
        await self._set(feed, leased_until=until)

    async def _set(self, feed: str, **values: Millis) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(update(hooks).where(hooks.c.feed == feed).values(**values))

    async def by_token(self, token: str) -> Hook | None:
        """The subscription whose callback address ends in `token`."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(hooks).where(hooks.c.token == token))).mappings().first()
        return _hook(row) if row else None


def _hook(row: RowMapping) -> Hook:
    return Hook(
        feed=row["feed"], hub=row["hub"], topic=row["topic"], token=row["token"], secret=row["secret"],
        leased_until=row["leased_until"],
    )  # fmt: skip
