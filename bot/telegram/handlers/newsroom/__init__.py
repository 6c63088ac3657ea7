"""The newsroom: hot news to everyone, from the first word to the report.

Nothing leaves before the confirmation, and what leaves goes through the outbox. Who may press is asked again at every
button, by the presser's id: a button can be forged (telegram.md 2.3). What each step needs stands in
`core.broadcast`; here it is asked for, shown and told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.telegram.handlers.newsroom import after, audience, compose, confirm, run
from bot.telegram.handlers.newsroom.panel import ASKED, ASKED_MS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

_ANSWERS: dict[str, Callable[[Turn, list[str]], Awaitable[None]]] = {
    "new": compose.answered_new,
    "text": compose.answered_text,
    "tags": audience.answered_tags,
    "when": confirm.answered_when,
    "glass": confirm.answered_glass,
    "fix": after.answered_fix,
}


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this room."""
    return [handler for module in (compose, audience, confirm, run, after) for handler in module.handlers(desk)]


async def answered(turn: Turn) -> bool:
    """Whether this message, of whatever kind, answers what the newsroom asked; then it is dealt with."""
    if not turn.private:
        return False
    asked = await turn.desk.store.chats.take_pending(turn.place.id, turn.desk.clock(), ASKED_MS, prefix=ASKED)
    if not asked:
        return False
    what, *given = asked.removeprefix(ASKED).split(":")
    await _ANSWERS[what](turn.own, given)
    return True
