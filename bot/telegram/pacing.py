"""The limiter under every call of the bot, answers and outbox alike: each waits for its turn by `core.pacing`."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from telegram.error import ChatMigrated, RetryAfter
from telegram.ext import BaseRateLimiter

from bot.core.pacing import ANSWERS
from bot.pipeline.ports import at_will

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from telegram._utils.types import JSONDict

    from bot.core.model import Lane
    from bot.core.pacing import Chat, Pacer, Ticket
    from bot.pipeline.ports import Leave

log = structlog.get_logger(__name__)
#: What Telegram counts: messages sent, edited and deleted, not questions asked. An album would count as one; the bot
#: sends none.
COUNTED = ("send", "editMessage", "copyMessage", "forwardMessage", "deleteMessage")
UNCOUNTED = frozenset({"sendChatAction"})
#: Seconds a call waits for slots of all, after its chat's patience: less than the outbox's lease.
QUEUE_S = 30.0
#: Slots taken at once from a shared rate, in seconds of it.
LOT_S = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How a call waits: the library's `rate_limit_args`, which must not be falsy, for it drops those."""

    lane: int  #: ANSWERS, or a Lane of the outbox
    patience: float  #: seconds; where its chat makes it wait longer, it comes back as RetryAfter, without a call
    retries: int = 0  #: after a flood
    leave: Leave = at_will  #: asked as its turn has come


#: A person waits for it: tried again after floods that a person waits out.
ANSWER = Pace(ANSWERS, patience=60.0, retries=2)


def bulk(lane: Lane, leave: Leave = at_will) -> Pace:
    """The pace of the outbox, which has other chats to go on with and tries again by itself."""
    return Pace(lane, patience=3.0, leave=leave)


class NeverLeftError(asyncio.CancelledError):
    """The call was cancelled, or refused by its `leave`, before it went: Telegram cannot have seen it."""


class Permits(Protocol):
    """The rate of all, where several processes send: `Pacer(shared=True)` takes its slots from here."""

    async def take(self, slots: int, *, paid: bool) -> float:
        """Seconds until the first of `slots` slots in a row, as far apart as the rate wants; nobody else has them."""
        ...


class PacingLimiter(BaseRateLimiter[Pace]):
    """Paces by `pacer`, on the clock of the event loop. A call without a pace is an answer."""

    def __init__(self, pacer: Pacer, permits: Permits | None = None) -> None:
        self._pacer = pacer
        self._permits = permits
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._refills: dict[bool, asyncio.Task[None]] = {}

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Let nobody go any more."""
        if self._timer is not None:
            self._timer.cancel()
        for refill in self._refills.values():
            refill.cancel()

    def recall(self, chat: int, ages_s: Iterable[float]) -> None:
        """Other senders wrote to `chat` so many seconds ago."""
        now = _now()
        self._pacer.recall(chat, [now - age for age in ages_s], now)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Pace | None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Make the call when its turn comes. Raises RetryAfter when Telegram, or a chat's long wait, says so."""
        if not endpoint.startswith(COUNTED) or endpoint in UNCOUNTED:
            return await callback(*args, **kwargs)
        pace, chat = rate_limit_args or ANSWER, _chat(data)
        paid = bool(data.get("allow_paid_broadcast"))
        for retry in range(pace.retries + 1):
            ticket = await self._turn(chat, pace, paid=paid)
            if pace.leave is not at_will:
                await _left(pace.leave)
            try:
                answer = await callback(*args, **kwargs)
            except RetryAfter as flood:
                wait = seconds(flood)
                if chat is not None:
                    self._pacer.flooded(chat, _now(), wait)
                    self._go()
                if chat is None or retry == pace.retries or wait > pace.patience:
                    raise
            except ChatMigrated as moved:
                if chat is not None:
                    self._pacer.renamed(chat, moved.new_chat_id)
                raise
            else:
                self._pacer.accepted(ticket, _now())
                if isinstance(chat, str) and isinstance(answer, dict) and "chat" in answer:
                    self._pacer.renamed(chat, answer["chat"]["id"])
                return answer
        raise AssertionError("unreachable: the last try returns or raises")

    async def _turn(self, chat: Chat | None, pace: Pace, *, paid: bool) -> Ticket:
        now = _now()
        wait = self._pacer.wait(chat, pace.lane, now)
        if wait > pace.patience:
            raise RetryAfter(math.ceil(wait))
        ticket = self._pacer.ask(chat, now, lane=pace.lane, paid=paid)
        self._go()
        if ticket.left:
            return ticket
        turn = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(None if pace.patience == math.inf else pace.patience + QUEUE_S):
                await turn
        except asyncio.CancelledError:
            raise NeverLeftError from None
        except TimeoutError:
            raise RetryAfter(max(1, math.ceil(self._pacer.wait(chat, pace.lane, _now())))) from None
        finally:
            ticket.withdrawn = True
            self._waiting.pop(ticket, None)
        return ticket

    def _go(self) -> None:
        """Let go whoever may, and look again when the next one may."""
        for ticket in self._pacer.due(_now()):
            turn = self._waiting.pop(ticket, None)
            if turn is not None and not turn.done():
                turn.set_result(None)
        at = self._pacer.next_at()
        if self._timer is None or self._timer.when() != at:
            if self._timer is not None:
                self._timer.cancel()
            loop = asyncio.get_running_loop()
            self._timer = None if at == math.inf else loop.call_at(at, self._ring)
        if self._permits is not None:
            self._refill(self._permits)

    def _ring(self) -> None:
        self._timer = None
        self._go()

    def _refill(self, permits: Permits) -> None:
        for paid in (False, True):
            if paid not in self._refills and self._pacer.hungry(paid=paid):
                self._refills[paid] = asyncio.create_task(self._fetch(permits, paid=paid))

    async def _fetch(self, permits: Permits, *, paid: bool) -> None:
        slots = self._pacer.lot(LOT_S, paid=paid)
        try:
            wait = await permits.take(slots, paid=paid)
        except Exception as error:  # noqa: BLE001 - whatever keeps the rate from us, calls wait and are not lost
            log.warning("permits.failed", error=type(error).__name__)
            await asyncio.sleep(1)
        else:
            self._pacer.supply(_now() + wait, slots, paid=paid)
        finally:
            del self._refills[paid]
        self._go()


async def _left(leave: Leave) -> None:
    try:
        if await leave():
            return
    except asyncio.CancelledError:
        pass
    raise NeverLeftError


def seconds(flood: RetryAfter) -> int:
    """`retry_after` in whole seconds; the library hands it out as a number or as timedelta (telegram.md 2.3)."""
    asked = flood.retry_after
    return math.ceil(asked if isinstance(asked, int | float) else asked.total_seconds())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _chat(data: dict[str, Any]) -> Chat | None:
    """The chat of a call: an id, also where it was given as text, or an @name; None for none."""
    chat = data.get("chat_id")
    try:
        return None if chat is None else int(chat)
    except ValueError:
        return str(chat).lower()
