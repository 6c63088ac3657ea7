"""The playground's server: the Bot API, faults on demand, the control API and the chat page, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from bot.playground import control
from bot.playground.chats import Numbers
from bot.playground.clock import Clock
from bot.playground.faults import AFTER, Faults
from bot.playground.files import Upload
from bot.playground.inline import answer_inline
from bot.playground.limits import Limits
from bot.playground.methods import Methods
from bot.playground.params import ApiError
from bot.playground.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bot.playground.control import Preview

STATIC = Path(__file__).parent / "static"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TOKEN = re.compile(r"\d+:[\w-]{10,}", re.ASCII)
KEPT_CALLS = 1000
#: What a bot may send, and the rest of a multipart call.
MAX_UPLOAD_BYTES = 51 * 1024**2


class PlaygroundError(Exception):
    """The server cannot listen; the text says where and what to do."""


class Playground:
    """A local Telegram; use as an async context manager, or `start` and `stop`.

    Args:
        host: where to listen; loopback, unless somebody knows what they do.
        port: 0 picks a free one.
        clock: seconds, for flood rules.
        now: for the times of messages; this machine's clock unless given.
        limits: whether flood rules hold, or the rules.
        token: the one token that is taken; None takes any of the right shape.
        extra: mounts further routes on the same server.
        preview: what a link to such a page shows of it, by its path.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Clock | None = None,
        limits: bool | Limits = True,
        token: str | None = None,
        extra: Callable[[web.Application], None] | None = None,
        preview: Preview | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._token = token
        self._limits = Limits(clock) if limits is True else limits or None
        self._extra = extra
        self._runner: web.AppRunner | None = None
        self._preview = preview
        self.now = now or Clock()
        self.telegram = Telegram(self.now)
        self.faults = Faults()
        self._call_ids = Numbers()
        self.calls: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)
        self.url = ""
        self._methods = Methods(self.telegram)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises PlaygroundError."""
        app = web.Application(middlewares=[self._only_from_here], client_max_size=MAX_UPLOAD_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        control.mount(app, self.telegram, self.faults, self.calls, self.now, self._preview)
        if self._extra:
            self._extra(app)
        app.router.add_get("/", self._page)
        app.router.add_static("/static/", STATIC)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise PlaygroundError(
                f"cannot listen at {self._host}:{self._port}: {reason}; choose another port, or --port 0 for a free one"
            ) from None
        port = self._runner.addresses[0][1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{shown}:{port}"

    async def stop(self) -> None:
        """End every request at once, and close."""
        self.faults.clear()
        await self._methods.close()
        for listener in self.telegram.listeners:
            listener.put_nowait({"type": "bye"})
        if self._runner is not None:
            await self._runner.cleanup()

    # -- waiting, for tests

    async def wait_for(
        self,
        chat_id: int,
        *,
        count: int = 1,
        predicate: Callable[[dict[str, Any]], bool] = lambda message: message["from"]["is_bot"],
        timeout: float = 20,  # noqa: ASYNC109 - the caller's patience is part of what it asks
    ) -> list[dict[str, Any]]:
        """The chat's messages that fit, once there are `count`. Raises TimeoutError."""

        def found() -> list[dict[str, Any]]:
            return [message for message in self.telegram.messages(chat_id) if predicate(message)]

        async with asyncio.timeout(timeout), self.telegram.changed:
            await self.telegram.changed.wait_for(lambda: len(found()) >= count)
        return found()

    async def wait_answer(self, callback_id: str) -> dict[str, Any]:
        """The bot's answer to a press. Raises TimeoutError."""
        async with asyncio.timeout(20), self.telegram.changed:
            await self.telegram.changed.wait_for(lambda: bool(self.telegram.callbacks.get(callback_id)))
        return self.telegram.callbacks[callback_id]

    # -- HTTP

    @web.middleware
    async def _only_from_here(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Refuse names that only look like this machine (DNS rebinding), and forms of other sites (CSRF)."""
        host = (request.url.host or "").strip("[]")
        if self._host in LOOPBACK and host not in LOOPBACK:
            return web.json_response({"ok": False, "error": "this server answers to loopback only"}, status=403)
        ours = request.path.startswith("/api/")
        if ours and request.method in {"POST", "DELETE"} and request.content_type != "application/json":
            said = "send it as JSON, with content-type: application/json"
            return web.json_response({"ok": False, "error": said}, status=415)
        response: web.StreamResponse = await handler(request)
        return response

    async def _page(self, _: web.Request) -> web.FileResponse:
        policy = "default-src 'self'; img-src 'self' data:"
        return web.FileResponse(STATIC / "page.html", headers={"Content-Security-Policy": policy})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name, params = request.match_info["method"], {}
        try:
            params = await _params(request)
            result = await self._perform(request, name, params)
            body: dict[str, Any] = {"ok": True, "result": result}
            status = 200
        except ApiError as error:
            body = {"ok": False, "error_code": error.code, "description": error.description}
            body |= {"parameters": error.parameters} if error.parameters else {}
            status = error.code
        if name.lower() != "getupdates":
            self._note(name, params, status, body)
        wait = body.get("parameters", {}).get("retry_after")
        return web.json_response(body, status=status, headers={"Retry-After": str(wait)} if wait else None)

    def _note(self, name: str, params: dict[str, Any], status: int, body: dict[str, Any]) -> None:
        shown = {key: value.shown() if isinstance(value, Upload) else value for key, value in params.items()}
        call = {"id": next(self._call_ids), "method": name, "params": shown, "status": status, "answer": body}
        self.calls.append(call)
        self.telegram.tell({"type": "call", "call": call})

    async def _download(self, request: web.Request) -> web.Response:
        file = self.telegram.files.at(request.match_info["path"])
        if file is None or not self._takes(request.match_info["token"]):
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=file.content, content_type="application/octet-stream")

    def _takes(self, token: str) -> bool:
        return bool(TOKEN.fullmatch(token)) and (not self._token or token == self._token)

    async def _perform(self, request: web.Request, name: str, params: dict[str, Any]) -> Any:
        if not self._takes(request.match_info["token"]):
            raise ApiError(401, "Unauthorized")
        method = self._methods.get(name)
        if name.lower() == "answerinlinequery":
            method = partial(answer_inline, self.telegram)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        chat_id = int(params["chat_id"]) if str(params.get("chat_id", "")).lstrip("-").isdigit() else 0
        counted = name in self._methods.counted
        fault = self.faults.take(chat_id, counted=counted)
        if fault and fault.kind in AFTER:
            result = await method(params)
            await self.faults.go_wrong(request, fault)
            return result
        if fault:
            await self.faults.go_wrong(request, fault)
        if not counted:
            return await method(params)
        if self._limits and (wait := self._limits.retry_after(chat_id)):
            raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        return await method(params)


def _upload(field: web.FileField) -> Upload:
    return Upload(field.filename, field.content_type, field.file.read())


async def _params(request: web.Request) -> dict[str, Any]:
    params: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            params |= json.loads(await request.text() or "{}")
        except ValueError:
            raise ApiError(400, "Bad Request: can't parse JSON body") from None
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            params[name] = _upload(value) if isinstance(value, web.FileField) else value
    return params
