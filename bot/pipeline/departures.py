"""The last step before the wire: a row's try is counted, together with those of others that go at the same moment.

What is counted may have arrived; what is not cannot have. So a process that is killed while its rows wait for their
turn has spent none of their tries, and a row that another sender took meanwhile does not go a second time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.model import Delivery
    from bot.store.outbox import Outbox

log = structlog.get_logger(__name__)


class Departures:
    """Counts tries for one sender, in as few transactions as the moment allows."""

    def __init__(self, outbox: Outbox, owner: str) -> None:
        self._outbox = outbox
        self._owner = owner
        self._waiting: list[tuple[Sequence[Delivery], asyncio.Future[bool]]] = []
        self._counting: asyncio.Task[None] | None = None

    def of(self, rows: Sequence[Delivery]) -> Callable[[], asyncio.Future[bool]]:
        """What to await before a message of these rows goes: whether it may. Asked twice, it is one try."""
        answer: asyncio.Future[bool] | None = None

        def leave() -> asyncio.Future[bool]:
            nonlocal answer
            if answer is None:
                answer = asyncio.get_running_loop().create_future()
                self._waiting.append((rows, answer))
                if self._counting is None:
                    self._counting = asyncio.create_task(self._count())
            return answer

        return leave

    async def _count(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # whoever goes at this moment goes along
                waiting, self._waiting = self._waiting, []
                ids = [row.id for rows, _ in waiting for row in rows]
                try:
                    mine = await self._outbox.leave(self._owner, ids)
                except Exception as error:  # noqa: BLE001 - a database that is away: nothing goes, and nothing is lost
                    log.warning("deliver.not_counted", error=type(error).__name__)
                    mine = set()
                for rows, answer in waiting:
                    if not answer.done():
                        answer.set_result(all(row.id in mine for row in rows))
        finally:
            self._counting = None
