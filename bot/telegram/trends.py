"""What rises now, counted at most every few minutes: the count reads a month of articles."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.trending import by_week, offered, rising

if TYPE_CHECKING:
    from bot.core.trending import TagCount
    from bot.pipeline.ports import Clock
    from bot.store.store import Store

FRESH_MS = 3 * 60 * 1000


class Trends:
    """The tags of late, with their numbers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counting = asyncio.Lock()
        self._counts: list[TagCount] = []
        self._days = 1.0
        self._counted_at: int | None = None

    async def rising(self, limit: int) -> list[TagCount]:
        """Those that rise, the most surprising first."""
        await self._count()
        return rising(self._counts, self._days, limit)

    async def offered(self, limit: int) -> list[TagCount]:
        """What somebody is offered who has not said what they want."""
        await self._count()
        return offered(self._counts, self._days, limit)

    async def of_week(self) -> list[TagCount]:
        """All that were borne in the last 7 days, the most frequent first."""
        await self._count()
        return by_week(self._counts)

    def usual(self, one: TagCount) -> float:
        """How often a tag comes on a usual day."""
        return one.before / self._days

    async def _count(self) -> None:
        now = self._clock()
        async with self._counting:
            if self._counted_at is None or now - self._counted_at >= FRESH_MS:
                self._counts, self._days = await self._store.articles.tag_counts(now)
                self._counted_at = now
