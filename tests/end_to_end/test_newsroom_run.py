"""A run to 1 000 readers: seen, paused, stopped, killed, and nobody waits for an answer meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bot.app import now_ms, opened
from bot.core.broadcast import BroadcastState, Step
from bot.playground.server import Playground
from bot.telegram.hot import EDITED_EVERY_MS, HotNews
from tests.end_to_end.killing import RUN_POINTS, confirm, deliver, killed
from tests.end_to_end.pumping import MINUTE, NOW, Pump, pumping
from tests.hot import confirmed, drafted, send_hot, step

from .conftest import buttons
from .editing import AT_ONCE, copies, crowd, draft, offers, shown, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.model import Card, Outcome
    from bot.store.store import Store

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MANY, IN_FLIGHT = 1_000, 8


@pytest.fixture
async def telegram() -> AsyncIterator[Playground]:
    async with Playground(limits=False) as playground:
        yield playground


@pytest.fixture
async def pump(store: Store, telegram: Playground) -> AsyncIterator[Pump]:
    async with pumping(store, telegram.url) as one:
        one.in_flight = IN_FLIGHT
        yield one


class Until:
    """A sender that does something once, after so many copies."""

    def __init__(self, sender, number: int, do) -> None:
        self._sender, self._left, self._do = sender, number, do

    async def send(self, *where: object, **how: object) -> Outcome:
        outcome = await self._sender.send(*where, **how)
        self._left -= 1
        if self._left == 0:
            await self._do()
        return outcome


async def part_of(pump: Pump, number: int) -> None:
    """Deliver so many, and what is in flight then."""
    deliverer = pump.deliverer()

    async def stop() -> None:
        deliverer.stop()

    deliverer._sender = Until(pump.sender, number, stop)
    await deliverer.drain()


def got(telegram: Playground, people: list[int], text: str = "hot") -> Counter[int]:
    """How many copies each reader has."""
    return Counter(
        {one: sum(text in text_of(message) for message in telegram.telegram.messages(one)) for one in people}
    )


# -- through the whole service


async def test_stop_leaves_the_rest_unsent_and_help_answers_within_a_second(world) -> None:
    world.settings |= {**AT_ONCE, "TAGWIRE_TELEGRAM__PER_SECOND": "200"}
    async with world.running():
        await world.says(world.admin, "/start")
        async with opened(world.config) as store:
            people = await crowd(store, world.telegram, MANY)
        question = await draft(world, "Hot")
        assert buttons(question)[0]["text"] == f"Send to {MANY + 1} readers"
        assert not any(copies(world, one, "Hot") for one in people)  # nothing leaves before the confirmation
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: sum(len(copies(world, one, "Hot")) for one in people) > 50)
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "stop"))
        progress = text_of(shown(world, world.admin, question))
        assert "Sending" in progress
        assert "left" in progress
        for _ in range(3):
            asked = time.perf_counter()
            assert "/sub" in (await world.says(people[-1], "/help"))["text"]
            assert time.perf_counter() - asked < 1
        before = sum(len(copies(world, one, "Hot")) for one in people)
        await world.press(world.admin, shown(world, world.admin, question), "hot-stop:")
        await world.wait_until(lambda: "Stopped" in text_of(shown(world, world.admin, question)))
        assert before < MANY
    stopped = sum(len(copies(world, one, "Hot")) for one in people)
    assert stopped < MANY
    assert (await world.deliver()).sent == 0  # not after a restart either
    assert sum(len(copies(world, one, "Hot")) for one in people) == stopped
    async with opened(world.config) as store:
        (tally, _), (one,) = await store.runs.tally(1, now_ms()), await store.broadcasts.listed(5)
    assert one.state is BroadcastState.STOPPED
    assert (tally.sent, tally.stopped) == (stopped + len(copies(world, world.admin, "Hot")) - 1, MANY + 1 - tally.sent)


async def test_a_pause_holds_and_a_restart_does_not_end_it(world) -> None:
    world.settings |= {**AT_ONCE, "TAGWIRE_TELEGRAM__PER_SECOND": "200"}
    async with world.running():
        await world.says(world.admin, "/start")
        async with opened(world.config) as store:
            people = await crowd(store, world.telegram, 300)
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "pause"))
        await world.press(world.admin, shown(world, world.admin, question), "hot-pause:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "resume"))
    paused = sum(len(copies(world, one, "Hot")) for one in people)
    assert paused < 300
    assert (await world.deliver()).sent == 0
    async with world.running():
        late = world.telegram.add_user("Late", "en")
        await world.says(late, "/start")
        await world.press(world.admin, shown(world, world.admin, question), "hot-resume:")
        await world.wait_until(lambda: all(copies(world, one, "Hot") for one in people))
        await world.wait_until(lambda: "Sent" in text_of(shown(world, world.admin, question)))
        assert offers(shown(world, world.admin, question), "report")
    assert {len(copies(world, one, "Hot")) for one in people} == {1}
    assert not copies(world, late, "Hot")  # who joins meanwhile gets neither half of it nor two


# -- kill -9


async def run_killed_at(point: str, pump: Pump, telegram: Playground, database_url: str, number: int) -> None:
    """Half of a run, a death at `point`, and the rest by another process."""
    people = await crowd(pump.store, telegram.telegram, number)
    draft = await drafted(pump.store, "hot", pump.now)
    if RUN_POINTS[point][0] == "hot":
        await killed(confirm, database_url, pump.now, draft.id, point)
        assert not +got(telegram, people)
        await pump.store.broadcasts.start_due(pump.now)  # as whoever comes next does
    else:
        assert await confirmed(pump.store, draft, pump.now) == number
        await part_of(pump, number // 2)
        await killed(deliver, database_url, telegram.url, pump.now, IN_FLIGHT, point)
    if pump.store.database.is_sqlite:
        await pump.store.outbox.release_all(pump.now)
    for wait in (0, 2 * MINUTE):
        await pump.drain(after=wait)
    copies_of = got(telegram, people)
    assert min(copies_of.values()) == 1, point  # every reader has it
    assert sum(copies_of.values()) - number <= IN_FLIGHT, point  # twice only what was in flight
    assert max(copies_of.values()) <= 2
    for _ in range(2):  # over, once
        assert await pump.store.broadcasts.finish(draft.id, pump.now) is (_ == 0)
    tally, _ = await pump.store.runs.tally(draft.id, pump.now)
    assert (tally.sent, tally.open) == (number, 0)


@ON_SQLITE
@pytest.mark.parametrize("point", list(RUN_POINTS))
async def test_kill_9_in_a_run_to_a_thousand(point, pump, telegram, database_url) -> None:
    await run_killed_at(point, pump, telegram, database_url, MANY)


@ON_POSTGRESQL
@pytest.mark.parametrize("point", ["in the claim", "after the wire", "in settling", "at the start's commit"])
async def test_kill_9_in_a_run_on_postgresql(point, pump, telegram, database_url) -> None:
    await run_killed_at(point, pump, telegram, database_url, 200)


# -- the steps, on each engine


async def test_a_pause_puts_aside_what_waits_and_a_stop_drops_it(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, 40)
    sent = await send_hot(pump.store, "hot", pump.now)
    await part_of(pump, 10)
    had = sum(got(telegram, people).values())
    paused = await step(pump.store, Step.PAUSE, sent, pump.now)
    assert paused.state is BroadcastState.PAUSED
    for wait in (0, 30 * 60 * MINUTE):  # over a day, which loses nothing either
        assert (await pump.drain(after=wait)).sent == 0
    await step(pump.store, Step.RESUME, sent, pump.now)
    await part_of(pump, 10)
    more = sum(got(telegram, people).values())
    assert had < more < 40
    await step(pump.store, Step.STOP, sent, pump.now)
    assert (await pump.drain()).sent == 0
    assert sum(got(telegram, people).values()) == more
    assert await pump.states() == {"sent": more, "dropped": 40 - more}


async def test_several_workers_begin_it_once(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, 20)
    draft = await drafted(pump.store, "hot", pump.now)
    await step(pump.store, Step.CONFIRM, draft, pump.now)
    begun = await asyncio.gather(*(pump.store.broadcasts.start_due(pump.now) for _ in range(5)))
    assert sum(map(len, begun)) == 1
    await pump.drain()
    assert set(got(telegram, people).values()) == {1}


class Progressing:
    """A sender that keeps what it was told to make of the progress message."""

    def __init__(self) -> None:
        self.edits: list[str] = []

    async def edit(self, chat_id: int, message_id: int, card: Card, **_: object):
        from bot.core.model import Fate, Outcome  # noqa: PLC0415

        self.edits.append(card.plain)
        return Outcome(fate=Fate.SENT)


async def test_the_progress_is_told_at_most_every_three_seconds_to_the_end(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, 30)
    sent = await send_hot(pump.store, "hot", NOW)
    await pump.store.broadcasts.tell(sent.id, people[0], 5)
    told, now = Progressing(), NOW
    woken: list[int] = []

    def watch() -> HotNews:
        return HotNews(
            store=pump.store, sender=told, clock=lambda: now, time_zone="UTC", on_queued=lambda: woken.append(now)
        )

    one = watch()
    for _ in range(10):
        await one.tick()
    assert len(told.edits) == 1
    assert "0 %" in told.edits[0]
    telegram.telegram.block(people[3])
    await part_of(pump, 15)
    now += EDITED_EVERY_MS
    await one.tick()
    assert "a second" in told.edits[1]
    one = watch()  # a restart goes on in the same message
    await pump.drain()
    now += 1
    await one.tick()
    assert len(told.edits) == 3
    assert "Sent" in told.edits[2]
    assert "sent 29 · left 0 · failed 0" in told.edits[2]
    assert "1 reader is gone" in told.edits[2]
    assert "Forbidden: bot was blocked by the user" in told.edits[2]
    assert await pump.store.broadcasts.open() == []
    now += 10 * EDITED_EVERY_MS
    await one.tick()
    assert len(told.edits) == 3


def test_a_run_is_killed_at_ten_points() -> None:
    assert len(RUN_POINTS) == 10
