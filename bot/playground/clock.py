"""The clock of the local Telegram: this machine's, and whatever it was turned on by since."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: A bot's timers are seldom longer, and a slip of the finger costs no year.
MAX_TURN_S = 30 * 24 * 60 * 60


class Clock:
    """Seconds since the epoch when called; `on_turn` are told when it was turned."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.ahead_s = 0.0
        self.on_turn: list[Callable[[], None]] = []

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self._base() + self.ahead_s

    def ms(self) -> int:
        """Milliseconds since the epoch."""
        return int(self() * 1000)

    def moment(self) -> datetime:
        """The same with its zone."""
        return datetime.fromtimestamp(self(), UTC)

    def turn(self, seconds: float) -> None:
        """Turn it on. Raises ValueError: time goes forwards, and not by more than 30 days at once."""
        if not 0 < seconds <= MAX_TURN_S:
            raise ValueError(f"seconds must be from 1 to {MAX_TURN_S}: the clock goes forwards only")
        self.ahead_s += seconds
        for tell in self.on_turn:
            tell()

    def saved(self) -> float:
        """What is kept: how far it was turned."""
        return self.ahead_s

    def restore(self, saved: float) -> None:
        """Go on from `saved`."""
        self.ahead_s = float(saved)
