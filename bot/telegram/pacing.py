"""The limiter under every call of the bot, answers and outbox alike: waits for the slots of `core.pacing`."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.telegram.lots import Lots

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from telegram._utils.types import JSONDict

    from bot.core.pacing import Pacer
    from bot.telegram.lots import Rate

#: What Telegram counts: messages sent and edited, not questions asked.
COUNTED = ("send", "edit", "copy", "forward")
UNCOUNTED = frozenset({"sendChatAction"})
#: An answer to a person is tried again after a flood of at most this many seconds, this often.
ANSWER_PATIENCE_S, ANSWER_RETRIES = 60.0, 2


@dataclass(frozen=True, slots=True)
class Bulk:
    """The mark of a call that the outbox makes: it is not retried here, and does not wait long for one chat."""

    patience: float = 3.0  #: seconds; a slot further away comes back as RetryAfter, without a call


class PacingLimiter(BaseRateLimiter[Bulk]):
    """Paces by `pacer`, and by `shared` where several senders share the limit of all.

    `clock` and `sleep` are the event loop's unless handed in.
    """

    def __init__(
        self,
        pacer: Pacer,
        *,
        shared: Rate | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._pacer = pacer
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._lots = Lots(shared, clock=self._clock, sleep=sleep) if shared else None

    def recall(self, chat: int, ages_s: Iterable[float]) -> None:
        """Other senders wrote to `chat` so many seconds ago."""
        now = self._clock()
        self._pacer.recall(chat, [now - age for age in ages_s], now)

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Bulk | None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Make the call when its slot comes. Raises RetryAfter when Telegram, or a slot too far away, says so."""
        chat = _chat(data)
        counted = endpoint.startswith(COUNTED) and endpoint not in UNCOUNTED
        for retry in range(ANSWER_RETRIES + 1):
            if counted:
                await self._wait(chat, rate_limit_args)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as flood:
                wait = seconds(flood)
                self._pacer.flooded(chat, self._clock(), wait)
                if rate_limit_args is not None or retry == ANSWER_RETRIES or wait > ANSWER_PATIENCE_S:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    async def _wait(self, chat: int, bulk: Bulk | None) -> None:
        now = self._clock()
        patience = bulk.patience if bulk else math.inf
        at = self._pacer.chat_slot(chat, now, patience=patience)
        if at - now > patience:
            raise RetryAfter(math.ceil(at - now))
        await self._sleep_until(at)
        await self._sleep_until(self._pacer.overall_slot(self._clock()))
        if self._lots is not None:
            await self._lots.permit()

    async def _sleep_until(self, at: float) -> None:
        wait = at - self._clock()
        if wait > 0:
            await self._sleep(wait)


def seconds(flood: RetryAfter) -> int:
    """`retry_after` in whole seconds; the library hands it out as a number or as timedelta (telegram.md 2.3)."""
    asked = flood.retry_after
    return math.ceil(asked if isinstance(asked, int | float) else asked.total_seconds())


def _chat(data: dict[str, Any]) -> int:
    try:
        return int(data.get("chat_id", 0))
    except (TypeError, ValueError):
        return 0
