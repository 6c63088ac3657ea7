"""The first pump: from feeds to the outbox.

    fetch -> parse -> read the pages of what is new -> describe -> ONE transaction

`retrieve` only reads; what a poll wants stored travels as a `FeedUpdate`, so that a dry run is the same poll without
its last step. A crash before the transaction loses nothing: the validators are stored with the entries, so the next
poll gets the same document again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from bot.core import cadence
from bot.core.describe import entry_changes, wants_page
from bot.core.identity import entry_keys
from bot.core.model import FeedState, FeedUpdate, Fetched, FetchFailed, NotModified, PageFacts, StoredUpdate
from bot.store.database import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bot.core.lexicon import Thesaurus
    from bot.core.model import Entry, Feed, Millis, ParsedFeed
    from bot.feeds.fetch import Fetcher
    from bot.feeds.worker import ParserPool
    from bot.pipeline.ports import Clock, Meter
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


@dataclass(slots=True)
class PollTotals:
    """The sums of a round of polls, named as in CONTRACT.md."""

    feeds: int = 0
    fetched: int = 0
    not_modified: int = 0
    failed: int = 0
    left_alone: int = 0
    articles_new: int = 0
    articles_changed: int = 0
    alerts_queued: int = 0

    def add(self, result: Result, stored: StoredUpdate) -> None:
        """Count one poll."""
        self.feeds += 1
        setattr(self, result.value, getattr(self, result.value) + 1)
        self.add_stored(stored)

    def count(self, polled: Iterable[Polled]) -> None:
        """Count polls of which nothing was stored."""
        for one in polled:
            self.add(one.result, StoredUpdate())

    def add_stored(self, stored: StoredUpdate) -> None:
        """Count what was stored."""
        self.articles_new += stored.new
        self.articles_changed += stored.changed
        self.alerts_queued += stored.alerts


class Poller:
    """Polls feeds: on their schedule by `tick`, or once and now by `poll_all`."""

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        parsers: ParserPool,
        thesaurus: Thesaurus,
        feeds: Iterable[Feed],
        clock: Clock,
        meter: Meter,
        page_limit: int,
        at_once: int,
        on_alerts: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._parsers = parsers
        self._thesaurus = thesaurus
        self._feeds: Mapping[str, Feed] = {feed.name: feed for feed in feeds}
        self._clock = clock
        self._meter = meter
        self._page_limit = page_limit
        self._slots = asyncio.Semaphore(at_once)
        self._on_alerts = on_alerts
        self._feed_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._unstored: list[tuple[FeedUpdate, asyncio.Future[StoredUpdate]]] = []
        self._storing = asyncio.Lock()

    async def tick(self) -> None:
        """Start a poll of every feed that is due and not being polled already; returns without waiting for them."""
        for name, state in (await self._store.feeds.due(self._clock(), limit=len(self._feeds))).items():
            if name in self._feeds and name not in self._under_way:
                task = asyncio.create_task(self._poll_in_background(name, state), name=f"poll {name}")
                self._under_way[name] = task
                task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, _: asyncio.Task[None]) -> None:
        self._under_way.pop(name, None)

    async def stop(self) -> None:
        """Cancel the polls under way; each is stored whole or not at all."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def poll_all(
        self, names: Sequence[str], *, on_polled: Callable[[Polled], None] = lambda _: None
    ) -> PollTotals:
        """Poll the named feeds once and now, whatever the schedule says. Raises StorageError."""
        totals = PollTotals()

        states = await self._store.feeds.states(names)

        async def one(name: str) -> None:
            polled, stored = await self._poll_guarded(name, states.get(name, FeedState()))
            totals.add(polled.result, stored)
            on_polled(polled)

        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(one(name))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # they fail for one reason: the database is not there
        return totals

    async def retrieve_all(self, names: Sequence[str], states: Mapping[str, FeedState]) -> list[Polled]:
        """What polls of the named feeds would store, storing nothing."""
        return list(await asyncio.gather(*(self._retrieve_in_turn(name, states) for name in names)))

    async def _poll_in_background(self, name: str, state: FeedState) -> None:
        try:
            await self._poll_guarded(name, state)
        except StorageError as error:
            log.error("poll.not_stored", feed=name, detail=str(error))  # noqa: TRY400 - the line says it all

    async def _poll_guarded(self, name: str, state: FeedState) -> tuple[Polled, StoredUpdate]:
        """Poll one feed; a fault of ours in one feed is loud, but never stops the others. Raises StorageError."""
        try:
            return await self._poll(name, state)
        except StorageError:
            raise
        except Exception as error:
            log.exception("poll.defect", feed=name)
            detail = f"{name}: a fault of tagwire itself ({type(error).__name__}); the log has it"
            return Polled(name, Result.FAILED, detail), StoredUpdate()

    async def _poll(self, name: str, state: FeedState) -> tuple[Polled, StoredUpdate]:
        """Poll one feed, never twice at once: the second would not know what the first is about to store."""
        waited = self._feed_locks[name].locked()
        async with self._feed_locks[name]:
            if waited:
                state = (await self._store.feeds.states([name])).get(name, FeedState())
            async with self._slots:
                polled = await self._retrieve(self._feeds[name], state)
            return polled, await self._keep(polled)

    async def _retrieve_in_turn(self, name: str, states: Mapping[str, FeedState]) -> Polled:
        async with self._slots:
            return await self._retrieve(self._feeds[name], states.get(name, FeedState()))

    async def _keep(self, polled: Polled) -> StoredUpdate:
        self._meter.polled(polled.result.value)
        if polled.update is None:
            return StoredUpdate()
        stored = await self._store_soon(polled.update)
        self._meter.stored(stored.new, stored.changed, stored.alerts)
        if polled.result is Result.FAILED:
            log.warning("poll.failed", feed=polled.feed, detail=polled.detail)
        elif stored.new or stored.changed:
            log.info("poll.stored", feed=polled.feed, new=stored.new, changed=stored.changed, alerts=stored.alerts)
        if stored.alerts:
            self._on_alerts()
        return stored

    async def _store_soon(self, update: FeedUpdate) -> StoredUpdate:
        """Store a poll. Whoever comes first writes for all who wait: a group commit."""
        stored: asyncio.Future[StoredUpdate] = asyncio.get_running_loop().create_future()
        self._unstored.append((update, stored))
        async with self._storing:
            waiting, self._unstored = self._unstored, []
            if waiting:
                await self._write(waiting)
        return await stored

    async def _write(self, waiting: Sequence[tuple[FeedUpdate, asyncio.Future[StoredUpdate]]]) -> None:
        try:
            results = await self._store.feeds.apply([update for update, _ in waiting], self._clock())
            for (_, stored), result in zip(waiting, results, strict=True):
                stored.set_result(result)
        except StorageError as error:
            for _, stored in waiting:
                stored.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it reaches the poll that it belongs to
            if len(waiting) == 1:
                waiting[0][1].set_exception(error)
                return
            for one in waiting:  # one of them is a defect: it must not cost the others their poll
                await self._write([one])
        finally:
            for _, stored in waiting:
                if not stored.done():
                    stored.cancel()  # we are being cancelled

    async def _retrieve(self, feed: Feed, state: FeedState) -> Polled:
        now = self._clock()
        if state.gone or now < state.wait_until:
            detail = "the feed is gone (410)" if state.gone else "its site has asked to wait"
            return Polled(feed.name, Result.LEFT_ALONE, detail)
        answer = await self._fetcher.fetch(feed.url, state.validators)
        if isinstance(answer, FetchFailed):
            return _failure(feed, state, now, answer)
        if isinstance(answer, NotModified):
            new_state = cadence.unchanged(feed, state, now, answer.validators)
            return Polled(feed.name, Result.NOT_MODIFIED, update=FeedUpdate(feed=feed.name, state=new_state))
        return await self._read(feed, state, answer, now)

    async def _read(self, feed: Feed, state: FeedState, fetched: Fetched, now: Millis) -> Polled:
        body_hash = sha256(fetched.body).hexdigest()
        if state.primed and body_hash == state.body_hash:
            same = cadence.succeeded(
                feed, state, now, validators=fetched.validators, body_hash=body_hash, newest_at=state.newest_at
            )
            return Polled(feed.name, Result.FETCHED, update=FeedUpdate(feed=feed.name, state=same))
        parsed = await self._parsers.parse(fetched)
        if isinstance(parsed, FetchFailed):
            return _failure(feed, state, now, parsed)
        keys = entry_keys(parsed.entries)
        keyed = list(zip(keys, parsed.entries, strict=True))
        known = await self._store.feeds.known_entries(feed.name, keys)
        # The archive's pages are not read: thirty feeds of thirty entries would be a burst of nine hundred requests.
        fresh = [(key, entry) for key, entry in keyed if key not in known] if state.primed else []
        pages = await self._read_pages(feed, fresh)
        changes = entry_changes(feed, keyed, known, pages, self._thesaurus, now)
        new_state = cadence.succeeded(
            feed, state, now, validators=fetched.validators, body_hash=body_hash, newest_at=_newest(parsed, now)
        )
        update = FeedUpdate(feed=feed.name, state=new_state, changes=changes, seen_keys=tuple(keys), alert=state.primed)
        return Polled(feed.name, Result.FETCHED, update=update)

    async def _read_pages(self, feed: Feed, fresh: Sequence[tuple[str, Entry]]) -> dict[str, PageFacts]:
        """The facts of the pages worth reading, by entry key; a page that fails is left out, its article goes on."""
        wanted = [(key, entry) for key, entry in fresh if wants_page(feed, entry, self._thesaurus)]
        pages: dict[str, PageFacts] = {}
        for key, entry in wanted[: self._page_limit]:
            page = await self._fetcher.fetch_page(entry.link)
            if isinstance(page, Fetched):
                pages[key] = await self._parsers.read_page(page, feed.tag_selector)
            else:
                log.info("page.failed", feed=feed.name, link=entry.link, detail=page.detail)
        return pages


def _failure(feed: Feed, state: FeedState, now: Millis, failure: FetchFailed) -> Polled:
    update = FeedUpdate(feed=feed.name, state=cadence.failed(feed, state, now, failure))
    return Polled(feed.name, Result.FAILED, failure.detail, update)


def _newest(parsed: ParsedFeed, now: Millis) -> Millis:
    """Publication time of the newest entry; a date in the future is a mistake of the site, not news."""
    return max((min(entry.published_at, now) for entry in parsed.entries if entry.published_at), default=0)
