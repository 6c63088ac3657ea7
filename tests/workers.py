"""Several `tagwire run` on one PostgreSQL, against the strict local Telegram in a process of its own.

One worker is killed and one is frozen midway; the local Telegram has written down every call, so that what was lost,
what came twice and whether the limit was passed is counted afterwards and not believed.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter, defaultdict, deque
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from sqlalchemy import func, select

from bot.core.model import (
    Article,
    ArticleTag,
    DeliveryState,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    RuleSpec,
    TagSource,
)
from bot.playground.limits import PRIVATE_WINDOW_S, Limits
from bot.playground.server import Playground
from bot.store.database import Database
from bot.store.schema import chats, outbox, rule_terms, rules, tags
from bot.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from multiprocessing.connection import Connection

ROOT = Path(__file__).parents[1]
TOKEN = "42:several-workers-of-nothing-0000000000000"
FIRST_CHAT = 1001  #: the local Telegram's first user
#: Between Telegram's yes and the answer: what is in flight when a worker dies.
LATENCY_S = 0.03
LEASE_S = 10


@dataclass(frozen=True, slots=True)
class Work:
    """A queue: `readers` get one alert each, `eager` ones get all of `articles`."""

    readers: int
    eager: int
    articles: int

    @property
    def chats(self) -> int:
        return self.readers + self.eager

    @property
    def alerts(self) -> int:
        return self.readers + self.eager * self.articles

    def expected(self) -> set[tuple[int, int]]:
        """(chat, article number) of every alert."""
        last = FIRST_CHAT + self.chats
        one = {(chat, 0) for chat in range(FIRST_CHAT, last - self.eager)}
        return one | {(chat, n) for chat in range(last - self.eager, last) for n in range(self.articles)}


# --------------------------------------------------------------------------- the local Telegram


class _Recorded(Limits):
    """Telegram's flood rules, and a note of every message that they judged."""

    def __init__(self, overall: int) -> None:
        super().__init__(time.monotonic, overall=overall)
        self.calls: list[tuple[float, int, int]] = []

    def retry_after(self, chat_id: int) -> int:
        wait = super().retry_after(chat_id)
        self.calls.append((time.monotonic(), chat_id, wait))
        return wait


def _serve(limit: int, people: int, told: Connection) -> None:
    async def serve() -> None:
        recorded = _Recorded(limit)

        @web.middleware
        async def late(request: web.Request, handler: Any) -> web.StreamResponse:
            response = await handler(request)
            if request.path.endswith("/sendMessage"):
                await asyncio.sleep(LATENCY_S)
            return response

        async def record(_: web.Request) -> web.Response:
            shown = {
                number: [message["text"] for message in chat.messages.values()]
                for number, chat in playground.telegram.chats.items()
            }
            return web.json_response({"calls": recorded.calls, "texts": shown})

        async def count(_: web.Request) -> web.Response:
            return web.json_response(sum(not wait for _, _, wait in recorded.calls))

        def extra(app: web.Application) -> None:
            app.middlewares.append(late)
            app.router.add_get("/record", record)
            app.router.add_get("/count", count)

        async with Playground(limits=recorded, extra=extra) as playground:
            for number in range(people):
                playground.telegram.add_user(f"Reader {number}", "en")
            told.send(playground.url)
            await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def local_telegram(limit: int, people: int) -> Iterator[str]:
    """The address of a local Telegram with `limit` messages in any second, in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(limit, people, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


# --------------------------------------------------------------------------- the queue


async def fill(url: str, work: Work) -> None:
    """Queue the work in a new database, through the same statements as the service does it."""
    database = await Database.open(url)
    try:
        store = Store(database)
        now = time.time_ns() // 1_000_000
        await store.feeds.sync_catalogue([Feed(name="f", url="https://e.org/rss", title="F")])
        everybody = range(FIRST_CHAT, FIRST_CHAT + work.chats)
        async with database.transaction() as connection:
            await connection.execute(tags.insert(), [{"id": 1, "slug": "first"}, {"id": 2, "slug": "every"}])
            await connection.execute(
                chats.insert(), [{"id": n, "kind": "private", "language": "en", "created_at": now} for n in everybody]
            )
            followed = [(n, 1 if n < FIRST_CHAT + work.readers else 2) for n in everybody]
            key = {1: RuleSpec(("first",)).key, 2: RuleSpec(("every",)).key}
            await connection.execute(
                rules.insert(),
                [{"id": n, "chat_id": n, "key": key[tag], "anchor_id": tag, "created_at": now} for n, tag in followed],
            )
            await connection.execute(rule_terms.insert(), [{"rule_id": n, "tag_id": tag} for n, tag in followed])
        for number in range(work.articles):  # one after the other: what many follow is queued after the rest of a poll
            change, state = _change(number, now), FeedState(primed=True)
            update = FeedUpdate(feed="f", state=state, changes=(change,), seen_keys=("0",), alert=True)
            (stored,) = await store.feeds.apply([update], now)
            await store.fanouts.finish(stored.owed)
        async with database.reading() as connection:
            queued = await connection.scalar(select(func.count()).select_from(outbox))
        if queued != work.alerts:
            raise RuntimeError(f"{queued} alerts were queued, not {work.alerts}")
    finally:
        await database.close()


def _change(number: int, now: int) -> EntryChange:
    slugs = ("first", "every") if number == 0 else ("every",)
    article = Article(
        link=f"https://e.org/{number}", title=f"Story {number} of the day", summary="Words. " * 30, source="F",
        language="en", section="", published_at=now + number, seen_at=now, minutes=1,
        tags=tuple(ArticleTag(slug, TagSource.PAGE) for slug in slugs),
    )  # fmt: skip
    return EntryChange(key=str(number), content_hash="h", canonical=article.link, article=article, new=True)


# --------------------------------------------------------------------------- the workers


@dataclass
class Workers:
    """Processes of `tagwire run`; each writes its log to a file."""

    database: str
    telegram: str
    folder: Path
    limit: int
    in_flight: int
    running: list[asyncio.subprocess.Process] = field(default_factory=list)
    started: list[asyncio.subprocess.Process] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    async def start(self, roles: str = "poll,deliver,chat") -> asyncio.subprocess.Process:
        """One more."""
        config = self.folder / "config"
        if not config.exists():
            config.mkdir()
            for name in ("tagwire.toml", "feeds.toml", "tags.toml"):
                (config / name).write_text("")
        log = self.folder / f"worker-{len(self.logs)}.log"
        with log.open("wb") as written:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--roles", roles, env=self._environ, cwd=ROOT, stderr=written
            )
        self.running.append(process)
        self.started.append(process)
        self.logs.append(log)
        return process

    @property
    def _environ(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TAGWIRE_")}
        return {
            **ours,
            "TAGWIRE_CONFIG": str(self.folder / "config"),
            "TAGWIRE_TOKEN": TOKEN,
            "TAGWIRE_DATABASE": self.database,
            "TAGWIRE_API_URL": self.telegram,
            "TAGWIRE_TELEGRAM__PER_SECOND": str(self.limit),
            "TAGWIRE_DELIVER__IN_FLIGHT": str(self.in_flight),
            "TAGWIRE_DELIVER__LEASE": f"{LEASE_S}s",
            "TAGWIRE_LOG__JSON_LINES": "true",
        }

    def taken(self) -> list[tuple[datetime, asyncio.subprocess.Process]]:
        """When the lock of the tick was taken, and by whom, oldest first."""
        found = []
        for process, log in zip(self.started, self.logs, strict=True):
            lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
            taken = (line for line in lines if line["event"] == "lock.taken" and line["lock"] == "tick")
            found += [(datetime.fromisoformat(line["timestamp"]), process) for line in taken]
        return sorted(found, key=lambda one: one[0])

    async def takes_over(self, since: datetime) -> float:
        """The seconds from `since` until somebody has the lock of the tick."""
        while not (later := [at for at, _ in self.taken() if at > since]):  # noqa: ASYNC110 - logs tell nobody
            await asyncio.sleep(0.1)
        return (later[0] - since).total_seconds()

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        """Kill -9, and nothing said to anybody."""
        process.send_signal(signal.SIGKILL)
        await process.wait()
        self.running.remove(process)

    async def stop(self) -> None:
        """SIGTERM to all. Raises when one does not stop in time, or not with 0."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            codes = [await process.wait() for process in self.running]
        if any(codes):
            raise RuntimeError(f"exit statuses {codes}")

    async def abandon(self) -> None:
        """End what still runs."""
        for process in self.running:
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def workers(database: str, telegram: str, folder: Path, *, limit: int, in_flight: int) -> AsyncIterator[Workers]:
    """None of them yet; all ended afterwards."""
    ours = Workers(database, telegram, folder, limit, in_flight)
    try:
        yield ours
    finally:
        await ours.abandon()


# --------------------------------------------------------------------------- the run and its judgement


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a run."""

    alerts: int
    lost: int
    foreign: int  #: messages that nobody should have got
    twice: int  #: copies beyond the first
    most_copies: int
    disordered: int  #: chats that got their articles in another order than published
    peak: int  #: the most calls in any second, refused ones among them
    chat_peak: int  #: the most calls for one chat in any 3 s
    refused: int  #: answers 429
    seconds: float
    per_second: float
    killed_s: float  #: from the kill of the worker that polls and listens until another does
    frozen_s: float  #: from its freezing until another does


def judge(record: dict[str, Any], work: Work, *, killed_s: float, frozen_s: float) -> Judged:
    """Count."""
    calls = [(at, chat, wait) for at, chat, wait in record["calls"]]
    got = Counter((int(chat), int(text.split()[1])) for chat, texts in record["texts"].items() for text in texts)
    by_chat: dict[int, list[float]] = defaultdict(list)
    for at, chat, _ in calls:
        by_chat[chat].append(at)
    taken = [at for at, _, wait in calls if not wait]
    spent = taken[-1] - taken[0]
    orders = [list(dict.fromkeys(int(text.split()[1]) for text in texts)) for texts in record["texts"].values()]
    expected = work.expected()
    return Judged(
        alerts=work.alerts,
        lost=len(expected - set(got)),
        foreign=len(set(got) - expected),
        twice=sum(got.values()) - len(got),
        most_copies=max(got.values()),
        disordered=sum(order != sorted(order) for order in orders),
        peak=most_within(1.0, [at for at, _, _ in calls]),
        chat_peak=max(most_within(PRIVATE_WINDOW_S, times) for times in by_chat.values()),
        refused=sum(bool(wait) for _, _, wait in calls),
        seconds=spent,
        per_second=len(taken) / spent,
        killed_s=killed_s,
        frozen_s=frozen_s,
    )


def most_within(window: float, times: list[float]) -> int:
    """The most of these (rising) times that lie within any window of so many seconds."""
    inside: deque[float] = deque()
    most = 0
    for at in times:
        inside.append(at)
        while at - inside[0] >= window:
            inside.popleft()
        most = max(most, len(inside))
    return most


async def through_faults(
    database: str,
    folder: Path,
    work: Work,
    *,
    number: int,
    limit: int,
    in_flight: int,
    frozen_s: float,
    rate: int | None = None,
) -> Judged:
    """Deliver `work` with so many workers; the one that polls and listens is killed, the next one frozen for a while.

    The local Telegram takes `limit` a second; the workers think that it is `rate`, if that is given.
    """
    await fill(database, work)
    with local_telegram(limit, work.chats) as telegram:
        async with workers(database, telegram, folder, limit=rate or limit, in_flight=in_flight) as ours:
            before = datetime.now(UTC)
            for _ in range(number):
                await ours.start()
            await ours.takes_over(before)
            await _reached(telegram, work.alerts // 4)
            killed = datetime.now(UTC)
            await ours.kill(ours.taken()[-1][1])
            await ours.start()
            killed_s = await ours.takes_over(killed)
            await _reached(telegram, work.alerts // 2)
            frozen = datetime.now(UTC)
            holder = ours.taken()[-1][1]
            holder.send_signal(signal.SIGSTOP)
            thaw = asyncio.create_task(asyncio.sleep(frozen_s))  # nothing else tells how long a process did nothing
            took_s = await ours.takes_over(frozen)
            await thaw
            holder.send_signal(signal.SIGCONT)
            await _delivered(database)
            await ours.stop()
        async with aiohttp.ClientSession() as session, session.get(f"{telegram}/record") as answer:
            return judge(await answer.json(), work, killed_s=killed_s, frozen_s=took_s)


async def _reached(telegram: str, number: int) -> None:
    """Wait until the local Telegram took so many messages."""
    async with aiohttp.ClientSession() as session:

        async def reached() -> bool:
            async with session.get(f"{telegram}/count") as answer:
                return int(await answer.json()) >= number

        await _asked(reached)


async def _delivered(url: str) -> None:
    """Wait until nothing waits in the outbox."""
    database = await Database.open(url)
    try:
        store = Store(database)

        async def nothing_left() -> bool:
            counts = await store.outbox.counts()
            return not counts.get(DeliveryState.QUEUED, 0) + counts.get(DeliveryState.CLAIMED, 0)

        await _asked(nothing_left)
    finally:
        await database.close()


async def _asked(holds: Callable[[], Any]) -> None:
    """Ask other processes until it holds; they tell nobody."""
    async with asyncio.timeout(300):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
