"""An event loop whose clock jumps to the next timer instead of waiting for it: hours pass in no time, and always alike."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
START = 1000.0
STEP = 1e-6  #: a turn of the loop takes time too: who waits until a moment must find it passed


class _Jump(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self.now += max(timeout, STEP)
        return super().select(0)


class TurnedLoop(asyncio.SelectorEventLoop):
    """Time passes only when everybody waits for it."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def turned(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a turned clock."""
    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        return runner.run(work)
