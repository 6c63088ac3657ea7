"""While it goes: seen from any publisher's chat, paused, resumed, stopped."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

from bot.core.broadcast import STARTED, BroadcastState, Refusal, Step
from bot.core.calendar import when
from bot.core.card import clean, cut, plain_of
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.panel import button, done, on, pressed, refuse
from bot.telegram.hot import Progress, controls, progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Button
    from bot.telegram.desk import Desk, Turn

#: Of those that are listed, and the characters of each that are shown.
MOST, SHOWN = 8, 40


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (
        on(desk, "pause", pause),
        on(desk, "resume", resume),
        on(desk, "stop", stop),
        on(desk, "watch", press_watch),
    )


async def running(turn: Turn) -> list[list[Button]]:
    """A button for each of the newest, whoever sent it: to see it here, to stop, correct or recall it."""
    t, rows = turn.texts, []
    for one in await turn.desk.store.broadcasts.listed(MOST):
        text = cut(clean(plain_of(one.content.text_for(t.language))), SHOWN)
        if one.state is BroadcastState.WAITING:
            label = t.text("Waits for a second person: {text}", text=text)
        elif one.state is BroadcastState.SCHEDULED:
            time = when(one.starts_at, turn.desk.clock(), turn.desk.newsroom.time_zone)
            label = t.text("{time}: {text}", time=time, text=text)
        elif one.state in {BroadcastState.SENDING, BroadcastState.PAUSED}:
            label = t.text("Now: {text}", text=text)
        else:
            label = t.text("Sent: {text}", text=text)
        rows.append([button(unescape(label), "watch" if one.state in STARTED else "open", one)])
    return rows


async def press_watch(turn: Turn) -> None:
    """From now on it is told here how it goes."""
    if not await turn.admit(Role.PUBLISHER):
        return
    store, number = turn.desk.store, pressed(turn).id
    found = await store.broadcasts.get(number)
    if found is None or found.state not in STARTED:
        await refuse(turn, Refusal.STATE, found)
        return
    await turn.toast()
    tally, change = await store.runs.tally(number, turn.desk.clock())
    said = progress(turn.texts, Progress(broadcast=found, tally=tally, change=change), turn.desk.newsroom.time_zone)
    message = await turn.reply(said, controls(turn.texts, found))
    await store.broadcasts.tell(number, turn.place.id, message.message_id)


async def pause(turn: Turn) -> None:
    """What is on the wire arrives; nothing else goes."""
    await _step(turn, Step.PAUSE)


async def resume(turn: Turn) -> None:
    """Where it stood."""
    await _step(turn, Step.RESUME)


async def stop(turn: Turn) -> None:
    """The rest is never sent."""
    await _step(turn, Step.STOP)


async def _step(turn: Turn, step: Step) -> None:
    one, store = pressed(turn), turn.desk.store
    changed = await done(turn, step, one.id)
    if changed is not None:
        await turn.toast()
        tally, change = await store.runs.tally(changed.id, turn.desk.clock())
        at = Progress(broadcast=changed, tally=tally, change=change)
        await turn.edit(progress(turn.texts, at, turn.desk.newsroom.time_zone), controls(turn.texts, changed))
