"""Where the bot is and is not: added, removed, blocked, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from telegram.constants import ChatMemberStatus, ParseMode
from telegram.error import BadRequest, Forbidden
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.core.model import Button, ChatKind
from bot.telegram.sender import keyboard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram import User
    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

log = structlog.get_logger(__name__)
#: Statuses in which the bot gets nothing through to a chat.
ABSENT = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.BANNED})


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The updates of this module."""
    return (
        ChatMemberHandler(desk.bind(membership), ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(filters.StatusUpdate.MIGRATE, desk.bind(migrated)),
    )


async def membership(turn: Turn) -> None:
    """The bot was blocked, removed, unblocked or added."""
    change = turn.update.my_chat_member
    if change is None:
        return
    now = turn.desk.clock()
    if change.new_chat_member.status in ABSENT:
        await turn.desk.store.chats.retire(turn.chat.id, f"the bot is {change.new_chat_member.status}", now)
        return
    await turn.desk.store.chats.revive(turn.chat.id, now)
    if change.old_chat_member.status in ABSENT and not turn.private:
        await _greet(turn, change.from_user)


async def _greet(turn: Turn, inviter: User) -> None:
    """Say what to do: in a group to all, of a channel to who added the bot, for its readers asked nothing."""
    t, bot = turn.texts, turn.update.get_bot()
    try:
        if turn.chat.kind is ChatKind.CHANNEL:
            said = t.text(
                "I am in {channel} now. Choose its news here, with the button or /channels, or post commands there: "
                "/sub #nato. I answer there without a sound, and you can delete both.",
                channel=turn.chat.title,
            )
            await turn.desk.store.managers.note(inviter.id, turn.chat.id)
            label = t.plain("Choose the news of {channel}", channel=turn.chat.title)[:60]
            button = Button(label, data=f"channel:{turn.chat.id}")
            try:
                await bot.send_message(inviter.id, said, parse_mode=ParseMode.HTML, reply_markup=keyboard([[button]]))
            except (BadRequest, Forbidden):  # they have never written to us
                await turn.reply(said)
            return
        lines = [
            t.text("Hello! An administrator can choose the news for this chat: /sub #nato. Everything else: /help")
        ]
        if turn.update.effective_chat and turn.update.effective_chat.is_forum:
            lines.append(t.text("Each topic can have news of its own: send the command there."))
        await turn.reply("\n".join(lines))
    except (BadRequest, Forbidden) as error:
        log.info("greeting.failed", detail=error.message)  # added without the right to write


async def migrated(turn: Turn) -> None:
    """A group became a supergroup: everything it follows goes along."""
    message = turn.message
    if message is None:
        return
    now = turn.desk.clock()
    if message.migrate_to_chat_id:
        await turn.desk.store.chats.move(turn.chat.id, message.migrate_to_chat_id, now)
    elif message.migrate_from_chat_id:
        await turn.desk.store.chats.move(message.migrate_from_chat_id, turn.chat.id, now)
