"""Feeds added by chat: drafts that an admin is shown, and those that are polled beside the file's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, false, select, true, update

from bot.core.cadence import DAY_MS
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.feeds import activate, feed_of, live_feeds, put_out
from bot.store.schema import added_feeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.model import Feed, Millis
    from bot.store.database import Database

#: So long an admin has to say yes.
DRAFT_MS = DAY_MS


class AddedFeeds:
    """What admins add."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def feeds(self) -> list[Feed]:
        """Those that are polled, in the order they came."""
        async with self._database.reading() as connection:
            return await live_feeds(connection)

    async def draft(self, feed: Feed, admin_id: int, now: Millis) -> int:
        """Keep what is shown, for a day; its number."""
        values = {
            "name": feed.name, "url": feed.url, "title": feed.title, "language": feed.language, "admin_id": admin_id,
            "added_at": now,
        }  # fmt: skip
        async with self._database.transaction() as connection:
            old = delete(added_feeds).where(added_feeds.c.live == false(), added_feeds.c.added_at < now - DRAFT_MS)
            await connection.execute(old)
            made = insert(connection, added_feeds).values(values).returning(added_feeds.c.id)
            return int((await connection.execute(made)).scalar_one())

    async def drafted(self, number: int) -> Feed | None:
        """A draft; None when it was added, thrown away, or is too old."""
        this = added_feeds.c.id == number, added_feeds.c.live == false()
        async with self._database.reading() as connection:
            row = (await connection.execute(select(added_feeds).where(*this))).mappings().first()
        return feed_of(row) if row else None

    async def drop_draft(self, number: int) -> None:
        """Throw a draft away."""
        async with self._database.transaction() as connection:
            this = added_feeds.c.id == number, added_feeds.c.live == false()
            await connection.execute(delete(added_feeds).where(*this))

    async def confirm(self, number: int, actor_id: int, now: Millis) -> Feed | None:
        """Poll a draft from now on; None when it is none any more, or another has its name or address."""
        async with self._database.transaction() as connection:
            taken = delete(added_feeds).where(added_feeds.c.id == number, added_feeds.c.live == false())
            row = (await connection.execute(taken.returning(*added_feeds.c))).mappings().first()
            if row is None:
                return None
            values = {**row, "live": True, "admin_id": actor_id, "added_at": now}
            made = insert(connection, added_feeds).values(values).on_conflict_do_nothing()
            if (await connection.execute(made)).rowcount != 1:
                return None
            feed = feed_of(row)
            await activate(connection, feed)
            await record(connection, actor_id, "feed.add", f"{feed.name} {feed.url}", now)
            return feed

    async def remove(self, name: str, actor_id: int, now: Millis) -> bool:
        """Poll it no more; its articles stay. False when there is no such feed."""
        async with self._database.transaction() as connection:
            this = added_feeds.c.name == name, added_feeds.c.live == true()
            url = await connection.scalar(delete(added_feeds).where(*this).returning(added_feeds.c.url))
            if url is None:
                return False
            await put_out(connection, name)
            await record(connection, actor_id, "feed.delete", f"{name} {url}", now)
            return True

    async def set_tags(self, name: str, tags: Sequence[str], actor_id: int, now: Millis) -> bool:
        """Put these on every article of it from now on; False when there is no such feed."""
        this = added_feeds.c.name == name, added_feeds.c.live == true()
        async with self._database.transaction() as connection:
            changed = update(added_feeds).where(*this).values(tags=" ".join(tags))
            if (await connection.execute(changed)).rowcount != 1:
                return False
            await record(connection, actor_id, "feed.tags", f"{name}: {' '.join(tags)}", now)
            return True
