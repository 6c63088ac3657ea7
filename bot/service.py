"""`tagwire run`: one worker, which does what its roles say until it is told to stop.

Start: configuration, database, locks, web, then the roles side by side; Telegram is waited for, because polling works
without it. Stop: no new updates, no new polls, and the outbox finishes what is in flight (the rest stays queued); then
the connections and the database.

On PostgreSQL any number of workers run. Each delivers; one at a time polls and one at a time listens, and the others
stand by for that (`store.locks`).
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.app import (
    deliverer_of,
    desk_of,
    feeds_of,
    fetcher_of,
    hot_of,
    now_ms,
    opened,
    polling,
    scouting,
    sending,
    tagger_of,
    telegram_of,
    watch_of,
)
from bot.core.attention import local_day
from bot.pipeline.deliver import TokenRefusedError
from bot.pipeline.push import Pushes
from bot.pipeline.roster import Roster
from bot.pipeline.searching import index_archive
from bot.store.database import StorageError
from bot.store.locks import locks_of
from bot.web.metrics import Metrics
from bot.web.server import Part, WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
    from typing import Any

    from bot.core.model import Feed
    from bot.feeds.fetch import Fetcher
    from bot.pipeline.deliver import Deliverer
    from bot.pipeline.poll import Poller
    from bot.pipeline.ports import Clock
    from bot.pipeline.tagging import Tagger
    from bot.pipeline.watch import Watch
    from bot.settings import Config
    from bot.store.locks import Locks
    from bot.store.store import Store
    from bot.telegram.application import TelegramBot
    from bot.telegram.hot import HotNews

log = structlog.get_logger(__name__)
#: The contract says that a stop takes under 10 s; this leaves time for the database after it.
STOP_WITHIN_S = 8.0
#: Old tombstones, deliveries and chats that are gone are dropped once a day.
MAINTENANCE_S = 24 * 60 * 60
#: And soon after a start: a service that is restarted every day keeps to its promises too.
MAINTENANCE_AFTER_S = 10 * 60
#: Hubs that are due are asked this often.
HUBS_S = 60
#: Words that people began to follow are looked for in the archive this often.
CATCH_UP_S = 15
#: What ails the service is looked for this often, and what is kept by the day is counted.
WATCH_S, COUNT_S = 60, 60 * 60
#: After a failure of the database, which must not end the service.
AGAIN_S = 5.0
#: What a worker can do: poll feeds, deliver the outbox, answer people, serve health and metrics.
ROLES = ("poll", "deliver", "chat", "web")


class Service:
    """One worker.

    Args:
        config: everything that was configured.
        token: the bot's; "" for a worker that neither delivers nor answers.
        feeds: polled instead of the configured ones.
        roles: some of ROLES.
        clock: the demo's can be turned on.
    """

    def __init__(
        self,
        config: Config,
        token: str,
        feeds: Sequence[Feed] | None = None,
        roles: Collection[str] = ROLES,
        *,
        clock: Clock = now_ms,
    ) -> None:
        self._config = config
        self._token = token
        self._feeds = feeds_of(config) if feeds is None else tuple(feeds)
        self._roles = frozenset(roles)
        self._clock = clock
        self._wake: Callable[[], None] = _nobody
        self._stop = asyncio.Event()
        self._signing_in = asyncio.Lock()
        self._signed_in = False
        self._polling = asyncio.Event()
        self._poller: Poller | None = None
        self.listening = asyncio.Event()  #: set while people are answered

    def stop(self) -> None:
        """Stop cleanly; `run` returns when everything is down."""
        self._stop.set()

    async def poll(self, names: Sequence[str]) -> None:
        """Poll these feeds once and now, when this worker polls."""
        await self._polling.wait()
        if self._poller is not None:
            await self._poller.poll_all(names)

    async def look(self) -> None:
        """See at once what is due: the clock was turned."""
        self._wake()
        if self._poller is not None:
            await self._poller.tick()

    async def run(self) -> None:
        """Run until `stop`. Raises TokenRefusedError when Telegram refuses the token, at the start or later."""
        config = self._config
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(opened(config))
            await stack.enter_async_context(sending(store))
            meter = Metrics()
            telegram = telegram_of(config, self._token, store) if self._roles & {"deliver", "chat"} else None
            deliverer = hot = None
            wake: Callable[[], None] = _nobody
            if telegram and "deliver" in self._roles:
                deliverer = deliverer_of(config, store, telegram, meter, self._clock)
                hot = hot_of(config, store, telegram, deliverer.wake, self._clock)
                wake = self._wake = _both(deliverer.wake, hot.wake)
            tagger, roster = tagger_of(config, store, self._clock), Roster(store, self._feeds)
            watch = watch_of(config, store, wake, self._clock)
            locks = await stack.enter_async_context(locks_of(store.database, on_queued=wake))
            if "web" in self._roles and config.settings.web.port:
                await stack.enter_async_context(await self._web(stack, store, locks, meter))
            jobs: dict[str, Coroutine[Any, Any, None]] = {}
            if "poll" in self._roles:
                jobs["poll"] = locks.hold("tick", lambda: self._poll(store, roster, tagger, watch, meter, wake))
            if telegram and "chat" in self._roles:
                scout = await stack.enter_async_context(scouting(config, tagger, self._clock))
                telegram.answer_at(desk_of(config, store, tagger, roster, scout, wake, self._clock))
                jobs["chat"] = self._chat(telegram, locks, roster, watch)
            if telegram and deliverer and hot:
                jobs["deliver"] = self._deliver(telegram, deliverer, watch)
                jobs["hot"] = self._hot(telegram, hot, locks, watch)
            try:
                await self._serve(jobs, deliverer)
            except TokenRefusedError:
                await _quietly(watch.token(refused=True))
                raise
            finally:
                if telegram:
                    await _quietly(telegram.close())

    async def _serve(self, jobs: Mapping[str, Coroutine[Any, Any, None]], deliverer: Deliverer | None) -> None:
        """Do the jobs until `stop`, or until one of them fails; end them in good order."""
        tasks = {name: asyncio.create_task(job, name=name) for name, job in jobs.items()}
        stopped: asyncio.Task[Any] = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait([*tasks.values(), stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if deliverer is not None:
                deliverer.stop()
            for name, task in tasks.items():
                if name != "deliver" or not self._signed_in:
                    task.cancel()
            if tasks:
                await asyncio.wait(tasks.values(), timeout=STOP_WITHIN_S)
            for task in (stopped, *tasks.values()):
                task.cancel()
            await asyncio.gather(stopped, *tasks.values(), return_exceptions=True)
        for task in tasks.values():
            if not task.cancelled() and (error := task.exception()):
                raise error

    # -- the roles

    async def _poll(
        self, store: Store, roster: Roster, tagger: Tagger, watch: Watch, meter: Metrics, wake: Callable[[], None]
    ) -> None:
        """Poll on schedule until cancelled."""
        config = self._config
        await _until_stored(lambda: store.feeds.sync_catalogue(self._feeds))
        await _until_stored(roster.refresh)
        await _until_stored(lambda: store.fanouts.resume(self._clock(), wake))
        feeds = tuple(roster.feeds.values())
        clock = self._clock
        async with polling(config, store, feeds, tagger, meter=meter, on_alerts=wake, clock=clock) as (poller, fetcher):
            await _until_stored(poller.spread)
            self._poller = poller
            scheduler = self._schedule(store, poller, self._pushes(store, fetcher), tagger, roster)
            look = _patient("alarms.wait", watch.look)
            scheduler.add_job(look, "interval", seconds=WATCH_S, id="watch")
            self._polling.set()
            try:
                await _until_stored(poller.tick)
                await asyncio.Event().wait()
            finally:
                self._polling.clear()
                self._poller = None
                scheduler.shutdown(wait=False)
                await poller.stop()

    def _schedule(
        self, store: Store, poller: Poller, pushes: Pushes | None, tagger: Tagger, roster: Roster
    ) -> AsyncIOScheduler:
        """Few jobs; what is due stands in the database. A late tick runs once, never not at all."""
        scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}, timezone="UTC"
        )

        async def prune() -> None:
            await store.feeds.prune_entries(self._clock())
            await store.outbox.prune(self._clock())
            purged = await store.privacy.purge(self._clock())
            log.info("maintenance.done", purged_chats=purged)

        async def round_of_polls() -> None:
            await roster.refresh()
            poller.take(roster.feeds)
            await poller.tick()

        async def count() -> None:
            await store.days.count(local_day(self._clock(), self._config.settings.readers.time_zone))

        tick, catch_up = _patient("poll.waits", round_of_polls), _patient("tags.behind", tagger.catch_up)
        index = _patient("search.not_indexed", lambda: index_archive(store, tagger.lexicon.forms))
        scheduler.add_job(index, id="index")  # at once, and only once: polls index what they store
        scheduler.add_job(tick, "interval", seconds=self._config.settings.poll.tick, id="tick")
        scheduler.add_job(catch_up, "interval", seconds=CATCH_UP_S, id="catch-up")
        first = datetime.now(UTC) + timedelta(seconds=MAINTENANCE_AFTER_S)
        scheduler.add_job(prune, "interval", seconds=MAINTENANCE_S, next_run_time=first, id="maintenance")
        counted = _patient("days.not_counted", count)
        scheduler.add_job(counted, id="count-now")  # a worker that is often restarted counts too
        scheduler.add_job(counted, "interval", seconds=COUNT_S, id="count")
        if pushes is not None:
            scheduler.add_job(pushes.renew, "interval", seconds=HUBS_S, id="hubs")
        scheduler.start()
        return scheduler

    async def _chat(self, telegram: TelegramBot, locks: Locks, roster: Roster, watch: Watch) -> None:
        """Answer people whenever no other worker does."""
        await self._sign_in(telegram, watch)
        refresh = _patient("feeds.not_refreshed", roster.refresh)

        async def listen() -> None:
            try:
                await telegram.listen()
                self.listening.set()
                log.info("service.listening")
                while True:  # another worker may have been the listener when a feed was added
                    await refresh()
                    await asyncio.sleep(self._config.settings.poll.tick)
            finally:
                self.listening.clear()
                await _quietly(telegram.hush())

        await locks.hold(self._listener, listen)

    async def _deliver(self, telegram: TelegramBot, deliverer: Deliverer, watch: Watch) -> None:
        """Deliver until told to stop. Raises TokenRefusedError."""
        await self._sign_in(telegram, watch)
        while not self._stop.is_set():
            try:
                await deliverer.run()
            except TokenRefusedError:
                raise
            except StorageError as error:
                # A full disk or a database restart must not end the service: it says so, and tries again.
                log.error("deliver.stopped", detail=str(error))  # noqa: TRY400 - the line says it all
                await asyncio.sleep(AGAIN_S)
            except Exception:
                log.exception("deliver.stopped")
                await asyncio.sleep(AGAIN_S)

    async def _hot(self, telegram: TelegramBot, hot: HotNews, locks: Locks, watch: Watch) -> None:
        """Start hot news that is due and tell how it goes, whenever no other worker does."""
        await self._sign_in(telegram, watch)

        async def go_on() -> None:
            while True:
                try:
                    await hot.run()
                except StorageError as error:
                    log.error("hot.waits", detail=str(error))  # noqa: TRY400 - the line says it all
                except Exception:
                    log.exception("hot.waits")
                await asyncio.sleep(AGAIN_S)

        await locks.hold("hot", go_on)

    async def _sign_in(self, telegram: TelegramBot, watch: Watch) -> None:
        async with self._signing_in:
            if not self._signed_in:
                await telegram.connect()
                self._signed_in = True
                await _until_stored(lambda: watch.token(refused=False))

    @property
    def _listener(self) -> str:
        """The lock of those who call getUpdates: one at a time for each bot."""
        return f"updates of {self._token.partition(':')[0]}"

    # -- web

    async def _web(self, stack: AsyncExitStack, store: Store, locks: Locks, meter: Metrics) -> WebServer:
        """Health and metrics, and the answers to hubs."""
        web = self._config.settings.web

        async def health() -> dict[str, Part]:
            parts = self._parts(locks)
            try:
                counts = await store.outbox.counts()
            except StorageError as error:
                parts["database"] = Part(ok=False, detail=str(error))
            else:
                parts["database"] = Part(ok=True)
                meter.queue({state.value: number for state, number in counts.items()})
            return parts

        hub = None
        if web.public_url:
            hub = self._pushes(store, await stack.enter_async_context(fetcher_of(self._config)))
        return WebServer(web.host, web.port, health=health, registry=meter.registry, hub=hub)

    def _parts(self, locks: Locks) -> dict[str, Part]:
        """Each role of this worker, and the way to Telegram."""
        working = {
            "poll": locks.holds("tick"),
            "deliver": self._signed_in,
            "chat": locks.holds(self._listener),
            "web": True,
        }
        parts = {
            role: Part(ok=True, detail="working" if working[role] else "standing by")
            for role in ROLES
            if role in self._roles
        }
        if self._roles & {"deliver", "chat"}:
            listens = "chat" in self._roles and locks.holds(self._listener)
            connected = self.listening.is_set() if listens else self._signed_in
            parts["telegram"] = Part(ok=connected, detail="" if connected else "connecting")
        return parts

    def _pushes(self, store: Store, fetcher: Fetcher) -> Pushes | None:
        """WebSub, where the internet reaches us."""
        web = self._config.settings.web
        if not (web.port and web.public_url):
            return None
        hints: set[asyncio.Task[None]] = set()

        def hint(feed: str) -> None:
            if self._poller is not None:
                self._poller.hint(feed)
                return
            # Another worker polls: its next tick finds the feed due.
            task = asyncio.create_task(store.feeds.hasten(feed, self._clock()))
            hints.add(task)
            task.add_done_callback(hints.discard)

        return Pushes(store=store, fetcher=fetcher, clock=self._clock, public_url=web.public_url, on_push=hint)


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def wake() -> None:
        one()
        other()

    return wake


def _nobody() -> None:
    """Nobody delivers here; on PostgreSQL those who do are told by the database."""


def _patient(event: str, step: Callable[[], Awaitable[object]]) -> Callable[[], Coroutine[Any, Any, None]]:
    """A job that waits for its next turn where the database is not there; `event` is what the log calls that."""

    async def job() -> None:
        try:
            await step()
        except StorageError as error:
            log.error(event, detail=str(error))  # noqa: TRY400 - the line says it all
        except asyncio.CancelledError:
            return  # the scheduler would report its own shutdown as a fault

    return job


async def _until_stored(step: Callable[[], Awaitable[object]]) -> None:
    """Do a step that needs the database, again until it is there."""
    while True:
        try:
            await step()
        except StorageError as error:
            log.error("poll.waits", detail=str(error))  # noqa: TRY400 - the line says it all
            await asyncio.sleep(AGAIN_S)
        else:
            return


async def _quietly(closing: Awaitable[object]) -> None:
    """Close; a connection that breaks while closing is closed."""
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await closing
    except Exception as error:  # noqa: BLE001 - whatever it was, the rest must still be closed
        log.warning("close.failed", error=type(error).__name__)
