"""Channels, managed from a private chat: a channel's readers need not see the commands that choose its news.

`/channels` offers those that the asker administrates; what is sent afterwards is for the chosen one, every answer says
so at its top, and every button under it carries the channel (`at:ID:...`), so that none acts on another chat later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import CallbackQuery, MessageOriginChannel, Update
from telegram.error import BadRequest, Forbidden
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.model import Button, Chat, ChatKind
from bot.telegram.desk import ADDRESSED, AT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler, ContextTypes

    from bot.telegram.desk import Desk, Turn

#: How long commands are for a channel after it was chosen: who comes back tomorrow means their own chat.
CHOSEN_MS = 3_600_000


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("channels", desk.bind(channels)),
        CallbackQueryHandler(desk.bind(press_channel), pattern=r"^channel:(0|-\d{1,19})$"),
        CallbackQueryHandler(press_addressed, pattern=rf"^{AT}:-\d{{1,19}}:"),
    )


async def press_addressed(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """A button of a channel: the one it stands for, pressed for that channel."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    _, chat_id, data = query.data.split(":", 2)
    meant = CallbackQuery(query.id, query.from_user, query.chat_instance, query.message, data)
    pressed = Update(update.update_id, callback_query=meant)
    for one in (meant, pressed):
        one.set_bot(context.bot)
    ADDRESSED.set(int(chat_id))
    await context.application.process_update(pressed)


async def channels(turn: Turn) -> None:
    """`/channels`: choose the channel that commands are for."""
    t = turn.texts
    if not turn.private:
        await turn.reply(t.text("This is done in a private chat with me."))
        return
    found = await turn.desk.store.managers.channels(turn.user_id)
    rows = [[Button(chat.title or str(chat.id), data=f"channel:{chat.id}")] for chat in found]
    if turn.managing:
        rows.append([Button(t.text("Back to my own chat"), data="channel:0")])
    if not rows:
        await turn.reply(
            t.text(
                "To choose the news of a channel here, add me to it as an administrator, or forward one of its posts "
                "to me."
            )
        )
        return
    said = t.text("Which channel shall I look after with you? What you send here is for it then, for an hour.")
    await turn.reply(said, rows, addressed=False)


async def press_channel(turn: Turn) -> None:
    """A channel was chosen, or one's own chat."""
    t, store = turn.texts, turn.desk.store
    chat_id = int(turn.args)
    if not turn.private:
        await turn.toast()
        return
    if chat_id == 0:
        await store.managers.choose(turn.place.id, 0, 0)
        await turn.toast()
        await turn.edit(t.text("What you send here is for your own chat again."))
        return
    channel = await store.chats.get(chat_id)
    if channel is None and await turn.administrates(chat_id):
        channel = await _met(turn, chat_id)
    if channel is None or not channel.active or not await turn.administrates(chat_id):
        await store.managers.drop(turn.user_id, chat_id)
        await turn.toast(t.text("Only administrators of this chat can change what it follows."), alert=True)
        return
    await store.managers.note(turn.user_id, chat_id)
    await store.managers.choose(turn.place.id, chat_id, turn.desk.clock() + CHOSEN_MS)
    await turn.toast()
    await turn.edit(
        t.text(
            "For an hour, what you send here is for {channel}: /sub #nato, /list, /settings. Every answer says so at "
            "its top. Back to your own chat: /channels",
            channel=channel.title,
        )
    )


async def _met(turn: Turn, chat_id: int) -> Chat | None:
    """A channel that we were made to forget, kept from now on; None for any other chat, and where we are not in it."""
    try:
        found = await turn.update.get_bot().get_chat(chat_id)
    except (BadRequest, Forbidden):
        return None
    if found.type != ChatKind.CHANNEL.value:
        return None
    desk = turn.desk
    channel = Chat(
        id=chat_id,
        kind=ChatKind.CHANNEL,
        title=found.title or "",
        language=turn.texts.language,
        time_zone=desk.time_zone,
    )
    return await desk.store.chats.upsert(channel, desk.clock())


async def offer(turn: Turn) -> list[Button]:
    """A button for the channel whose post somebody has forwarded, if they administrate it."""
    origin = turn.message.forward_origin if turn.message else None
    if not isinstance(origin, MessageOriginChannel) or not turn.private:
        return []
    known = await turn.desk.store.chats.get(origin.chat.id)
    # Of a channel that we do not keep Telegram tells who administrates it only if we are in it.
    if (known and not known.active) or not await turn.administrates(origin.chat.id):
        return []
    label = turn.texts.plain("Choose the news of {channel}", channel=origin.chat.title)[:60]
    return [Button(label, data=f"channel:{origin.chat.id}")]
