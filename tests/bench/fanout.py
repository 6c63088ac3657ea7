"""One article to 200 000 readers of its tag, in one transaction of the database as it ships."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.core.model import Article, ArticleTag, EntryChange, Feed, FeedState, FeedUpdate, TagSource
from bot.store.database import Database
from bot.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

READERS = 200_000
NOW = 1_800_000_000_000


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Seconds for the transaction that stores the article and its alerts."""
    database = await Database.open(f"sqlite:///{folder / 'bench.db'}")
    store = Store(database)
    feed = Feed(name="f", url="https://e.org/rss", title="F")
    await store.feeds.sync_catalogue([feed])
    await store.articles.ensure_tags(["nato"])
    async with database.transaction() as connection:
        for table, columns, values in (
            ("chats", "id, kind, title, language, time_zone, created_at", "n, 'private', '', 'en', 'UTC', 1"),
            ("rules", "chat_id, thread_id, key, anchor_id, plain, created_at", "n, 0, 'nato', 1, 1, 1"),
            ("rule_terms", "rule_id, tag_id, wanted, position", "n, 1, 1, 0"),
        ):
            await connection.exec_driver_sql(
                f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {READERS}) "
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM c"
            )
    article = Article(
        link="https://e.org/1", title="T", summary="S", source="F", language="en", section="", published_at=NOW,
        seen_at=NOW, minutes=1, tags=(ArticleTag("nato", TagSource.PAGE),),
    )  # fmt: skip
    change = EntryChange(key="k", content_hash="h", canonical="https://e.org/1", article=article, new=True)
    update = FeedUpdate(feed="f", state=FeedState(primed=True), changes=(change,), seen_keys=("k",), alert=True)
    wall, cpu = time.perf_counter(), time.process_time()
    (stored,) = await store.feeds.apply([update], NOW)
    figures = [
        (f"fan-out to {READERS:,} readers, one transaction", "s", time.perf_counter() - wall),
        (f"fan-out to {READERS:,} readers, one transaction", "CPU s", time.process_time() - cpu),
    ]
    await database.close()
    if stored.alerts != READERS:
        raise RuntimeError(f"only {stored.alerts} alerts were queued")
    return figures
