"""The search index, FTS5 on SQLite and a tsvector on PostgreSQL, and the lists that are kept to be paged.

What is indexed are forms of words, letters and digits only, so neither engine's own language rules have a say, and a
query built of them cannot break the syntax of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, text

from bot.core.search import Hit
from bot.store.articles import chunks, insert
from bot.store.schema import articles, kept_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.core.search import Indexed, Query
    from bot.store.database import Database

#: How long a list can be paged.
KEPT_MS = 24 * 60 * 60 * 1000
#: Of one chat: more are being paged by nobody.
KEPT = 50

_FORGET = {
    True: text("DELETE FROM search_index WHERE rowid = :id"),
    False: text("DELETE FROM search_index WHERE article_id = :id"),
}
#: An article that is gone meanwhile is not added, nor one that was indexed meanwhile, perhaps by newer words.
_ADD = {
    True: text(
        "INSERT INTO search_index (rowid, headline, lead) SELECT id, :headline, :lead FROM articles "
        "WHERE id = :id AND NOT EXISTS (SELECT 1 FROM search_index WHERE search_index.rowid = :id)"
    ),
    False: text(
        "INSERT INTO search_index (article_id, headline, words) SELECT id, "
        "array_to_tsvector(string_to_array(:headline, ' ')), array_to_tsvector(string_to_array(:words, ' ')) "
        "FROM articles WHERE id = :id ON CONFLICT DO NOTHING"
    ),
}
_FITTING = (
    "SELECT articles.id, articles.published_at FROM search_index JOIN articles ON articles.id = search_index.rowid "
    "WHERE search_index MATCH :query "
)
#: First everything that fits, by the index: walking back through all articles for the newest is slower for rare words.
_FITTING_WORDS = (
    "WITH fitting AS MATERIALIZED ("
    "SELECT article_id FROM search_index WHERE words @@ CAST(CAST(:query AS text) AS tsquery)) "
    "SELECT articles.id, articles.published_at FROM fitting JOIN articles ON articles.id = article_id "
)
_FIND = text(_FITTING + "ORDER BY search_index.rowid DESC LIMIT :limit")
_FIND_WORDS = _FITTING_WORDS + "ORDER BY article_id DESC LIMIT :limit"
_FIND_IN = {False: text(_FIND_WORDS), True: text(_FIND_WORDS.replace("words @@", "headline @@"))}
_DATED = {
    True: text(_FITTING + "AND articles.published_at BETWEEN :since AND :until ORDER BY articles.published_at DESC"),
    False: text(
        _FITTING_WORDS + "WHERE articles.published_at BETWEEN :since AND :until ORDER BY articles.published_at DESC"
    ),
}
_NOT_INDEXED = {
    True: text("NOT EXISTS (SELECT 1 FROM search_index WHERE search_index.rowid = articles.id)"),
    False: text("NOT EXISTS (SELECT 1 FROM search_index WHERE article_id = articles.id)"),
}


async def index(connection: AsyncConnection, found: Sequence[tuple[int, Indexed]]) -> None:
    """Find these articles by these words from now on, and by no others."""
    for chunk in chunks(found):
        await connection.execute(_FORGET[_embedded(connection)], [{"id": number} for number, _ in chunk])
    await _add(connection, found)


async def _add(connection: AsyncConnection, found: Sequence[tuple[int, Indexed]]) -> None:
    for chunk in chunks([_row(connection, number, words) for number, words in found]):
        await connection.execute(_ADD[_embedded(connection)], chunk)


def _embedded(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def _row(connection: AsyncConnection, number: int, words: Indexed) -> dict[str, object]:
    if _embedded(connection):
        return {"id": number, "headline": words.headline, "lead": words.lead}
    return {"id": number, "headline": words.headline, "words": f"{words.headline} {words.lead}".strip()}


def _expression(query: Query, *, embedded: bool, headline: bool) -> str:
    """The query in the engine's own syntax."""
    if embedded:
        every = " AND ".join("(" + " OR ".join(f'"{form}"' for form in word) + ")" for word in query.words)
        return f"headline : ({every})" if headline else every
    return " & ".join("(" + " | ".join(f"'{form}'" for form in word) + ")" for word in query.words)


class Search:
    """Finding articles by their words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, query: Query, limit: int) -> list[Hit]:
        """The newest articles that hold every word, and the newest that hold them all in the headline."""
        if not query.words:
            return []
        hits: dict[int, Hit] = {}
        async with self._database.reading() as connection:
            embedded = _embedded(connection)
            for headline in (False, True):
                expression = _expression(query, embedded=embedded, headline=headline)
                find = _FIND if embedded else _FIND_IN[headline]
                rows = await connection.execute(find, {"query": expression, "limit": limit})
                hits |= {number: Hit(number, published_at, headline) for number, published_at in rows}
        return list(hits.values())

    async def dated(self, query: Query, since: Millis, until: Millis) -> list[tuple[int, Millis]]:
        """(article, when published) of all that hold every word and were published then, the newest first."""
        if not query.words:
            return []
        async with self._database.reading() as connection:
            embedded = _embedded(connection)
            expression = _expression(query, embedded=embedded, headline=False)
            values = {"query": expression, "since": since, "until": until}
            rows = await connection.execute(_DATED[embedded], values)
            return [(number, published_at) for number, published_at in rows]

    async def add(self, found: Sequence[tuple[int, Indexed]]) -> None:
        """Index those of these articles that are not indexed yet."""
        async with self._database.transaction() as connection:
            await _add(connection, found)

    async def not_indexed(self, below: int | None, limit: int) -> list[tuple[int, str, str, str]]:
        """(id, title, summary, language) of articles that search does not find, the newest below that id first."""
        query = select(articles.c.id, articles.c.title, articles.c.summary, articles.c.language)
        if below is not None:
            query = query.where(articles.c.id < below)
        async with self._database.reading() as connection:
            missing = _NOT_INDEXED[_embedded(connection)]
            rows = await connection.execute(query.where(missing).order_by(articles.c.id.desc()).limit(limit))
            return [(row.id, row.title, row.summary, row.language) for row in rows]

    async def keep(self, chat_id: int, words: str, found: Sequence[int], now: Millis) -> int:
        """Keep a list for its buttons; its number. Lists that are too old go."""
        values = {"chat_id": chat_id, "words": words, "found": " ".join(map(str, found)), "created_at": now}
        mine = kept_lists.c.chat_id == chat_id
        recent = select(kept_lists.c.id).where(mine).order_by(kept_lists.c.id.desc()).limit(KEPT - 1)
        async with self._database.transaction() as connection:
            await connection.execute(delete(kept_lists).where(kept_lists.c.created_at < now - KEPT_MS))
            await connection.execute(delete(kept_lists).where(mine, kept_lists.c.id.not_in(recent)))
            made = insert(connection, kept_lists).values(values).returning(kept_lists.c.id)
            return int((await connection.execute(made)).scalar_one())

    async def kept(self, number: int, chat_id: int, now: Millis) -> tuple[str, list[int]] | None:
        """A chat's list, (words, what was found); None when it is too old, or another chat's."""
        query = select(kept_lists.c.words, kept_lists.c.found).where(
            kept_lists.c.id == number, kept_lists.c.chat_id == chat_id, kept_lists.c.created_at >= now - KEPT_MS
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return (row.words, [int(one) for one in row.found.split()]) if row else None
