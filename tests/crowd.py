"""Many readers at once, and news for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.model import Article, ArticleTag, EntryChange, FeedState, FeedUpdate, TagSource

if TYPE_CHECKING:
    from bot.store.store import Store

NOW = 1_800_000_000_000


async def crowd(store: Store, slug: str, number: int) -> None:
    """Chats 1 to `number`, each following one tag."""
    tag = (await store.articles.ensure_tags([slug]))[slug]
    async with store.database.transaction() as connection:
        for table, columns, values in (
            ("chats", "id, kind, language, time_zone, created_at", "n, 'private', 'en', 'UTC', 1"),
            ("rules", "chat_id, thread_id, key, anchor_id, plain, created_at", f"n, 0, '{slug}', {tag}, true, 1"),
        ):
            await connection.exec_driver_sql(
                f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {number}) "
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM c WHERE true ON CONFLICT DO NOTHING"
            )
        await connection.exec_driver_sql(
            "INSERT INTO rule_terms (rule_id, tag_id, wanted, position) "
            f"SELECT id, anchor_id, true, 0 FROM rules WHERE anchor_id = {tag}"
        )


def news(key: str, *slugs: str, feed: str = "one", alert: bool = True) -> FeedUpdate:
    """What a poll found: one new article."""
    article = Article(
        link=f"https://one.example/{key}", title="T", summary="S", source="One", language="en", section="",
        published_at=NOW, seen_at=NOW, minutes=None, tags=tuple(ArticleTag(slug, TagSource.CATEGORY) for slug in slugs),
    )  # fmt: skip
    change = EntryChange(key=key, content_hash="h", canonical=article.link, article=article, new=True)
    return FeedUpdate(feed=feed, state=FeedState(primed=True), changes=(change,), alert=alert)
