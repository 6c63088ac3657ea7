"""While it goes: pause, resume, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.broadcast import Refusal, Step
from bot.telegram.handlers.newsroom.panel import on, pressed, refuse, take
from bot.telegram.hot import Progress, controls, progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (on(desk, "pause", pause), on(desk, "resume", resume), on(desk, "stop", stop))


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
