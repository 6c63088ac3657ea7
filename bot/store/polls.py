"""The one transaction in which polls are stored: states, entries, articles, tags and alerts of many feeds together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, literal, select, true, update

from bot.core.model import FeedState, Notice, NoticeCode, Pace, StoredUpdate, Tally, Validators
from bot.store.articles import NEWS_MS, article_columns, chunks, gain_tags, insert, tag_articles
from bot.store.edits import queue_edits
from bot.store.fanouts import FannedOut, fan_out
from bot.store.hooks import remember
from bot.store.outbox import enqueue_for_admins
from bot.store.pages import keep_pages
from bot.store.schema import articles, entries, feeds, notices
from bot.store.search import index

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import EntryChange, FeedUpdate, Millis


async def store_polls(
    connection: AsyncConnection, found: Sequence[FeedUpdate], now: Millis, admins: Collection[int]
) -> list[StoredUpdate]:
    """Store what polls found, in the caller's transaction; a feed that left the catalogue meanwhile stores nothing.

    What is new goes in a few statements whatever the number of feeds, because each statement has its price.
    """
    known: dict[str, tuple[int, str]] = {}
    for chunk in chunks([one.feed for one in found]):
        query = select(feeds.c.name, feeds.c.id, feeds.c.address).where(feeds.c.name.in_(chunk))
        known |= {name: (number, address) for name, number, address in await connection.execute(query)}
    there = [one for one in found if one.feed in known]
    states = [{"of": one.feed, **state_columns(one.state)} for one in there]
    if states:
        await connection.execute(update(feeds).where(feeds.c.name == bindparam("of")), states)
    fresh = [(known[one.feed][0], change) for one in there for change in one.changes if change.new]
    articles_of = await _add(connection, [change for _, change in fresh])
    pages = [
        (articles_of[change.canonical][0], one.feed, change) for one in there for change in one.changes if change.new
    ]
    await keep_pages(connection, pages, now)
    await _remember(connection, fresh, articles_of, now)
    news = [_news(one, articles_of, now) if one.feed in known else [] for one in found]
    alerts = await fan_out(connection, [*dict.fromkeys(number for numbers in news for number in numbers)], now)
    return [
        await _finish(connection, one, *known[one.feed], _share(alerts, numbers), now, admins)
        if one.feed in known
        else StoredUpdate()
        for one, numbers in zip(found, news, strict=True)
    ]


def _news(one: FeedUpdate, articles_of: Mapping[str, tuple[int, Millis]], now: Millis) -> list[int]:
    """The articles that a feed is the first to bring, or not long after the first."""
    brought = dict.fromkeys(articles_of[change.canonical] for change in one.changes if change.new)
    return [number for number, first_seen in brought if one.alert and now - first_seen <= NEWS_MS]


def _share(alerts: FannedOut, news: Sequence[int]) -> StoredUpdate:
    """The alerts of a feed's articles, taken out: what several feeds bring is counted for the first."""
    owed = tuple(number for number in news if number in alerts.owed)
    alerts.owed.difference_update(owed)
    return StoredUpdate(alerts=sum(alerts.queued.pop(number, 0) for number in news), owed=owed)


async def _finish(
    connection: AsyncConnection,
    one: FeedUpdate,
    feed_id: int,
    address: str,
    alerts: StoredUpdate,
    now: Millis,
    admins: Collection[int],
) -> StoredUpdate:
    """What is a feed's own: corrections, what is still shown, moves and notices."""
    fresh = [change for change in one.changes if change.new]
    edits = [change for change in one.changes if not change.new]
    corrected = [
        done
        for change in edits
        if (done := await _correct(connection, feed_id, change, now, alert=one.alert)) is not None
    ]
    for chunk in chunks([*{*one.seen_keys} - {change.key for change in fresh}]):
        shown = update(entries).where(entries.c.feed_id == feed_id, entries.c.key.in_(chunk))
        await connection.execute(shown.values(seen_at=now))
    if one.push is not None:
        await remember(connection, one.feed, one.push)
    notice = one.notice
    if one.state.address and one.state.address != address:
        notice = await _merge(connection, feed_id, one) or notice
    if notice is not None:
        await _tell(connection, notice, now, admins)
    if one.resting:
        rest = update(feeds).where(feeds.c.name.in_(one.resting), feeds.c.wait_until < one.state.wait_until)
        await connection.execute(rest.values(wait_until=one.state.wait_until))
    return StoredUpdate(
        new=len(fresh),
        changed=len(corrected),
        alerts=alerts.alerts + sum(done.queued.total() for done in corrected),
        owed=tuple({*alerts.owed}.union(*(done.owed for done in corrected))),
    )


async def _add(connection: AsyncConnection, fresh: Sequence[EntryChange]) -> dict[str, tuple[int, Millis]]:
    """The articles of new entries, (id, first seen) by identity; one that another feed brought is joined."""
    by_canonical = {change.canonical: change.article for change in reversed(fresh)}
    known = await _known(connection, list(by_canonical))
    # In the order of the changes, oldest first: of two articles of one minute the later has the greater id.
    missing = [
        {**article_columns(by_canonical[canonical]), "canonical": canonical}
        for canonical in dict.fromkeys(change.canonical for change in fresh)
        if canonical not in known
    ]
    for chunk in chunks(missing):
        made = insert(connection, articles).on_conflict_do_nothing(index_elements=["canonical"])
        rows = made.returning(articles.c.canonical, articles.c.id, articles.c.seen_at)
        known |= {canonical: (number, seen) for canonical, number, seen in await connection.execute(rows, chunk)}
    words = {change.canonical: change.indexed for change in reversed(fresh)}
    made_now = [row["canonical"] for row in missing if row["canonical"] in known]
    await index(connection, [(known[one][0], found) for one in made_now if (found := words[one]) is not None])
    # On PostgreSQL another process may have added one between the question and the insertion.
    known |= await _known(connection, [canonical for canonical in by_canonical if canonical not in known])
    await tag_articles(connection, [(known[change.canonical][0], change.article.terms) for change in fresh])
    return known


async def _known(connection: AsyncConnection, canonicals: Sequence[str]) -> dict[str, tuple[int, Millis]]:
    known: dict[str, tuple[int, Millis]] = {}
    for chunk in chunks(canonicals):
        query = select(articles.c.canonical, articles.c.id, articles.c.seen_at).where(articles.c.canonical.in_(chunk))
        known |= {canonical: (number, seen) for canonical, number, seen in await connection.execute(query)}
    return known


async def _remember(
    connection: AsyncConnection,
    fresh: Sequence[tuple[int, EntryChange]],
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
            for feed_id, change in fresh
        ],
    )  # fmt: skip


async def _merge(connection: AsyncConnection, feed_id: int, found: FeedUpdate) -> Notice | None:
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


async def _tell(connection: AsyncConnection, notice: Notice, now: Millis, admins: Collection[int]) -> None:
    values = {"code": notice.code.value, "feed": notice.feed, "detail": notice.detail, "created_at": now}
    made = insert(connection, notices).values(values).returning(notices.c.id)
    notice_id = (await connection.execute(made)).scalar_one()
    await enqueue_for_admins(connection, notice_id, admins, now)


async def _correct(
    connection: AsyncConnection, feed_id: int, change: EntryChange, now: Millis, *, alert: bool
) -> FannedOut | None:
    """Take over what a newsroom changed; the alerts that came of it, None when the article is gone.

    Tags are only added: those of the page are not in the feed. Those that it gains reach whom they newly concern, while
    it is news by its own date: an archive's was seen, not published, on the day of the first poll.
    """
    entry = entries.c.feed_id == feed_id, entries.c.key == change.key
    query = select(articles.c.id, articles.c.title, articles.c.summary, articles.c.published_at)
    old = (await connection.execute(query.join(entries, entries.c.article_id == articles.c.id).where(*entry))).first()
    await connection.execute(update(entries).where(*entry).values(content_hash=change.content_hash, seen_at=now))
    if old is None:
        return None
    article = change.article
    summary = article.summary or old.summary  # which may be the page's lead
    if (article.title, summary) != (old.title, old.summary):
        values = {"title": article.title, "summary": summary}
        await connection.execute(update(articles).where(articles.c.id == old.id).values(**values))
        await queue_edits(connection, old.id, now)
    if change.indexed is not None:
        await index(connection, [(old.id, change.indexed)])
    gained = await gain_tags(connection, old.id, article.terms)
    if not (alert and gained) or now - old.published_at > NEWS_MS:
        return FannedOut(Counter(), set())
    return await fan_out(connection, [old.id], now, gained)


#: Those fields of a state that are columns of the same name.
_PLAIN = (
    "primed", "gone", "body_hash", "failures", "last_error", "next_poll_at", "wait_until", "polled_at", "newest_at",
    "address", "moved_to", "moved_seen", "failed_share", "merged_into",
)  # fmt: skip
#: Those of a tally.
_TALLY = ("day", "polls", "failed", "polls_before", "failed_before")


def state_of(row: RowMapping) -> FeedState:
    """A feed's state from its row."""
    return FeedState(
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"]),
        paused=row["paused"],  # which is read here and never written: a poll under way must not undo it
        tally=Tally(**{name: row[f"tally_{name}"] for name in _TALLY}),
        pace=Pace(asked_s=row["asked_s"], skip_hours=row["skip_hours"], skip_days=row["skip_days"]),
        **{name: row[name] for name in _PLAIN},
    )


def state_columns(state: FeedState) -> dict[str, Any]:
    """A feed's row from its state."""
    columns = {name: getattr(state, name) for name in _PLAIN}
    pace = {"asked_s": state.pace.asked_s, "skip_hours": state.pace.skip_hours, "skip_days": state.pace.skip_days}
    tally = {f"tally_{name}": getattr(state.tally, name) for name in _TALLY}
    return {**columns, **pace, **tally, "etag": state.validators.etag, "last_modified": state.validators.last_modified}
