"""The Bot API's methods on the local Telegram, refusing what Telegram refuses, in its words (telegram.md 1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.playground import menus
from bot.playground.params import ApiError, Params, as_json, flag, number
from bot.playground.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.playground.telegram import Telegram


class Methods:
    """Calls by name. `counted` are those that flood rules count."""

    counted = frozenset(
        {
            "sendMessage", "sendPhoto", "sendDocument",
            "editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup",
        }
    )  # fmt: skip

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._writing = Writing(telegram)
        self._polling = 0  #: number of the newest getUpdates
        self._closing = False

    def get(self, name: str) -> Callable[[Params], Awaitable[Any]] | None:
        """The method of that name, in any case, as Telegram takes it."""
        table: dict[str, Callable[[Params], Awaitable[Any]]] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "deletewebhook": self._yes,
            "getwebhookinfo": self._webhook_info,
            "sendmessage": self._writing.send_message,
            "sendphoto": self._writing.send_photo,
            "senddocument": self._writing.send_document,
            "sendchataction": self._writing.send_chat_action,
            "editmessagetext": self._writing.edit_text,
            "editmessagecaption": self._writing.edit_caption,
            "editmessagemedia": self._writing.edit_media,
            "editmessagereplymarkup": self._writing.edit_markup,
            "deletemessage": self._writing.delete_message,
            "deletemessages": self._writing.delete_messages,
            "getfile": self._writing.get_file,
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
        return self._telegram.bot

    async def _webhook_info(self, _: Params) -> dict[str, Any]:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._telegram.updates)}

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        self._polling += 1
        mine = self._polling
        async with self._telegram.changed:
            self._telegram.changed.notify_all()  # an older poll ends: the newest has the bot
        if (kinds := as_json(params, "allowed_updates")) is not None:  # else the previous setting holds
            self._telegram.allowed = frozenset(kinds)
        offset, limit = number(params, "offset", 0), number(params, "limit", 100)
        telegram = self._telegram
        if offset:
            telegram.updates[:] = [update for update in telegram.updates if update["update_id"] >= offset]
        try:
            async with asyncio.timeout(number(params, "timeout", 0)), telegram.changed:
                await telegram.changed.wait_for(lambda: telegram.updates or self._closing or self._polling != mine)
        except TimeoutError:
            pass
        if self._polling != mine:
            said = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            raise ApiError(409, said)
        return telegram.updates[:limit]

    # -- answering and asking

    async def _answer_callback(self, params: Params) -> bool:
        callback_id, text = str(params.get("callback_query_id", "")), str(params.get("text", ""))
        if self._telegram.callbacks.get(callback_id) != {}:
            said = "Bad Request: query is too old and response timeout expired or query ID is invalid"
            raise ApiError(400, said)
        if len(text) > 200:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        answer = {"text": text, "show_alert": flag(params, "show_alert")}
        self._telegram.callbacks[callback_id] = answer
        pressed = self._telegram.presses[callback_id]
        self._telegram.tell({"type": "callback_answer", "id": callback_id, **pressed, **answer})
        return True

    async def _set_commands(self, params: Params) -> bool:
        return menus.set_commands(self._telegram, params)

    async def _get_commands(self, params: Params) -> list[dict[str, str]]:
        return menus.get_commands(self._telegram, params)

    async def _delete_commands(self, params: Params) -> bool:
        return menus.delete_commands(self._telegram, params)

    async def _get_chat(self, params: Params) -> dict[str, Any]:
        return {**self._writing.writable(params).shown(), "accent_color_id": 0, "max_reaction_count": 11}

    async def _get_member(self, params: Params) -> dict[str, Any]:
        chat = self._writing.writable(params)
        user = self._telegram.users.get(number(params, "user_id", 0))
        if user is None:
            raise ApiError(400, "Bad Request: PARTICIPANT_ID_INVALID")
        if user["id"] in chat.admins:
            return {"user": user, "status": "creator", "is_anonymous": False}
        return {"user": user, "status": "member"}
