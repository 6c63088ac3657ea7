"""How hot news goes: what its one progress message says, and the job that starts what is due and keeps it current."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from bot.core.broadcast import BroadcastState
from bot.core.calendar import clock_time
from bot.core.card import plain_of
from bot.core.model import Button, Card, Fate, Kind, Lane
from bot.telegram.texts import Texts, html_of, speak

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.broadcast import Broadcast
    from bot.core.model import Millis
    from bot.core.tallies import Tally
    from bot.pipeline.ports import Clock, Sender
    from bot.store.store import Store

    Change = tuple[Kind, Tally] | None

log = structlog.get_logger(__name__)
#: Telegram minds a message that is edited more often (telegram.md 1.1: about 20 a minute).
EDITED_EVERY_MS = 3_000
#: What is due is looked for this often, unless somebody says that there is something.
LOOKED_EVERY_S = 1.0
#: After these the progress message is there no more, or not ours to change: it is given up.
_LOST = frozenset({Fate.NO_MESSAGE, Fate.FIXED, Fate.UNREACHABLE, Fate.NO_RIGHTS, Fate.REJECTED, Fate.MIGRATED})
_BAR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A broadcast and how far it is."""

    broadcast: Broadcast
    tally: Tally
    change: Change = None
    speed: float = 0.0  #: copies a second; 0: not known


def progress(t: Texts, at: Progress, time_zone: str) -> str:
    """What the progress message says, as HTML."""
    broadcast, tally = at.broadcast, at.tally
    done = tally.total - tally.open
    share = done * 100 // tally.total if tally.total else 100
    full = share * _BAR // 100
    lines = [
        f"<b>{_heading(t, broadcast.state)}</b>",
        f"{'▓' * full}{'░' * (_BAR - full)} {share} %",
        t.text("sent {sent} · left {left} · failed {failed}", sent=tally.sent, left=tally.left, failed=tally.failed),
    ]
    if tally.later:
        lines.append(t.plural("{n} waits for its reader to wake", "{n} wait for their readers to wake", tally.later))
    lines += others(t, tally)
    if broadcast.state is BroadcastState.SENDING and tally.left and at.speed:
        seconds = round(tally.left / at.speed)
        lines.append(
            t.text("{speed} a second · about {minutes}:{seconds} left", speed=f"{at.speed:.1f}",
                   minutes=seconds // 60, seconds=f"{seconds % 60:02}")
        )  # fmt: skip
    if at.change:
        lines.append(_changing(t, broadcast, at.change, time_zone))
    return "\n".join(lines)


def _heading(t: Texts, state: BroadcastState) -> str:
    return {
        BroadcastState.SENDING: t.text("Sending"),
        BroadcastState.PAUSED: t.text("Paused"),
        BroadcastState.DONE: t.text("Sent"),
        BroadcastState.STOPPED: t.text("Stopped: the rest was not sent"),
        BroadcastState.FAILED: t.text("Failed: nobody got it"),
        BroadcastState.RECALLED: t.text("Taken back"),
    }.get(state, str(state))


def others(t: Texts, tally: Tally) -> list[str]:
    """Who did not get it, and why."""
    lines = []
    if tally.retired:
        lines.append(t.plural("{n} reader is gone", "{n} readers are gone", tally.retired))
    if tally.unwanted:
        lines.append(t.plural("{n} wants no hot news", "{n} want no hot news", tally.unwanted))
    if tally.stopped:
        lines.append(t.plural("{n} was not sent", "{n} were not sent", tally.stopped))
    return lines + [f"{number} × {html_of(reason[:120])}" for reason, number in tally.reasons]


def _changing(t: Texts, broadcast: Broadcast, change: tuple[Kind, Tally], time_zone: str) -> str:
    kind, tally = change
    of, failed = tally.total, tally.failed + tally.retired
    if kind is Kind.RECALL:
        time = clock_time(broadcast.recalled_at, time_zone)
        return t.text("taken back at {time}: {done} of {of}, failed {failed}",
                      time=time, done=tally.sent, of=of, failed=failed)  # fmt: skip
    time = clock_time(broadcast.corrected_at, time_zone)
    return t.text("corrected at {time}: {done} of {of}, failed {failed}",
                  time=time, done=tally.sent, of=of, failed=failed)  # fmt: skip


def controls(t: Texts, broadcast: Broadcast) -> tuple[tuple[Button, ...], ...]:
    """The buttons below it."""

    def key(label: str, action: str) -> Button:
        return Button(label, data=f"hot-{action}:{broadcast.id}:{broadcast.content.hash}")

    running = {
        BroadcastState.SENDING: (key(t.text("Pause"), "pause"), key(t.text("Stop"), "stop")),
        BroadcastState.PAUSED: (key(t.text("Resume"), "resume"), key(t.text("Stop"), "stop")),
    }.get(broadcast.state, (key(t.text("Report"), "report"),))
    if broadcast.state is BroadcastState.RECALLED:
        return (running,)
    return running, (key(t.text("Correct…"), "correct"), key(t.text("Recall…"), "recall"))


def ended(state: BroadcastState, tally: Tally) -> BroadcastState:
    """What a broadcast is when nothing of it waits any more."""
    if state not in {BroadcastState.SENDING, BroadcastState.PAUSED}:
        return state
    return BroadcastState.FAILED if tally.failed and not tally.sent else BroadcastState.DONE


class HotNews:
    """Starts what is due, once among all workers, and tells how each goes, until nothing of it waits.

    What it knows stands in the database: after a restart it goes on in the same message.
    """

    def __init__(
        self, *, store: Store, sender: Sender, clock: Clock, time_zone: str, on_queued: Callable[[], None]
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._time_zone = time_zone
        self._on_queued = on_queued
        self._told: dict[int, tuple[Millis, int, str]] = {}  #: by broadcast: when, copies sent by then, what was said
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Somebody confirmed something: look at once."""
        self._awake.set()

    async def run(self) -> None:
        """Do it until cancelled. Raises StorageError."""
        while True:
            self._awake.clear()
            await self.tick()
            try:
                async with asyncio.timeout(LOOKED_EVERY_S):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def tick(self) -> None:
        """Look once."""
        now = self._clock()
        found = await self._store.broadcasts.open()
        if any(one.state is BroadcastState.SCHEDULED and one.starts_at <= now for one in found):
            for one in await self._store.broadcasts.start_due(now):
                log.info("broadcast.started", broadcast=one.id, readers=one.total)
            self._on_queued()
            found = await self._store.broadcasts.open()
        for one in found:
            if one.state is not BroadcastState.SCHEDULED:
                await self._follow(one, now)
        self._told = {one.id: self._told[one.id] for one in found if one.id in self._told}

    async def _follow(self, broadcast: Broadcast, now: Millis) -> None:
        told_at, told_sent, said = self._told.get(broadcast.id, (0, 0, ""))
        if abs(now - told_at) < EDITED_EVERY_MS:
            return
        tally, change = await self._store.runs.tally(broadcast.id, now)
        over = not tally.open and (change is None or not change[1].open)
        shown = replace(broadcast, state=ended(broadcast.state, tally)) if over else broadcast
        since = told_at or broadcast.started_at
        speed = (tally.sent - told_sent) * 1000 / max(1, now - since)
        at = Progress(broadcast=shown, tally=tally, change=change, speed=max(0.0, speed))
        html = await self._show(at, said)
        if html is not None:
            if html:
                self._told[broadcast.id] = (now, tally.sent, html)
            if over and await self._store.broadcasts.finish(broadcast.id, now):
                log.info("broadcast.over", broadcast=broadcast.id, sent=tally.sent, failed=tally.failed)

    async def _show(self, at: Progress, said: str) -> str | None:
        """What the message says now, "" where there is none; None: Telegram did not take it yet."""
        one = at.broadcast
        chat = await self._store.chats.get(one.told_chat) if one.told_message else None
        if chat is None:
            return ""
        t = speak(chat.language)
        html = progress(t, at, self._time_zone)
        if html == said:
            return html
        card = Card(html=html, plain=plain_of(html), buttons=controls(t, one))
        fate = (await self._sender.edit(chat.id, one.told_message, card, lane=Lane.HOT)).fate
        if fate in _LOST:
            log.warning("broadcast.progress_lost", broadcast=one.id, fate=fate.value)
            await self._store.broadcasts.tell(one.id, 0, 0)
            return ""
        return html if fate in {Fate.SENT, Fate.NOT_MODIFIED} else None
