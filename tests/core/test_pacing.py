"""Telegram's limits, held on any schedule."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.pacing import BURST, Pacer


def most_within(times: list[float], window: float) -> int:
    """The most moments in any half-open window: the brute-force checker."""
    return max((sum(start <= at < start + window for at in times) for start in times), default=0)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 200)), max_size=150))
def test_no_more_than_thirty_leave_in_any_second(schedule: list[tuple[float, int]]) -> None:
    pacer, now, left = Pacer(), 0.0, []
    for gap, chat in schedule:
        now += gap
        left.append(pacer.overall_slot(pacer.chat_slot(chat, now)))
    assert most_within(left, 1.0) <= 30


@given(st.lists(st.floats(0, 3), max_size=60))
def test_a_private_chat_gets_a_burst_and_then_one_a_second(gaps: list[float]) -> None:
    pacer, now, slots = Pacer(), 0.0, []
    for gap in gaps:
        now += gap
        slots.append(pacer.chat_slot(1, now))
    assert most_within(slots, 1.0) <= BURST
    assert most_within(slots, 10.0) <= 10 + BURST - 1


@given(st.lists(st.floats(0, 10), max_size=80))
def test_a_group_gets_twenty_in_any_minute(gaps: list[float]) -> None:
    pacer, now, slots = Pacer(), 0.0, []
    for gap in gaps:
        now += gap
        slots.append(pacer.chat_slot(-1, now))
    assert most_within(slots, 60.0) <= 20


def test_there_is_no_burst_at_the_start() -> None:
    pacer = Pacer()
    slots = [pacer.overall_slot(0.0) for _ in range(60)]
    assert most_within(slots, 1.0) <= 30
    assert 1.9 < slots[-1] < 2.1  # and no slot is wasted


def test_a_slot_too_far_away_is_told_but_not_taken() -> None:
    pacer = Pacer()
    for _ in range(BURST):
        pacer.chat_slot(1, 0.0)
    assert pacer.chat_slot(1, 0.0, patience=0.5) > 0.5
    assert pacer.chat_slot(1, 0.0) == pacer.chat_slot(2, 0.0) + 1.005


def test_a_flood_pauses_its_chat_only() -> None:
    pacer = Pacer()
    pacer.flooded(1, 0.0, 30)
    assert pacer.chat_slot(1, 1.0) == 30
    assert pacer.chat_slot(2, 1.0) == 1.0
    assert pacer.overall_slot(1.0) == 1.0


def test_floods_of_several_chats_at_once_pause_everything() -> None:
    pacer = Pacer()
    for chat in (1, 2, 3):
        pacer.flooded(chat, float(chat), 30)
    assert pacer.overall_slot(4.0) == 33


def test_floods_far_apart_are_each_their_chats_own() -> None:
    pacer = Pacer()
    for chat in (1, 2, 3):
        pacer.flooded(chat, chat * 10.0, 30)
    assert pacer.overall_slot(31.0) == 31.0


def test_chats_that_bind_nothing_are_forgotten() -> None:
    pacer = Pacer()
    for chat in range(1, 10_001):
        pacer.chat_slot(chat, chat * 1.0)
    assert len(pacer._chats) < 10


def test_a_limit_of_zero_is_none() -> None:
    pacer = Pacer(overall=0, per_chat=0, per_group=0)
    assert {pacer.overall_slot(pacer.chat_slot(chat, 5.0)) for chat in (1, -1) for _ in range(100)} == {5.0}


@given(st.sampled_from([1, -1]), st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=80))
def test_a_chat_that_goes_from_sender_to_sender_keeps_its_limit(chat: int, schedule: list[tuple[float, bool]]) -> None:
    pacers, slots, now = {False: Pacer(), True: Pacer()}, {False: [], True: []}, 0.0
    for gap, who in schedule:
        # One sends at a time: the other has finished, and has said when it sent.
        now = max(now + gap, *(times[-1] for times in slots.values() if times), 0.0)
        pacers[who].recall(chat, [at for at in slots[not who] if at > now - 60], now)
        slots[who].append(pacers[who].chat_slot(chat, now))
    every = sorted(slots[False] + slots[True])
    if chat < 0:
        assert most_within(every, 60.0) <= 20
    else:
        assert most_within(every, 1.0) <= BURST
        assert most_within(every, 10.0) <= 10 + BURST - 1
