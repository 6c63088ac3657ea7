"""Telegram's limits, held on any schedule, and who goes first."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Lane
from bot.core.pacing import ANSWERS, BURST, FLOODED_CHATS, KEPT_FOR_NEWS, PASSES, Pacer, Ticket


def most_within(times: list[float], window: float) -> int:
    """The most moments in any half-open window: the brute-force checker."""
    return max((sum(start <= at < start + window for at in times) for start in times), default=0)


@dataclass
class Run:
    """Calls to a pacer, and when each left."""

    pacer: Pacer = field(default_factory=Pacer)
    asked: dict[int, tuple[object, int, bool]] = field(default_factory=dict)
    left: list[tuple[float, object, int, bool]] = field(default_factory=list)
    now: float = 0.0

    def ask(self, chat: object, lane: int = ANSWERS, *, paid: bool = False) -> Ticket:
        ticket = self.pacer.ask(chat, self.now, lane=lane, paid=paid)
        self.asked[ticket.asked] = (chat, lane, paid)
        self.look()
        return ticket

    def look(self) -> None:
        for ticket in self.pacer.due(self.now):
            assert not ticket.withdrawn
            self.left.append((self.now, *self.asked.pop(ticket.asked)))

    def until(self, at: float, late: float = 0.0) -> None:
        """Let time pass; whoever is woken is woken `late`."""
        while (next_at := self.pacer.next_at()) <= at:
            self.now = max(self.now, next_at + late)
            self.look()
        self.now = max(self.now, at)

    def times(self, chat: object = None, *, paid: bool | None = None) -> list[float]:
        return [at for at, who, _, bought in self.left if chat in {None, who} and (paid is None or bought is paid)]


CHATS = st.one_of(st.integers(1, 40), st.integers(-4, -1), st.just("@channel"), st.none())
LANES = st.sampled_from([ANSWERS, *Lane])
STEP = st.one_of(
    st.tuples(st.just("ask"), CHATS, LANES, st.integers(1, 30), st.booleans()),
    st.tuples(st.just("crowd"), st.lists(CHATS, max_size=3), LANES, st.integers(1, 90), st.booleans()),
    st.tuples(st.just("pass"), st.floats(0, 30), st.floats(0, 0.2)),
    st.tuples(st.just("flood"), CHATS.filter(lambda chat: chat is not None), st.integers(1, 90)),
    st.tuples(st.just("accept"), st.floats(0, 2)),
    st.tuples(st.just("leave"), st.integers(0, 50)),
)


@settings(deadline=None)
@given(st.lists(STEP, max_size=25))
def test_no_schedule_passes_a_limit_or_loses_a_call(steps: list[tuple]) -> None:
    run = Run()
    waiting: list[Ticket] = []
    withdrawn = 0
    paused: list[tuple[object, float, float]] = []
    for step, *about in steps:
        match step:
            case "ask":
                chat, lane, many, paid = about
                waiting += [run.ask(chat, lane, paid=paid) for _ in range(many)]
            case "crowd":
                among, lane, many, paid = about
                waiting += [run.ask(chat, lane, paid=paid) for chat in [*among, *range(100, 100 + many), *among]]
            case "pass":
                run.until(run.now + about[0], late=about[1])
            case "flood":
                run.pacer.flooded(about[0], run.now, about[1])
                paused.append((about[0], run.now, run.now + about[1]))
            case "accept":
                if waiting and waiting[-1].left:
                    run.pacer.accepted(waiting[-1], run.now + about[0])
            case "leave":
                for ticket in waiting[about[0] : about[0] + 3]:
                    withdrawn += not (ticket.left or ticket.withdrawn)
                    ticket.withdrawn = True
    run.until(run.now + 100_000)
    assert len(run.left) + withdrawn == len(waiting)
    holds_every_limit(run, paused)
    assert run.pacer._resting == []
    assert not any(lane for gate in run.pacer._gates for lane in gate.lanes)


def holds_every_limit(run: Run, paused: list[tuple[object, float, float]]) -> None:
    assert most_within(run.times(paid=False), 1.0) <= 30
    assert most_within(run.times(paid=True), 0.1) <= 100 + 51  # slots of 0.1 s, and what a late loop catches up
    for chat in {who for _, who, _, _ in run.left} - {None}:
        times = run.times(chat)
        if isinstance(chat, str) or chat < 0:
            assert most_within(times, 60.0) <= 20
        else:
            assert most_within(times, 1.0) <= BURST
            assert most_within(times, 10.0) <= 10 + BURST - 1
        for start, end in ((start, end) for who, start, end in paused if who == chat):
            assert not any(start < at < end for at in times)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.1), LANES), min_size=1, max_size=200))
def test_who_may_go_is_passed_by_a_lower_lane_once_at_most(calls: list[tuple[float, int]]) -> None:
    run, behind = Run(), {}
    for chat, (gap, lane) in enumerate(calls, start=1):
        run.until(run.now + gap)
        behind[chat] = len(run.left)
        run.ask(chat, lane)
    run.until(1000)
    for place, (_, chat, lane, _) in enumerate(run.left):
        lower = [other > lane for _, _, other, _ in run.left[behind[chat] : place]]
        assert not any(map(all, pairwise(lower)))


def test_there_is_no_burst_at_the_start_and_no_slot_is_wasted() -> None:
    run = Run()
    for chat in range(1, 1801):
        run.ask(chat, Lane.ALERT)
    run.until(100)
    assert most_within(run.times(), 1.0) == 30
    assert most_within(run.times(), 0.1) == 3
    assert 1800 / run.left[-1][0] > 29.7


@settings(deadline=None, max_examples=10)
@given(st.floats(0, 0.006))
def test_a_loop_that_wakes_a_little_late_loses_nothing(late: float) -> None:
    run = Run()
    for chat in range(1, 601):
        run.ask(chat, Lane.ALERT)
    run.until(100, late=late)
    assert most_within(run.times(), 1.0) <= 30
    assert 600 / run.left[-1][0] > 29.7


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 0.05), min_size=20, max_size=20), st.floats(0.001, 0.3))
def test_telegram_counts_thirty_in_its_second_whatever_the_way_there_takes(jitter: list[float], way: float) -> None:
    """Telegram counts at the arrival, a moment between leaving and the answer that only the answer tells of."""
    pacer, now, under_way, arrived = Pacer(), 0.0, [], []
    for chat in range(1, 201):
        pacer.ask(chat, 0.0)
    while len(arrived) < 200:
        events = [at for at, *_ in under_way] + [pacer.next_at()]
        now = max(now, min(events))
        for call in [call for call in under_way if call[0] <= now]:
            under_way.remove(call)
            pacer.accepted(call[1], call[0])
        for ticket in pacer.due(now):
            late = 0.0 if len(arrived) == 0 else jitter[len(arrived) % 20]
            arrived.append(now + way / 2 + late)
            under_way.append((now + way + late, ticket))
    assert most_within(arrived, 1.0) <= 30


def test_an_answer_behind_ten_thousand_waiting_calls_takes_the_next_slot() -> None:
    run = Run()
    for chat in range(1, 10_001):
        run.ask(chat, Lane.ALERT)
    run.until(50)
    before = run.left[-1][0]
    run.ask(20_000)
    run.until(51)
    at = next(at for at, who, _, _ in run.left if who == 20_000)
    assert at - before < 1.01 / 29.7


def test_an_answer_passes_the_alerts_of_its_own_chat() -> None:
    run = Run()
    for chat in range(1, 1001):
        run.ask(chat, Lane.ALERT)
    run.until(1)
    run.ask(900)
    run.until(1.1)
    assert (900, ANSWERS) in [(who, lane) for _, who, lane, _ in run.left]


def test_lower_lanes_are_not_starved() -> None:
    run = Run()
    for chat in range(1, 4):
        run.ask(chat, (Lane.HOT, Lane.ALERT, Lane.DIGEST)[chat - 1])
    for chat in range(10, 400):
        run.ask(chat)
    run.until(400)
    places = [place for place, (_, who, _, _) in enumerate(run.left) if who in {1, 2, 3}]
    assert places[1:] == [PASSES + 1, 2 * (PASSES + 1)]  # the first left at once: there was nobody before it
    assert places[0] == 0


def test_lanes_go_in_order() -> None:
    run = Run()
    run.ask(99, Lane.DIGEST)
    for chat, lane in enumerate((Lane.DIGEST, Lane.ALERT, Lane.HOT, ANSWERS), start=1):
        run.ask(chat, lane)
    run.until(10)
    assert [lane for _, _, lane, _ in run.left] == [Lane.DIGEST, ANSWERS, Lane.HOT, Lane.ALERT, Lane.DIGEST]


def test_answers_to_a_group_leave_room_for_its_news() -> None:
    run = Run()
    for _ in range(60):
        run.ask(-1)
    run.until(10)
    assert len(run.left) == 20 - KEPT_FOR_NEWS
    run.ask(-1, Lane.ALERT)
    run.until(11)
    assert run.left[-1][2] == Lane.ALERT


def test_a_call_that_waits_for_its_chat_holds_nobody_up() -> None:
    run = Run()
    for _ in range(BURST + 1):
        run.ask(1)
    run.ask(2)
    run.until(0.5)
    assert [who for _, who, _, _ in run.left] == [1, 1, 2, 1]
    run.ask(3)
    run.until(0.6)
    assert run.left[-1][1] == 3  # the fourth to chat 1 goes a second after the first


def test_a_paid_broadcast_is_fast_and_keeps_the_limits_of_chats() -> None:
    run = Run()
    for chat in range(1, 2001):
        run.ask(chat, Lane.ALERT, paid=True)
    for _ in range(60):
        run.ask(-1, Lane.ALERT, paid=True)
    run.until(3)
    assert len(run.times()) == 2020
    assert len(run.times(-1)) == 20
    run.ask(5)
    run.until(3.01)
    assert run.left[-1][1:3] == (5, ANSWERS)  # an answer does not pay, and waits for none of them


def test_a_flood_pauses_its_chat_only() -> None:
    run = Run()
    run.pacer.flooded(1, 0.0, 30)
    run.ask(1)
    run.ask(2)
    run.until(29.9)
    assert [who for _, who, _, _ in run.left] == [2]
    run.until(31)
    assert [who for _, who, _, _ in run.left] == [2, 1]
    assert (run.pacer.wait(1, ANSWERS, 1.0), run.pacer.wait(2, ANSWERS, 5.0)) == (29.0, 0.0)


def test_a_flood_stops_who_waits_already() -> None:
    run = Run()
    for _ in range(BURST + 1):
        run.ask(1)
    run.until(0.01)
    run.pacer.flooded(1, run.now, 30)
    run.until(29)
    assert len(run.left) == 1


@pytest.mark.parametrize(
    ("chats", "apart", "accepted", "paused"),
    [
        (FLOODED_CHATS, 1.0, False, True),
        (FLOODED_CHATS - 1, 1.0, False, False),
        (FLOODED_CHATS, 10.0, False, False),
        (FLOODED_CHATS, 1.0, True, False),
    ],
)
def test_floods_of_several_chats_at_once_pause_everything(
    chats: int, apart: float, accepted: bool, paused: bool
) -> None:
    run = Run()
    for chat in range(1, chats + 1):
        run.now = chat * apart
        run.pacer.flooded(chat, run.now, 30)
        if accepted:
            run.pacer.accepted(Ticket(0, counts_from=run.now), run.now)
    start = run.now
    run.ask(99)
    run.until(start + 100)
    # Telegram told the first of them to wait the shortest from now on; that is the wait of all.
    assert run.left[0][0] == (apart + 30 if paused else start)


def test_groups_in_slow_mode_pause_nobody_else() -> None:
    run = Run()
    for chat in (-1, -2, -3, -4):
        run.pacer.flooded(chat, 0.0, 3600)
    run.ask(5)
    assert run.times(5) == [0.0]


def test_a_group_that_becomes_a_supergroup_takes_its_past_along() -> None:
    run = Run()
    for _ in range(15):
        run.ask(-1, Lane.ALERT)
    run.until(1)
    run.pacer.renamed(-1, -1001)
    for _ in range(15):
        run.ask(-1001, Lane.ALERT)
        run.ask(-1, Lane.ALERT)
    run.until(50)
    assert len(run.left) == 20


def test_chats_that_bind_nothing_are_forgotten_even_behind_a_long_pause() -> None:
    run = Run()
    run.pacer.flooded(-1, 0.0, 14 * 86400)
    for chat in range(1, 10_001):
        run.until(chat * 1.0)
        run.ask(chat)
    assert len(run.pacer._chats) < 10
    assert run.pacer.wait(-1, ANSWERS, run.now) > 13 * 86400


def test_a_limit_of_zero_is_none() -> None:
    run = Run(Pacer(overall=0, per_chat=0, per_group=0, paid=0))
    for chat in (1, -1):
        for paid in (False, True):
            for _ in range(100):
                run.ask(chat, paid=paid)
    assert run.times() == [0.0] * 400


def test_slots_of_a_shared_rate_come_in_lots_and_are_lost_when_nobody_takes_them() -> None:
    run = Run(Pacer(shared=True))
    for chat in range(1, 11):
        run.ask(chat)
    assert run.left == []
    assert run.pacer.next_at() == float("inf")
    assert run.pacer.hungry(paid=False)
    assert not run.pacer.hungry(paid=True)
    assert run.pacer.lot(0.1, paid=False) == 3
    run.pacer.supply(2.0, 3, paid=False)
    run.until(5)
    assert run.times() == pytest.approx([2.0, 2.03343, 2.06687], abs=1e-4)
    assert run.pacer.hungry(paid=False)
    run.pacer.supply(6.0, 3, paid=False)
    run.now = 9.0
    run.look()
    assert len(run.left) == 3
    assert run.pacer.hungry(paid=False)


def steps_of_one_call(chats: int) -> int:
    """Lines of the core that one call runs while so many chats wait or rest."""
    pacer, now = Pacer(), 0.0
    for chat in range(1, chats // 2 + 1):
        pacer.ask(chat, now, lane=Lane.ALERT)
        pacer.flooded(-chat, now, 50)
        pacer.ask(-chat, now, lane=Lane.ALERT)
        pacer.accepted(Ticket(0, counts_from=now), now)
    lines = 0

    def count(frame: object, event: str, _: object) -> object:
        nonlocal lines
        lines += event == "line"
        return count

    tracing = sys.gettrace()  # coverage's, which must go on
    sys.settrace(count)
    try:
        pacer.wait(10**9, ANSWERS, 1.0)
        pacer.ask(10**9, 1.0)
        pacer.due(1.0)
        pacer.next_at()
    finally:
        sys.settrace(tracing)
    return lines


def test_a_call_costs_the_same_with_ten_chats_and_with_ten_thousand() -> None:
    assert steps_of_one_call(10_000) <= steps_of_one_call(10) + 10


@given(st.sampled_from([1, -1]), st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=80))
def test_a_chat_that_goes_from_sender_to_sender_keeps_its_limit(chat: int, schedule: list[tuple[float, bool]]) -> None:
    pacers, left, now = {False: Pacer(), True: Pacer()}, {False: [], True: []}, 0.0
    for gap, who in schedule:
        # One sends at a time: the other has finished, and has said when it sent.
        now += gap
        pacers[who].recall(chat, [at for at in left[not who] if at > now - 60], now)
        ticket = pacers[who].ask(chat, now, lane=Lane.ALERT)
        while ticket not in pacers[who].due(now):
            now = max(now, pacers[who].next_at())
        left[who].append(now)
    every = sorted(left[False] + left[True])
    if chat < 0:
        assert most_within(every, 60.0) <= 20
    else:
        assert most_within(every, 1.0) <= BURST
        assert most_within(every, 10.0) <= 10 + BURST - 1
