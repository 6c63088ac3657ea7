"""The words that tags are found by, kept up to date with what people follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS
from bot.core.describe import text_tags
from bot.core.frequency import WEEK_MS
from bot.core.lexicon import Lexicon
from bot.core.search import understand
from bot.core.tags import is_source
from bot.core.thesaurus import Thesaurus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bot.core.model import ArticleTag, Millis
    from bot.pipeline.ports import Clock
    from bot.store.store import Store

#: How often all rules are read: for words that nobody names any more, and for what other processes exclude.
RENEW_MS = 10 * 60 * 1000
#: What a reader waits for before a rule is made: so many articles are read, or as many as say how often it comes.
READ_AT_MOST, FOUND_ENOUGH = 2000, 60
#: Articles of one step: tens of milliseconds of work, and one short transaction.
STEP = 50


class Tagger:
    """A lexicon that learns what people follow, wherever they began to: here, or in another process.

    Args:
        store: where the rules are, and the articles.
        lexicon: finds the tags of the thesaurus, and what it is told to.
        clock: the only one.
    """

    def __init__(self, store: Store, lexicon: Lexicon, clock: Clock) -> None:
        self._store = store
        self.lexicon = lexicon
        self._clock = clock
        self._newest_rule = 0
        self._learned: set[str] = set()
        self._all_read_at: Millis | None = None
        self._behind: set[str] = set()  #: learned after the start, and not yet looked for in the archive

    async def refresh(self) -> None:
        """Learn the words that new rules name, for the next article on, and now and then unlearn what none does."""
        now = self._clock()
        every = self._all_read_at is None or now - self._all_read_at >= RENEW_MS
        self._newest_rule, terms = await self._store.rules.followed(0 if every else self._newest_rule)
        new = self.learn(terms)
        if self._all_read_at is not None:
            self._behind |= new
        if every:
            for slug in self._learned.difference(terms):
                self.lexicon.unfollow(slug)
            self._learned.intersection_update(terms)
            self._all_read_at = now

    def learn(self, terms: Iterable[str]) -> set[str]:
        """Find these words from the next article on; returns those that are new."""
        new = self._words(terms) - self._learned
        for slug in new:
            self.lexicon.follow(slug)
        self._learned |= new
        return new

    async def catch_up(self) -> None:
        """Put the words that people began to follow on all articles of the last week; nobody is alerted of them.

        What a crash leaves undone is missing from lists and rates for a week, and from no alert.
        """
        now = self._clock()
        while self._behind:
            slug = next(iter(self._behind))
            words, held = self._only(slug), await self._holding(slug, now - WEEK_MS, now)
            for at in range(0, len(held), STEP):
                await self._tag(words, slug, held[at : at + STEP])
            self._behind.discard(slug)

    async def look_back(self, terms: Collection[str], since: Millis) -> Mapping[str, Millis]:
        """Put words that are not followed yet on the newest articles that hold them, so that these can be counted.

        Returns:
            Since when each term's articles are all known: `since`, or later where they are so many that only the
            newest were read.
        """
        now, known = self._clock(), dict.fromkeys(terms, since)
        new = sorted(self._words(terms) - self._learned)
        for slug in new:
            words, held = self._only(slug), await self._holding(slug, since, now)
            found = 0
            for at in range(0, len(held), STEP):
                reached = held[at - 1][1] if at else now
                if at >= READ_AT_MOST // len(new) or (found >= FOUND_ENOUGH and now - reached >= DAY_MS):
                    known[slug] = reached
                    break
                found += await self._tag(words, slug, held[at : at + STEP])
        return known

    def _words(self, terms: Iterable[str]) -> set[str]:
        """The terms that only people's own wish makes tags: neither sources nor of the thesaurus."""
        return {term for term in terms if not is_source(term) and term not in self.lexicon.thesaurus}

    async def _holding(self, slug: str, since: Millis, now: Millis) -> list[tuple[int, Millis]]:
        """(article, when published) of what holds the words of a tag, the newest first."""
        query = understand(slug.replace("_", " "), self.lexicon.forms)
        return await self._store.search.dated(query, since, now)

    def _only(self, slug: str) -> Lexicon:
        """Finds the words of one tag and nothing else, but for hashtags."""
        lexicon = Lexicon(Thesaurus.build(()), self.lexicon.forms)
        lexicon.follow(slug)
        return lexicon

    async def _tag(self, words: Lexicon, slug: str, held: Sequence[tuple[int, Millis]]) -> int:
        """Tag those of these articles whose words say so; how many."""
        found: list[tuple[int, Sequence[ArticleTag]]] = []
        for article in await self._store.articles.load([number for number, _ in held]):
            tags = text_tags(article.title, article.summary, article.language, words)
            if here := [tag for tag in tags if tag.slug == slug]:
                found.append((article.id, here))
            await asyncio.sleep(0)  # a millisecond at most each: others are answered in between
        if found:
            await self._store.articles.add_tags(found)
        return len(found)
