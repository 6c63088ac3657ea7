"""The composition root: builds each object once and joins them; `service` runs what is built here until a signal."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.broadcast import NewsroomRules
from bot.core.bursts import Folding
from bot.core.lexicon import Lexicon
from bot.core.model import Feed, Fetched, FetchFailed, PageMode, Validators
from bot.core.pacing import Pacer
from bot.core.roster import roster as joined
from bot.core.thesaurus import Thesaurus, ThesaurusEntry, ThesaurusError
from bot.core.verdicts import Policy
from bot.feeds.fetch import Fetcher
from bot.feeds.morphology import Morphology
from bot.feeds.opml import OpmlError
from bot.feeds.worker import ParserPool
from bot.pipeline.deliver import Deliverer, TokenRefusedError
from bot.pipeline.explain import Explained, Explainer, ExplainError
from bot.pipeline.poll import Poller, PollTotals
from bot.pipeline.ports import SilentMeter
from bot.pipeline.scout import Scout
from bot.pipeline.tagging import Tagger
from bot.pipeline.watch import Watch
from bot.playground.keeping import KeepError
from bot.playground.server import PlaygroundError
from bot.settings import ConfigError
from bot.store.copy import copy
from bot.store.database import Database, StorageError, shown
from bot.store.locks import in_use
from bot.store.rate import SharedRate
from bot.store.store import Store
from bot.web.server import WebError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from bot.core.model import Article, Millis
    from bot.pipeline.deliver import DeliverTotals
    from bot.pipeline.ports import Clock, Meter
    from bot.pipeline.retrieve import Polled
    from bot.pipeline.roster import Roster
    from bot.settings import Config
    from bot.store.audit import Verified
    from bot.telegram.application import TelegramBot
    from bot.telegram.desk import Desk
    from bot.telegram.hot import HotNews

#: What Telegram lets who pays for it send (telegram.md 1.1).
PAID_PER_SECOND = 1000.0


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
            titles=tag.title,
            names=tag.names,
            aliases=tag.aliases,
            signs=tag.signs,
            unlike=tag.unlike,
        )
        for tag in config.tags
    ]
    try:
        return Thesaurus.build(entries)
    except ThesaurusError as error:
        raise ConfigError(tuple(f"{config.folder / 'tags.toml'}: {fault}" for fault in error.faults)) from None


#: The dictionaries are 40 MB and a quarter of a second: one of each in a process, whoever asks.
morphology = cache(Morphology)


def tagger_of(config: Config, store: Store, clock: Clock = now_ms) -> Tagger:
    """What finds tags in texts. Raises ConfigError as `thesaurus_of` does."""
    return Tagger(store, Lexicon(thesaurus_of(config), morphology()), clock)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Store]:
    """The store of the configured database, closed afterwards."""
    database = await Database.open(config.settings.database)
    try:
        yield Store(database)
    finally:
        await database.close()


def fetcher_of(config: Config) -> Fetcher:
    """How sites are asked."""
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


@asynccontextmanager
async def polling(
    config: Config,
    store: Store,
    feeds: Iterable[Feed],
    tagger: Tagger,
    *,
    meter: Meter,
    on_alerts: Callable[[], None] = lambda: None,
    clock: Clock = now_ms,
) -> AsyncIterator[tuple[Poller, Fetcher]]:
    """The first pump and its way to the sites."""
    fetch = config.settings.fetch
    async with fetcher_of(config) as fetcher, ParserPool(max_workers=fetch.workers) as parsers:
        poller = Poller(
            store=store,
            fetcher=fetcher,
            parsers=parsers,
            tagger=tagger,
            feeds=feeds,
            clock=clock,
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


@asynccontextmanager
async def scouting(config: Config, tagger: Tagger, clock: Clock = now_ms) -> AsyncIterator[Scout]:
    """A look at what might be added; its worker starts with the first look."""
    async with fetcher_of(config) as fetcher, ParserPool(max_workers=1) as parsers:
        yield Scout(fetcher=fetcher, parsers=parsers, tagger=tagger, clock=clock)


def watch_of(
    config: Config, store: Store, on_queued: Callable[[], None] = lambda: None, clock: Clock = now_ms
) -> Watch:
    """What alerts the admins."""

    def disk() -> tuple[int, int] | None:
        path = store.database.path
        if path is None:
            return None
        usage = shutil.disk_usage(path.parent)
        return usage.free, usage.total

    return Watch(store=store, clock=clock, admins=config.settings.admins, disk=disk, on_queued=on_queued)


def user_agent(contact: str) -> str:
    """How we introduce ourselves to sites: name, version and, when set, whom to write to (feeds.md 1, rule 14)."""
    return f"tagwire/0.1 (+{contact})" if contact else "tagwire/0.1"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a dry run of polls would have done."""

    totals: PollTotals
    alerts: tuple[tuple[int, int, Article], ...]


async def choose_feeds(config: Config, store: Store, names: Sequence[str]) -> tuple[Feed, ...]:
    """The named feeds, or all, those added by chat among them. Raises ConfigError for a name that none has."""
    feeds = await all_feeds(config, store)
    unknown = sorted(set(names) - {feed.name for feed in feeds})
    if unknown:
        raise ConfigError(tuple(f"no feed is called '{name}' in {config.folder / 'feeds.toml'}" for name in unknown))
    return tuple(feed for feed in feeds if not names or feed.name in names)


async def all_feeds(config: Config, store: Store) -> tuple[Feed, ...]:
    """The catalogue's feeds, and those added by chat."""
    return joined(feeds_of(config), await store.added.feeds())


async def added_feeds(config: Config) -> tuple[Feed, ...]:
    """Those added by chat that the catalogue does not hold; a database that does not exist is not made."""
    if not Database.exists(config.settings.database):
        return ()
    async with opened(config) as store:
        return (await all_feeds(config, store))[len(config.feeds) :]


async def poll_once(
    config: Config, names: Sequence[str], *, on_polled: Callable[[Polled, int], None] = lambda _polled, _of: None
) -> PollTotals:
    """`tagwire poll`; `on_polled` gets each poll and the number of all. Raises ConfigError for an unknown name."""
    async with opened(config) as store:
        chosen = await choose_feeds(config, store, names)
        async with polling(config, store, chosen, tagger_of(config, store), meter=SilentMeter()) as (poller, _):
            await store.feeds.sync_catalogue(feeds_of(config))
            resumed = await store.fanouts.resume(now_ms())
            totals = await poller.poll_all(
                [feed.name for feed in chosen], on_polled=lambda polled: on_polled(polled, len(chosen))
            )
            totals.alerts_queued += resumed
            await watch_of(config, store).look()
            return totals


async def rehearse(config: Config, names: Sequence[str]) -> Rehearsed:
    """`tagwire poll --dry-run`: the same poll without its last step; a database that does not exist is not made."""
    if not Database.exists(config.settings.database):
        config = replace(config, settings=config.settings.model_copy(update={"database": "sqlite://"}))
    async with opened(config) as store:
        chosen = await choose_feeds(config, store, names)
        async with polling(config, store, chosen, tagger_of(config, store), meter=SilentMeter()) as (poller, _):
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
        await store.fanouts.resume(now_ms())
        await store.broadcasts.start_due(now_ms())
        telegram = telegram_of(config, token, store)
        try:
            await telegram.connect()
            return await deliverer_of(config, store, telegram, SilentMeter()).drain()
        finally:
            await telegram.close()


@asynccontextmanager
async def sending(store: Store) -> AsyncIterator[None]:
    """The right to send from this database. On SQLite one process has it, so what is claimed was a dead one's."""
    async with in_use(store.database):
        if store.database.is_sqlite:
            await store.outbox.release_all(now_ms())
        yield


def preload() -> None:
    """Load everything that the service will need."""
    import bot.telegram.application  # noqa: PLC0415
    import bot.telegram.desk  # noqa: F401, PLC0415


def telegram_of(config: Config, token: str, store: Store) -> TelegramBot:
    """The way to Telegram; on PostgreSQL all who send share its limit."""
    from bot.telegram.application import TelegramBot  # noqa: PLC0415 - half a second that a poll or a count need not wait

    limits = config.settings.telegram
    permits = None
    if limits.per_second and not store.database.is_sqlite:
        permits = SharedRate(store.database, f"bot {token.partition(':')[0]}", limits.per_second)
    return TelegramBot(
        token=token,
        api_url=config.settings.api_url,
        pacer=Pacer(
            overall=limits.per_second,
            per_chat=limits.per_chat_second,
            per_group=limits.per_group_minute,
            shared=permits is not None,
        ),
        in_flight=config.settings.deliver.in_flight,
        permits=permits,
        proxy=limits.proxy.get_secret_value(),
        paid_broadcast=limits.paid_broadcast,
    )


def deliverer_of(config: Config, store: Store, telegram: TelegramBot, meter: Meter, clock: Clock = now_ms) -> Deliverer:
    """The second pump."""
    from bot.telegram.texts import words  # noqa: PLC0415 - see `telegram_of`

    settings = config.settings.deliver
    return Deliverer(
        store=store,
        sender=telegram.sender,
        words=words,
        clock=clock,
        meter=meter,
        owner=f"{socket.gethostname()}-{os.getpid()}",
        in_flight=settings.in_flight,
        batch=settings.batch,
        lease_ms=round(settings.lease * 1000),
        policy=Policy(
            expiry=round(settings.expiry * 1000),
            catch_up_after=round(settings.catch_up_after * 1000),
            repeat_hot=settings.repeat_hot,
            folding=Folding(config.settings.readers.burst, round(config.settings.readers.burst_window * 1000)),
            offer_quiet=config.settings.readers.offer_quiet,
        ),
        recall=lambda chat, times: telegram.recall(chat, [(clock() - at) / 1000 for at in times]),
    )


def desk_of(
    config: Config,
    store: Store,
    tagger: Tagger,
    roster: Roster,
    scout: Scout,
    on_queued: Callable[[], None],
    clock: Clock = now_ms,
) -> Desk:
    """Where people are answered."""
    from bot.telegram.desk import Desk  # noqa: PLC0415 - see `telegram_of`
    from bot.telegram.trends import Trends  # noqa: PLC0415

    readers = config.settings.readers

    async def probe(address: str) -> str:
        async with fetcher_of(config) as fetcher:
            answer = await fetcher.fetch_page(address)
        return answer.detail.removeprefix(f"{address}: ") if isinstance(answer, FetchFailed) else ""

    return Desk(
        store=store,
        tagger=tagger,
        roster=roster,
        scout=scout,
        clock=clock,
        admins=config.settings.admins,
        on_queued=on_queued,
        time_zone=readers.time_zone,
        language=readers.language,
        max_rules=readers.max_rules,
        trends=Trends(store, clock),
        newsroom=newsroom_of(config),
        probe=probe,
    )


def newsroom_of(config: Config) -> NewsroomRules:
    """How this newsroom sends hot news."""
    newsroom, limits = config.settings.newsroom, config.settings.telegram
    return NewsroomRules(
        second_person=newsroom.second_person,
        countdown=round(newsroom.countdown * 1000),
        time_zone=newsroom.time_zone,
        daily_limit=newsroom.daily_limit,
        per_second=PAID_PER_SECOND if limits.paid_broadcast else limits.per_second,
        admins=config.settings.admins,
    )


def hot_of(
    config: Config, store: Store, telegram: TelegramBot, on_queued: Callable[[], None], clock: Clock = now_ms
) -> HotNews:
    """What starts hot news and tells how it goes."""
    from bot.telegram.hot import HotNews  # noqa: PLC0415 - see `telegram_of`

    zone = config.settings.newsroom.time_zone
    return HotNews(store=store, sender=telegram.sender, clock=clock, time_zone=zone, on_queued=on_queued)


class Failed:
    """The failures that a user can cause, by the exit status they deserve."""

    wrong = (TokenRefusedError,)
    running = (StorageError, WebError, PlaygroundError, KeepError, OpmlError, ExplainError)


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


async def audited(config: Config) -> Verified:
    """`tagwire check --audit`."""
    async with opened(config) as store:
        return await store.audit.verify()


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


async def copy_once(source: str, target: str, *, on_rows: Callable[[int, int], None]) -> dict[str, int]:
    """`tagwire copy`: the rows of each table."""
    if not Database.exists(source):
        raise StorageError(f"{shown(source)}: there is no such database")
    one = await Database.open(source)
    try:
        other = await Database.open(target)
        try:
            return await copy(one, other, on_rows=on_rows)
        finally:
            await other.close()
    finally:
        await one.close()


async def explain(config: Config, target: str, chat_id: int | None) -> list[Explained]:
    """`tagwire explain`. Raises ExplainError for what is no article, OSError for a file that cannot be read."""
    async with opened(config) as store, fetcher_of(config) as fetcher, ParserPool(max_workers=1) as parsers:
        document = await _document(fetcher, target)
        feeds = await all_feeds(config, store)
        explainer = Explainer(store=store, parsers=parsers, tagger=tagger_of(config, store), feeds=feeds)
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
