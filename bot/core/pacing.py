"""How fast Telegram may be called (telegram.md 1.1): pure, with `now` in seconds of any steady clock.

A call stands in a line of its chat and lane until the chat may get a message, then in its lane until a slot of all
comes. Both are taken at the moment the call leaves: what waits holds nobody else up, and waiting stretches no limit.
Each step costs the same however many chats there are, but for the heap of resting lines (a logarithm).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

from bot.core.model import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The lane of answers to people, before every lane of the outbox.
ANSWERS = 0
#: So many calls in a row may pass a waiting lower lane; then the one who has waited longest is next, whoever it is.
PASSES = 9
#: Messages a private chat takes at once before 1/s holds: "short bursts are tolerated".
BURST = 3
GROUP_WINDOW_S = 60.0
#: Messages a minute to a group that answers leave alone: members who play with the bot do not silence its news.
KEPT_FOR_NEWS = 2
#: Slots are spaced a little wider than the rate says (30/s becomes 29.91/s), and a loop that wakes late may catch up.
MARGIN, LATE_S = 1.003, 0.05
#: What Telegram looks at, and a little more. Calls travel: one that took longer than the quickest may have arrived so
#: much later, and counts from then, up to JITTER_S.
SECOND, JITTER_S = 1.001, 0.25
CHAT_MARGIN = 1.005
#: So many chats reporting a flood, with nothing accepted in between, mean that all of us is too fast, not one chat.
FLOODED_CHATS, FLOODED_WITHIN_S = 3, 5.0
#: A group that asks for a longer wait is in slow mode (1.1), which says nothing about the others.
SLOW_MODE_S = 60.0
#: New names of chats kept.
NAMES = 1000

Chat = int | str  #: an id, negative for groups and channels, or the @name of one


@dataclass(slots=True, eq=False)
class Ticket:
    """A call's place in the line; whoever no longer waits sets `withdrawn`."""

    asked: int  #: the order of asking
    left: bool = False
    counts_from: float = -inf  #: when Telegram had it, as far as is known
    withdrawn: bool = False


@dataclass(slots=True, eq=False)
class _Line:
    """The calls of one lane to one chat. It stands in its lane of the gate, or rests until its chat may get more."""

    chat: _Chat | None
    lane: int
    paid: bool
    tickets: list[Ticket] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Chat:
    sent: deque[float] | None  #: when a group's last messages left; None for a private chat
    next_free: float = -inf  #: theoretical arrival time of a private chat's next message (GCRA)
    paused_until: float = -inf
    others: tuple[float, ...] = ()  #: when other senders wrote there, as far as we were told
    lines: dict[tuple[int, bool], _Line] = field(default_factory=dict)


class _Gate:
    """Evenly spaced slots, and the lines that wait for them by lane."""

    def __init__(self, rate: float, *, shared: bool) -> None:
        self.gap = MARGIN / rate if rate else 0.0
        self.next = -inf
        self.end = -inf if shared and rate else inf  #: where our lot of a shared rate ends
        self.sent: deque[Ticket] = deque(maxlen=max(1, int(rate)))
        self.lanes: tuple[deque[_Line], ...] = tuple(deque() for _ in range(max(Lane) + 1))
        self._passes = 0

    @property
    def opens(self) -> float:
        if self.next >= self.end:
            return inf
        full = self.gap and len(self.sent) == self.sent.maxlen
        return max(self.next, self.sent[0].counts_from + SECOND) if full else self.next

    def pick(self) -> _Line | None:
        waiting = [lane for lane in self.lanes if lane]
        if not waiting:
            return None
        if self._passes < PASSES:
            return waiting[0].popleft()
        return min(waiting, key=lambda lane: lane[0].tickets[0].asked).popleft()

    def expire(self, now: float) -> None:
        if now > self.end:
            self.next = max(self.next, now)

    def take(self, ticket: Ticket, lane: int, now: float) -> None:
        ticket.left, ticket.counts_from = True, now
        self.sent.append(ticket)
        self.next = (self.next if now - self.next <= LATE_S else now) + self.gap
        passes = not any(self.lanes[:lane]) and any(self.lanes[lane + 1 :])
        self._passes = self._passes + 1 if passes else 0


class Pacer:
    """Says which calls may leave. A limit of 0 is no limit.

    Args:
        overall: messages a second over all chats, evenly spaced: there is no burst at the start.
        per_chat: messages a second to one private chat, after a burst of BURST.
        per_group: messages in any minute to one group or channel.
        paid: messages a second that are marked as paid broadcasts; chats' own limits hold for them too.
        shared: whether the slots of all come in lots from outside (`supply`), because others send as well.
    """

    def __init__(
        self,
        *,
        overall: float = 30,
        per_chat: float = 1,
        per_group: int = 20,
        paid: float = 1000,
        shared: bool = False,
    ) -> None:
        self._gates: tuple[_Gate, _Gate] = (_Gate(overall, shared=shared), _Gate(paid, shared=shared))
        self._chat_gap = CHAT_MARGIN / per_chat if per_chat else 0.0
        self._per_group = per_group
        self._paused_until = -inf
        self._chats: OrderedDict[Chat, _Chat] = OrderedDict()
        self._names: dict[Chat, Chat] = {}
        self._resting: list[tuple[float, int, _Line]] = []
        self._order = count()
        self._quickest = inf  #: seconds of a call
        self._floods: deque[tuple[float, Chat, float]] = deque()

    # -- calls

    def ask(self, chat: Chat | None, now: float, *, lane: int = ANSWERS, paid: bool = False) -> Ticket:
        """Put a call in line; `due` gives its ticket back when it may leave."""
        ticket = Ticket(next(self._order))
        state = None if chat is None else self._state(chat, now)
        line = state.lines.get((lane, paid)) if state else None
        if line is None:
            line = _Line(state, lane, paid)
            if state:
                state.lines[lane, paid] = line
            self._place(line, now)
        line.tickets.append(ticket)
        return ticket

    def due(self, now: float) -> list[Ticket]:
        """The calls that leave now; they count from this moment."""
        while self._resting and self._resting[0][0] <= now:
            self._place(heappop(self._resting)[2], now)
        leaving: list[Ticket] = []
        for gate in self._gates:
            gate.expire(now)
            while max(gate.opens, self._paused_until) <= now and (line := gate.pick()) is not None:
                ticket = self._first(line, now)
                if ticket is not None:
                    gate.take(ticket, line.lane, now)
                    leaving.append(ticket)
        return leaving

    def next_at(self) -> float:
        """When `due` may give something; inf when nothing waits, or only for a lot of a shared rate."""
        at = self._resting[0][0] if self._resting else inf
        for gate in self._gates:
            if any(gate.lanes):
                at = min(at, max(gate.opens, self._paused_until))
        return at

    def wait(self, chat: Chat | None, lane: int, now: float) -> float:
        """Seconds that the chat, or a pause of everything, makes a call wait at least."""
        free = -inf if chat is None else self._free_at(self._state(chat, now), lane)
        return max(0.0, free - now, self._paused_until - now)

    # -- what Telegram says

    def accepted(self, ticket: Ticket, now: float) -> None:
        """Telegram took the call and said so by now: floods before it were their chats' own."""
        self._floods.clear()
        took = now - ticket.counts_from
        self._quickest = min(took, self._quickest * 1.0001)  # forgets in the course of an hour
        ticket.counts_from += min(took - self._quickest, JITTER_S)

    def flooded(self, chat: Chat, now: float, retry_after: float) -> None:
        """Telegram answered 429 for `chat`: it pauses, and everything does when several chats say so at once."""
        state = self._state(chat, now)
        state.paused_until = max(state.paused_until, now + retry_after)
        if state.sent is not None and retry_after > SLOW_MODE_S:
            return
        self._floods.append((now, chat, now + retry_after))
        while now - self._floods[0][0] > FLOODED_WITHIN_S:
            self._floods.popleft()
        if len({flooded for _, flooded, _ in self._floods}) >= FLOODED_CHATS:
            self._paused_until = max(self._paused_until, min(until for _, _, until in self._floods))

    def renamed(self, old: Chat, new: Chat) -> None:
        """The chat migrated, or its @name turned out to be this id: its past goes with it."""
        if len(self._names) >= NAMES:
            self._names.clear()
        self._names[old] = new
        state = self._chats.pop(old, None)
        if state is not None:
            self._chats.setdefault(new, state)

    # -- several senders

    def recall(self, chat: Chat, times: Iterable[float], now: float) -> None:
        """Others sent to `chat` at these times of the last minute: its limit counts them too. May be told again."""
        state, others = self._state(chat, now), tuple(sorted(times))
        known = sum(at > now - GROUP_WINDOW_S for at in state.others)
        state.others = others
        if state.sent is None:
            for at in others[known:]:
                state.next_free = max(state.next_free, at) + self._chat_gap

    def hungry(self, *, paid: bool) -> bool:
        """Whether calls wait and the last lot is used up."""
        gate = self._gates[paid]
        return gate.next >= gate.end and any(gate.lanes)

    def lot(self, seconds: float, *, paid: bool) -> int:
        """How many slots there are in so much time, at least one."""
        return max(1, round(seconds / self._gates[paid].gap))

    def supply(self, at: float, slots: int, *, paid: bool) -> None:
        """The next lot: `slots` slots from `at` on, the gap of the rate apart. A slot that nobody takes is lost."""
        gate = self._gates[paid]
        gate.next = max(gate.next, at)
        # Half a gap less, so that rounding makes no slot more.
        gate.end = at + (slots - 0.5) * gate.gap

    # -- lines and chats

    def _place(self, line: _Line, now: float) -> None:
        at = self._free_at(line.chat, line.lane) if line.chat else now
        if at > now:
            heappush(self._resting, (at, next(self._order), line))
        else:
            self._gates[line.paid].lanes[line.lane].append(line)

    def _first(self, line: _Line, now: float) -> Ticket | None:
        """The line's first call if it may leave now, counted for its chat; the line goes where it belongs."""
        while line.tickets and line.tickets[0].withdrawn:
            line.tickets.pop(0)
        chat, ticket = line.chat, None
        if line.tickets and (chat is None or self._free_at(chat, line.lane) <= now):
            ticket = line.tickets.pop(0)
            if chat is not None:
                self._count(chat, now)
        if line.tickets:
            self._place(line, now)
        elif chat is not None:
            del chat.lines[line.lane, line.paid]
        return ticket

    def _free_at(self, chat: _Chat, lane: int) -> float:
        at = chat.paused_until
        if chat.sent is None:
            return max(at, chat.next_free - (BURST - 1) * self._chat_gap)
        most = self._per_group if lane != ANSWERS else max(1, self._per_group - KEPT_FOR_NEWS)
        sent = sorted([*chat.sent, *chat.others]) if chat.others else chat.sent
        if self._per_group and len(sent) >= most:
            return max(at, sent[-most] + GROUP_WINDOW_S * CHAT_MARGIN)
        return at

    def _count(self, chat: _Chat, now: float) -> None:
        if chat.sent is None:
            chat.next_free = max(chat.next_free, now) + self._chat_gap
        else:
            chat.sent.append(now)

    def _state(self, chat: Chat, now: float) -> _Chat:
        """The chat's state, made the youngest; the two oldest are forgotten if they bind nothing any more.

        Two out for one in keeps memory bounded by the chats of the last minutes at a constant cost for each call.
        """
        chat = self._names.get(chat, chat)
        state = self._chats.get(chat)
        if state is None:
            group = isinstance(chat, str) or chat < 0
            state = self._chats[chat] = _Chat(deque(maxlen=max(1, self._per_group)) if group else None)
        self._chats.move_to_end(chat)
        for _ in range(2):
            oldest = next(iter(self._chats))
            if oldest == chat:
                break
            if self._binds(self._chats[oldest], now):
                self._chats.move_to_end(oldest)  # a long pause must not keep those behind it
            else:
                del self._chats[oldest]
        return state

    def _binds(self, chat: _Chat, now: float) -> bool:
        times = [*list(chat.sent or ())[-1:], *chat.others[-1:]]
        last = max(times) + GROUP_WINDOW_S * CHAT_MARGIN if times else chat.next_free
        return bool(chat.lines) or max(last, chat.paused_until) > now
