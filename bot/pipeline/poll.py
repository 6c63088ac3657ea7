"""The first pump: from feeds to the outbox.

    fetch -> parse -> read the pages of what is new -> describe -> ONE transaction

`Retriever` only reads; what a poll wants stored travels as a `FeedUpdate`, so that a dry run is the same poll without
its last step. A crash before the transaction loses nothing: the validators are stored with the entries, so the next
poll gets the same document again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot.core.cadence import Plan, phase, plan
from bot.core.model import FeedState, StoredUpdate
from bot.pipeline.journal import Journal
from bot.pipeline.late import LatePages
from bot.pipeline.retrieve import Polled, Result, Retriever
from bot.store.database import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from bot.core.model import Feed
    from bot.feeds.fetch import Fetcher
    from bot.feeds.worker import ParserPool
    from bot.pipeline.ports import Clock, Meter
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store

log = structlog.get_logger(__name__)
#: So many states are asked for by name; beyond, all of them are fewer words.
FEW = 200
REPLAN_MS = 60 * 60 * 1000
#: What is overdue at the start is asked over this time rather than at once.
SPREAD_MS = 60 * 1000
#: Alerts that have been owed for so long are owed by a process that died, or whose disk was full.
OWED_MS = 60 * 1000


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
        tagger: Tagger,
        feeds: Iterable[Feed],
        clock: Clock,
        meter: Meter,
        page_limit: int,
        page_wait_s: float,
        at_once: int,
        floor_s: float = 0.0,
        effort: float = 1.0,
        admins: Collection[int] = (),
        on_alerts: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._feeds: dict[str, Feed] = {feed.name: feed for feed in feeds}
        self._retriever = Retriever(
            store=store,
            fetcher=fetcher,
            parsers=parsers,
            tagger=tagger,
            feeds=self._feeds,
            page_limit=page_limit,
            page_wait_s=page_wait_s,
        )
        self._late = LatePages(store=store, retriever=self._retriever, tagger=tagger, clock=clock, on_alerts=on_alerts)
        self._clock = clock
        self._meter = meter
        self._at_once = at_once
        self._slots = asyncio.Semaphore(at_once)
        self._floor_s, self._effort = floor_s, effort
        self._plan = Plan()
        self._planned_at = 0
        self._journal = Journal(store, clock, admins)
        self._on_alerts = on_alerts
        self._feed_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._visits: asyncio.Task[None] | None = None

    async def spread(self) -> None:
        """Give what is overdue after a stop its own moment of the next minute each."""
        await self._store.feeds.spread(self._clock(), {name: round(phase(name) * SPREAD_MS) for name in self._feeds})

    def take(self, feeds: Mapping[str, Feed]) -> None:
        """Poll these from now on, by name; what is under way ends as it began."""
        if self._feeds != feeds:
            self._feeds.clear()  # in place: the retriever reads it too
            self._feeds.update(feeds)
            self._planned_at = 0

    async def _replan(self) -> None:
        """Look once an hour at what was published, and set each feed's pace by it."""
        now = self._clock()
        if now - self._planned_at >= REPLAN_MS:
            activity = await self._store.feeds.activity(now)
            self._plan = plan(self._feeds.values(), activity, floor_s=self._floor_s, effort=self._effort)
            self._planned_at = now

    async def tick(self) -> None:
        """Start a poll of every feed that is due and not being polled already; returns without waiting for them."""
        await self._replan()
        if resumed := await self._store.fanouts.resume(self._clock() - OWED_MS, self._on_alerts):
            log.warning("poll.resumed", alerts=resumed)
            self._meter.stored(0, 0, resumed)
        for name, state in (await self._store.feeds.due(self._clock(), limit=len(self._feeds))).items():
            self._start(name, state)
        if self._visits is None:
            self._visits = asyncio.create_task(self._read_late_pages(), name="late pages")

    async def _read_late_pages(self) -> None:
        try:
            await self._late.read_due()
        except StorageError as error:
            log.error("pages.not_stored", detail=str(error))  # noqa: TRY400 - the line says it all
        except Exception:
            log.exception("pages.defect")
        finally:
            self._visits = None

    def hint(self, name: str) -> None:
        """A feed has something new, its hub says: poll it in the background, now."""
        self._start(name, None)

    def _start(self, name: str, state: FeedState | None) -> None:
        if name in self._feeds and name not in self._under_way:
            task = asyncio.create_task(self._poll_in_background(name, state), name=f"poll {name}")
            self._under_way[name] = task
            task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, _: asyncio.Task[None]) -> None:
        self._under_way.pop(name, None)

    async def stop(self) -> None:
        """Cancel the polls under way; each is stored whole or not at all."""
        tasks = [*self._under_way.values(), *([self._visits] if self._visits else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._journal.close()

    async def poll_all(
        self, names: Sequence[str], *, on_polled: Callable[[Polled], None] = lambda _: None
    ) -> PollTotals:
        """Poll the named feeds once and now, whatever the schedule says. Raises StorageError."""
        totals = PollTotals()

        await self._replan()
        states = await self._store.feeds.states(names if len(names) < FEW else None)
        waiting = iter(names)

        async def worker() -> None:
            for name in waiting:
                polled, stored = await self._poll_guarded(name, states.get(name, FeedState()))
                totals.add(polled.result, stored)
                on_polled(polled)

        try:
            async with asyncio.TaskGroup() as group:
                # Many more than fetch at once: polls that end together are stored together.
                for _ in range(min(len(names), 8 * self._at_once)):
                    group.create_task(worker())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # they fail for one reason: the database is not there
        totals.alerts_queued += await self._late.read_due()
        return totals

    async def retrieve_all(self, names: Sequence[str], states: Mapping[str, FeedState]) -> list[Polled]:
        """What polls of the named feeds would store, storing nothing."""
        return list(await asyncio.gather(*(self._retrieve_in_turn(name, states) for name in names)))

    async def _poll_in_background(self, name: str, state: FeedState | None) -> None:
        try:
            await self._poll_guarded(name, state)
        except StorageError as error:
            log.error("poll.not_stored", feed=name, detail=str(error))  # noqa: TRY400 - the line says it all

    async def _poll_guarded(self, name: str, state: FeedState | None) -> tuple[Polled, StoredUpdate]:
        """Poll one feed; a fault of ours in one feed is loud, but never stops the others. Raises StorageError."""
        try:
            return await self._poll(name, state)
        except StorageError:
            raise
        except Exception as error:
            log.exception("poll.defect", feed=name)
            detail = f"{name}: a fault of tagwire itself ({type(error).__name__}); the log has it"
            return Polled(name, Result.FAILED, detail), StoredUpdate()

    async def _poll(self, name: str, state: FeedState | None) -> tuple[Polled, StoredUpdate]:
        """Poll one feed, never twice at once: the second would not know what the first is about to store."""
        waited = self._feed_locks[name].locked()
        async with self._feed_locks[name]:
            if waited or state is None:
                state = (await self._store.feeds.states([name])).get(name, FeedState())
            async with self._slots:
                if (feed := self._feeds.get(name)) is None:  # an admin has taken it out meanwhile
                    return Polled(name, Result.LEFT_ALONE), StoredUpdate()
                polled = await self._retriever.retrieve(feed, state, self._plan, self._clock())
            return polled, await self._keep(polled)

    async def _retrieve_in_turn(self, name: str, states: Mapping[str, FeedState]) -> Polled:
        async with self._slots:
            state = states.get(name, FeedState())
            return await self._retriever.retrieve(self._feeds[name], state, self._plan, self._clock())

    async def _keep(self, polled: Polled) -> StoredUpdate:
        self._meter.polled(polled.result.value)
        if polled.update is None:
            return StoredUpdate()
        stored = await self._journal.store(polled.update)
        if stored.alerts:
            self._on_alerts()
        if stored.owed:
            rest = await self._store.fanouts.finish(stored.owed, self._on_alerts)
            stored = replace(stored, alerts=stored.alerts + rest, owed=())
        self._meter.stored(stored.new, stored.changed, stored.alerts)
        if polled.result is Result.FAILED:
            log.warning("poll.failed", feed=polled.feed, detail=polled.detail)
        elif stored.new or stored.changed:
            log.info("poll.stored", feed=polled.feed, new=stored.new, changed=stored.changed, alerts=stored.alerts)
        return stored
