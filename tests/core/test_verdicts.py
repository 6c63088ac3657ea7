"""The table of what to do with a row, before and after a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Delivery, Fate, Kind, Outcome, Ruling, Verdict
from bot.core.verdicts import (
    AFTER_UNKNOWN,
    GIVE_UP_AFTER,
    HOUR,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    WITHOUT_RIGHTS,
    WORTH_A_DIGEST,
    Policy,
    beforehand,
    is_late,
    is_stale,
    judge,
)

NOW = 1_000_000_000

TABLE = {
    Fate.SENT: Ruling.SENT,
    Fate.UNSENT: Ruling.RETRY,
    Fate.UNKNOWN: Ruling.RETRY,
    Fate.FLOOD: Ruling.HOLD,
    Fate.SERVER: Ruling.RETRY,
    Fate.UNREACHABLE: Ruling.RETIRE,
    Fate.MIGRATED: Ruling.MOVE,
    Fate.NO_THREAD: Ruling.ROOT,
    Fate.NO_RIGHTS: Ruling.HOLD,
    Fate.BAD_MARKUP: Ruling.PLAIN,
    Fate.TOO_LONG: Ruling.PLAIN,
    Fate.NO_MESSAGE: Ruling.PARK,
    Fate.FIXED: Ruling.PARK,
    Fate.NOT_MODIFIED: Ruling.SENT,
    Fate.REJECTED: Ruling.PARK,
    Fate.UNAUTHORISED: Ruling.RETRY,
}


def row(*, attempts: int = 1, age: int = 0, kind: Kind = Kind.ALERT, thread: int = 7) -> Delivery:
    return Delivery(
        id=1, kind=kind, subject=1, chat_id=-1, thread_id=thread, attempts=attempts, queued_at=NOW - age
    )  # fmt: skip


def verdict(
    fate: Fate, *, plain: bool = False, retry_after: int = 0, policy: Policy | None = None, **of_row: object
) -> Verdict:
    outcome = Outcome(fate=fate, message_id=5, moved_to=-7, retry_after=retry_after, detail="what Telegram said")
    return judge(outcome, row(**of_row), now=NOW, policy=policy or Policy(), plain=plain)


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_has_its_ruling(fate: Fate) -> None:
    assert verdict(fate).ruling is TABLE[fate]


@pytest.mark.parametrize("fate", list(Fate))
def test_an_edit_that_cannot_be_is_dropped_and_takes_nothing_else_along(fate: Fate) -> None:
    dropped = {Fate.NO_MESSAGE, Fate.FIXED, Fate.NO_THREAD, Fate.NO_RIGHTS}
    assert verdict(fate, kind=Kind.EDIT).ruling is (Ruling.DROP if fate in dropped else TABLE[fate])


@pytest.mark.parametrize(
    ("kind", "fixed", "gone"),
    [
        (Kind.CORRECTION, Ruling.OTHERWISE, Ruling.DROP),
        (Kind.RECALL, Ruling.OTHERWISE, Ruling.SENT),  # what its reader took away is taken back
    ],
)
def test_hot_news_that_cannot_be_changed_is_changed_the_second_best_way(kind, fixed, gone) -> None:
    assert verdict(Fate.FIXED, kind=kind).ruling is fixed
    assert verdict(Fate.NO_MESSAGE, kind=kind).ruling is gone
    assert verdict(Fate.UNKNOWN, kind=kind, attempts=2).ruling is Ruling.RETRY
    outcome = Outcome(fate=Fate.UNKNOWN)
    assert judge(outcome, row(kind=kind, attempts=2), now=NOW, policy=Policy(), anew=True).ruling is Ruling.PARK


def test_a_flood_waits_as_long_as_it_was_told_and_costs_no_attempt() -> None:
    told = verdict(Fate.FLOOD, retry_after=30)
    assert (told.at, told.free) == (NOW + 30_000, True)


@pytest.mark.parametrize(("age", "pause"), [(0, SHORTEST_PAUSE), (10_000, 10_000), (10**7, LONGEST_PAUSE)])
def test_an_outage_is_retried_ever_more_rarely(age: int, pause: int) -> None:
    assert verdict(Fate.SERVER, age=age).at == NOW + pause
    assert verdict(Fate.UNSENT, age=age).at == NOW + pause


def test_a_clock_that_went_back_does_not_hurry() -> None:
    assert verdict(Fate.SERVER, age=-HOUR).at == NOW + SHORTEST_PAUSE


@pytest.mark.parametrize("fate", [Fate.SERVER, Fate.UNSENT, Fate.FLOOD, Fate.UNAUTHORISED, Fate.NO_RIGHTS])
def test_what_could_not_go_for_a_day_is_parked(fate: Fate) -> None:
    assert verdict(fate, age=GIVE_UP_AFTER + 1).ruling is Ruling.PARK


def test_an_unknown_outcome_is_tried_again_once_and_never_a_third_time() -> None:
    assert verdict(Fate.UNKNOWN).at == NOW + AFTER_UNKNOWN
    parked = verdict(Fate.UNKNOWN, attempts=2)
    assert (parked.ruling, parked.reason) == (Ruling.PARK, "may have been delivered: what Telegram said")


def test_a_change_of_a_card_is_repeated_until_an_answer_comes_for_it_makes_no_second_card() -> None:
    again = verdict(Fate.UNKNOWN, attempts=2, kind=Kind.EDIT)
    assert (again.ruling, again.at, again.free) == (Ruling.RETRY, NOW + SHORTEST_PAUSE, True)
    assert verdict(Fate.UNKNOWN, kind=Kind.EDIT, age=GIVE_UP_AFTER + 1).ruling is Ruling.PARK


def test_whether_hot_news_is_repeated_is_a_choice_and_that_of_alerts_is_not() -> None:
    once = Policy(repeat_hot=False)
    assert verdict(Fate.UNKNOWN, kind=Kind.BROADCAST).ruling is Ruling.RETRY
    assert verdict(Fate.UNKNOWN, kind=Kind.BROADCAST, policy=once).ruling is Ruling.PARK
    assert verdict(Fate.UNKNOWN, policy=once).ruling is Ruling.RETRY


@pytest.mark.parametrize("fate", [Fate.BAD_MARKUP, Fate.TOO_LONG])
def test_a_card_that_fails_is_sent_plain_once(fate: Fate) -> None:
    assert verdict(fate, plain=True).ruling is Ruling.PARK


def test_a_closed_general_topic_holds_the_chat_because_there_is_nowhere_else() -> None:
    told = verdict(Fate.NO_THREAD, thread=0)
    assert (told.ruling, told.at) == (Ruling.HOLD, NOW + WITHOUT_RIGHTS)


def test_what_carrying_out_needs_is_in_the_verdict() -> None:
    assert verdict(Fate.SENT).message_id == 5
    assert verdict(Fate.MIGRATED).moved_to == -7
    assert verdict(Fate.UNREACHABLE).reason == "what Telegram said"


@pytest.mark.parametrize(
    ("delivery", "ruling"),
    [
        (row(), None),
        (row(attempts=2), None),
        (row(attempts=3), Ruling.PARK),
        (row(age=12 * HOUR), None),
        (row(age=12 * HOUR + 1), None),
        (row(age=WORTH_A_DIGEST + 1), Ruling.DROP),
        (row(age=13 * HOUR, kind=Kind.BROADCAST), None),
    ],
)
def test_what_needs_no_call(delivery: Delivery, ruling: Ruling | None) -> None:
    found = beforehand(delivery, now=NOW, policy=Policy())
    assert (found and found.ruling) == ruling


def test_only_an_alert_that_waited_for_half_a_day_is_stale() -> None:
    put_off = replace(row(age=20 * HOUR), due_at=NOW - HOUR)
    rows = row(age=12 * HOUR + 1), row(age=12 * HOUR), row(age=13 * HOUR, kind=Kind.BROADCAST), put_off
    assert [is_stale(one, now=NOW, policy=Policy()) for one in rows] == [True, False, False, False]


def test_only_an_alert_that_waited_for_an_hour_is_late() -> None:
    late = [is_late(one, now=NOW, policy=Policy()) for one in (row(age=HOUR), row(age=HOUR - 1), row(age=-1))]
    assert late == [True, False, False]
    assert not is_late(row(age=HOUR, kind=Kind.BROADCAST), now=NOW, policy=Policy())
