"""The reading half of a poll: fetch -> parse -> read the pages of what is new -> describe. It stores nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import structlog

from bot.core.describe import entry_changes, identity, wants_page
from bot.core.feedstate import failed, moved, succeeded
from bot.core.identity import canonical_link, entry_keys
from bot.core.model import (
    Failure,
    FeedState,
    FeedUpdate,
    Fetched,
    FetchFailed,
    Notice,
    NoticeCode,
    NotModified,
    PageFacts,
    ParsedFeed,
    Validators,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.cadence import Plan
    from bot.core.model import Entry, Feed, LatePage, Millis
    from bot.feeds.fetch import Fetcher
    from bot.feeds.worker import ParserPool
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store

log = structlog.get_logger(__name__)


class Result(StrEnum):
    """How one poll of one feed ended."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"
    LEFT_ALONE = "left_alone"  #: gone (410), or its site has asked to wait


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll of one feed found, not yet stored; `update` is None when there is nothing to store."""

    feed: str
    result: Result
    detail: str = ""
    update: FeedUpdate | None = None

    def with_(self, **more: Any) -> Polled:
        """The same with more to be stored."""
        return self if self.update is None else replace(self, update=replace(self.update, **more))


#: A page that failed so will fail again: it is not asked a second time.
HOPELESS = frozenset({Failure.ADDRESS, Failure.GONE, Failure.TOO_LARGE, Failure.REDIRECTS})
#: A poll may take so long beside the reading of its pages, before what it read is stored for others to find.
POLL_MS = 60_000


class Retriever:
    """Polls one feed at a time, reading only; what is to be stored travels as a `FeedUpdate`.

    Pages are read for `page_wait_s` seconds and `page_limit` pages of a poll at most: what was not read by then, or
    failed, is due late, and its article goes out with what is known.
    """

    def __init__(
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        parsers: ParserPool,
        tagger: Tagger,
        feeds: Mapping[str, Feed],
        page_limit: int,
        page_wait_s: float,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._parsers = parsers
        self._tagger = tagger
        self._feeds = feeds
        self._page_limit = page_limit
        self._page_wait_s = page_wait_s
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lately: dict[str, tuple[Millis, PageFacts | FetchFailed]] = {}

    async def retrieve(self, feed: Feed, state: FeedState, schedule: Plan, now: Millis) -> Polled:
        """What a poll of `feed` finds; `schedule` says when it is due again."""
        address = state.address or feed.url
        if why := _left_alone(state, now):
            return Polled(feed.name, Result.LEFT_ALONE, why)
        answer = await self._fetcher.fetch(address, state.validators)
        if isinstance(answer, Fetched):
            return await self._read(feed, state, answer, schedule, now)
        if isinstance(answer, NotModified):
            return _done(feed, state, succeeded(feed, state, now, answer, schedule), Result.NOT_MODIFIED)
        return self._failed(feed, state, answer, now)

    async def _read(self, feed: Feed, state: FeedState, fetched: Fetched, schedule: Plan, now: Millis) -> Polled:
        body_hash = sha256(fetched.body).hexdigest()
        if state.primed and body_hash == state.body_hash:
            return _done(feed, state, succeeded(feed, state, now, fetched, schedule), Result.FETCHED)
        parsed = await self._parsers.parse(fetched)
        if isinstance(parsed, FetchFailed):
            return await self._discover(feed, state, parsed, schedule, now)
        keys = entry_keys(parsed.entries)
        keyed = list(zip(keys, parsed.entries, strict=True))
        known = await self._store.feeds.known_entries(feed.name, keys) if state.polled_at else {}
        # The archive's pages are not read: thirty feeds of thirty entries would be a burst of nine hundred requests.
        fresh = [(key, entry) for key, entry in keyed if key not in known] if state.primed else []
        pages, due = await self._read_pages(feed, fresh, now)
        await self._tagger.refresh()
        changes = entry_changes(feed, keyed, known, pages, self._tagger.lexicon, now, due=due)
        news = not state.primed or any(change.new for change in changes)
        after = succeeded(
            feed, state, now, fetched, schedule, body_hash=body_hash, newest_at=now if news else 0, pace=parsed.pace
        )
        done = _done(feed, state, after, Result.FETCHED)
        return done.with_(changes=changes, seen_keys=tuple(keys), alert=state.primed, push=fetched.push or parsed.push)

    async def _discover(
        self, feed: Feed, state: FeedState, failure: FetchFailed, schedule: Plan, now: Millis
    ) -> Polled:
        """An address that turned out to be a page: the first feed that it offers is asked from now on."""
        for address in failure.feeds[:1]:
            answer = await self._fetcher.fetch(address, Validators())
            if isinstance(answer, Fetched) and isinstance(await self._parsers.parse(answer), ParsedFeed):
                log.info("poll.discovered", feed=feed.name, page=failure.detail, address=address)
                read = await self._read(feed, replace(state, address=address), answer, schedule, now)
                return read.with_(notice=Notice(code=NoticeCode.MOVED, feed=feed.name, detail=address))
        return self._failed(feed, state, failure, now)

    def _failed(self, feed: Feed, state: FeedState, failure: FetchFailed, now: Millis) -> Polled:
        if failure.failure is Failure.RESTING:
            wait = replace(state, wait_until=now + (failure.retry_after or 0) * 1000)
            return replace(_done(feed, state, wait, Result.LEFT_ALONE), detail=failure.detail)
        after = failed(feed, state, now, failure)
        done = _done(feed, state, after, Result.FAILED)
        if failure.whole_site and after.wait_until:
            site = _site(state.address or feed.url)
            others = tuple(other.name for other in self._feeds.values() if _site(other.url) == site and other != feed)
            done = done.with_(resting=others)
        return replace(done, detail=failure.detail)

    async def _read_pages(
        self, feed: Feed, fresh: Sequence[tuple[str, Entry]], now: Millis
    ) -> tuple[dict[str, PageFacts], set[str]]:
        """The facts of the pages worth reading, by entry key, and the keys of those still to be read.

        A page is read once, whichever feeds carry its article, and only if there is anybody who could profit.
        """
        by_identity = {identity(feed, key, entry): (key, entry) for key, entry in fresh if wants_page(feed, entry)}
        pages: dict[str, PageFacts] = {}
        if not by_identity or not await self._store.pages.have_readers():
            return pages, set()
        unread = await self._store.articles.unread_pages(list(by_identity))
        wanted = [by_identity[name] for name in by_identity if name in unread]
        due = {key for key, _ in wanted}
        try:
            async with asyncio.timeout(self._page_wait_s):
                for key, entry in wanted[: self._page_limit]:
                    page = await self.read_once(feed, entry.link, now)
                    if isinstance(page, PageFacts):
                        pages[key] = page
                    if isinstance(page, PageFacts) or is_hopeless(page):
                        due.discard(key)
        except TimeoutError:
            log.info("pages.late", feed=feed.name, read=len(pages), left=len(due))
        return pages, due

    async def read_once(self, feed: Feed, link: str, now: Millis) -> PageFacts | FetchFailed:
        """`read_page`, asked for once by polls of the same time: none knows what another has not stored yet.

        Whoever comes second waits for the first, and takes over when that gives up.
        """
        address, kept_ms = canonical_link(link), POLL_MS + round(self._page_wait_s * 1000)
        async with self._turns.setdefault(address, asyncio.Lock()):
            self._lately = {of: (at, page) for of, (at, page) in self._lately.items() if now - at <= kept_ms}
            if address not in self._lately:
                self._lately[address] = now, await self.read_page(feed, link)
            return self._lately[address][1]

    async def read_page(self, feed: Feed, link: str) -> PageFacts | FetchFailed:
        """What an article's own page states, or why it could not be had."""
        page = await self._fetcher.fetch_page(link)
        if isinstance(page, Fetched):
            return await self._parsers.read_page(page, feed.tag_selector)
        log.info("page.failed", feed=feed.name, link=link, detail=page.detail)
        return page

    async def read_late(self, late: LatePage) -> PageFacts | FetchFailed:
        """The page of an article that went out without it."""
        feed = self._feeds.get(late.feed)
        if feed is None:
            return FetchFailed(failure=Failure.ADDRESS, detail=f"the feed {late.feed} left the catalogue")
        return await self.read_page(feed, late.article.link)


def is_hopeless(failure: FetchFailed) -> bool:
    """Whether a page that failed so need not be asked for again."""
    return failure.failure in HOPELESS or failure.status in {401, 403, 404}


def _left_alone(state: FeedState, now: Millis) -> str:
    """Why a feed is not asked at all; "" when it is."""
    if state.gone:
        return "the feed is gone (410)"
    if state.paused:
        return "it is paused: /feeds"
    if state.merged_into:
        return f"it is the same feed as {state.merged_into} now"
    return "its site has asked to wait" if now < state.wait_until else ""


def _site(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _done(feed: Feed, before: FeedState, after: FeedState, result: Result) -> Polled:
    return Polled(feed.name, result, update=FeedUpdate(feed=feed.name, state=after, notice=moved(feed, before, after)))
