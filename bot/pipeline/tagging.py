"""The words that tags are found by, kept up to date with what people follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS
from bot.core.describe import text_tags
from bot.core.tags import is_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.core.lexicon import Lexicon
    from bot.core.model import Millis
    from bot.store.store import Store

#: A tag that somebody begins to follow is looked for in what came over so long, so that it can be read at once.
LOOK_BACK_MS = 7 * DAY_MS
#: In so many of the newest articles that may hold it.
LOOK_BACK_ARTICLES = 300


class Tagger:
    """A lexicon that learns what people follow, wherever they began to: here, or in another process."""

    def __init__(self, store: Store, lexicon: Lexicon) -> None:
        self._store = store
        self.lexicon = lexicon
        self._newest_rule = 0
        self._learned: set[str] = set()

    async def refresh(self) -> None:
        """Learn the tags that rules made meanwhile name; a new one is found from the next article on."""
        self._newest_rule, terms = await self._store.rules.followed(self._newest_rule)
        self._learn(terms)

    def _learn(self, terms: Iterable[str]) -> None:
        for term in terms:
            if term not in self._learned and not is_source(term):
                self._learned.add(term)
                self.lexicon.follow(term)

    async def look_back(self, terms: Collection[str], now: Millis) -> None:
        """Find these tags in the articles of the last week, and tag those; nobody is alerted of them."""
        new = [term for term in terms if term not in self._learned and not is_source(term)]
        self._learn(new)
        phrases = [parts for term in new for parts in _fragments(term)]
        if not phrases:
            return
        wanted = frozenset(new)
        found = []
        for article in await self._store.articles.holding(phrases, now - LOOK_BACK_MS, LOOK_BACK_ARTICLES):
            borne = {tag.slug for tag in article.tags}
            tags = [
                tag
                for tag in text_tags(article.title, article.summary, article.language, self.lexicon)
                if tag.slug in wanted and tag.slug not in borne
            ]
            if tags:
                found.append((article.id, tags))
            await asyncio.sleep(0)  # milliseconds each: others are answered in between
        if found:
            await self._store.articles.add_tags(found)


def _fragments(slug: str) -> list[list[str]]:
    """Letters that stand in a text which holds the tag's words, whatever their endings: written small, and in capitals.

    Without the first letter, which may be a capital, and without the last ones, which inflection changes.
    """
    words = [word[1 : max(3, len(word) - 3)] for word in slug.split("_") if len(word) > 1]
    return [words, [word.upper() for word in words]] if words else []
