"""While it goes: seen from any publisher's chat, paused, resumed, stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.broadcast import STARTED, Refusal, Step
from bot.core.card import clean, cut, plain_of
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.panel import button, on, pressed, refuse, take
from bot.telegram.hot import Progress, controls, progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Button
    from bot.telegram.desk import Desk, Turn

#: Of those that go on at once, and the characters of each that are shown.
MOST, SHOWN = 5, 40


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (
        on(desk, "pause", pause),
        on(desk, "resume", resume),
        on(desk, "stop", stop),
        on(desk, "watch", press_watch),
    )


async def running(turn: Turn) -> list[list[Button]]:
    """A button for each that goes on now, whoever sent it: to see it here, and to stop it."""
    going = [one for one in await turn.desk.store.broadcasts.open() if one.state in STARTED]
    named = [(cut(clean(plain_of(one.content.text_for(turn.texts.language))), SHOWN), one) for one in going[-MOST:]]
    return [[button(turn.texts.text("Now: {text}", text=text), "watch", one)] for text, one in named]


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
    match await take(turn, step, one.id):
        case Refusal() as why:
            await refuse(turn, why, await store.broadcasts.get(one.id))
        case None:
            pass
        case changed:
            await turn.toast()
            tally, change = await store.runs.tally(changed.id, turn.desk.clock())
            at = Progress(broadcast=changed, tally=tally, change=change)
            await turn.edit(progress(turn.texts, at, turn.desk.newsroom.time_zone), controls(turn.texts, changed))
