"""Telegram's flood rules (telegram.md 1.1), against any steady clock in seconds."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

OVERALL, OVERALL_WINDOW_S = 30, 1.0
GROUP, GROUP_WINDOW_S = 20, 60.0
#: "About one a second, short bursts tolerated".
PRIVATE, PRIVATE_WINDOW_S = 5, 3.0


class Limits:
    """Counts messages; answers how long to wait when there were too many. `overall`: in any second, to all chats."""

    def __init__(self, clock: Callable[[], float], *, overall: int = OVERALL) -> None:
        self._clock = clock
        self._most = overall
        self._overall: deque[float] = deque()
        self._chats: dict[int, deque[float]] = defaultdict(deque)

    def retry_after(self, chat_id: int) -> int:
        """Count a message to `chat_id`: 0, or the whole seconds to wait (the message then does not count)."""
        now = self._clock()
        most, window = (GROUP, GROUP_WINDOW_S) if chat_id < 0 else (PRIVATE, PRIVATE_WINDOW_S)
        waits = [
            _wait(self._overall, now, self._most, OVERALL_WINDOW_S),
            _wait(self._chats[chat_id], now, most, window),
        ]
        if max(waits) > 0:
            return max(1, math.ceil(max(waits)))
        self._overall.append(now)
        self._chats[chat_id].append(now)
        return 0


def _wait(sent: deque[float], now: float, most: int, window: float) -> float:
    while sent and now - sent[0] >= window:
        sent.popleft()
    return window - (now - sent[0]) if len(sent) >= most else 0.0
