"""What is read from the parameters of a call, refusing what Telegram refuses, in its words (telegram.md 1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.playground.html import ParseError, detect, is_web, parse

if TYPE_CHECKING:
    from bot.playground.chats import ChatState

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


def number(params: Params, name: str, default: int) -> int:
    """A whole number. Raises ApiError."""
    try:
        return int(params.get(name, default))
    except (TypeError, ValueError):
        raise ApiError(400, f"Bad Request: {name.replace('_', ' ')} must be an integer") from None


def as_json(params: Params, name: str) -> Any:
    """A value, which calls by form send as JSON. Raises ApiError."""
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ApiError(400, f"Bad Request: can't parse {name.replace('_', ' ')} JSON object") from None


def flag(params: Params, name: str) -> bool:
    """A switch, as Telegram reads it."""
    return params.get(name) in {True, "true", "True", "1"}


def text_of(params: Params, name: str = "text") -> tuple[str, list[dict[str, Any]]]:
    """(text, entities) of a message. Raises ApiError."""
    text, entities = _formatted(params, name, "entities")
    if not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    if len(text) > MAX_TEXT:
        raise ApiError(400, "Bad Request: message is too long")
    return text, entities


def caption_of(params: Params) -> tuple[str, list[dict[str, Any]]]:
    """(text, entities) under a photo or file; ("", []) where there is none. Raises ApiError."""
    text, entities = _formatted(params, "caption", "caption_entities")
    if len(text) > MAX_CAPTION:
        raise ApiError(400, "Bad Request: message caption is too long")
    return text, entities


def _formatted(params: Params, name: str, known: str) -> tuple[str, list[dict[str, Any]]]:
    raw = str(params.get(name, ""))
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_RAW_BYTES:
        raise ApiError(400, "Bad Request: text is too long")
    mode = str(params.get("parse_mode", "")).lower()
    if mode not in {"", "html"}:
        raise ApiError(400, "Bad Request: unsupported parse_mode")
    try:
        text, entities = parse(raw) if mode == "html" else (raw, as_json(params, known) or [])
    except ParseError as error:
        raise ApiError(400, f"Bad Request: can't parse entities: {error}") from None
    return text, detect(text, entities)


def markup_of(params: Params) -> dict[str, Any] | None:
    """The inline keyboard; None for no buttons. Raises ApiError."""
    markup = as_json(params, "reply_markup")
    if not markup or "inline_keyboard" not in markup:
        return None
    rows = [row for row in markup["inline_keyboard"] if row]
    if any(len(row) > MAX_ROW for row in rows) or sum(map(len, rows)) > MAX_BUTTONS:
        raise ApiError(400, "Bad Request: reply markup is too long")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return {"inline_keyboard": rows} if rows else None


def show_keyboard(chat: ChatState, params: Params) -> None:
    """Buttons below the field that people write in; Telegram does not repeat them in the message. Raises ApiError."""
    markup = as_json(params, "reply_markup") or {}
    if markup.get("remove_keyboard"):
        chat.keyboard = []
    rows = markup.get("keyboard", [])
    if chat.type != "private" and any(button.get("request_location") for row in rows for button in row):
        raise ApiError(400, "Bad Request: location can be requested in private chats only")
    chat.keyboard = rows or chat.keyboard


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
