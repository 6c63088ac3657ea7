"""What goes wrong on demand: for one chat or for all, some times or until it is cleared."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.params import ApiError

if TYPE_CHECKING:
    from aiohttp import web

#: `reset` and `hang` are a lost connection and silence, before or after the call is carried out; `slow` answers late;
#: an `outage` is a bad gateway for every method, where the others concern what flood rules count.
KINDS = ("429", "500", "502", "outage", "slow", "parse", "reset-before", "reset-after", "hang", "hang-after")
#: What a fault does when the call has been carried out.
AFTER = frozenset({"reset-after", "hang-after"})


@dataclass(slots=True)
class Fault:
    """Something that goes wrong: for one chat or for all, `times` times or until it is cleared; waits in seconds."""

    kind: str
    chat_id: int | None
    times: int | None
    retry_after: int
    delay: float


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()

    def __iter__(self) -> Any:
        return iter([asdict(fault) for fault in self._faults])

    def set(
        self,
        kind: str,
        *,
        chat_id: int | None = None,
        times: int | None = None,
        retry_after: int = 3,
        delay: float = 3,
    ) -> None:
        """From now on this goes wrong with every call it concerns. Raises ValueError for a fault there is not."""
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}; there are {', '.join(KINDS)}")
        self._faults.append(Fault(kind, chat_id, times, retry_after, delay))

    def clear(self, kind: str = "") -> None:
        """Everything works again, or this kind goes wrong no more; what hangs or waits is let go."""
        self._faults = [fault for fault in self._faults if kind and fault.kind != kind]
        self._changed.set()
        self._changed = asyncio.Event()

    def take(self, chat_id: int, *, counted: bool) -> Fault | None:
        """What goes wrong with this call, counted; `counted` is whether flood rules count the call too."""
        for fault in self._faults:
            if fault.chat_id in {None, chat_id} and (counted or fault.kind == "outage"):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    async def go_wrong(self, request: web.Request, fault: Fault) -> None:
        """Let a call fail as `fault` says. Raises ApiError, or returns where the call may go on."""
        match fault.kind:
            case "429":
                said = f"Too Many Requests: retry after {fault.retry_after}"
                raise ApiError(429, said, retry_after=fault.retry_after)
            case "parse":
                raise ApiError(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0')
            case "500":
                raise ApiError(500, "Internal Server Error")
            case "502" | "outage":
                raise ApiError(502, "Bad Gateway")
            case "slow":
                await self._wait(fault.delay)
                return
            case "hang" | "hang-after":
                await self._wait(None)
        if request.transport is not None:
            request.transport.abort()
        raise ApiError(500, "the connection was reset")

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
