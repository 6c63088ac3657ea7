"""The Bot API's methods on the local Telegram, refusing what Telegram refuses, in its words (telegram.md 1)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from bot.playground.html import ParseError, detect, is_web, parse
from bot.playground.telegram import BOT, UnknownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.playground.telegram import ChatState, Telegram

MAX_TEXT, MAX_CAPTION, MAX_RAW_BYTES = 4096, 1024, 32768
MAX_ROW, MAX_BUTTONS, MAX_DATA_BYTES = 8, 100, 64
Params = dict[str, Any]


class ApiError(Exception):
    """Telegram says no."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class Methods:
    """Calls by name. `counted` are those that flood rules count."""

    counted = frozenset({"sendMessage", "sendDocument", "editMessageText", "editMessageReplyMarkup"})

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._polling = 0  #: number of the newest getUpdates
        self._closing = False

    def get(self, name: str) -> Callable[[Params], Awaitable[Any]] | None:
        """The method of that name, in any case, as Telegram takes it."""
        table: dict[str, Callable[[Params], Awaitable[Any]]] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "deletewebhook": self._yes,
            "getwebhookinfo": self._webhook_info,
            "sendmessage": self._send_message,
            "senddocument": self._send_document,
            "sendchataction": self._send_chat_action,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_callback,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "getchat": self._get_chat,
            "getchatmember": self._get_member,
        }
        return table.get(name.lower())

    async def close(self) -> None:
        """End long polls at once."""
        self._closing = True
        async with self._telegram.changed:
            self._telegram.changed.notify_all()

    async def _yes(self, _: Params) -> bool:
        return True

    async def _get_me(self, _: Params) -> dict[str, Any]:
        return BOT

    async def _webhook_info(self, _: Params) -> dict[str, Any]:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._telegram.updates)}

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        self._polling += 1
        mine = self._polling
        async with self._telegram.changed:
            self._telegram.changed.notify_all()  # an older poll ends: the newest has the bot
        if (kinds := _json(params, "allowed_updates")) is not None:  # else the previous setting holds
            self._telegram.allowed = frozenset(kinds)
        offset, limit = _number(params, "offset", 0), _number(params, "limit", 100)
        telegram = self._telegram
        if offset:
            telegram.updates[:] = [update for update in telegram.updates if update["update_id"] >= offset]
        try:
            async with asyncio.timeout(_number(params, "timeout", 0)), telegram.changed:
                await telegram.changed.wait_for(lambda: telegram.updates or self._closing or self._polling != mine)
        except TimeoutError:
            pass
        if self._polling != mine:
            said = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            raise ApiError(409, said)
        return telegram.updates[:limit]

    # -- writing

    def _writable(self, params: Params) -> ChatState:
        try:
            chat = self._telegram.chat(_number(params, "chat_id", 0))
        except UnknownError:
            raise ApiError(400, "Bad Request: chat not found") from None
        if chat.moved_to is not None:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, said, migrate_to_chat_id=chat.moved_to)
        if chat.refusal:
            raise ApiError(*chat.refusal)
        return chat

    def _place(self, params: Params) -> tuple[ChatState, int]:
        chat = self._writable(params)
        thread = _number(params, "message_thread_id", 0)
        if thread and not chat.forum:
            raise ApiError(400, "Bad Request: message thread not found")
        if thread in chat.closed_topics:
            raise ApiError(400, "Bad Request: TOPIC_CLOSED")
        return chat, thread

    async def _send_document(self, params: Params) -> dict[str, Any]:
        """A file sent along; its text is kept, for tests to read."""
        chat, thread = self._place(params)
        document = _json(params, "document")
        if not isinstance(document, dict) or not document.get("file_size"):
            raise ApiError(400, "Bad Request: file must be non-empty")
        caption = str(params.get("caption", ""))
        if len(caption) > MAX_CAPTION:
            raise ApiError(400, "Bad Request: message caption is too long")
        message = self._telegram.new_message(chat, BOT, caption, [], thread or None)
        message["caption"] = message.pop("text")
        name = f"file-{message['message_id']}"
        message["document"] = {**document, "file_id": name, "file_unique_id": name}
        return message

    async def _send_message(self, params: Params) -> dict[str, Any]:
        chat, thread = self._place(params)
        text, entities = _text(params)
        markup = _markup(params)
        message = self._telegram.new_message(chat, BOT, text, entities, thread or None)
        if markup:
            message["reply_markup"] = markup
        if params.get("disable_notification") in {"true", "True", True}:
            message["silent"] = True
        return message

    async def _send_chat_action(self, params: Params) -> bool:
        self._writable(params)
        return True

    async def _edit_text(self, params: Params) -> dict[str, Any]:
        message = self._editable(params)
        if "text" not in message:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        text, entities = _text(params)
        return self._edited(message, {"text": text, "entities": entities, "reply_markup": _markup(params)})

    async def _edit_markup(self, params: Params) -> dict[str, Any]:
        message = self._editable(params)
        same = {"text": message.get("text", ""), "entities": message.get("entities", [])}
        return self._edited(message, {**same, "reply_markup": _markup(params)})

    def _editable(self, params: Params) -> dict[str, Any]:
        chat = self._writable(params)
        number = _number(params, "message_id", 0)
        if number <= 0:
            raise ApiError(400, "Bad Request: message identifier is not specified")
        message = chat.messages.get(number)
        if message is None:
            raise ApiError(400, "Bad Request: message to edit not found")
        if message["from"] is not BOT:
            raise ApiError(400, "Bad Request: message can't be edited")
        return message

    def _edited(self, message: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        old = {"text": message.get("text", ""), "entities": message.get("entities", [])}
        if {**old, "reply_markup": message.get("reply_markup")} == new:
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        for key, value in new.items():
            message.pop(key, None)
            if value:
                message[key] = value
        message["edit_date"] = message["date"]
        self._telegram.tell({"type": "edit", "chat_id": message["chat"]["id"], "message": message})
        return message

    async def _delete_message(self, params: Params) -> bool:
        chat = self._writable(params)
        if chat.messages.pop(_number(params, "message_id", 0), None) is None:
            raise ApiError(400, "Bad Request: message to delete not found")
        self._telegram.tell({"type": "delete", "chat_id": chat.id})
        return True

    async def _answer_callback(self, params: Params) -> bool:
        callback_id, text = str(params.get("callback_query_id", "")), str(params.get("text", ""))
        if self._telegram.callbacks.get(callback_id) != {}:
            said = "Bad Request: query is too old and response timeout expired or query ID is invalid"
            raise ApiError(400, said)
        if len(text) > 200:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        self._telegram.callbacks[callback_id] = {"text": text, "show_alert": params.get("show_alert") in {"true", True}}
        self._telegram.tell({"type": "callback_answer", "id": callback_id, "text": text})
        return True

    # -- asking

    async def _set_commands(self, params: Params) -> bool:
        scope = _json(params, "scope") or {"type": "default"}
        if "chat_id" in scope and scope["chat_id"] not in self._telegram.chats:
            raise ApiError(400, "Bad Request: chat not found")
        commands = _json(params, "commands") or []
        if len(commands) > 100:
            raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            name, about = str(command.get("command", "")), str(command.get("description", ""))
            if not 1 <= len(name) <= 32 or not name.replace("_", "a").isalnum() or name != name.lower():
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(about) <= 256:
                raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self._telegram.commands[_scope_key(scope), str(params.get("language_code", ""))] = commands
        return True

    async def _delete_commands(self, params: Params) -> bool:
        scope = _json(params, "scope") or {"type": "default"}
        self._telegram.commands.pop((_scope_key(scope), str(params.get("language_code", ""))), None)
        return True

    async def _get_commands(self, params: Params) -> list[dict[str, str]]:
        scope = _json(params, "scope") or {"type": "default"}
        return self._telegram.commands.get((_scope_key(scope), str(params.get("language_code", ""))), [])

    async def _get_chat(self, params: Params) -> dict[str, Any]:
        return {**self._writable(params).shown(), "accent_color_id": 0, "max_reaction_count": 11}

    async def _get_member(self, params: Params) -> dict[str, Any]:
        chat = self._writable(params)
        user = self._telegram.users.get(_number(params, "user_id", 0))
        if user is None:
            raise ApiError(400, "Bad Request: PARTICIPANT_ID_INVALID")
        if user["id"] in chat.admins:
            return {"user": user, "status": "creator", "is_anonymous": False}
        return {"user": user, "status": "member"}


def _scope_key(scope: dict[str, Any]) -> str:
    return f"{scope.get('type', 'default')}:{scope.get('chat_id', '')}"


def _number(params: Params, name: str, default: int) -> int:
    try:
        return int(params.get(name, default))
    except (TypeError, ValueError):
        raise ApiError(400, f"Bad Request: {name.replace('_', ' ')} must be an integer") from None


def _json(params: Params, name: str) -> Any:
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ApiError(400, f"Bad Request: can't parse {name.replace('_', ' ')} JSON object") from None


def _text(params: Params, name: str = "text") -> tuple[str, list[dict[str, Any]]]:
    raw = str(params.get(name, ""))
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_RAW_BYTES:
        raise ApiError(400, "Bad Request: text is too long")
    mode = str(params.get("parse_mode", "")).lower()
    if mode not in {"", "html"}:
        raise ApiError(400, "Bad Request: unsupported parse_mode")
    try:
        text, entities = parse(raw) if mode == "html" else (raw, _json(params, "entities") or [])
    except ParseError as error:
        raise ApiError(400, f"Bad Request: can't parse entities: {error}") from None
    if not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    if len(text) > MAX_TEXT:
        raise ApiError(400, "Bad Request: message is too long")
    return text, detect(text, entities)


def _markup(params: Params) -> dict[str, Any] | None:
    markup = _json(params, "reply_markup")
    if not markup or "inline_keyboard" not in markup:
        return None
    rows = [row for row in markup["inline_keyboard"] if row]
    if any(len(row) > MAX_ROW for row in rows) or sum(map(len, rows)) > MAX_BUTTONS:
        raise ApiError(400, "Bad Request: reply markup is too long")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return {"inline_keyboard": rows} if rows else None


def _check_button(button: dict[str, Any]) -> None:
    if not str(button.get("text", "")).strip():
        raise ApiError(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    actions = [key for key in ("url", "callback_data") if button.get(key)]
    if len(actions) != 1:
        raise ApiError(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    if actions == ["callback_data"] and len(str(button["callback_data"]).encode()) > MAX_DATA_BYTES:
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    if actions == ["url"] and not is_web(str(button["url"])):
        raise ApiError(400, f"Bad Request: inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
