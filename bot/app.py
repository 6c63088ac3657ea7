"""The composition root: builds each object once, joins them, and owns the order of start and stop.

Start: configuration, database, outbox, polls, web, then Telegram, because everything else works without it.
Stop: ears first (no new updates), then polls, then the outbox (what is in flight ends, the rest stays queued), then the
edges and the database.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.core.lexicon import Lexicon, Thesaurus, ThesaurusEntry, ThesaurusError
from bot.core.model import Feed, Fetched, FetchFailed, PageMode, Validators
from bot.core.pacing import Pacer
from bot.feeds.fetch import Fetcher
from bot.feeds.morphology import Morphology
from bot.feeds.opml import OpmlError
from bot.feeds.worker import ParserPool
from bot.pipeline.deliver import Deliverer, TokenRefusedError
from bot.pipeline.explain import Explained, Explainer, ExplainError
from bot.pipeline.poll import Poller, PollTotals
from bot.pipeline.ports import SilentMeter
from bot.pipeline.push import Pushes
from bot.pipeline.searching import index_archive
from bot.pipeline.tagging import Tagger
from bot.playground.server import PlaygroundError
from bot.settings import ConfigError
from bot.store.database import Database, StorageError
from bot.store.store import Store
from bot.web.metrics import Metrics
from bot.web.server import Part, WebError, WebServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from bot.core.model import Article, Millis
    from bot.core.search import Forms
    from bot.pipeline.deliver import DeliverTotals
    from bot.pipeline.ports import Meter
    from bot.pipeline.retrieve import Polled
    from bot.settings import Config
    from bot.telegram.application import TelegramBot
    from bot.telegram.desk import Desk

log = structlog.get_logger(__name__)
#: Telegram's own rule is that a stop takes under 10 s; this leaves time for the database after it.
STOP_WITHIN_S = 8.0
#: Old tombstones and deliveries are dropped once a day.
MAINTENANCE_S = 24 * 60 * 60
#: Hubs that are due are asked this often.
HUBS_S = 60


def now_ms() -> Millis:
    """The service's clock."""
    return time.time_ns() // 1_000_000


def feeds_of(config: Config) -> tuple[Feed, ...]:
    """The catalogue, as the core knows feeds."""
    return tuple(
        Feed(
            name=feed.name,
            url=str(feed.url),
            title=feed.title or feed.name,
            language=feed.language,
            tags=tuple(feed.tags),
            sections=tuple(feed.sections),
            every=feed.every,
            pages=PageMode(feed.pages),
            tag_selector=feed.tag_selector,
        )
        for feed in config.feeds
    )


def thesaurus_of(config: Config) -> Thesaurus:
    """The thesaurus. Raises ConfigError with every fault of config/tags.toml."""
    entries = [
        ThesaurusEntry(
            slug=tag.slug,
            titles=dict(tag.title),
            names={language: tuple(names) for language, names in tag.names.items()},
            aliases=tuple(tag.aliases),
        )
        for tag in config.tags
    ]
    try:
        return Thesaurus.build(entries)
    except ThesaurusError as error:
        raise ConfigError(tuple(f"{config.folder / 'tags.toml'}: {fault}" for fault in error.faults)) from None


def tagger_of(config: Config, store: Store) -> Tagger:
    """What finds tags in texts. Raises ConfigError as `thesaurus_of` does."""
    return Tagger(store, Lexicon(thesaurus_of(config), Morphology()))


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Store]:
    """The store of the configured database, closed afterwards."""
    database = await Database.open(config.settings.database)
    try:
        yield Store(database)
    finally:
        await database.close()


@asynccontextmanager
async def _poller(
    config: Config,
    store: Store,
    feeds: Iterable[Feed],
    tagger: Tagger,
    *,
    meter: Meter,
    on_alerts: Callable[[], None] = lambda: None,
) -> AsyncIterator[tuple[Poller, Fetcher]]:
    fetch = config.settings.fetch
    async with _fetcher(config) as fetcher, ParserPool(max_workers=fetch.workers) as parsers:
        poller = Poller(
            store=store,
            fetcher=fetcher,
            parsers=parsers,
            tagger=tagger,
            feeds=feeds,
            clock=now_ms,
            meter=meter,
            page_limit=config.settings.poll.page_limit,
            page_wait_s=config.settings.poll.page_wait,
            at_once=fetch.connections,
            floor_s=config.settings.poll.floor,
            effort=config.settings.poll.effort,
            admins=config.settings.admins,
            on_alerts=on_alerts,
        )
        yield poller, fetcher


def _fetcher(config: Config) -> Fetcher:
    fetch = config.settings.fetch
    return Fetcher(
        user_agent=user_agent(fetch.contact),
        timeout_s=fetch.timeout,
        max_bytes=fetch.max_bytes,
        allow_private=fetch.allow_private,
        per_host=fetch.per_host,
        pause_s=fetch.pause,
        connections=fetch.connections,
    )


def user_agent(contact: str) -> str:
    """How we introduce ourselves to sites: name, version and, when set, whom to write to (feeds.md 1, rule 14)."""
    return f"tagwire/0.1 (+{contact})" if contact else "tagwire/0.1"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a dry run of polls would have done."""

    totals: PollTotals
    alerts: tuple[tuple[int, int, Article], ...]


def choose_feeds(config: Config, names: Sequence[str]) -> tuple[Feed, ...]:
    """The named feeds, or all. Raises ConfigError for a name that the catalogue does not hold."""
    feeds = feeds_of(config)
    unknown = sorted(set(names) - {feed.name for feed in feeds})
    if unknown:
        raise ConfigError(tuple(f"no feed is called '{name}' in {config.folder / 'feeds.toml'}" for name in unknown))
    return tuple(feed for feed in feeds if not names or feed.name in names)


async def poll_once(
    config: Config, names: Sequence[str], *, on_polled: Callable[[Polled], None] = lambda _: None
) -> PollTotals:
    """`tagwire poll`."""
    chosen = choose_feeds(config, names)
    async with (
        opened(config) as store,
        _poller(config, store, chosen, tagger_of(config, store), meter=SilentMeter()) as (poller, _),
    ):
        await store.feeds.sync_catalogue(feeds_of(config))
        return await poller.poll_all([feed.name for feed in chosen], on_polled=on_polled)


async def rehearse(config: Config, names: Sequence[str]) -> Rehearsed:
    """`tagwire poll --dry-run`: the same poll without its last step; a database that does not exist is not made."""
    chosen = choose_feeds(config, names)
    if not Database.exists(config.settings.database):
        config = replace(config, settings=config.settings.model_copy(update={"database": "sqlite://"}))
    async with (
        opened(config) as store,
        _poller(config, store, chosen, tagger_of(config, store), meter=SilentMeter()) as (poller, _),
    ):
        polled = await poller.retrieve_all([feed.name for feed in chosen], await store.feeds.states())
        updates = [one.update for one in polled if one.update is not None]
        rehearsal = await store.feeds.rehearse(feeds_of(config), updates, now_ms())
    totals = PollTotals()
    totals.count(polled)
    totals.add_stored(rehearsal.total)
    return Rehearsed(totals, rehearsal.alerts)


async def deliver_once(config: Config, token: str) -> DeliverTotals:
    """`tagwire deliver`. Raises TokenRefusedError."""
    async with opened(config) as store, sending(store):
        telegram = _telegram(config, token)
        try:
            await telegram.connect()
            return await _deliverer(config, store, telegram, SilentMeter()).drain()
        finally:
            await telegram.close()


@asynccontextmanager
async def sending(store: Store) -> AsyncIterator[None]:
    """The right to send from this database. On SQLite one process has it, so what is claimed was a dead one's."""
    with store.database.hold_instance():
        if store.database.is_sqlite:
            await store.outbox.release_all(now_ms())
        yield


def preload() -> None:
    """Load everything that the service will need."""
    import bot.telegram.application  # noqa: PLC0415
    import bot.telegram.desk  # noqa: F401, PLC0415


def _telegram(config: Config, token: str) -> TelegramBot:
    from bot.telegram.application import TelegramBot  # noqa: PLC0415 - half a second that a poll or a count need not wait

    settings = config.settings
    return TelegramBot(token=token, api_url=settings.api_url, pacer=_pacer(config), proxy=settings.telegram.proxy)


def _pacer(config: Config) -> Pacer:
    limits = config.settings.telegram
    return Pacer(overall=limits.per_second, per_chat=limits.per_chat_second, per_group=limits.per_group_minute)


def _deliverer(config: Config, store: Store, telegram: TelegramBot, meter: Meter) -> Deliverer:
    from bot.telegram.texts import words  # noqa: PLC0415 - see `_telegram`

    settings = config.settings.deliver
    return Deliverer(
        store=store,
        sender=telegram.sender,
        words=words,
        clock=now_ms,
        meter=meter,
        owner=f"{socket.gethostname()}-{os.getpid()}",
        in_flight=settings.in_flight,
        batch=settings.batch,
        lease_ms=round(settings.lease * 1000),
    )


class Service:
    """`tagwire run`: polls, delivers and answers until it is told to stop."""

    def __init__(self, config: Config, token: str, feeds: Sequence[Feed] | None = None) -> None:
        self._config = config
        self._token = token
        self._feeds = feeds_of(config) if feeds is None else tuple(feeds)
        self._stop = asyncio.Event()
        self.listening = asyncio.Event()  #: set once people are answered
        self._poller: Poller | None = None

    def stop(self) -> None:
        """Stop cleanly; `run` returns when everything is down."""
        self._stop.set()

    async def poll_now(self) -> None:
        """Poll every feed that is due, without waiting for the next tick."""
        if self._poller is not None:
            await self._poller.tick()

    async def poll(self, names: Sequence[str]) -> None:
        """Poll these feeds once and now."""
        if self._poller is not None:
            await self._poller.poll_all(names)

    async def run(self) -> None:
        """Run until `stop`. Raises TokenRefusedError when Telegram refuses the token, at the start or later."""
        config = self._config
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(opened(config))
            await stack.enter_async_context(sending(store))
            meter = Metrics()
            await store.feeds.sync_catalogue(self._feeds)
            telegram = _telegram(config, self._token)
            deliverer = _deliverer(config, store, telegram, meter)
            tagger = tagger_of(config, store)
            telegram.answer_at(_desk(config, store, tagger, self._feeds, deliverer.wake))
            poller, fetcher = await stack.enter_async_context(
                _poller(config, store, self._feeds, tagger, meter=meter, on_alerts=deliverer.wake)
            )
            self._poller = poller
            pushes = self._pushes(store, fetcher, poller)
            if config.settings.web.port:
                await stack.enter_async_context(self._web(store, meter, pushes))
            scheduler = self._schedule(store, poller, pushes, tagger.lexicon.forms)
            try:
                await self._serve(telegram, deliverer)
            finally:
                scheduler.shutdown(wait=False)
                await _quietly(telegram.close())
                await poller.stop()

    def _pushes(self, store: Store, fetcher: Fetcher, poller: Poller) -> Pushes | None:
        """WebSub, where the internet reaches us."""
        web = self._config.settings.web
        if not (web.port and web.public_url):
            return None
        return Pushes(store=store, fetcher=fetcher, clock=now_ms, public_url=web.public_url, on_push=poller.hint)

    def _web(self, store: Store, meter: Metrics, pushes: Pushes | None) -> WebServer:
        """Health and metrics."""
        web = self._config.settings.web

        async def health() -> dict[str, Part]:
            parts = {
                "telegram": Part(ok=self.listening.is_set(), detail="" if self.listening.is_set() else "connecting")
            }
            try:
                counts = await store.outbox.counts()
            except StorageError as error:
                parts["database"] = Part(ok=False, detail=str(error))
            else:
                parts["database"] = Part(ok=True, detail="")
                meter.queue({state.value: number for state, number in counts.items()})
            return parts

        return WebServer(web.host, web.port, health=health, registry=meter.registry, hub=pushes)

    def _schedule(self, store: Store, poller: Poller, pushes: Pushes | None, forms: Forms) -> AsyncIOScheduler:
        """Few jobs; what is due stands in the database. A late tick runs once, never not at all."""
        scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}, timezone="UTC"
        )

        async def prune() -> None:
            await store.feeds.prune_entries(now_ms())
            await store.outbox.prune(now_ms())

        async def index() -> None:
            try:
                await index_archive(store, forms)
            except StorageError as error:
                log.error("search.not_indexed", detail=str(error))  # noqa: TRY400 - the line says it all

        scheduler.add_job(index, id="index")  # at once, and only once: polls index what they store
        scheduler.add_job(poller.tick, "interval", seconds=self._config.settings.poll.tick, id="tick")
        scheduler.add_job(prune, "interval", seconds=MAINTENANCE_S, id="maintenance")
        if pushes is not None:
            scheduler.add_job(pushes.renew, "interval", seconds=HUBS_S, id="hubs")
        scheduler.start()
        return scheduler

    async def _serve(self, telegram: TelegramBot, deliverer: Deliverer) -> None:
        talk = asyncio.create_task(self._talk(telegram, deliverer), name="telegram")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        if self._poller is not None:
            await self._poller.spread()
        await self.poll_now()
        try:
            await asyncio.wait({talk, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            deliverer.stop()
            stopped.cancel()
            if self.listening.is_set():
                await asyncio.wait({talk}, timeout=STOP_WITHIN_S)
            talk.cancel()
            await asyncio.gather(stopped, talk, return_exceptions=True)
        if not talk.cancelled() and (error := talk.exception()):
            raise error

    async def _talk(self, telegram: TelegramBot, deliverer: Deliverer) -> None:
        await telegram.connect()
        await telegram.listen()
        self.listening.set()
        log.info("service.listening")
        while not self._stop.is_set():
            try:
                await deliverer.run()
            except TokenRefusedError:
                raise
            except StorageError as error:
                # A full disk or a database restart must not end the service: it says so, and tries again.
                log.error("deliver.stopped", detail=str(error))  # noqa: TRY400 - the line says it all
                await asyncio.sleep(5)
            except Exception:
                log.exception("deliver.stopped")
                await asyncio.sleep(5)


async def _quietly(closing: object) -> None:
    """Close; a connection that breaks while closing is closed."""
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await closing  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001 - whatever it was, the rest must still be closed
        log.warning("close.failed", error=type(error).__name__)


def _desk(config: Config, store: Store, tagger: Tagger, feeds: Iterable[Feed], on_queued: Callable[[], None]) -> Desk:
    from bot.telegram.desk import Desk  # noqa: PLC0415 - see `_telegram`
    from bot.telegram.trends import Trends  # noqa: PLC0415

    readers = config.settings.readers
    return Desk(
        store=store,
        tagger=tagger,
        sources={feed.name: feed.title for feed in feeds},
        clock=now_ms,
        admins=config.settings.admins,
        on_queued=on_queued,
        time_zone=readers.time_zone,
        language=readers.language,
        max_rules=readers.max_rules,
        trends=Trends(store, now_ms),
    )


class Failed:
    """The failures that a user can cause, by the exit status they deserve."""

    wrong = (TokenRefusedError,)
    running = (StorageError, WebError, PlaygroundError, OpmlError, ExplainError)


@dataclass(frozen=True, slots=True)
class Examined:
    """What `tagwire check` found; `status` is its exit status."""

    problems: list[str]
    summary: str
    status: int


async def examine(config: Config) -> Examined:
    """`tagwire check`: everything that can be wrong before the service runs, all of it at once."""
    problems: list[str] = []
    status = 0
    try:
        thesaurus_of(config)
    except ConfigError as error:
        problems, status = list(error.faults), 2
    try:
        async with opened(config) as store:
            await store.stats.collect(now_ms())
    except StorageError as error:
        problems.append(str(error))
        status = status or 1
    summary = f"{config.folder}: {len(config.feeds)} feeds, {len(config.tags)} tags, no problems"
    return Examined(problems, summary, status)


async def migrate_once(config: Config) -> None:
    """`tagwire migrate`."""
    async with opened(config):
        return


async def statistics(config: Config) -> dict[str, object]:
    """`tagwire stats`."""
    async with opened(config) as store:
        stats = await store.stats.collect(now_ms())
        return stats.as_dict()


async def back_up(config: Config, target: Path) -> None:
    """`tagwire backup`."""
    async with opened(config) as store:
        await store.database.backup(target)


async def explain(config: Config, target: str, chat_id: int | None) -> list[Explained]:
    """`tagwire explain`. Raises ExplainError for what is no article, OSError for a file that cannot be read."""
    async with opened(config) as store, _fetcher(config) as fetcher, ParserPool(max_workers=1) as parsers:
        document = await _document(fetcher, target)
        explainer = Explainer(store=store, parsers=parsers, tagger=tagger_of(config, store), feeds=feeds_of(config))
        return await explainer.explain(document, chat_id, now_ms())


async def _document(fetcher: Fetcher, target: str) -> Fetched:
    """A page or feed from the web, or from a file (which may be gzipped)."""
    if target.startswith(("http://", "https://")):
        answer = await fetcher.fetch_page(target)
        if isinstance(answer, FetchFailed):
            raise ExplainError(answer.detail)
        return answer
    body = await asyncio.to_thread(Path(target).read_bytes)
    if body.startswith(b"\x1f\x8b"):
        body = await asyncio.to_thread(gzip.decompress, body)
    kind = "text/html" if b"<" in body[:1000] else "text/plain"
    return Fetched(url=target, body=body, content_type=kind, validators=Validators())
