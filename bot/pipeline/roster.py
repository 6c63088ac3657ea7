"""The feeds as this worker knows them: those it was configured with, and what is added or taken out by chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.roster import roster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.core.model import Feed
    from bot.store.store import Store


class Roster:
    """Shared by who polls and who answers; `feeds` and `titles`, by name, are changed in place by `refresh`."""

    def __init__(self, store: Store, catalogue: Iterable[Feed]) -> None:
        self._store = store
        self.catalogue = tuple(catalogue)
        self.feeds: dict[str, Feed] = {}
        self.titles: dict[str, str] = {}
        self._take(self.catalogue)

    async def refresh(self) -> None:
        """Look for what was changed by chat, here or in another worker."""
        feeds = roster(self.catalogue, await self._store.added.feeds())
        if tuple(self.feeds.values()) != feeds:
            self._take(feeds)

    def _take(self, feeds: Iterable[Feed]) -> None:
        known = {feed.name: feed for feed in feeds}
        self.feeds.clear()
        self.feeds.update(known)
        self.titles.clear()
        self.titles.update({name: feed.title for name, feed in known.items()})
