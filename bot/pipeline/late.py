"""Pages that could not be read before their articles went out: what they tell comes after, to whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.core.cadence import next_visit
from bot.core.describe import late_tags
from bot.core.model import PageFacts
from bot.pipeline.retrieve import is_hopeless

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.pipeline.ports import Clock
    from bot.pipeline.retrieve import Retriever
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store

log = structlog.get_logger(__name__)
#: Read after one tick; more wait for the next, so that feeds are not held up.
AT_ONCE = 20


class LatePages:
    """Reads the pages that are due, one after the other."""

    def __init__(
        self, *, store: Store, retriever: Retriever, tagger: Tagger, clock: Clock, on_alerts: Callable[[], None]
    ) -> None:
        self._store = store
        self._retriever = retriever
        self._tagger = tagger
        self._clock = clock
        self._on_alerts = on_alerts

    async def read_due(self) -> int:
        """Read what is due; the number of alerts that came of it. Raises StorageError."""
        alerts = 0
        due = await self._store.pages.due(self._clock(), AT_ONCE)
        if not due or not await self._store.pages.have_readers():
            return 0
        for late in due:
            page = await self._retriever.read_late(late)
            now, article = self._clock(), late.article
            if isinstance(page, PageFacts):
                await self._tagger.refresh()
                tags = late_tags(article, page, self._tagger.lexicon)
                stored = await self._store.pages.read(article.id, page, tags, now)
                alerts += stored.alerts + await self._store.fanouts.finish(stored.owed)
                log.info("page.late", article=article.id, tags=len(tags))
            else:
                again = next_visit(late.attempts + 1, article.seen_at, now, page.retry_after or 0)
                await self._store.pages.put_off(article.id, None if is_hopeless(page) else again)
        if alerts:
            self._on_alerts()
        return alerts
