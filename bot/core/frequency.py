"""How often a rule fires: over which days that is counted, and how many articles a day that makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS

if TYPE_CHECKING:
    from bot.core.model import Millis

WEEK_MS = 7 * DAY_MS
#: More than this a day is more than people read: they are asked first (reader-ux.md, alert fatigue).
MANY_A_DAY = 30


@dataclass(frozen=True, slots=True)
class Frequency:
    """How many articles of the last `days` a rule matched, and when the last of them was published."""

    count: int
    days: float
    last: Millis | None = None
    at_least: bool = False  #: it is so frequent that not even a day of it was read

    @property
    def per_day(self) -> float:
        """Articles a day."""
        return self.count / self.days

    @property
    def many(self) -> bool:
        """Whether its reader is asked before it is followed."""
        return self.per_day > MANY_A_DAY


def window(first_seen: Millis | None, now: Millis) -> Millis:
    """Since when published articles are counted: a week, or as long as anything was seen, but a day at least.

    What is older than the archive says little: one feed reaches back hours, another months.
    """
    return max(now - WEEK_MS, min(first_seen or now, now - DAY_MS))


def days_since(start: Millis, now: Millis) -> float:
    """How many days that is, one at least: what came in an hour does not come every hour."""
    return max(now - start, DAY_MS) / DAY_MS
