"""Searching the archive, and indexing what came before there was an index."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.core.search import holds, indexed, ranked

if TYPE_CHECKING:
    from bot.core.search import Forms, Query
    from bot.store.store import Store

log = structlog.get_logger(__name__)
#: Articles that are ranked: the newest that hold every word.
CANDIDATES = 300
#: With phrases, which the index does not know, more are read.
PHRASE_CANDIDATES = 1000
#: Articles indexed in one step: about a tenth of a second of work, and one short transaction.
STEP = 100


async def find(store: Store, query: Query, forms: Forms, limit: int) -> list[int]:
    """The articles that a query finds, the newest and nearest first."""
    hits = await store.search.find(query, PHRASE_CANDIDATES if query.phrases else CANDIDATES)
    order = ranked(hits)
    if not query.phrases:
        return order[:limit]
    found: list[int] = []
    for at in range(0, len(order), STEP):
        for article in await store.articles.load(order[at : at + STEP]):
            if holds(article.title, article.summary, article.language, query, forms):
                found.append(article.id)
            await asyncio.sleep(0)  # a third of a millisecond each: others are answered in between
        if len(found) >= limit:
            break
    return found[:limit]


async def index_archive(store: Store, forms: Forms) -> int:
    """Index what is not indexed yet, the newest first, in small steps; returns how many articles."""
    done, below = 0, None
    while rows := await store.search.not_indexed(below, STEP):
        words = []
        for number, title, summary, language in rows:
            words.append((number, indexed(title, summary, language, forms)))
            await asyncio.sleep(0)
        await store.search.add(words)
        done, below = done + len(rows), rows[-1][0]
    if done:
        log.info("search.indexed", articles=done)
    return done
