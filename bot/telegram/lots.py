"""Permits that all senders share, taken in lots and handed out one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: A permit is used at most so long after its moment; the shared rate allows for it.
LATE_S = 0.03
#: The most permits in a lot: what a worker that dies takes with it.
MOST = 32


class Rate(Protocol):
    """Where permits come from (`store.rate.SharedRate`)."""

    @property
    def gap(self) -> float:
        """Seconds between two permits."""
        ...

    async def take(self, n: int) -> float:
        """Take `n` permits: the seconds until the first, negative when it has passed."""
        ...


class Lots:
    """Hands out permits. A lot is as large as the number of calls that wait, so that none is taken in vain."""

    def __init__(
        self,
        rate: Rate,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._moments: deque[float] = deque()
        self._taking = asyncio.Lock()
        self._waiting = 0

    async def permit(self) -> None:
        """Return at the moment of a permit.

        One that is missed, because this process was frozen or busy, is void: the others' permits follow it.
        """
        while True:
            at = await self._next()
            while (wait := at - self._clock()) > 0:
                await self._sleep(wait)
            if -wait <= LATE_S:
                return

    async def _next(self) -> float:
        self._waiting += 1
        try:
            async with self._taking:
                while self._moments and self._moments[0] < self._clock() - LATE_S:
                    self._moments.popleft()
                if not self._moments:
                    number = min(MOST, self._waiting)
                    first = await self._rate.take(number) + self._clock()
                    self._moments.extend(first + i * self._rate.gap for i in range(number))
                return self._moments.popleft()
        finally:
            self._waiting -= 1
