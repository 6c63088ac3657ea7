"""The buttons below what admins are alerted to: mute it for a while, and hear of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler

from bot.core.cadence import DAY_MS, HOUR_MS
from bot.core.calendar import when
from bot.core.model import Button
from bot.core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

SPANS = {"8h": 8 * HOUR_MS, "1w": 7 * DAY_MS, "no": 0}


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this module."""
    return (CallbackQueryHandler(desk.bind(press_mute), pattern=r"^alarm:\d{1,18}:(?:8h|1w|no)$"),)


async def press_mute(turn: Turn) -> None:
    """Tell no admin of this for so long, or again."""
    if not await turn.admit(Role.ADMIN):
        return
    number, _, span = turn.args.partition(":")
    t, now = turn.texts, turn.desk.clock()
    until = now + SPANS[span] if SPANS[span] else 0
    if not await turn.desk.store.alarms.mute(int(number), until, turn.user_id, now):
        await turn.toast(t.text("This alarm is there no more."), alert=True)
        return
    if until:
        said = t.text("Muted for all admins until {time}.", time=when(until, now, turn.chat.time_zone))
        rows = [[Button(t.text("Unmute"), data=f"alarm:{number}:no")]]
    else:
        said = t.text("Not muted any more.")
        rows = [
            [
                Button(t.text("Mute 8 h"), data=f"alarm:{number}:8h"),
                Button(t.text("Mute 1 week"), data=f"alarm:{number}:1w"),
            ]
        ]
    await turn.toast(said)
    shown = turn.message.text_html.partition("\n\n")[0] if turn.message and turn.message.text else ""
    await turn.edit(f"{shown}\n\n{said}".strip(), rows)
