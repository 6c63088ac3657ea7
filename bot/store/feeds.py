"""Feeds, what they have shown, and the one transaction in which a poll is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, func, select, true, update

from bot.core.cadence import DAY_MS, HOUR_MS, Activity
from bot.core.model import Feed, FeedState, Kind, PageMode, StoredUpdate
from bot.core.roster import roster
from bot.store.articles import chunks, insert, load
from bot.store.fanouts import queue_page
from bot.store.polls import state_of, store_polls
from bot.store.schema import added_feeds, articles, entries, feeds, outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Article, FeedUpdate, Millis
    from bot.store.database import Database

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
    "asked_s": 0,
    "skip_hours": 0,
    "skip_days": 0,
    "address": "",
    "moved_to": "",
    "moved_seen": 0,
    "failed_share": 0.0,
    "merged_into": "",
}


async def activate(connection: AsyncConnection, feed: Feed) -> None:
    """Poll a feed from now on; one of this name that was there before goes on, unless its address was another."""
    url = await connection.scalar(select(feeds.c.url).where(feeds.c.name == feed.name))
    await _put(connection, feed, url)
    awake = update(feeds).where(feeds.c.name == feed.name)
    await connection.execute(awake.values(paused=False, gone=False, failures=0, next_poll_at=0))


async def put_out(connection: AsyncConnection, name: str) -> None:
    """Poll it no more."""
    await connection.execute(update(feeds).where(feeds.c.name == name).values(active=false()))


async def _put(connection: AsyncConnection, feed: Feed, known_url: str | None) -> None:
    values: dict[str, Any] = {"url": feed.url, "title": feed.title, "active": True}
    if known_url is None:
        await connection.execute(insert(connection, feeds).values(name=feed.name, **values))
        return
    values |= _FORGOTTEN if known_url != feed.url else {}
    await connection.execute(update(feeds).where(feeds.c.name == feed.name).values(**values))


async def live_feeds(connection: AsyncConnection) -> list[Feed]:
    """The feeds added by chat, in the order they came."""
    query = select(added_feeds).where(added_feeds.c.live == true()).order_by(added_feeds.c.added_at, added_feeds.c.id)
    return [feed_of(row) for row in (await connection.execute(query)).mappings()]


def feed_of(row: RowMapping) -> Feed:
    """A feed added by chat, from its row; what cannot be said by chat is as in a catalogue of few words."""
    return Feed(
        name=row["name"],
        url=row["url"],
        title=row["title"],
        language=row["language"],
        tags=tuple(row["tags"].split()),
        pages=PageMode.WHEN_UNTAGGED,
    )


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
        """Make the stored feeds those of the catalogue, and those added by chat that it does not hold.

        Others become inactive; a new address starts anew.
        """
        async with self._database.transaction() as connection:
            await self._sync(connection, catalogue)

    async def _sync(self, connection: AsyncConnection, catalogue: Sequence[Feed]) -> None:
        await connection.execute(update(feeds).values(active=false()))
        known = dict((await connection.execute(select(feeds.c.name, feeds.c.url))).all())
        for feed in roster(catalogue, await live_feeds(connection)):
            await _put(connection, feed, known.get(feed.name))

    async def states(self, names: Sequence[str] | None = None) -> dict[str, FeedState]:
        """The state of the active feeds, or of those named."""
        query = select(feeds).where(feeds.c.active == true())
        if names is not None:
            query = query.where(feeds.c.name.in_(names))
        async with self._database.reading() as connection:
            return {row["name"]: state_of(row) for row in (await connection.execute(query)).mappings()}

    async def due(self, now: Millis, limit: int) -> dict[str, FeedState]:
        """The feeds to be polled now, those that wait longest first, with their states."""
        query = (
            select(feeds)
            .where(
                feeds.c.active == true(),
                feeds.c.gone == false(),
                feeds.c.paused == false(),
                feeds.c.merged_into == "",
                feeds.c.next_poll_at <= now,
                feeds.c.wait_until <= now,
            )
            .order_by(feeds.c.next_poll_at, feeds.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return {row["name"]: state_of(row) for row in (await connection.execute(query)).mappings()}

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

    async def spread(self, now: Millis, delays: Mapping[str, Millis]) -> None:
        """Put off what is overdue, each feed by its own delay: a restart makes no burst. New feeds do not wait."""
        overdue = select(feeds.c.name).where(feeds.c.primed == true(), feeds.c.next_poll_at <= now)
        async with self._database.transaction() as connection:
            late = [{"of": name, "at": now + delays.get(name, 0)} for name in (await connection.scalars(overdue)).all()]
            if late:
                put_off = update(feeds).where(feeds.c.name == bindparam("of")).values(next_poll_at=bindparam("at"))
                await connection.execute(put_off, late)

    async def hasten(self, name: str, now: Millis) -> None:
        """Make a feed due now: the next tick polls it, whichever worker's it is."""
        sooner = update(feeds).where(feeds.c.name == name, feeds.c.next_poll_at > now)
        async with self._database.transaction() as connection:
            await connection.execute(sooner.values(next_poll_at=now))

    async def activity(self, now: Millis) -> Activity:
        """What each feed published over the last 7 days by its own dates, and how many alerts it made."""
        since = now - 7 * DAY_MS
        borne = feeds.join(entries, entries.c.feed_id == feeds.c.id).join(
            articles, articles.c.id == entries.c.article_id
        )
        posts = (
            select(feeds.c.name, func.count())
            .select_from(borne)
            .where(articles.c.published_at >= since)
            .group_by(feeds.c.name)
        )
        reach = (
            select(feeds.c.name, func.count())
            .select_from(borne.join(outbox, outbox.c.subject == articles.c.id))
            .where(outbox.c.kind == Kind.ALERT.value, outbox.c.queued_at >= since, articles.c.seen_at >= since)
            .group_by(feeds.c.name)
        )
        hour = (articles.c.published_at // HOUR_MS) % 24
        by_hour = select(hour, func.count()).where(articles.c.published_at >= since).group_by(hour)
        async with self._database.reading() as connection:
            hours: dict[int, int] = dict((await connection.execute(by_hour)).all())
            return Activity(
                posts=dict((await connection.execute(posts)).all()),
                reach=dict((await connection.execute(reach)).all()),
                hours=tuple(hours.get(number, 0) for number in range(24)),
            )

    async def apply(self, found: Sequence[FeedUpdate], now: Millis, admins: Collection[int] = ()) -> list[StoredUpdate]:
        """Store polls: each feed's state, entries, articles, tags and alerts, all of all of them or nothing.

        Alerts of what many follow are owed: `StoredUpdate.owed` is for `FanOuts.finish`.
        `admins` are the chats that notices go to.
        """
        async with self._database.transaction() as connection:
            return await store_polls(connection, found, now, admins)

    async def rehearse(self, catalogue: Sequence[Feed], updates: Sequence[FeedUpdate], now: Millis) -> Rehearsal:
        """What storing these polls would do; nothing of it is kept."""
        async with self._database.rehearsal(), self._database.transaction() as connection:
            await self._sync(connection, catalogue)
            newest = await connection.scalar(select(func.max(outbox.c.id))) or 0
            done = await store_polls(connection, updates, now, ())
            for article_id in (number for one in done for number in one.owed):
                while await queue_page(connection, article_id) is not None:
                    pass
            query = select(outbox.c.chat_id, outbox.c.thread_id, outbox.c.subject).where(
                outbox.c.id > newest, outbox.c.kind == Kind.ALERT.value
            )
            rows = (await connection.execute(query)).all()
            told = {article.id: article for article in await load(connection, [*{row.subject for row in rows}])}
            alerts = tuple((chat_id, thread_id, told[subject]) for chat_id, thread_id, subject in rows)
        total = StoredUpdate(
            new=sum(one.new for one in done), changed=sum(one.changed for one in done), alerts=len(alerts)
        )
        return Rehearsal(total, alerts)

    async def prune_entries(self, now: Millis) -> int:
        """Forget entries that no feed has shown for TOMBSTONE_MS; their number."""
        async with self._database.transaction() as connection:
            gone = await connection.execute(delete(entries).where(entries.c.seen_at < now - TOMBSTONE_MS))
            return max(0, gone.rowcount)
