"""The poll's last step: store what polls found, those that end together in one transaction (a group commit)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.store.database import StorageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.core.model import FeedUpdate, StoredUpdate
    from bot.pipeline.ports import Clock
    from bot.store.store import Store

    Waiting = tuple[FeedUpdate, asyncio.Future[StoredUpdate]]


class Journal:
    """Stores polls; `admins` are the chats that notices go to."""

    def __init__(self, store: Store, clock: Clock, admins: Collection[int]) -> None:
        self._store = store
        self._clock = clock
        self._admins = frozenset(admins)
        self._waiting: list[Waiting] = []
        self._writing = asyncio.Lock()

    async def store(self, update: FeedUpdate) -> StoredUpdate:
        """Store a poll; whoever comes first writes for all who wait. Raises StorageError."""
        stored: asyncio.Future[StoredUpdate] = asyncio.get_running_loop().create_future()
        self._waiting.append((update, stored))
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            if waiting:
                await self._write(waiting)
        return await stored

    async def _write(self, waiting: Sequence[Waiting]) -> None:
        try:
            updates = [update for update, _ in waiting]
            results = await self._store.feeds.apply(updates, self._clock(), self._admins)
            for (_, stored), result in zip(waiting, results, strict=True):
                stored.set_result(result)
        except StorageError as error:
            for _, stored in waiting:
                stored.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it reaches the poll that it belongs to
            if len(waiting) == 1:
                waiting[0][1].set_exception(error)
                return
            for one in waiting:  # one of them is a defect: it must not cost the others their poll
                await self._write([one])
        finally:
            for _, stored in waiting:
                if not stored.done():
                    stored.cancel()  # we are being cancelled
