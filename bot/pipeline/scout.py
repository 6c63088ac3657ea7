"""A look at an address before it becomes a feed of ours: what it carries, and how that would be tagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.describe import entry_changes
from bot.core.identity import entry_keys
from bot.core.model import Failure, Feed, Fetched, FetchFailed, NotModified, PageMode, ParsedFeed, Validators

if TYPE_CHECKING:
    from bot.core.model import Article
    from bot.feeds.fetch import Fetcher
    from bot.feeds.worker import ParserPool
    from bot.pipeline.ports import Clock
    from bot.pipeline.tagging import Tagger

#: Feeds that a page offers and that are tried; the first that is one is taken.
MOST_TRIED = 3
MOST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Scouted:
    """A feed that could be added."""

    feed: Feed
    articles: tuple[Article, ...]  #: of all its entries, newest first


class Scout:
    """Reads one address, by the same fetcher, parsers and tagger as a poll; stores nothing."""

    def __init__(self, *, fetcher: Fetcher, parsers: ParserPool, tagger: Tagger, clock: Clock) -> None:
        self._fetcher = fetcher
        self._parsers = parsers
        self._tagger = tagger
        self._clock = clock

    async def look(self, url: str) -> Scouted | FetchFailed:
        """The feed at an address, or the first that the page there offers; it has no name yet."""
        found = await self._read(url)
        if isinstance(found, FetchFailed):
            for offered in found.feeds[:MOST_TRIED]:
                if not isinstance(instead := await self._read(offered), FetchFailed):
                    return await self._describe(*instead)
            return found
        return await self._describe(*found)

    async def _read(self, url: str) -> tuple[str, ParsedFeed] | FetchFailed:
        answer = await self._fetcher.fetch(url, Validators())
        match answer:
            case Fetched():
                parsed = await self._parsers.parse(answer)
                return parsed if isinstance(parsed, FetchFailed) else (answer.moved_to or url, parsed)
            case NotModified():
                return FetchFailed(failure=Failure.STATUS, detail=f"{url}: answered 304 to no condition", status=304)
            case FetchFailed():
                return answer

    async def _describe(self, url: str, parsed: ParsedFeed) -> Scouted:
        title = " ".join(parsed.title.split())[:MOST_TITLE]
        feed = Feed(name="", url=url, title=title, language=parsed.language[:20], pages=PageMode.WHEN_UNTAGGED)
        await self._tagger.refresh()
        keyed = list(zip(entry_keys(parsed.entries), parsed.entries, strict=True))
        changes = entry_changes(feed, keyed, {}, {}, self._tagger.lexicon, self._clock())
        articles = sorted((change.article for change in changes), key=lambda one: one.published_at, reverse=True)
        return Scouted(feed, tuple(articles))
