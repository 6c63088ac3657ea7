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


#: New and changed entries in one transaction: more would hold up the event loop while the statement is put together.
MOST_CHANGES = 300


class Journal:
    """Stores polls; `admins` are the chats that notices go to."""

    def __init__(self, store: Store, clock: Clock, admins: Collection[int]) -> None:
        self._store = store
        self._clock = clock
        self._admins = frozenset(admins)
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, update: FeedUpdate) -> StoredUpdate:
        """Store a poll, together with those that end while the one before is being written. Raises StorageError."""
        stored: asyncio.Future[StoredUpdate] = asyncio.get_running_loop().create_future()
        self._waiting.append((update, stored))
        if self._writer is None:
            # A task of its own: a poll that is cancelled must not take along what others wait for.
            self._writer = asyncio.create_task(self._write_all(), name="journal")
        return await stored

    async def close(self) -> None:
        """Let what is being written end."""
        if self._writer is not None:
            await self._writer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write([one for one in self._take() if not one[1].cancelled()])
        finally:
            self._writer = None

    def _take(self) -> list[Waiting]:
        """The next polls to be written together, with at most MOST_CHANGES or those of one poll."""
        changes = number = 0
        while number < len(self._waiting) and changes < MOST_CHANGES:
            changes += len(self._waiting[number][0].changes)
            number += 1
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        return taken

    async def _write(self, waiting: Sequence[Waiting]) -> None:
        try:
            updates = [update for update, _ in waiting]
            results = await self._store.feeds.apply(updates, self._clock(), self._admins)
        except StorageError as error:
            for _, stored in waiting:
                _fail(stored, error)
        except Exception as error:  # noqa: BLE001 - it reaches the poll that it belongs to
            if len(waiting) == 1:
                _fail(waiting[0][1], error)
                return
            for one in waiting:  # one of them is a defect: it must not cost the others their poll
                await self._write([one])
        else:
            for (_, stored), result in zip(waiting, results, strict=True):
                if not stored.done():
                    stored.set_result(result)


def _fail(stored: asyncio.Future[StoredUpdate], error: Exception) -> None:
    if not stored.done():
        stored.set_exception(error)
