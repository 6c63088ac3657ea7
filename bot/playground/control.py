"""The control API: everything that people do in the local Telegram, by HTTP, for the chat page, scripts and tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground import menus
from bot.playground.chats import UnknownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from bot.playground.chats import ChatState
    from bot.playground.clock import Clock
    from bot.playground.faults import Faults
    from bot.playground.telegram import Telegram

#: (site, title, description) of a page by its path; None for a path that has none.
Preview = Callable[[str], dict[str, str] | None]
WAIT_S, MAX_DELAY_S = 3, 3600  #: of faults
STATES = ("block", "unblock", "deactivate", "kick", "migrate", "restrict")


class BadRequestError(Exception):
    """The call lacks something; the text says what."""


def mount(
    app: web.Application,
    telegram: Telegram,
    faults: Faults,
    calls: Iterable[dict[str, Any]],
    clock: Clock,
    preview: Preview | None,
) -> None:
    """Add the control API's routes.

    Args:
        app: gets them.
        telegram: what they show and change.
        faults: what they switch.
        calls: those of the Bot API so far.
        clock: Telegram's.
        preview: what a link to this server shows of its page, by its path; None where there are no such pages.
    """
    control = _Control(telegram, faults, calls, clock, preview)
    routes: dict[tuple[str, str], Callable[[Any], Awaitable[Any]]] = {
        ("GET", "state"): control.state,
        ("GET", "messages"): control.messages,
        ("GET", "calls"): control.calls,
        ("GET", "commands"): control.commands,
        ("GET", "preview"): control.preview,
        ("POST", "users"): control.add_user,
        ("POST", "users/change"): control.change_user,
        ("POST", "groups"): control.add_group,
        ("POST", "topics"): control.add_topic,
        ("POST", "say"): control.say,
        ("POST", "press"): control.press,
        ("POST", "location"): control.share_location,
        ("POST", "read"): control.read,
        ("POST", "inline"): control.ask_inline,
        ("POST", "inline/choose"): control.choose_inline,
        ("GET", "inline"): control.inline,
        ("GET", "faults"): control.faults,
        ("POST", "faults"): control.set_fault,
        ("DELETE", "faults"): control.clear_faults,
        ("POST", "clock"): control.turn_clock,
        **{("POST", name): control.change(name) for name in STATES},
    }
    for (method, name), handler in routes.items():
        app.router.add_route(method, f"/api/{name}", _answering(handler))
    app.router.add_get("/api/events", control.events)
    app.router.add_get("/api/photo", control.photo)


def _answering(handler: Callable[[Any], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            given = dict(request.query) if request.method == "GET" else await _body(request)
            return web.json_response({"ok": True, **await handler(given)})
        except (BadRequestError, UnknownError, ValueError) as error:
            return web.json_response({"ok": False, "error": str(error)}, status=400)

    return answer


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.text() or "{}")
    except ValueError:
        raise BadRequestError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise BadRequestError("the body is not a JSON object")
    return given


class _Control:
    def __init__(
        self,
        telegram: Telegram,
        faults: Faults,
        calls: Iterable[dict[str, Any]],
        clock: Clock,
        preview: Preview | None,
    ) -> None:
        self._telegram = telegram
        self._faults = faults
        self._calls = calls
        self._clock = clock
        self._preview = preview

    async def state(self, _: dict[str, Any]) -> dict[str, Any]:
        telegram = self._telegram
        users = [
            {**user, **telegram.about[number], "blocked": telegram.chats[number].refusal is not None}
            for number, user in telegram.users.items()
        ]
        chats = [_shown(chat) for chat in telegram.chats.values() if chat.moved_to is None]
        moved = {chat.id: chat.moved_to for chat in telegram.chats.values() if chat.moved_to is not None}
        clock = {"now": self._clock(), "ahead_s": self._clock.ahead_s}
        told = {"bot": telegram.bot, "users": users, "chats": chats, "moved": moved, "clock": clock}
        return {**told, "newsroom": bool(self._preview)}

    async def messages(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"messages": self._telegram.messages(_int(given, "chat_id"))}

    async def calls(self, given: dict[str, Any]) -> dict[str, Any]:
        calls, last = list(self._calls), _optional(given, "last", least=0)
        return {"calls": calls if last is None else calls[max(0, len(calls) - last) :]}

    async def commands(self, given: dict[str, Any]) -> dict[str, Any]:
        chat_id = _int(given, "chat_id")
        user_id = _optional(given, "user_id") or chat_id
        return {"commands": menus.menu(self._telegram, chat_id, user_id)}

    async def preview(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"preview": self._preview(_str(given, "path")) if self._preview else None}

    async def add_user(self, given: dict[str, Any]) -> dict[str, Any]:
        part, zone = _text(given, "part"), _text(given, "time_zone") or "Europe/Kyiv"
        language = _text(given, "language_code") or "en"
        return {"id": self._telegram.add_user(_str(given, "first_name"), language, part=part, time_zone=zone)}

    async def change_user(self, given: dict[str, Any]) -> dict[str, Any]:
        language, zone = _text(given, "language_code"), _text(given, "time_zone")
        self._telegram.change_user(_int(given, "user_id"), language_code=language, time_zone=zone)
        return {}

    async def add_group(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("channel"):
            return {"id": self._telegram.add_channel(_str(given, "title"), admin=_int(given, "admin"))}
        admin = _optional(given, "admin")
        forum, supergroup = bool(given.get("forum")), bool(given.get("supergroup", True))
        return {"id": self._telegram.add_group(_str(given, "title"), forum=forum, supergroup=supergroup, admin=admin)}

    async def add_topic(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"id": self._telegram.add_topic(_int(given, "chat_id"), _str(given, "name"))}

    async def read(self, given: dict[str, Any]) -> dict[str, Any]:
        self._telegram.read(_int(given, "chat_id"), _optional(given, "thread_id") or 0)
        return {}

    async def turn_clock(self, given: dict[str, Any]) -> dict[str, Any]:
        self._clock.turn(_int(given, "seconds"))
        self._telegram.tell({"type": "clock"})
        return {"now": self._clock(), "ahead_s": self._clock.ahead_s}

    async def say(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self._telegram.say(
            _int(given, "chat_id"),
            _str(given, "text"),
            user_id=_optional(given, "user_id"),
            thread_id=_optional(given, "thread_id"),
            reply_to=_optional(given, "reply_to"),
        )
        return {"message": message}

    async def press(self, given: dict[str, Any]) -> dict[str, Any]:
        chat_id, message_id = _int(given, "chat_id"), _int(given, "message_id")
        return {"id": self._telegram.press(chat_id, message_id, _str(given, "data"), _optional(given, "user_id"))}

    async def share_location(self, given: dict[str, Any]) -> dict[str, Any]:
        latitude, longitude = _float(given, "latitude", -90, 90), _float(given, "longitude", -180, 180)
        return {"message": self._telegram.share_location(_int(given, "chat_id"), latitude, longitude)}

    async def ask_inline(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"id": self._telegram.ask_inline(_int(given, "user_id"), _text(given, "query"))}

    async def inline(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"answer": self._telegram.inline.get(str(given.get("id", "")), {})}

    async def choose_inline(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self._telegram.choose_inline(
            _str(given, "id"), _str(given, "result_id"), _int(given, "chat_id"), _int(given, "user_id")
        )
        return {"message": message}

    async def set_fault(self, given: dict[str, Any]) -> dict[str, Any]:
        retry_after = _optional(given, "retry_after", least=1)
        self._faults.set(
            _str(given, "kind"),
            chat_id=_optional(given, "chat_id"),
            times=_optional(given, "times", least=1),
            retry_after=WAIT_S if retry_after is None else retry_after,
            delay=WAIT_S if given.get("delay") is None else _float(given, "delay", 0, MAX_DELAY_S),
        )
        self._telegram.tell({"type": "faults"})
        return {}

    async def clear_faults(self, given: dict[str, Any]) -> dict[str, Any]:
        self._faults.clear(_text(given, "kind"))
        self._telegram.tell({"type": "faults"})
        return {}

    async def faults(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"faults": list(self._faults)}

    def change(self, name: str) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
        async def changed(given: dict[str, Any]) -> dict[str, Any]:
            result = getattr(self._telegram, name)(_int(given, "chat_id"))
            return {"id": result} if isinstance(result, int) else {}

        return changed

    async def photo(self, request: web.Request) -> web.Response:
        """A photo by its file_id."""
        found = self._telegram.files.image(request.query.get("id", ""))
        if found is None:
            return web.json_response({"ok": False, "error": "there is no such photo"}, status=404)
        content, mime = found
        return web.Response(body=content, content_type=mime, headers={"X-Content-Type-Options": "nosniff"})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: what happens, as it happens."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._telegram.listeners.add(queue)
        try:
            while (happening := await queue.get())["type"] != "bye":
                await response.write(f"data: {json.dumps(happening, ensure_ascii=False)}\n\n".encode())
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._telegram.listeners.discard(queue)
        return response


def _shown(chat: ChatState) -> dict[str, Any]:
    topics = [{"id": number, "name": name} for number, name in chat.topics.items()]
    unread = [{"thread_id": thread, "count": count} for thread, count in chat.unread.items()]
    last = next(reversed(chat.messages.values()), {}).get("date", 0)
    more = {"topics": topics, "unread": unread, "admins": sorted(chat.admins), "refusal": chat.refusal, "last": last}
    return {**chat.shown(), "title": chat.title, "keyboard": chat.keyboard, **more}


def _int(given: dict[str, Any], name: str) -> int:
    value = given.get(name)
    with suppress(ValueError):
        if isinstance(value, int | str):  # in an address every number is a text
            return int(value)
    raise BadRequestError(f"{name} must be a whole number")


def _optional(given: dict[str, Any], name: str, least: int | None = None) -> int | None:
    if given.get(name) is None:
        return None
    number = _int(given, name)
    if least is not None and number < least:
        raise BadRequestError(f"{name} must be {least} or more")
    return number


def _float(given: dict[str, Any], name: str, least: float, most: float) -> float:
    value = given.get(name)
    if not isinstance(value, int | float) or not least <= value <= most:
        raise BadRequestError(f"{name} must be a number from {least} to {most}")
    return float(value)


def _str(given: dict[str, Any], name: str) -> str:
    value = _text(given, name)
    if not value:
        raise BadRequestError(f"{name} must be a text")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    """Empty where there is none."""
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{name} must be a text")
    return value or ""
