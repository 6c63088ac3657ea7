"""Health and metrics over HTTP, for the machines that watch the service."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, Self

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from prometheus_client import CollectorRegistry


#: Of a push, which is hashed and never parsed.
MAX_PUSH = 16 * 1024 * 1024


class WebError(Exception):
    """The server cannot listen; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service and whether it works."""

    ok: bool
    detail: str = ""


class Hub(Protocol):
    """What answers hubs (`pipeline.push.Pushes`)."""

    async def confirm(self, token: str, asked: Mapping[str, str]) -> str | None:
        """The challenge to echo; None: no such subscription."""
        ...

    async def pushed(self, token: str, signature: str, body: bytes) -> bool:
        """Take a push; False: no such subscription."""
        ...


class WebServer:
    """`GET /healthz` and `GET /metrics`, and with a `hub` WebSub's callbacks; use as an async context manager."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Callable[[], Awaitable[Mapping[str, Part]]],
        registry: CollectorRegistry,
        hub: Hub | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._registry = registry
        self._hub = hub
        app = web.Application(client_max_size=MAX_PUSH)
        if hub is not None:
            app.router.add_get("/websub/{token}", self._confirm)
            app.router.add_post("/websub/{token}", self._pushed)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        """Listen. Raises WebError when the address is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise WebError(
                f"TAGWIRE_WEB__PORT: cannot listen at {self._host}:{self._port}: {_reason(error)}; choose another port"
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        parts = await self._health()
        ok = all(part.ok for part in parts.values())
        body = {"ok": ok, "parts": {name: asdict(part) for name, part in parts.items()}}
        return web.json_response(body, status=200 if ok else 503)

    async def _confirm(self, request: web.Request) -> web.Response:
        assert self._hub is not None  # noqa: S101 - the route exists only then
        challenge = await self._hub.confirm(request.match_info["token"], request.query)
        return web.Response(status=404) if challenge is None else web.Response(text=challenge)

    async def _pushed(self, request: web.Request) -> web.Response:
        assert self._hub is not None  # noqa: S101 - the route exists only then
        signature = request.headers.get("X-Hub-Signature", "")
        known = await self._hub.pushed(request.match_info["token"], signature, await request.read())
        return web.Response(status=202 if known else 410)

    async def _metrics(self, _: web.Request) -> web.Response:
        await self._health()  # refreshes the gauges
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)  # the event loop's own text repeats the address
