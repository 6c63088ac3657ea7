"""Pages that could not be read before their articles went out: what they tell comes after, to whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.core.cadence import next_visit
from bot.core.describe import below, late_tags
from bot.core.model import PageFacts
from bot.core.search import indexed
from bot.pipeline.retrieve import is_hopeless

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.model import Article, Millis
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
                alerts += await self._keep(article, page, now)
            else:
                again = next_visit(late.attempts + 1, article.seen_at, now, page.retry_after or 0)
                await self._store.pages.put_off(article.id, None if is_hopeless(page) else again)
        if alerts:
            self._on_alerts()
        return alerts

    async def _keep(self, article: Article, page: PageFacts, now: Millis) -> int:
        await self._tagger.refresh()
        lexicon = self._tagger.lexicon
        tags = late_tags(article, page, lexicon)
        summary = article.summary or below(article.title, page.lead)
        words = indexed(article.title, summary, article.language, lexicon.forms)
        stored = await self._store.pages.read(article.id, page, tags, now, words)
        log.info("page.late", article=article.id, tags=len(tags))
        return stored.alerts + await self._store.fanouts.finish(stored.owed)
