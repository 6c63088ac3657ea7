"""The table of what to do after a call."""

import pytest

from bot.core.model import Fate, Outcome, Ruling
from bot.core.verdicts import AFTER_UNKNOWN, GIVE_UP_AFTER, LONGEST_PAUSE, SHORTEST_PAUSE, judge

NOW = 1_000_000_000

TABLE = {
    Fate.SENT: Ruling.SENT,
    Fate.UNSENT: Ruling.RETRY,
    Fate.UNKNOWN: Ruling.RETRY,
    Fate.FLOOD: Ruling.RETRY,
    Fate.SERVER: Ruling.RETRY,
    Fate.UNREACHABLE: Ruling.RETIRE,
    Fate.MIGRATED: Ruling.MOVE,
    Fate.NO_THREAD: Ruling.ROOT,
    Fate.NO_RIGHTS: Ruling.DROP,
    Fate.BAD_MARKUP: Ruling.PLAIN,
    Fate.REJECTED: Ruling.PARK,
    Fate.UNAUTHORISED: Ruling.RETRY,
}


def verdict(fate: Fate, *, attempts: int = 1, age: int = 0, plain: bool = False, retry_after: int = 0):
    outcome = Outcome(fate=fate, message_id=5, moved_to=-7, retry_after=retry_after, detail="what Telegram said")
    return judge(outcome, attempts=attempts, queued_at=NOW - age, now=NOW, plain=plain)


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_has_its_ruling(fate: Fate) -> None:
    assert verdict(fate).ruling is TABLE[fate]


def test_a_flood_waits_as_long_as_it_was_told_and_costs_no_attempt() -> None:
    told = verdict(Fate.FLOOD, retry_after=30)
    assert (told.at, told.free) == (NOW + 30_000, True)


@pytest.mark.parametrize(("age", "pause"), [(0, SHORTEST_PAUSE), (10_000, 10_000), (10**7, LONGEST_PAUSE)])
def test_an_outage_is_retried_ever_more_rarely(age: int, pause: int) -> None:
    assert verdict(Fate.SERVER, age=age).at == NOW + pause
    assert verdict(Fate.UNSENT, age=age).at == NOW + pause


@pytest.mark.parametrize("fate", [Fate.SERVER, Fate.UNSENT, Fate.FLOOD, Fate.UNAUTHORISED])
def test_what_could_not_go_for_a_day_is_parked(fate: Fate) -> None:
    assert verdict(fate, age=GIVE_UP_AFTER + 1).ruling is Ruling.PARK


def test_an_unknown_outcome_is_tried_again_once_and_never_a_third_time() -> None:
    assert verdict(Fate.UNKNOWN).at == NOW + AFTER_UNKNOWN
    parked = verdict(Fate.UNKNOWN, attempts=2)
    assert (parked.ruling, parked.reason) == (Ruling.PARK, "may have been delivered: what Telegram said")


def test_markup_that_fails_is_sent_plain_once() -> None:
    assert verdict(Fate.BAD_MARKUP, plain=True).ruling is Ruling.PARK


def test_what_carrying_out_needs_is_in_the_verdict() -> None:
    assert verdict(Fate.SENT).message_id == 5
    assert verdict(Fate.MIGRATED).moved_to == -7
    assert verdict(Fate.UNREACHABLE).reason == "what Telegram said"
