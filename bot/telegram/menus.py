"""Telegram's command menus: readers' for everybody, and each one's own for those of the newsroom, by their role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from telegram import BotCommand, BotCommandScopeChat
from telegram.error import BadRequest, TelegramError

from bot.core.roles import Role
from bot.telegram.texts import LANGUAGES, speak

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Bot

log = structlog.get_logger(__name__)

READER_COMMANDS = (
    ("sub", "Follow tags"),
    ("unsub", "Stop following"),
    ("list", "What you follow"),
    ("latest", "Newest articles"),
    ("trending", "What rises now"),
    ("search", "Search"),
    ("hot", "Hot news"),
    ("share", "A link for others"),
    ("settings", "All settings"),
    ("quiet", "Quiet hours"),
    ("digest", "Many articles in one message"),
    ("mute", "Silence a tag for a while"),
    ("pause", "Silence everything for a while"),
    ("resume", "End the pause"),
    ("tz", "Time zone"),
    ("lang", "Language"),
    ("privacy", "What I keep, and your rights"),
    ("help", "What I can do"),
)
#: What the newsroom has beside them, and whom it is for.
NEWSROOM_COMMANDS = (
    ("broadcast", "Hot news to everyone", Role.AUTHOR),
    ("stats", "The service in numbers", Role.EDITOR),
    ("feeds", "The feeds and how they do", Role.ADMIN),
    ("addfeed", "Add a feed", Role.ADMIN),
    ("delfeed", "Take a feed out", Role.ADMIN),
    ("admins", "Who is who in the newsroom", Role.ADMIN),
    ("audit", "Who did what", Role.ADMIN),
)


async def readers(bot: Bot) -> None:
    """Give everybody the readers' menu; English is also for those whose language we do not speak."""
    try:
        for language in LANGUAGES:
            await bot.set_my_commands(_menu(READER_COMMANDS, language), language_code=_code(language))
    except TelegramError as error:
        log.warning("menus.failed", detail=error.message)


async def give(bot: Bot, user_id: int, role: Role | None) -> None:
    """Give somebody the menu of their role in their chat with us; None takes it away."""
    more = [(name, about) for name, about, needed in NEWSROOM_COMMANDS if role and role.covers(needed)]
    try:
        for language in LANGUAGES:
            scope, code = BotCommandScopeChat(user_id), _code(language)
            if more:
                menu = _menu((*READER_COMMANDS, *more), language)
                await bot.set_my_commands(menu, scope=scope, language_code=code)
            else:
                await bot.delete_my_commands(scope=scope, language_code=code)
    except BadRequest as error:
        log.info("menus.admin_unknown", admin=user_id, detail=error.message)
    except TelegramError as error:
        log.warning("menus.failed", detail=error.message)


def _code(language: str) -> str | None:
    return None if language == "en" else language


def _menu(commands: Sequence[tuple[str, str]], language: str) -> list[BotCommand]:
    texts = speak(language)
    return [BotCommand(name, texts.text(about)) for name, about in commands]
