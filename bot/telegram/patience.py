"""How much one person may ask: so many commands a minute, then one notice, then silence until the minute is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from bot.telegram.fresh import MOST, Fresh

if TYPE_CHECKING:
    from bot.core.model import Millis

PER_MINUTE = 20
MINUTE_MS = 60_000


class Answer(Enum):
    """How to take a message."""

    GLADLY = auto()
    WITH_A_NOTICE = auto()  #: not done; the person is told, once
    NOT = auto()


@dataclass(slots=True)
class _Minute:
    asked: int = 0


class Patience:
    """Counts by person, from the first command of a minute."""

    def __init__(self, most: int = MOST) -> None:
        self._minutes: Fresh[int, _Minute] = Fresh(MINUTE_MS, most)

    def ask(self, person: int, now: Millis) -> Answer:
        """Count a command of `person`."""
        minute = self._minutes.get(person, now)
        if minute is None:
            minute = _Minute()
            self._minutes.put(person, minute, now)
        minute.asked += 1
        if minute.asked <= PER_MINUTE:
            return Answer.GLADLY
        return Answer.WITH_A_NOTICE if minute.asked == PER_MINUTE + 1 else Answer.NOT
