"""What goes wrong on demand: for one chat or for all, some times or until it is cleared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.playground.params import ApiError

if TYPE_CHECKING:
    from aiohttp import web

#: `reset` and `hang` are a lost connection and silence, before or after the call is carried out.
KINDS = ("429", "500", "502", "parse", "reset-before", "reset-after", "hang", "hang-after")


@dataclass(slots=True)
class Fault:
    """Something that goes wrong: for one chat or for all, `times` times or until it is cleared."""

    kind: str
    chat_id: int | None
    times: int | None
    retry_after: int


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()

    def set(self, kind: str, *, chat_id: int | None = None, times: int | None = None, retry_after: int = 3) -> None:
        """From now on this goes wrong with every counted call. Raises ValueError for a fault there is not."""
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}; there are {', '.join(KINDS)}")
        self._faults.append(Fault(kind, chat_id, times, retry_after))

    def clear(self) -> None:
        """Everything works again; what hangs is let go."""
        self._faults.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    def take(self, chat_id: int) -> Fault | None:
        """What goes wrong with this call, counted."""
        for fault in self._faults:
            if fault.chat_id in {None, chat_id}:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    async def go_wrong(self, request: web.Request, fault: Fault) -> None:
        """Let a call fail as `fault` says. Raises ApiError, or returns where the call may go on."""
        if fault.kind == "429":
            said = f"Too Many Requests: retry after {fault.retry_after}"
            raise ApiError(429, said, retry_after=fault.retry_after)
        if fault.kind == "parse":
            raise ApiError(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0')
        if fault.kind in {"500", "502"}:
            raise ApiError(int(fault.kind), "Internal Server Error" if fault.kind == "500" else "Bad Gateway")
        if fault.kind.startswith("hang"):
            await self._changed.wait()
        if request.transport is not None:
            request.transport.abort()
        raise ApiError(500, "the connection was reset")
