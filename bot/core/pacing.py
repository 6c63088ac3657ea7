"""How fast Telegram may be called (telegram.md 1.1): pure, with `now` in seconds of any steady clock.

A call first waits for its chat's slot, then takes one of the slots of all; the second is taken only when the call can
really leave, so that a chat that must wait holds nobody else up.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Messages a private chat takes at once before 1/s holds: "short bursts are tolerated".
BURST = 3
GROUP_WINDOW_S = 60.0
#: Our clock and Telegram's never agree to the millisecond.
MARGIN = 1.005
#: So many chats reporting a flood within so many seconds mean that all of us is too fast, not one chat.
FLOODED_CHATS, FLOODED_WITHIN_S = 3, 5.0


@dataclass(slots=True)
class _Chat:
    next_free: float = -inf  #: theoretical arrival time of the chat's next message (GCRA)
    paused_until: float = -inf
    sent: deque[float] = field(default_factory=deque)  #: the slots of a group's last messages
    others: tuple[float, ...] = ()  #: when other senders wrote to the group, as far as we were told


class Pacer:
    """Slots for calls. A limit of 0 is no limit.

    Args:
        overall: messages a second over all chats, evenly spaced: there is no burst at the start.
        per_chat: messages a second to one private chat, after a burst of BURST.
        per_group: messages in any minute to one group or channel.
    """

    def __init__(self, *, overall: float = 30, per_chat: float = 1, per_group: float = 20) -> None:
        self._gap = MARGIN / overall if overall else 0.0
        self._chat_gap = MARGIN / per_chat if per_chat else 0.0
        self._per_group = int(per_group)
        self._next_free = -inf
        self._paused_until = -inf
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._floods: deque[tuple[float, int]] = deque()

    def chat_slot(self, chat: int, now: float, *, patience: float = inf) -> float:
        """When a message to `chat` (negative ids are groups and channels) may leave, at least `now`.

        A slot further away than `patience` seconds is told but not taken.
        """
        state = self._state(chat, now)
        at = max(now, state.paused_until)
        if chat < 0:
            sent = sorted([*state.sent, *state.others]) if state.others else state.sent
            if self._per_group and len(sent) >= self._per_group:
                at = max(at, sent[-self._per_group] + GROUP_WINDOW_S * MARGIN)
        elif self._chat_gap:
            at = max(at, state.next_free - (BURST - 1) * self._chat_gap)
        if at - now <= patience:
            self._take(state, chat, at)
        return at

    def recall(self, chat: int, times: Iterable[float], now: float) -> None:
        """Others sent to `chat` at these times of the last minute: its limit counts them too. May be told again."""
        state, others = self._state(chat, now), tuple(sorted(times))
        if chat < 0:
            state.others = others
            return
        free = -inf
        for at in others:
            free = max(free, at) + self._chat_gap
        state.next_free = max(state.next_free, free)

    def overall_slot(self, now: float) -> float:
        """When the next message of all may leave, at least `now`."""
        at = max(now, self._next_free, self._paused_until)
        self._next_free = at + self._gap
        return at

    def flooded(self, chat: int, now: float, retry_after: float) -> None:
        """Telegram answered 429 for `chat`: it pauses, and everything does when several chats say so at once."""
        state = self._state(chat, now)
        state.paused_until = max(state.paused_until, now + retry_after)
        self._floods.append((now, chat))
        while self._floods and now - self._floods[0][0] > FLOODED_WITHIN_S:
            self._floods.popleft()
        if len({flooded for _, flooded in self._floods}) >= FLOODED_CHATS:
            self._paused_until = max(self._paused_until, now + retry_after)

    def _take(self, state: _Chat, chat: int, at: float) -> None:
        if chat < 0:
            state.sent.append(at)
            while len(state.sent) > max(1, self._per_group):
                state.sent.popleft()
        else:
            state.next_free = max(state.next_free, at) + self._chat_gap

    def _state(self, chat: int, now: float) -> _Chat:
        """The chat's state, made the youngest; two of the oldest are forgotten if they bind nothing any more.

        Two out for one in keeps memory bounded by the chats of the last minutes at a constant cost per call.
        """
        state = self._chats.setdefault(chat, _Chat())
        self._chats.move_to_end(chat)
        for _ in range(2):
            oldest, old = next(iter(self._chats.items()))
            times = (*list(old.sent)[-1:], *old.others[-1:])
            last = max(times) + 2 * GROUP_WINDOW_S if times else old.next_free
            if oldest == chat or max(last, old.paused_until) > now:
                break
            del self._chats[oldest]
        return state
