"""A reader's rights: /mydata, /forgetme, /privacy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import structlog
from telegram import InputFile
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.model import Button
from bot.telegram.handlers.follow import managed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

log = structlog.get_logger(__name__)


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("privacy", desk.bind(privacy)),
        CommandHandler("mydata", desk.bind(my_data)),
        CommandHandler("forgetme", desk.bind(forget_me)),
        CallbackQueryHandler(desk.bind(press_forget), pattern=r"^forget:(?:yes|no)$"),
    )


async def privacy(turn: Turn) -> None:
    """`/privacy`: what is kept, why, and for how long."""
    t = turn.texts
    lines = [
        t.text("<b>What I keep about this chat, and why</b>"),
        t.text("• Its Telegram id, kind and name, and its settings: to reach you, in your language and time."),
        t.text("• What it follows and what it never wants: to choose your news. Both until you erase them."),
        t.text("• What was sent to it or waits for it: so that nothing comes twice. For 30 days."),
        t.text("• The words of its searches: to turn their pages. For a day."),
        t.text(
            "• Of people of the newsroom: name, role and what they did, to account for it. The name until /forgetme."
        ),
        "",
        t.text("<b>What I do not keep</b>"),
        t.text("What you write to me, beyond hot news by editors. I pass nothing on to anybody."),
        "",
        t.text(
            "Who blocks me, or removes me from a chat, gets nothing more. What is kept waits 30 days for their return, "
            "then it is erased."
        ),
        t.text("/mydata — all of it as a file"),
        t.text("/forgetme — erase it, at once and for good"),
    ]
    await turn.reply("\n".join(lines))


async def my_data(turn: Turn) -> None:
    """`/mydata`: everything that is kept, as a JSON file, in the chat that it is about."""
    if not await managed(turn):
        return
    kept = await turn.desk.store.privacy.export(turn.chat.id)
    about = {"chat": turn.chat.id, "exported_at": turn.desk.clock(), "times": "milliseconds since 1970, UTC"}
    content = json.dumps({**about, "kept": kept}, ensure_ascii=False, indent=1).encode()
    await turn.update.get_bot().send_document(
        turn.place.id,
        InputFile(content, filename="tagwire.json"),
        caption=turn.texts.text("Everything that I keep about this chat. What it is for: /privacy"),
        message_thread_id=turn.thread_id or None,
        disable_notification=turn.quiet,
    )


async def forget_me(turn: Turn) -> None:
    """`/forgetme`: asks first."""
    if not await managed(turn):
        return
    t = turn.texts
    rows = [[Button(t.text("Erase everything"), data="forget:yes"), Button(t.text("Keep it"), data="forget:no")]]
    await turn.reply(
        t.text(
            "Shall I erase everything that I keep about this chat? No alert will come any more, and it cannot be "
            "undone. To see it first: /mydata"
        ),
        rows,
    )


async def press_forget(turn: Turn) -> None:
    """The answer to that."""
    if not await managed(turn):
        return
    t = turn.texts
    await turn.toast()
    if turn.args == "no":
        await turn.edit(t.text("Nothing was erased. What you follow is kept."))
        return
    await turn.desk.store.privacy.forget(turn.chat.id)
    log.info("privacy.forgotten")
    erased = t.text(
        "Erased. I keep nothing about this chat any more, and what waited for it is dropped.\n\nTwo things are not "
        "in my hands: backups that were made before hold it until they are thrown away, and the messages here "
        "stay with Telegram until you delete them."
    )
    if turn.managing:
        await turn.desk.store.managers.choose(turn.place.id, 0, 0)
        anew = t.text(
            "What you send here is for your own chat again. To begin anew with the channel: post /start there, or "
            "forward one of its posts to me."
        )
    else:
        anew = t.text("To begin anew: /start")
    await turn.edit(f"{erased}\n\n{anew}")
