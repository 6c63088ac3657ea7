"""Permits that all senders share, on a clock that a test turns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.telegram.lots import MOST, Lots


@dataclass
class Shared:
    """A rate of one permit a second, and a clock that moves by sleeping."""

    now: float = 100.0
    free_at: float = 100.0
    gap: float = 1.0
    lots: list[int] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    async def take(self, n: int) -> float:
        await asyncio.sleep(0)  # whoever else waits comes to wait
        self.lots.append(n)
        first = max(self.now, self.free_at)
        self.free_at = first + n * self.gap
        return first - self.now


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def lots(shared: Shared) -> Lots:
    return Lots(shared, clock=shared.clock, sleep=shared.sleep)


async def test_a_lot_is_as_large_as_the_calls_that_wait_for_one(shared: Shared, lots: Lots) -> None:
    left: list[float] = []

    async def call() -> None:
        await lots.permit()
        left.append(shared.now)

    await asyncio.gather(*(call() for _ in range(5)))
    assert shared.lots == [1, 4]
    assert left == [100, 101, 102, 103, 104]
    await lots.permit()
    assert shared.lots == [1, 4, 1]


async def test_a_lot_has_its_most(shared: Shared, lots: Lots) -> None:
    await asyncio.gather(*(lots.permit() for _ in range(MOST + 1)))
    assert shared.lots == [1, MOST]


async def test_a_permit_that_was_missed_is_void(shared: Shared, lots: Lots) -> None:
    """A frozen process goes on as if nothing had been: the moments of its permits have passed."""
    calls = [asyncio.create_task(lots.permit()) for _ in range(3)]
    while sum(shared.lots) < 3:  # noqa: ASYNC110 - a turn of the loop, not a time
        await asyncio.sleep(0)
    shared.now += 60
    await asyncio.gather(*calls)
    assert sum(shared.lots) == 5  # the first went before; the other two asked again
    assert shared.free_at >= 162
