"""The newsroom: hot news to everyone, after a preview and a confirmation.

Nothing leaves before the confirmation, and what leaves goes through the outbox. Who may press is asked again at every
button, by the presser's id: a button can be forged (telegram.md 2.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.card import MAX_TEXT, announcement
from bot.core.model import BroadcastState, Button
from bot.core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

log = structlog.get_logger(__name__)
ASKED = "broadcast"


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["broadcast", "hotnews"], desk.bind(broadcast)),
        CallbackQueryHandler(desk.bind(press_send), pattern=r"^hot-send:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_cancel), pattern=r"^hot-cancel:\d{1,18}$"),
    )


async def broadcast(turn: Turn) -> None:
    """`/broadcast TEXT`: a draft and its preview; bare: asks for the text."""
    if not await turn.admit(Role.PUBLISHER):
        return
    html = _after_command((turn.message.text_html if turn.message else None) or "")
    if not html:
        await turn.desk.store.chats.set_pending(turn.place.id, ASKED, turn.desk.clock())
        await turn.reply(
            turn.texts.text("Send the text of the hot news. You will see a preview before anything goes out.")
        )
        return
    await draft(turn, html)


async def draft(turn: Turn, html: str) -> None:
    """Keep a draft, show exactly what readers will get, and ask."""
    t, store = turn.texts, turn.desk.store
    card = announcement(html)
    if len(card.plain) > MAX_TEXT:
        await turn.reply(
            t.text(
                "That is {n} characters; Telegram takes {limit}. Please shorten it.", n=len(card.plain), limit=MAX_TEXT
            )
        )
        return
    made = await store.broadcasts.draft(turn.user_id, html, turn.desk.clock())
    readers = await store.chats.active_count()
    await turn.reply(card.html)
    send = t.plural("Send to {n} reader", "Send to {n} readers", readers)
    rows = [[Button(send, data=f"hot-send:{made.id}"), Button(t.text("Cancel"), data=f"hot-cancel:{made.id}")]]
    await turn.reply(t.text("This is the preview. Nothing has been sent yet."), rows)


async def press_send(turn: Turn) -> None:
    """Confirm: from here the outbox has it."""
    if not await turn.admit(Role.PUBLISHER):
        return
    t, store = turn.texts, turn.desk.store
    queued = await store.broadcasts.confirm(int(turn.args), turn.user_id, turn.desk.clock())
    if queued is None:
        found = await store.broadcasts.get(int(turn.args))
        sent = found is not None and found.state is BroadcastState.SENDING
        await turn.toast(
            t.text("This was sent already.") if sent else t.text("This draft is no longer there."), alert=True
        )
        return
    turn.desk.on_queued()
    log.info("broadcast.confirmed", broadcast=int(turn.args), author=turn.user_id, readers=queued)
    await turn.toast()
    await turn.edit(t.plural("On its way to {n} reader.", "On its way to {n} readers.", queued))


async def press_cancel(turn: Turn) -> None:
    """Throw the draft away."""
    if not await turn.admit(Role.PUBLISHER):
        return
    cancelled = await turn.desk.store.broadcasts.cancel(int(turn.args), turn.user_id, turn.desk.clock())
    await turn.toast()
    said = "Cancelled. Nothing was sent." if cancelled else "This draft is no longer there."
    await turn.edit(turn.texts.text(said))


def _after_command(html: str) -> str:
    """The message without its command; the author's formatting stays."""
    if not html.startswith("/"):
        return html
    for at, char in enumerate(html):
        if char.isspace():
            return html[at:].strip()
    return ""
