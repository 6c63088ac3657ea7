"""kill -9, a full disk, a torn file, clocks that jump, and a Telegram that is ill: nothing is lost.

What each fault may cost stands in its test: at most one more copy of what was in flight, never a third.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy.exc
from sqlalchemy import event, text

from bot.core.model import Fate, Outcome
from bot.core.pacing import Pacer
from bot.core.verdicts import Policy
from bot.playground.server import Playground
from bot.store.database import StorageError
from bot.telegram.application import TelegramBot
from tests.end_to_end.killing import CONTEXT, POINTS, confirm, deliver, killed, poll
from tests.end_to_end.pumping import HOUR, MINUTE, NOW, TOKEN, Pump, follow, publish, pumping, story
from tests.hot import drafted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.model import Card
    from bot.store.store import Store

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
READERS, IN_FLIGHT = 6, 4
LEASE = 2 * MINUTE


@pytest.fixture
async def telegram() -> AsyncIterator[Playground]:
    async with Playground(limits=False) as playground:
        yield playground


@pytest.fixture
async def pump(store: Store, telegram: Playground) -> AsyncIterator[Pump]:
    async with pumping(store, telegram.url) as one:
        yield one


def copies(telegram: Playground, chats: list[int]) -> Counter[tuple[int, str]]:
    """How often each chat got each message."""
    return Counter(
        (chat, one["text"].splitlines()[0])
        for chat in chats
        for one in telegram.telegram.messages(chat)
        if "text" in one
    )


async def recovered(pump: Pump) -> None:
    """Another process starts, and delivers what is due until nothing is left that can go."""
    if pump.store.database.is_sqlite:
        await pump.store.outbox.release_all(pump.now)
    for wait in (0, LEASE):
        await pump.drain(after=wait)


# -- kill -9 at every point


async def kill_at(point: str, pump: Pump, telegram: Playground, database_url: str) -> tuple[int, int]:
    """Kill at one point and recover: (messages expected, copies too many). Asserts that nothing is lost."""
    work = POINTS[point][0]
    people = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(READERS)]
    group = telegram.telegram.add_group("Group", forum=True)
    await follow(pump.store, *people)
    await follow(pump.store, group, thread=7 if work == "topic" else 0)
    alerts = 5 if work == "late" else 1
    if work == "hot":
        draft = await drafted(pump.store, "hot", pump.now)
        await killed(confirm, database_url, pump.now, draft.id, point)
        await pump.store.broadcasts.start_due(pump.now)
    elif work == "poll":
        pump.stories += 1
        await killed(poll, database_url, pump.now, pump.stories, point)
        pump.stories -= 1
        await pump.news()  # the next poll finds the same story
    else:
        await pump.news(alerts)
        if work == "late":
            pump.now += HOUR
        place = trouble(work, telegram, people, group)
        await killed(deliver, database_url, telegram.url, pump.now, IN_FLIGHT, point)
        group = place or group
    await recovered(pump)
    if work == "restricted":
        telegram.telegram.chat(group).refusal = None
        await pump.drain(after=HOUR)
    assert set(await pump.states()) <= {"sent", "dropped"}, point
    wanted = people[1:] if work == "blocked" else people
    got = copies(telegram, [*wanted, group])
    for chat in [*wanted, group]:
        told = [number for (of, _), number in got.items() if of == chat]
        assert told, (point, chat)
        assert max(told) <= 2, (point, got)
        await pump.store.chats.retire(chat, "the next point has readers of its own", pump.now)
    if work == "blocked":
        assert not (await pump.store.chats.get(people[0])).active
    return sum(got.values()), sum(number - 1 for number in got.values())


def trouble(work: str, telegram: Playground, people: list[int], group: int) -> int | None:
    """What makes the process do what it dies of; where the group is now."""
    match work:
        case "blocked":
            telegram.telegram.chat(people[0]).refusal = (403, "Forbidden: bot was blocked by the user")
        case "moved":
            return telegram.telegram.migrate(group)
        case "restricted":
            telegram.telegram.restrict(group)
        case "topic":
            telegram.telegram.chat(group).closed_topics.add(7)
        case _:
            pass
    return None


@ON_SQLITE
@pytest.mark.parametrize("point", list(POINTS))
async def test_kill_9_loses_nothing_and_repeats_only_what_was_in_flight(point, pump, telegram, database_url) -> None:
    _, repeated = await kill_at(point, pump, telegram, database_url)
    assert repeated <= IN_FLIGHT


@ON_POSTGRESQL
async def test_kill_9_at_every_point_on_postgresql(pump, telegram, database_url) -> None:
    for point in POINTS:
        if point != "in giving claims back":  # there leases end; nobody gives them back
            _, repeated = await kill_at(point, pump, telegram, database_url)
            assert repeated <= IN_FLIGHT, point


@ON_SQLITE
async def test_kill_9_at_random_moments(pump, telegram, database_url) -> None:
    people = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(60)]
    await follow(pump.store, *people)
    await pump.news(8)
    kills = 15
    for _ in range(kills):
        before = sum(copies(telegram, people).values())
        process = CONTEXT.Process(target=deliver, args=(database_url, telegram.url, pump.now, IN_FLIGHT))
        process.start()
        async with asyncio.timeout(20), telegram.telegram.changed:  # it is at work; now, or a little later
            await telegram.telegram.changed.wait_for(lambda n=before: sum(copies(telegram, people).values()) > n)
        await asyncio.sleep(random.uniform(0, 0.03))
        process.kill()
        await asyncio.to_thread(process.join)
        assert process.exitcode == -signal.SIGKILL
        pump.now += 1000
    await recovered(pump)
    assert await pump.states() == {"sent": len(people) * 8}
    got = copies(telegram, people)
    assert len(got) == len(people) * 8  # nothing is lost
    assert max(got.values()) <= 2
    assert sum(got.values()) - len(got) <= kills * IN_FLIGHT


@ON_SQLITE
async def test_kill_9_again_and_again_before_the_wire_gives_nothing_up(pump, telegram, database_url) -> None:
    """A try counts once it may have left: what waited for its turn while its sender died four times is not parked."""
    people = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(READERS)]
    await follow(pump.store, *people)
    await pump.news()
    for _ in range(4):
        await killed(deliver, database_url, telegram.url, pump.now, IN_FLIGHT, "before the wire")
    await recovered(pump)
    assert await pump.states() == {"sent": READERS}
    assert set(copies(telegram, people).values()) == {1}


# -- storage


class Recorder:
    """A sender at its one-method border: for faults of storage and clocks, which the wire has no part in."""

    def __init__(self) -> None:
        self.got: Counter[tuple[int, str]] = Counter()

    async def send(self, chat_id: int, thread_id: int, card: Card, *, plain: bool = False, **_: object) -> Outcome:
        self.got[chat_id, card.plain.splitlines()[0]] += 1
        return Outcome(fate=Fate.SENT, message_id=self.got.total())


#: A poll and its delivery are some thirty statements: all of the first rounds, then some of later ones, up to 200.
NTH = {"sqlite": [*range(1, 41), *range(47, 201, 17)], "postgresql": [*range(1, 41, 3), *range(47, 201, 51)]}


async def test_a_write_that_fails_at_the_nth_statement_loses_and_repeats_nothing(store: Store) -> None:
    left = 0

    def failing(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise sqlalchemy.exc.OperationalError("a statement", {}, OSError("disk I/O error"))

    event.listen(store.database._writer.sync_engine, "before_cursor_execute", failing)
    people, sender = range(1, 4), Recorder()
    await follow(store, *people)
    pump = Pump(store, sender)
    deliverer = pump.deliverer()
    for number in NTH[store.database._writer.dialect.name]:
        left = number
        while left > 0:
            pump.stories += 1
            for work in (lambda: publish(store, NOW, story(pump.stories, NOW)), deliverer.drain):
                try:
                    await work()
                except StorageError:
                    await work()
    assert await pump.states() == {"sent": pump.stories * len(people)}
    assert sender.got == {(one, f"Story {n}"): 1 for one in people for n in range(1, pump.stories + 1)}


@ON_SQLITE
async def test_a_full_disk_stores_nothing_by_halves_and_repeats_no_more_than_a_crash(store: Store) -> None:
    people, sender = range(1, 301), Recorder()
    await follow(store, *people)
    pump = Pump(store, sender, in_flight=IN_FLIGHT)
    assert await pump.news() == 300
    await _most_pages(store, "page_count")
    with pytest.raises(StorageError, match="disk is full"):
        await pump.news(20)
    stored = {name for (name,) in await _rows(store, "SELECT title FROM articles")}
    alerts = await _rows(store, "SELECT subject, count(*) FROM outbox GROUP BY subject")
    assert [number for _, number in alerts] == [300] * len(stored)
    with contextlib.suppress(StorageError):  # what little a settlement writes may still fit
        await pump.drain()
    await _most_pages(store, 1_000_000)
    await store.outbox.release_all(pump.now)
    await pump.drain()
    assert set(sender.got) == {(one, name) for one in people for name in stored}
    assert sender.got.total() <= len(sender.got) + IN_FLIGHT


async def _most_pages(store: Store, number: object) -> None:
    async with store.database.transaction() as connection:
        if number == "page_count":
            number = await connection.scalar(text("PRAGMA page_count"))
        await connection.execute(text(f"PRAGMA max_page_count={number}"))


async def _rows(store: Store, query: str) -> list[tuple[object, ...]]:
    async with store.database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


@ON_SQLITE
async def test_a_torn_write_ahead_log_holds_no_half_of_a_transaction(store: Store, tmp_path: Path) -> None:
    """As after a power failure: the log is cut or scribbled over at many places, and what opens is whole."""
    people, dice = range(1, 6), random.Random(5)
    await follow(store, *people)
    pump = Pump(store, Recorder())
    for _ in range(20):
        await pump.news()
        await pump.drain()
    source, found = store.database.path, set()
    log = source.with_name(source.name + "-wal").read_bytes()
    assert len(log) > 100_000
    for place in range(80):
        torn = tmp_path / "torn.db"
        shutil.copy(source, torn)
        at = dice.randrange(len(log))
        scribbled = log[:at] + dice.randbytes(64) + log[at + 64 :]
        torn.with_name("torn.db-wal").write_bytes(log[:at] if place % 2 else scribbled)
        torn.with_name("torn.db-shm").unlink(missing_ok=True)
        with closing(sqlite3.connect(torn)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name='outbox'").fetchone():
                continue
            alerts = dict(database.execute("SELECT subject, count(*) FROM outbox GROUP BY subject"))
            articles = {number for (number,) in database.execute("SELECT id FROM articles")}
            assert alerts == dict.fromkeys(articles, len(people))
            found.add(len(articles))
    assert len(found) > 5  # the places were all over the log


# -- clocks


class Moving(Recorder):
    """Answers move the pump's clock."""

    def __init__(self, moves: dict[int, int], every: int = 0) -> None:
        super().__init__()
        self.pump: Pump | None = None
        self._moves, self._every = moves, every

    async def send(self, chat_id: int, thread_id: int, card: Card, *, plain: bool = False, **_: object) -> Outcome:
        outcome = await super().send(chat_id, thread_id, card, plain=plain)
        await asyncio.sleep(0)
        self.pump.now += self._every + self._moves.get(self.got.total(), 0)
        return outcome


CLOCKS = {
    "an hour forth": ({3: HOUR}, 0),
    "an hour back": ({3: -HOUR}, 0),
    "forth and back": ({3: HOUR, 9: -HOUR}, 0),
    "back and forth": ({3: -HOUR, 9: HOUR}, 0),
    "every answer 5 s late": ({}, 5000),
}


@pytest.mark.parametrize("jump", list(CLOCKS))
async def test_a_clock_that_jumps_delays_nobody_and_repeats_nothing(jump: str, store: Store) -> None:
    """Leases run out, or into next hour, while messages are under way; what was due stays due."""
    people, sender = range(1, 61), Moving(*CLOCKS[jump])
    await follow(store, *people)
    pump = sender.pump = Pump(store, sender, in_flight=IN_FLIGHT)
    await pump.news()
    totals = await pump.drain()
    assert (totals.sent, totals.left) == (60, 0)
    assert set(sender.got.values()) == {1}


async def test_a_clock_that_was_set_back_while_nothing_ran_delays_nobody(store: Store) -> None:
    await follow(store, -1, 1)
    pump = Pump(store, Recorder(), now=NOW + HOUR)
    await pump.news()
    pump.now = NOW
    assert (await pump.drain()).sent == 2
    await pump.news()
    assert (await pump.drain()).sent == 2


async def test_a_chat_that_was_held_by_a_wrong_clock_is_held_no_more(store: Store) -> None:
    """It said 429 while the clock was an hour ahead."""

    class Flooded(Recorder):
        async def send(self, *given: object, **how: object) -> Outcome:
            if self.got.total() == 1:
                self.got["429", ""] += 1
                return Outcome(fate=Fate.FLOOD, retry_after=5)
            return await super().send(*given, **how)

    await follow(store, -1)
    pump = Pump(store, Flooded())
    deliverer = pump.deliverer()
    for jump in (0, HOUR):
        pump.now += jump
        await pump.news()
        await deliverer.drain()
    pump.now -= HOUR
    await deliverer.drain()
    assert pump.sender.got == {(-1, "Story 1"): 1, ("429", ""): 1, (-1, "Story 2"): 1}


async def test_a_stop_gives_back_what_only_waited_for_its_turn(store: Store, telegram: Playground) -> None:
    """However often that happens: it never left, so it costs no try."""
    people = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(3)]
    await follow(store, *people)
    bot = TelegramBot(token=TOKEN, api_url=telegram.url, pacer=Pacer(overall=0.001))
    await bot.connect()
    pump = Pump(store, bot.sender)
    await pump.news()
    for _ in range(3):
        deliverer = pump.deliverer()
        running = asyncio.create_task(deliverer.run())
        async with asyncio.timeout(20), telegram.telegram.changed:
            await telegram.telegram.changed.wait_for(lambda: copies(telegram, people))
        while len(deliverer._flying) != 2:  # noqa: ASYNC110 - both wait for their turn, and nobody tells when
            await asyncio.sleep(0)
        deliverer.stop()
        with pytest.raises(TimeoutError):  # as the service stops: asked first, then cut short
            await asyncio.wait_for(running, timeout=0.3)
        assert await pump.states() == {"sent": 1, "queued": 2}
        pump.now += MINUTE
    await bot.close()
    assert {tries for (tries,) in await _rows(store, "SELECT attempts FROM outbox WHERE state = 'queued'")} == {0}


async def test_a_dead_senders_rows_come_back_after_its_lease_whatever_its_clock_said(store: Store) -> None:
    await follow(store, *range(1, 4))
    sender = Recorder()
    pump = Pump(store, sender)
    await pump.news()
    await store.outbox.claim("dead, an hour ahead", NOW + HOUR, LEASE, 2)
    assert (await pump.drain()).sent == 3
    assert set(sender.got.values()) == {1}


@ON_SQLITE
async def test_who_starts_anew_knows_what_groups_got_in_the_last_minute(store: Store) -> None:
    """Or each restart would give every group twenty messages more: Telegram's minute goes on."""
    await follow(store, -1)
    pump, told = Pump(store, Recorder()), []
    await pump.news()
    await pump.drain()
    pump.now += 1000
    await pump.news(5)
    pump.policy = Policy(catch_up_after=1000)
    await pump.drain(after=1000)  # one message, whatever it stands for
    await pump.news()
    deliverer = pump.deliverer()
    deliverer._recall = lambda chat, times: told.append((chat, sorted(times)))
    await deliverer.drain()
    assert told == [(-1, [NOW, NOW + 2000])]


# -- Telegram


async def test_telegram_down_for_an_hour_delays_and_repeats_nothing(pump: Pump, telegram: Playground) -> None:
    few, many = (telegram.telegram.add_user(name, "en") for name in ("Few", "Many"))
    await follow(pump.store, many)
    await pump.news(4)
    await follow(pump.store, few)
    await pump.news()
    telegram._port = int(telegram.url.rpartition(":")[2])
    await telegram.stop()
    for _ in range(12):
        assert (await pump.drain(after=5 * MINUTE)).sent == 0
    telegram.telegram.listeners.clear()
    await telegram.start()
    await pump.drain(after=5 * MINUTE)
    assert copies(telegram, [few, many]) == {(few, "Story 5"): 1, (many, "5 alerts waited for you"): 1}
    assert await pump.states() == {"sent": 6}


@ON_SQLITE
async def test_half_the_calls_5xx_delay_and_repeat_nothing(pump: Pump, telegram: Playground) -> None:
    people, dice = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(40)], random.Random(7)
    await follow(pump.store, *people)
    take = telegram.faults.take
    telegram.faults.set("502")
    telegram.faults.take = lambda chat, **how: take(chat, **how) if dice.random() < 0.5 else None
    await pump.news()
    for _ in range(60):
        await pump.drain(after=MINUTE)
    assert await pump.states() == {"sent": len(people)}
    assert copies(telegram, people) == {(one, "Story 1"): 1 for one in people}


async def test_two_senders_share_a_queue_and_a_frozen_one_costs_at_most_what_it_held(pump: Pump, telegram) -> None:
    """The second takes over after the lease; the first, awake again, neither sends nor settles what it lost."""
    people = [telegram.telegram.add_user(f"Reader {n}", "en") for n in range(12)]
    await follow(pump.store, *people)
    await pump.news()
    pump.in_flight = IN_FLIGHT
    sending, frozen = pump.sender, asyncio.Event()

    held = asyncio.Semaphore(0)

    class Frozen:
        async def send(self, *given: object, **how: object) -> Outcome:
            held.release()
            await frozen.wait()
            return await sending.send(*given, **how)

    pump.sender = Frozen()
    first = asyncio.create_task(pump.deliverer("first").drain())
    for _ in range(IN_FLIGHT):
        await held.acquire()
    pump.sender = sending
    second = await pump.drain(after=LEASE)
    assert second.sent == len(people)
    frozen.set()
    await first
    got = copies(telegram, people)
    assert len(got) == len(people)
    assert sum(got.values()) <= len(people) + IN_FLIGHT
    assert await pump.states() == {"sent": len(people)}
