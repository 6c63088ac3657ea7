"""Feeds, what they have shown, and the one transaction in which a poll is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, func, select, true, update

from bot.core.model import FeedState, StoredUpdate, Validators
from bot.store.articles import chunks, insert, load, tag_articles
from bot.store.outbox import fan_out
from bot.store.schema import articles, entries, feeds, outbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Article, EntryChange, Feed, FeedUpdate, Millis
    from bot.store.database import Database

DAY_MS = 24 * 60 * 60 * 1000
#: A story that another feed first showed longer ago than this is not news when a second feed carries it.
NEWS_MS = DAY_MS
#: How long an entry that left its feed is remembered; longer than any feed's window we have seen.
TOMBSTONE_MS = 90 * DAY_MS
_FORGOTTEN = {
    "primed": False,
    "gone": False,
    "etag": None,
    "last_modified": None,
    "body_hash": None,
    "failures": 0,
    "last_error": None,
    "next_poll_at": 0,
    "wait_until": 0,
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What storing would have done: its counts, and who would have got what."""

    total: StoredUpdate
    alerts: tuple[tuple[int, int, Article], ...]


class Feeds:
    """The catalogue as stored, and its state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sync_catalogue(self, catalogue: Sequence[Feed]) -> None:
        """Make the stored feeds those of the catalogue. Others become inactive; a new address starts anew."""
        async with self._database.transaction() as connection:
            await self._sync(connection, catalogue)

    async def _sync(self, connection: AsyncConnection, catalogue: Sequence[Feed]) -> None:
        await connection.execute(update(feeds).values(active=false()))
        known = dict((await connection.execute(select(feeds.c.name, feeds.c.url))).all())
        for feed in catalogue:
            values: dict[str, Any] = {"url": feed.url, "title": feed.title, "active": True}
            if feed.name not in known:
                await connection.execute(insert(connection, feeds).values(name=feed.name, **values))
            else:
                values |= _FORGOTTEN if known[feed.name] != feed.url else {}
                await connection.execute(update(feeds).where(feeds.c.name == feed.name).values(**values))

    async def states(self, names: Sequence[str] | None = None) -> dict[str, FeedState]:
        """The state of the active feeds, or of those named."""
        query = select(feeds).where(feeds.c.active == true())
        if names is not None:
            query = query.where(feeds.c.name.in_(names))
        async with self._database.reading() as connection:
            return {row["name"]: _state(row) for row in (await connection.execute(query)).mappings()}

    async def due(self, now: Millis, limit: int) -> dict[str, FeedState]:
        """The feeds to be polled now, those that wait longest first, with their states."""
        query = (
            select(feeds)
            .where(
                feeds.c.active == true(),
                feeds.c.gone == false(),
                feeds.c.next_poll_at <= now,
                feeds.c.wait_until <= now,
            )
            .order_by(feeds.c.next_poll_at, feeds.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return {row["name"]: _state(row) for row in (await connection.execute(query)).mappings()}

    async def known_entries(self, feed: str, keys: Sequence[str]) -> dict[str, str]:
        """The content hash of those entries that the feed has shown before, by key."""
        known: dict[str, str] = {}
        async with self._database.reading() as connection:
            for chunk in chunks(keys):
                query = (
                    select(entries.c.key, entries.c.content_hash)
                    .join(feeds, feeds.c.id == entries.c.feed_id)
                    .where(feeds.c.name == feed, entries.c.key.in_(chunk))
                )
                known.update((await connection.execute(query)).all())
        return known

    async def apply(self, found: Sequence[FeedUpdate], now: Millis) -> list[StoredUpdate]:
        """Store polls: each feed's state, entries, articles, tags and alerts, all of all of them or nothing."""
        async with self._database.transaction() as connection:
            quiet = [one for one in found if not one.changes and not one.seen_keys]
            if quiet:
                named = update(feeds).where(feeds.c.name == bindparam("of"))
                await connection.execute(named, [{"of": one.feed, **_columns(one.state)} for one in quiet])
            return [StoredUpdate() if one in quiet else await self._apply(connection, one, now) for one in found]

    async def rehearse(self, catalogue: Sequence[Feed], updates: Sequence[FeedUpdate], now: Millis) -> Rehearsal:
        """What storing these polls would do; nothing of it is kept."""
        async with self._database.rehearsal(), self._database.transaction() as connection:
            await self._sync(connection, catalogue)
            newest = await connection.scalar(select(func.max(outbox.c.id))) or 0
            done = [await self._apply(connection, found, now) for found in updates]
            query = select(outbox.c.chat_id, outbox.c.thread_id, outbox.c.subject).where(outbox.c.id > newest)
            alerts = []
            for chat_id, thread_id, subject in (await connection.execute(query)).all():
                alerts.append((chat_id, thread_id, (await load(connection, [subject]))[0]))
        total = StoredUpdate(
            new=sum(one.new for one in done), changed=sum(one.changed for one in done), alerts=len(alerts)
        )
        return Rehearsal(total, tuple(alerts))

    async def _apply(self, connection: AsyncConnection, found: FeedUpdate, now: Millis) -> StoredUpdate:
        feed_id = await connection.scalar(select(feeds.c.id).where(feeds.c.name == found.feed))
        if feed_id is None:
            return StoredUpdate()  # it left the catalogue while it was polled
        await connection.execute(update(feeds).where(feeds.c.id == feed_id).values(**_columns(found.state)))
        fresh = [change for change in found.changes if change.new]
        articles_of = await self._add(connection, fresh)
        await self._remember(connection, feed_id, fresh, articles_of, now)
        alerts = 0
        if found.alert:
            for article_id, first_seen in dict.fromkeys(articles_of[change.canonical] for change in fresh):
                if now - first_seen <= NEWS_MS:
                    alerts += await fan_out(connection, article_id, now)
        edits = [change for change in found.changes if not change.new]
        changed = sum([await self._correct(connection, feed_id, change, now) for change in edits])
        for chunk in chunks([*{*found.seen_keys} - {change.key for change in fresh}]):
            await connection.execute(
                update(entries).where(entries.c.feed_id == feed_id, entries.c.key.in_(chunk)).values(seen_at=now)
            )
        return StoredUpdate(new=len(fresh), changed=changed, alerts=alerts)

    async def _add(self, connection: AsyncConnection, fresh: Sequence[EntryChange]) -> dict[str, tuple[int, Millis]]:
        """The articles of new entries, (id, first seen) by identity; one that another feed brought is joined."""
        by_canonical = {change.canonical: change.article for change in reversed(fresh)}
        known: dict[str, tuple[int, Millis]] = {}
        for chunk in chunks(list(by_canonical)):
            query = select(articles.c.canonical, articles.c.id, articles.c.seen_at).where(
                articles.c.canonical.in_(chunk)
            )
            known |= {canonical: (number, seen) for canonical, number, seen in await connection.execute(query)}
        # In the order of the changes, oldest first: of two articles of one minute the later has the greater id.
        missing = [
            {**_article_columns(by_canonical[canonical]), "canonical": canonical}
            for canonical in dict.fromkeys(change.canonical for change in fresh)
            if canonical not in known
        ]
        for chunk in chunks(missing):
            made = insert(connection, articles).returning(articles.c.canonical, articles.c.id, articles.c.seen_at)
            known |= {canonical: (number, seen) for canonical, number, seen in await connection.execute(made, chunk)}
        await tag_articles(connection, [(known[change.canonical][0], change.article.tags) for change in fresh])
        return known

    async def _remember(
        self,
        connection: AsyncConnection,
        feed_id: int,
        fresh: Sequence[EntryChange],
        articles_of: Mapping[str, tuple[int, Millis]],
        now: Millis,
    ) -> None:
        if not fresh:
            return
        statement = insert(connection, entries)
        new = {name: statement.excluded[name] for name in ("content_hash", "article_id", "seen_at")}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["feed_id", "key"], set_=new),
            [
                {
                    "feed_id": feed_id, "key": change.key, "content_hash": change.content_hash,
                    "article_id": articles_of[change.canonical][0], "seen_at": now,
                }
                for change in fresh
            ],
        )  # fmt: skip

    async def _correct(self, connection: AsyncConnection, feed_id: int, change: EntryChange, now: Millis) -> int:
        """Take over what a newsroom changed; tags are only added: those of the page are not in the feed."""
        entry = entries.c.feed_id == feed_id, entries.c.key == change.key
        article_id = await connection.scalar(select(entries.c.article_id).where(*entry))
        await connection.execute(update(entries).where(*entry).values(content_hash=change.content_hash, seen_at=now))
        if article_id is None:
            return 0
        article = change.article
        values = {"title": article.title, "summary": article.summary}
        await connection.execute(update(articles).where(articles.c.id == article_id).values(**values))
        await tag_articles(connection, [(article_id, article.tags)])
        return 1

    async def prune_entries(self, now: Millis) -> int:
        """Forget entries that no feed has shown for TOMBSTONE_MS; their number."""
        async with self._database.transaction() as connection:
            gone = await connection.execute(delete(entries).where(entries.c.seen_at < now - TOMBSTONE_MS))
            return max(0, gone.rowcount)


def _state(row: RowMapping) -> FeedState:
    return FeedState(
        primed=row["primed"],
        gone=row["gone"],
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"]),
        body_hash=row["body_hash"],
        failures=row["failures"],
        last_error=row["last_error"],
        next_poll_at=row["next_poll_at"],
        wait_until=row["wait_until"],
        polled_at=row["polled_at"],
        newest_at=row["newest_at"],
    )


def _columns(state: FeedState) -> dict[str, Any]:
    names = (
        "primed", "gone", "body_hash", "failures", "last_error", "next_poll_at", "wait_until", "polled_at", "newest_at",
    )  # fmt: skip
    columns = {name: getattr(state, name) for name in names}
    return {**columns, "etag": state.validators.etag, "last_modified": state.validators.last_modified}


def _article_columns(article: Article) -> dict[str, Any]:
    names = ("link", "title", "summary", "source", "language", "section", "published_at", "seen_at", "minutes")
    return {name: getattr(article, name) for name in names}
