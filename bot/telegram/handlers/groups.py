"""Where the bot is and is not: added, removed, blocked, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.constants import ChatMemberStatus
from telegram.ext import ChatMemberHandler, MessageHandler, filters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

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
    await turn.desk.store.chats.revive(turn.chat.id)
    if change.old_chat_member.status in ABSENT and not turn.private:
        await turn.reply(
            turn.texts.text(
                "Hello! An administrator can choose the news for this chat: /sub #nato. Everything else: /help"
            )
        )


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
