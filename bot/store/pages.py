"""What articles' own pages told, and those that are still to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, false, select, true, update

from bot.core.cadence import VISITS_MS
from bot.core.describe import below
from bot.core.model import LatePage, StoredUpdate
from bot.store.articles import NEWS_MS, chunks, gain_tags, insert, load
from bot.store.edits import queue_edits
from bot.store.fanouts import fan_out
from bot.store.schema import articles, chats, late_pages, related_links, rules
from bot.store.search import index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import ArticleTag, EntryChange, Millis, PageFacts
    from bot.core.search import Indexed
    from bot.store.database import Database


async def keep_pages(connection: AsyncConnection, found: Sequence[tuple[int, str, EntryChange]], now: Millis) -> None:
    """Keep what the pages of new entries (article, feed, entry) told, and which are still to be read."""
    for article_id, _, change in found:
        if change.page is not None:
            await _keep_page(connection, article_id, change.page, change.indexed, now)
    due = {article_id: feed for article_id, feed, change in reversed(found) if change.page_due}
    for chunk in chunks([*due]):
        # Another feed may have brought the article, and its page.
        unread = await connection.scalars(
            select(articles.c.id).where(articles.c.id.in_(chunk), articles.c.page_read == false())
        )
        rows = [
            {"article_id": number, "feed": due[number], "due_at": now + VISITS_MS[0], "attempts": 0}
            for number in unread
        ]
        if rows:
            await connection.execute(insert(connection, late_pages).on_conflict_do_nothing(), rows)


async def _keep_page(
    connection: AsyncConnection, article_id: int, page: PageFacts, words: Indexed | None, now: Millis
) -> None:
    """What is known already stays: it came from the feed, or from an earlier reading.

    An article without a summary takes the page's lead: `words` are what search finds it by then, its cards change.
    """
    texts = {
        name: case((articles.c[name] == "", getattr(page, name)), else_=articles.c[name])
        for name in ("section", "author", "image")
    }
    bare = articles.c.id == article_id, articles.c.summary == ""
    title = await connection.scalar(select(articles.c.title).where(*bare))
    if title is not None and (summary := below(title, page.lead)):
        await connection.execute(update(articles).where(*bare).values(summary=summary))
        await queue_edits(connection, article_id, now)
        if words is not None:
            await index(connection, [(article_id, words)])
    minutes = case((articles.c.minutes.is_(None), page.minutes), else_=articles.c.minutes)
    told = update(articles).where(articles.c.id == article_id).values(page_read=True, minutes=minutes, **texts)
    await connection.execute(told)
    await connection.execute(delete(late_pages).where(late_pages.c.article_id == article_id))
    links = [
        {"article_id": article_id, "position": position, "title": link.title, "link": link.url}
        for position, link in enumerate(page.related)
        if link.url
    ]
    if links:
        await connection.execute(insert(connection, related_links).on_conflict_do_nothing(), links)


class Pages:
    """Pages that are read after their article went out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def have_readers(self) -> bool:
        """Whether anybody could profit from a page: a chat that is there and follows something."""
        followed = select(rules.c.id).join(chats, chats.c.id == rules.c.chat_id).where(chats.c.active == true())
        async with self._database.reading() as connection:
            return bool(await connection.scalar(followed.limit(1)))

    async def due(self, now: Millis, limit: int) -> list[LatePage]:
        """Those to be read now, the newest first: they are news the longest."""
        query = (
            select(late_pages).where(late_pages.c.due_at <= now).order_by(late_pages.c.article_id.desc()).limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            found = {article.id: article for article in await load(connection, [row.article_id for row in rows])}
        return [
            LatePage(article=found[row.article_id], feed=row.feed, attempts=row.attempts)
            for row in rows
            if row.article_id in found
        ]

    async def read(
        self,
        article_id: int,
        page: PageFacts,
        tags: Sequence[ArticleTag],
        now: Millis,
        words: Indexed | None = None,
    ) -> StoredUpdate:
        """Keep what a late page told, and alert those whom its tags newly concern, while the article is news.

        One transaction: a crash before it reads the page again, one after it changes nothing. Alerts of what many
        follow are owed, as by `Feeds.apply`.
        """
        async with self._database.transaction() as connection:
            await _keep_page(connection, article_id, page, words, now)
            gained = await gain_tags(connection, article_id, tags)
            seen_at = await connection.scalar(select(articles.c.seen_at).where(articles.c.id == article_id))
            if not gained or seen_at is None or now - seen_at > NEWS_MS:
                return StoredUpdate()
            alerts = await fan_out(connection, [article_id], now, gained)
        return StoredUpdate(alerts=alerts.queued.total(), owed=tuple(alerts.owed))

    async def put_off(self, article_id: int, until: Millis | None) -> None:
        """The page could not be read: try again then, or never."""
        mine = late_pages.c.article_id == article_id
        async with self._database.transaction() as connection:
            if until is None:
                await connection.execute(delete(late_pages).where(mine))
            else:
                again = update(late_pages).where(mine).values(due_at=until, attempts=late_pages.c.attempts + 1)
                await connection.execute(again)
