"""What to do with an outbox row before and after a call: the one table of it (telegram.md 1.5, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.bursts import Folding
from bot.core.model import Fate, Kind, Ruling, Verdict

if TYPE_CHECKING:
    from bot.core.model import Delivery, Millis, Outcome

SECOND = 1000
HOUR = 3600 * SECOND
#: A row that could not go for this long is parked for people to see; an outage of Telegram is shorter.
GIVE_UP_AFTER = 24 * HOUR
SHORTEST_PAUSE, LONGEST_PAUSE = 2 * SECOND, 300 * SECOND
#: After a request that left without an answer; longer than Telegram takes to deliver what it did accept.
AFTER_UNKNOWN = 30 * SECOND
#: Calls that may each have delivered a row: a third copy would be worse than a gap (telegram.md 2.2, PTB #1045).
MOST_COPIES = 2
#: How long a chat that lets us write nothing is left alone.
WITHOUT_RIGHTS = HOUR
#: An alert that is no news any more still comes in a digest, for so long after it was queued.
WORTH_A_DIGEST = 3 * 24 * HOUR
#: So many alerts of a chat may come one by one after an outage; more come as one card.
FEW = 3

#: Rows that change a message that is there.
CHANGING = frozenset({Kind.EDIT, Kind.FIXED, Kind.CORRECTION, Kind.RECALL})
#: Why a message cannot be changed. The news is there; that we may write no more is for the next alert to find out.
_NO_CHANGE = frozenset({Fate.NO_MESSAGE, Fate.FIXED, Fate.NO_THREAD, Fate.NO_RIGHTS})


FIVE_IN_TEN_MINUTES = Folding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator chooses."""

    expiry: Millis = 12 * HOUR  #: an alert that waited longer is no news any more, and comes in the next digest
    catch_up_after: Millis = HOUR  #: an alert that waited longer comes with the chat's others, on one card
    repeat_hot: bool = True  #: whether hot news is sent again when a call ended without an answer
    folding: Folding = FIVE_IN_TEN_MINUTES  #: how a burst of one tag comes
    offer_quiet: bool = True  #: whether a reader is asked about quiet hours after their first alert at night


def beforehand(delivery: Delivery, *, now: Millis, policy: Policy) -> Verdict | None:
    """The verdict that needs no call; None: send it."""
    if delivery.attempts > MOST_COPIES:
        # Each try went out and ended with our own death or without an answer: it may be there twice.
        return Verdict(ruling=Ruling.PARK, reason=f"may have been delivered: {MOST_COPIES} tries, no answer to any")
    if is_stale(delivery, now=now, policy=policy) and now - delivery.queued_at > WORTH_A_DIGEST:
        return Verdict(ruling=Ruling.DROP, reason="too old to be news")
    return None


def is_stale(delivery: Delivery, *, now: Millis, policy: Policy) -> bool:
    """Whether this is an alert that waited so long that it is no news any more."""
    return delivery.kind is Kind.ALERT and now - delivery.since > policy.expiry


def is_late(delivery: Delivery, *, now: Millis, policy: Policy) -> bool:
    """Whether this is an alert that waited so long that the chat's others may come with it on one card."""
    return delivery.kind is Kind.ALERT and now - delivery.since >= policy.catch_up_after


def judge(
    outcome: Outcome, delivery: Delivery, *, now: Millis, policy: Policy, plain: bool = False, anew: bool = False
) -> Verdict:
    """The verdict on one call.

    Args:
        outcome: what became of it.
        delivery: the row; its attempts are how often readers may have got it, this call included.
        now: the time of the answer; pauses grow with the row's age.
        policy: what the operator chose.
        plain: whether the call was already the plain-text fallback.
        anew: whether a row that changes a message made a new one instead.
    """
    changing = delivery.kind in CHANGING and not anew
    if changing and outcome.fate in _NO_CHANGE:
        return _unchanged(outcome, delivery)
    # What is changed twice is changed: that it may have been done already does not matter.
    match Fate.SERVER if changing and outcome.fate is Fate.UNKNOWN else outcome.fate:
        case Fate.SENT | Fate.NOT_MODIFIED:
            return Verdict(ruling=Ruling.SENT, message_id=outcome.message_id)
        case Fate.FLOOD:
            return _later(delivery, Ruling.HOLD, now + outcome.retry_after * SECOND, "429", now)
        case Fate.UNSENT | Fate.SERVER:
            pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, now - delivery.since))
            return _later(delivery, Ruling.RETRY, now + pause, outcome.detail, now)
        case Fate.UNAUTHORISED:
            return _later(delivery, Ruling.RETRY, now + 60 * SECOND, outcome.detail, now)
        case Fate.UNKNOWN:
            return _unknown(delivery, outcome.detail, now, policy)
        case Fate.UNREACHABLE:
            return Verdict(ruling=Ruling.RETIRE, reason=outcome.detail)
        case Fate.MIGRATED:
            return Verdict(ruling=Ruling.MOVE, moved_to=outcome.moved_to, reason=outcome.detail)
        case Fate.NO_THREAD if delivery.thread_id:
            return Verdict(ruling=Ruling.ROOT, reason=outcome.detail)
        case Fate.NO_THREAD | Fate.NO_RIGHTS:
            return _later(delivery, Ruling.HOLD, now + WITHOUT_RIGHTS, outcome.detail, now)
        case Fate.BAD_MARKUP | Fate.TOO_LONG if not plain:
            return Verdict(ruling=Ruling.PLAIN, reason=outcome.detail)
        case Fate.BAD_MARKUP | Fate.TOO_LONG | Fate.REJECTED | Fate.NO_MESSAGE | Fate.FIXED:
            return Verdict(ruling=Ruling.PARK, reason=outcome.detail)


def _unchanged(outcome: Outcome, delivery: Delivery) -> Verdict:
    """A message that cannot be changed: hot news is corrected or taken back the second best way."""
    if outcome.fate is Fate.FIXED and delivery.kind in {Kind.CORRECTION, Kind.RECALL}:
        return Verdict(ruling=Ruling.OTHERWISE, reason=outcome.detail)
    if outcome.fate is Fate.NO_MESSAGE and delivery.kind is Kind.RECALL:
        return Verdict(ruling=Ruling.SENT)  # its reader took it away
    return Verdict(ruling=Ruling.DROP, reason=outcome.detail)


def _unknown(delivery: Delivery, reason: str, now: Millis, policy: Policy) -> Verdict:
    if delivery.attempts < MOST_COPIES and (policy.repeat_hot or delivery.kind is not Kind.BROADCAST):
        return Verdict(ruling=Ruling.RETRY, at=now + AFTER_UNKNOWN, reason=reason)
    return Verdict(ruling=Ruling.PARK, reason=f"may have been delivered: {reason}")


def _later(delivery: Delivery, ruling: Ruling, at: Millis, reason: str, now: Millis) -> Verdict:
    if now - delivery.since > GIVE_UP_AFTER:
        return Verdict(ruling=Ruling.PARK, reason=f"gave up after a day: {reason}")
    return Verdict(ruling=ruling, at=at, reason=reason, free=True)
