"""Looks at the service now and then, and has its admins told of what is wrong, and of what is right again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.core.alarms import Facts, Move, Step, may_tell, review
from bot.core.model import NoticeCode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.pipeline.ports import Clock
    from bot.store.store import Store

log = structlog.get_logger(__name__)


class Watch:
    """Sees to alarms.

    Args:
        store: where the facts and the alarms are.
        clock: the only one.
        admins: those whom the configuration names; the others are in the store.
        disk: bytes free, and in all, where the database is; None where that is another host's.
        on_queued: called when a message was queued.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        admins: Collection[int],
        disk: Callable[[], tuple[int, int] | None],
        on_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._admins = frozenset(admins)
        self._disk = disk
        self._on_queued = on_queued

    async def look(self) -> None:
        """Compare what is with what was told. Raises StorageError."""
        now = self._clock()
        waits, sending = await self._store.alarms.queue(now)
        facts = Facts(now=now, feeds=await self._store.feeds.states(), waits=waits, sending=sending, disk=self._disk())
        known = await self._store.alarms.known()
        await self._do(review(facts, known))

    async def token(self, *, refused: bool) -> None:
        """Telegram refuses our token, or takes it: told when it takes one again. Raises StorageError."""
        key, known = (NoticeCode.TOKEN, ""), await self._store.alarms.known()
        if refused and may_tell(key, known, self._clock()):
            await self._do([Move(Step.TELL, *key)])
        elif not refused and key in known and known[key].open:
            await self._do([Move(Step.FIX, *key)])

    async def _do(self, moves: list[Move]) -> None:
        if not moves:
            return
        for move in moves:
            log.warning("alarm", step=move.step.value, code=move.code.value, of=move.subject, detail=move.detail)
        known = await self._store.alarms.known()
        if await self._store.alarms.carry_out(moves, known, self._clock(), self._admins):
            self._on_queued()
