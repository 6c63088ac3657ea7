"""Feeds, what they have shown, and the one transaction in which a poll is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, false, func, literal, select, true, update

from bot.core.cadence import DAY_MS, HOUR_MS, Activity
from bot.core.model import FeedState, Kind, Notice, NoticeCode, Pace, StoredUpdate, Validators
from bot.store.articles import chunks, insert, load, tag_articles
from bot.store.outbox import enqueue_notice, fan_out
from bot.store.schema import articles, entries, feeds, notices, outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Article, EntryChange, Feed, FeedUpdate, Millis
    from bot.store.database import Database

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
    "asked_s": 0,
    "skip_hours": 0,
    "skip_days": 0,
    "address": "",
    "moved_to": "",
    "moved_seen": 0,
    "failed_share": 0.0,
    "noticed": "",
    "merged_into": "",
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
                feeds.c.merged_into == "",
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

    async def spread(self, now: Millis, delays: Mapping[str, Millis]) -> None:
        """Put off what is overdue, each feed by its own delay: a restart makes no burst. New feeds do not wait."""
        overdue = select(feeds.c.name).where(feeds.c.primed == true(), feeds.c.next_poll_at <= now)
        async with self._database.transaction() as connection:
            late = [{"of": name, "at": now + delays.get(name, 0)} for name in (await connection.scalars(overdue)).all()]
            if late:
                put_off = update(feeds).where(feeds.c.name == bindparam("of")).values(next_poll_at=bindparam("at"))
                await connection.execute(put_off, late)

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

        `admins` are the chats that notices go to.
        """
        async with self._database.transaction() as connection:
            quiet = [one for one in found if not (one.changes or one.seen_keys or one.notice or one.resting)]
            if quiet:
                named = update(feeds).where(feeds.c.name == bindparam("of"))
                await connection.execute(named, [{"of": one.feed, **_columns(one.state)} for one in quiet])
            return [
                StoredUpdate() if one in quiet else await self._apply(connection, one, now, admins) for one in found
            ]

    async def rehearse(self, catalogue: Sequence[Feed], updates: Sequence[FeedUpdate], now: Millis) -> Rehearsal:
        """What storing these polls would do; nothing of it is kept."""
        async with self._database.rehearsal(), self._database.transaction() as connection:
            await self._sync(connection, catalogue)
            newest = await connection.scalar(select(func.max(outbox.c.id))) or 0
            done = [await self._apply(connection, found, now, ()) for found in updates]
            query = select(outbox.c.chat_id, outbox.c.thread_id, outbox.c.subject).where(
                outbox.c.id > newest, outbox.c.kind == Kind.ALERT.value
            )
            alerts = []
            for chat_id, thread_id, subject in (await connection.execute(query)).all():
                alerts.append((chat_id, thread_id, (await load(connection, [subject]))[0]))
        total = StoredUpdate(
            new=sum(one.new for one in done), changed=sum(one.changed for one in done), alerts=len(alerts)
        )
        return Rehearsal(total, tuple(alerts))

    async def _apply(
        self, connection: AsyncConnection, found: FeedUpdate, now: Millis, admins: Collection[int]
    ) -> StoredUpdate:
        known = (
            await connection.execute(select(feeds.c.id, feeds.c.address).where(feeds.c.name == found.feed))
        ).first()
        if known is None:
            return StoredUpdate()  # it left the catalogue while it was polled
        feed_id = known.id
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
        notice = found.notice
        if found.state.address and found.state.address != known.address:
            notice = await self._merge(connection, feed_id, found) or notice
        if notice is not None:
            await self._tell(connection, notice, now, admins)
        if found.resting:
            rest = update(feeds).where(feeds.c.name.in_(found.resting), feeds.c.wait_until < found.state.wait_until)
            await connection.execute(rest.values(wait_until=found.state.wait_until))
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

    async def _merge(self, connection: AsyncConnection, feed_id: int, found: FeedUpdate) -> Notice | None:
        """Join a feed that moved to the address of another: its history goes along, and it is asked no more."""
        other = (
            await connection.execute(
                select(feeds.c.id, feeds.c.name).where(
                    case((feeds.c.address != "", feeds.c.address), else_=feeds.c.url) == found.state.address,
                    feeds.c.id != feed_id,
                    feeds.c.active == true(),
                    feeds.c.merged_into == "",
                )
            )
        ).first()
        if other is None:
            return None
        columns = ("feed_id", "key", "content_hash", "article_id", "seen_at")
        mine = select(
            literal(other.id), entries.c.key, entries.c.content_hash, entries.c.article_id, entries.c.seen_at
        ).where(entries.c.feed_id == feed_id)
        copied = insert(connection, entries).from_select(columns, mine)
        await connection.execute(copied.on_conflict_do_nothing(index_elements=["feed_id", "key"]))
        await connection.execute(delete(entries).where(entries.c.feed_id == feed_id))
        await connection.execute(update(feeds).where(feeds.c.id == feed_id).values(merged_into=other.name))
        return Notice(code=NoticeCode.MERGED, feed=found.feed, detail=other.name)

    async def _tell(self, connection: AsyncConnection, notice: Notice, now: Millis, admins: Collection[int]) -> None:
        values = {"code": notice.code.value, "feed": notice.feed, "detail": notice.detail, "created_at": now}
        made = insert(connection, notices).values(values).returning(notices.c.id)
        notice_id = (await connection.execute(made)).scalar_one()
        await enqueue_notice(connection, notice_id, admins, now)

    async def notice(self, notice_id: int) -> Notice | None:
        """What the admins are told."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(notices).where(notices.c.id == notice_id))).first()
        return Notice(code=NoticeCode(row.code), feed=row.feed, detail=row.detail, id=row.id) if row else None

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


#: Those fields of a state that are columns of the same name.
_PLAIN = (
    "primed", "gone", "body_hash", "failures", "last_error", "next_poll_at", "wait_until", "polled_at", "newest_at",
    "address", "moved_to", "moved_seen", "failed_share", "noticed", "merged_into",
)  # fmt: skip


def _state(row: RowMapping) -> FeedState:
    return FeedState(
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"]),
        pace=Pace(asked_s=row["asked_s"], skip_hours=row["skip_hours"], skip_days=row["skip_days"]),
        **{name: row[name] for name in _PLAIN},
    )


def _columns(state: FeedState) -> dict[str, Any]:
    columns = {name: getattr(state, name) for name in _PLAIN}
    pace = {"asked_s": state.pace.asked_s, "skip_hours": state.pace.skip_hours, "skip_days": state.pace.skip_days}
    return {**columns, **pace, "etag": state.validators.etag, "last_modified": state.validators.last_modified}


def _article_columns(article: Article) -> dict[str, Any]:
    names = ("link", "title", "summary", "source", "language", "section", "published_at", "seen_at", "minutes")
    return {name: getattr(article, name) for name in names}
