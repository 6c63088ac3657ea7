"""Health and metrics over HTTP, for the machines that watch the service."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from prometheus_client import CollectorRegistry


class WebError(Exception):
    """The server cannot listen; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service and whether it works."""

    ok: bool
    detail: str = ""


class WebServer:
    """`GET /healthz` and `GET /metrics`; use as an async context manager."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Callable[[], Awaitable[Mapping[str, Part]]],
        registry: CollectorRegistry,
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._registry = registry
        app = web.Application()
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

    async def _metrics(self, _: web.Request) -> web.Response:
        await self._health()  # refreshes the gauges
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)  # the event loop's own text repeats the address
