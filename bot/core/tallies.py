"""Hot news in numbers: whom it would go to, and what became of its copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Why rows are dropped that are no fault of anybody.
OFF, STOPPED, GONE = "hot news is switched off", "the broadcast was stopped", "the chat is gone"
#: Reasons of failures that are shown; the rest is in the table of rows.
SHOWN_REASONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom a broadcast would go to now."""

    readers: int = 0
    asleep: int = 0  #: of them, those who get it when their quiet hours or their pause end
    silent: int = 0  #: of them, those who wish hot news without a sound
    off: int = 0  #: beside them, those who have switched hot news off

    def minutes(self, per_second: float) -> int:
        """Whole minutes that it takes at so many messages a second; 0: less than one."""
        return round(self.readers / per_second / 60) if per_second else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the rows of a broadcast, or of its last change."""

    sent: int = 0
    left: int = 0  #: due, or on the wire
    later: int = 0  #: when their readers may be disturbed
    retired: int = 0  #: the chat is gone, or blocks us
    failed: int = 0
    unwanted: int = 0  #: switched off meanwhile
    stopped: int = 0
    reasons: tuple[tuple[str, int], ...] = ()  #: of what was retired or failed, most frequent first

    @property
    def total(self) -> int:
        """All of them."""
        return self.sent + self.open + self.retired + self.failed + self.unwanted + self.stopped

    @property
    def open(self) -> int:
        """Not settled yet."""
        return self.left + self.later


def tally(rows: Iterable[tuple[DeliveryState, bool, str, int]]) -> Tally:
    """From (state, whether it is due, reason, number)."""
    counts = dict.fromkeys(("sent", "left", "later", "retired", "failed", "unwanted", "stopped"), 0)
    reasons: dict[str, int] = {}
    for state, due, reason, number in rows:
        match state:
            case DeliveryState.SENT:
                name = "sent"
            case DeliveryState.QUEUED | DeliveryState.CLAIMED:
                name = "left" if due or state is DeliveryState.CLAIMED else "later"
            case DeliveryState.PARKED:
                name = "failed"
            case DeliveryState.DROPPED:
                name = {OFF: "unwanted", STOPPED: "stopped"}.get(reason, "retired")
        counts[name] += number
        if name in {"failed", "retired"}:
            reasons[reason] = reasons.get(reason, 0) + number
    most = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))[:SHOWN_REASONS]
    return Tally(**counts, reasons=tuple(most))
