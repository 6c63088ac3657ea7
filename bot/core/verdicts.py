"""What to do with an outbox row after a call: the one table of it (telegram.md 1.5, 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.model import Fate, Ruling, Verdict

if TYPE_CHECKING:
    from bot.core.model import Millis, Outcome

SECOND = 1000
HOUR = 3600 * SECOND
#: A row that could not go for this long is parked for people to see; an outage of Telegram is shorter.
GIVE_UP_AFTER = 24 * HOUR
SHORTEST_PAUSE, LONGEST_PAUSE = 2 * SECOND, 300 * SECOND
#: After a request that left without an answer; longer than Telegram takes to deliver what it did accept.
AFTER_UNKNOWN = 30 * SECOND


def judge(outcome: Outcome, *, attempts: int, queued_at: Millis, now: Millis, plain: bool = False) -> Verdict:
    """The verdict on one call.

    Args:
        outcome: what became of it.
        attempts: how often readers may have got the row, this call included.
        queued_at: when the row was queued; pauses grow with its age.
        now: the time of the answer.
        plain: whether the call was already the plain-text fallback.
    """
    age = max(0, now - queued_at)
    match outcome.fate:
        case Fate.SENT:
            return Verdict(ruling=Ruling.SENT, message_id=outcome.message_id)
        case Fate.FLOOD:
            return _later(now + outcome.retry_after * SECOND, "429", age)
        case Fate.UNSENT | Fate.SERVER:
            pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, age))
            return _later(now + pause, outcome.detail, age)
        case Fate.UNAUTHORISED:
            return _later(now + 60 * SECOND, outcome.detail, age)
        case Fate.UNKNOWN if attempts <= 1:
            return Verdict(ruling=Ruling.RETRY, at=now + AFTER_UNKNOWN, reason=outcome.detail)
        case Fate.UNKNOWN:
            # A third copy would be worse than a gap: say what is known and stop.
            return Verdict(ruling=Ruling.PARK, reason=f"may have been delivered: {outcome.detail}")
        case Fate.UNREACHABLE:
            return Verdict(ruling=Ruling.RETIRE, reason=outcome.detail)
        case Fate.MIGRATED:
            return Verdict(ruling=Ruling.MOVE, moved_to=outcome.moved_to, reason=outcome.detail)
        case Fate.NO_THREAD:
            return Verdict(ruling=Ruling.ROOT, reason=outcome.detail)
        case Fate.NO_RIGHTS:
            return Verdict(ruling=Ruling.DROP, reason=outcome.detail)
        case Fate.BAD_MARKUP if not plain:
            return Verdict(ruling=Ruling.PLAIN, reason=outcome.detail)
        case Fate.BAD_MARKUP | Fate.REJECTED:
            return Verdict(ruling=Ruling.PARK, reason=outcome.detail)


def _later(at: Millis, reason: str, age: int) -> Verdict:
    if age > GIVE_UP_AFTER:
        return Verdict(ruling=Ruling.PARK, reason=f"gave up after a day: {reason}")
    return Verdict(ruling=Ruling.RETRY, at=at, reason=reason, free=True)
