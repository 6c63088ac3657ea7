"""Articles and their tags."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.cadence import DAY_MS
from bot.core.frequency import WEEK_MS
from bot.core.model import Article, ArticleTag, Kind, Link, TagSource
from bot.core.trending import USUAL_DAYS, TagCount
from bot.store.schema import article_tags, articles, outbox, related_links, tags

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import RowMapping, Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

#: A story that another feed first showed longer ago than this is not news when a second feed carries it.
NEWS_MS = DAY_MS
#: Values in one statement: SQLite takes 32 766 parameters, PostgreSQL's driver 32 767.
CHUNK = 500
_NEAREST = {source.value: rank for rank, source in enumerate(TagSource)}
#: Columns of an article that are fields of the same name.
_FIELDS = (
    "link", "title", "summary", "source", "language", "section", "published_at", "seen_at", "minutes", "author",
    "image",
)  # fmt: skip
#: A row that says which feed carries an article is no tag of it, and what only its followers know is not told.
_IS_TAG = article_tags.c.source.not_in([TagSource.CARRIER.value, TagSource.FOLLOWED.value])


def insert(connection: AsyncConnection, table: Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT; both speak the same words."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """`values` in pieces of CHUNK."""
    return (values[at : at + CHUNK] for at in range(0, len(values), CHUNK))


async def ensure_tags(connection: AsyncConnection, slugs: Iterable[str]) -> dict[str, int]:
    """The ids of tags, made where they are new."""
    wanted = sorted(set(slugs))
    for chunk in chunks(wanted):
        await connection.execute(insert(connection, tags).on_conflict_do_nothing(), [{"slug": slug} for slug in chunk])
    return await ids_of_tags(connection, wanted)


async def ids_of_tags(connection: AsyncConnection, slugs: Iterable[str]) -> dict[str, int]:
    """The ids of those tags that exist."""
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(slugs))):
        rows = await connection.execute(select(tags.c.slug, tags.c.id).where(tags.c.slug.in_(chunk)))
        found.update(rows.all())
    return found


async def tag_articles(connection: AsyncConnection, found: Sequence[tuple[int, Sequence[ArticleTag]]]) -> None:
    """Add tags to articles; those that an article has keep their first source."""
    ids = await ensure_tags(connection, (tag.slug for _, borne in found for tag in borne))
    rows = [
        {"article_id": article_id, "tag_id": ids[tag.slug], "source": tag.source.value}
        for article_id, borne in found
        for tag in borne
    ]
    if rows:
        await connection.execute(insert(connection, article_tags).on_conflict_do_nothing(), rows)


async def gain_tags(connection: AsyncConnection, article_id: int, borne: Sequence[ArticleTag]) -> frozenset[int]:
    """Add tags to an article that went out; the ids of those that it did not bear yet."""
    mine = select(article_tags.c.tag_id).where(article_tags.c.article_id == article_id)
    before = {*await connection.scalars(mine)}
    await tag_articles(connection, [(article_id, borne)])
    return frozenset(await connection.scalars(mine)) - before


async def load(connection: AsyncConnection, ids: Sequence[int]) -> list[Article]:
    """The articles of these ids, in this order; those that are gone are left out."""
    if not ids:
        return []
    rows = (await connection.execute(select(articles).where(articles.c.id.in_(ids)))).mappings().all()
    by_id = {row["id"]: row for row in rows}
    terms: dict[int, list[ArticleTag]] = defaultdict(list)
    query = (
        select(article_tags.c.article_id, tags.c.slug, article_tags.c.source)
        .join(tags, tags.c.id == article_tags.c.tag_id)
        .where(article_tags.c.article_id.in_(ids))
        .order_by(case(_NEAREST, value=article_tags.c.source, else_=len(_NEAREST)), tags.c.slug)
    )
    for article_id, slug, source in await connection.execute(query):
        terms[article_id].append(ArticleTag(slug, TagSource(source)))
    return [_article(by_id[number], terms[number]) for number in ids if number in by_id]


def _article(row: RowMapping, terms: Sequence[ArticleTag]) -> Article:
    carriers = [term for term in terms if term.source is TagSource.CARRIER]
    return Article(
        id=row["id"],
        tags=tuple(term for term in terms if term.source is not TagSource.CARRIER),
        carriers=tuple(term.slug.removeprefix("@") for term in carriers),
        **{name: row[name] for name in _FIELDS},
    )


def article_columns(article: Article) -> dict[str, Any]:
    """An article's row, but for its id and its identity."""
    return {name: getattr(article, name) for name in _FIELDS}


async def _slugs_of(connection: AsyncConnection, tag_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for chunk in chunks(tag_ids):
        found.update((await connection.execute(select(tags.c.id, tags.c.slug).where(tags.c.id.in_(chunk)))).all())
    return found


class Articles:
    """What was published."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, article_id: int) -> Article | None:
        """An article, its tags by the nearness of their source; None when there is none of this id."""
        async with self._database.reading() as connection:
            found = await load(connection, [article_id])
        return found[0] if found else None

    async def load(self, ids: Sequence[int]) -> list[Article]:
        """The articles of these ids, in this order; those that are gone are left out."""
        async with self._database.reading() as connection:
            return await load(connection, ids)

    async def latest(self, *, slugs: Sequence[str] = (), limit: int = 10) -> list[Article]:
        """The newest articles, with `slugs` those bearing any of them."""
        return await self.load(await self.latest_ids(slugs, limit))

    async def latest_ids(self, slugs: Sequence[str], limit: int) -> list[int]:
        """Those of `latest`."""
        query = select(articles.c.id).order_by(articles.c.published_at.desc(), articles.c.id.desc()).limit(limit)
        if slugs:
            bearing = (
                select(article_tags.c.article_id)
                .join(tags, tags.c.id == article_tags.c.tag_id)
                .where(tags.c.slug.in_(slugs))
            )
            query = query.where(articles.c.id.in_(bearing))
        async with self._database.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def sent_with(self, chat_id: int, row: int) -> list[int]:
        """The articles of the message that settled this row of the outbox, newest first; none of another chat's."""
        first = outbox.alias()
        query = (
            select(articles.c.id)
            .join(outbox, outbox.c.subject == articles.c.id)
            # One message settles its rows at one moment, which is indexed.
            .join(first, (first.c.settled_at == outbox.c.settled_at) & (first.c.message_id == outbox.c.message_id))
            .where(first.c.id == row, first.c.chat_id == chat_id, outbox.c.chat_id == chat_id)
            .where(outbox.c.kind == Kind.ALERT.value)
            .order_by(articles.c.published_at.desc(), articles.c.id.desc())
        )
        async with self._database.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def related(self, article_id: int, limit: int) -> list[int]:
        """Articles that share tags with this one: those sharing most first, then the newest."""
        other = article_tags.alias()
        query = (
            select(other.c.article_id)
            .join(article_tags, article_tags.c.tag_id == other.c.tag_id)
            .join(articles, articles.c.id == other.c.article_id)
            .where(article_tags.c.article_id == article_id, other.c.article_id != article_id, _IS_TAG)
            .group_by(other.c.article_id, articles.c.published_at)
            .order_by(func.count().desc(), articles.c.published_at.desc(), other.c.article_id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def tag_counts(self, now: Millis) -> tuple[list[TagCount], float]:
        """How many articles bear each tag of late, and over how many days before today the archive reaches."""
        start = now - (USUAL_DAYS + 1) * DAY_MS
        dated = articles.c.published_at.between(start, now)
        today = func.sum(case((articles.c.published_at > now - DAY_MS, 1), else_=0))
        borne = (
            select(article_tags.c.tag_id, func.count(), today)
            .join(articles, articles.c.id == article_tags.c.article_id)
            .where(_IS_TAG)
            .group_by(article_tags.c.tag_id)
        )
        oldest = select(func.min(articles.c.published_at)).where(dated)
        async with self._database.reading() as connection:
            of_month = {number: counts for number, *counts in await connection.execute(borne.where(dated))}
            week = articles.c.published_at.between(now - WEEK_MS, now)
            of_week = {number: count for number, count, _ in await connection.execute(borne.where(week))}
            since = await connection.scalar(oldest) or now
            slugs = await _slugs_of(connection, [*of_month])
        counts = []
        for number, slug in slugs.items():
            every, day = of_month.get(number, (0, 0))
            counts.append(TagCount(number, slug, day=day, week=of_week.get(number, 0), before=every - day))
        return counts, min(USUAL_DAYS, max(1.0, (now - since) / DAY_MS - 1))

    async def tag_ids(self, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of those tags that exist."""
        async with self._database.reading() as connection:
            return await ids_of_tags(connection, slugs)

    async def slugs_of(self, tag_ids: Collection[int]) -> dict[int, str]:
        """The terms of those ids that exist."""
        async with self._database.reading() as connection:
            return await _slugs_of(connection, [*tag_ids])

    async def tag_slug(self, tag_id: int) -> str | None:
        """The tag of an id."""
        async with self._database.reading() as connection:
            slug: str | None = await connection.scalar(select(tags.c.slug).where(tags.c.id == tag_id))
            return slug

    async def first_seen(self) -> Millis | None:
        """When the oldest article of the archive came; None when it is empty."""
        async with self._database.reading() as connection:
            seen: Millis | None = await connection.scalar(select(func.min(articles.c.seen_at)))
            return seen

    async def borne_of(self, slugs: Sequence[str]) -> set[str]:
        """Those of these tags that an article bears, and that are told of."""
        borne = select(article_tags.c.tag_id).where(article_tags.c.tag_id == tags.c.id, _IS_TAG).exists()
        found: set[str] = set()
        async with self._database.reading() as connection:
            for chunk in chunks(slugs):
                found.update((await connection.scalars(select(tags.c.slug).where(tags.c.slug.in_(chunk), borne))).all())
        return found

    async def borne(self, *, shortest: int, longest: int) -> list[str]:
        """The tags of so many characters that an article bears, and that are told of."""
        borne = select(article_tags.c.tag_id).where(article_tags.c.tag_id == tags.c.id, _IS_TAG).exists()
        query = select(tags.c.slug).where(func.length(tags.c.slug).between(shortest, longest), borne)
        async with self._database.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def unread_pages(self, canonicals: Sequence[str]) -> set[str]:
        """Those of these identities whose page was not read yet, for another feed or before."""
        read: set[str] = set()
        async with self._database.reading() as connection:
            for chunk in chunks(canonicals):
                query = select(articles.c.canonical).where(articles.c.canonical.in_(chunk), articles.c.page_read)
                read.update((await connection.scalars(query)).all())
        return set(canonicals) - read

    async def by_canonical(self, canonical: str) -> Article | None:
        """The article of this identity (core/identity.py)."""
        async with self._database.reading() as connection:
            ids = (await connection.scalars(select(articles.c.id).where(articles.c.canonical == canonical))).all()
            found = await load(connection, ids)
        return found[0] if found else None

    async def related_links(self, article_id: int) -> list[Link]:
        """What the article's own page names under MORE ABOUT."""
        query = (
            select(related_links.c.title, related_links.c.link)
            .where(related_links.c.article_id == article_id)
            .order_by(related_links.c.position)
        )
        async with self._database.reading() as connection:
            return [Link(title, link) for title, link in await connection.execute(query)]

    async def add_tags(self, found: Sequence[tuple[int, Sequence[ArticleTag]]]) -> None:
        """Add tags to articles that nobody is to be alerted of."""
        async with self._database.transaction() as connection:
            await tag_articles(connection, found)

    async def ensure_tags(self, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of tags, made where they are new."""
        async with self._database.transaction() as connection:
            return await ensure_tags(connection, slugs)
