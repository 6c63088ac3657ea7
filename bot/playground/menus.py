"""Command menus: the list of `setMyCommands` that a person sees.

The order is that of core.telegram.org/bots/api#determining-list-of-commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.params import ApiError, Params, as_json

if TYPE_CHECKING:
    from bot.playground.telegram import Telegram

MAX_COMMANDS, MAX_NAME, MAX_ABOUT = 100, 32, 256


def set_commands(telegram: Telegram, params: Params) -> bool:
    """A list for a scope and a language. Raises ApiError."""
    scope = as_json(params, "scope") or {"type": "default"}
    if "chat_id" in scope and scope["chat_id"] not in telegram.chats:
        raise ApiError(400, "Bad Request: chat not found")
    commands = as_json(params, "commands") or []
    if len(commands) > MAX_COMMANDS:
        raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name, about = str(command.get("command", "")), str(command.get("description", ""))
        if not 1 <= len(name) <= MAX_NAME or not name.replace("_", "a").isalnum() or name != name.lower():
            raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= len(about) <= MAX_ABOUT:
            raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    telegram.commands[_key(scope), str(params.get("language_code", ""))] = commands
    telegram.tell({"type": "commands"})
    return True


def get_commands(telegram: Telegram, params: Params) -> list[dict[str, str]]:
    """The list of exactly this scope and language."""
    scope = as_json(params, "scope") or {"type": "default"}
    return telegram.commands.get((_key(scope), str(params.get("language_code", ""))), [])


def delete_commands(telegram: Telegram, params: Params) -> bool:
    """Drop the list of exactly this scope and language."""
    scope = as_json(params, "scope") or {"type": "default"}
    telegram.commands.pop((_key(scope), str(params.get("language_code", ""))), None)
    telegram.tell({"type": "commands"})
    return True


def menu(telegram: Telegram, chat_id: int, user_id: int) -> list[dict[str, str]]:
    """What the person sees in the chat: the narrowest scope first, each in their language, then for everybody."""
    chat = telegram.chat(chat_id)
    language = str(telegram.users.get(user_id, {}).get("language_code", ""))
    if chat.type == "private":
        scopes = [f"chat:{chat_id}", "all_private_chats:"]
    else:
        of_admins = [f"chat_administrators:{chat_id}", "all_chat_administrators:"] if user_id in chat.admins else []
        scopes = [f"chat_member:{chat_id}:{user_id}", *of_admins[:1], f"chat:{chat_id}", *of_admins[1:]]
        scopes.append("all_group_chats:")
    for scope in (*scopes, "default:"):
        for code in (language, ""):
            if found := telegram.commands.get((scope, code)):
                return found
    return []


def _key(scope: dict[str, Any]) -> str:
    key = f"{scope.get('type', 'default')}:{scope.get('chat_id', '')}"
    return f"{key}:{scope['user_id']}" if "user_id" in scope else key
