"""A local site that answers as a test tells it; the `site` fixture of conftest.py starts one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from bot.feeds.fetch import Fetcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Answers by path; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Handler] = {}
        self.asked: list[web.Request] = []
        self.url = ""

    def serve(self, path: str, *, status: int = 200, body: bytes = b"", **headers: str) -> str:
        """Answer `path` always in this way; its address."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(
                status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        return self.handle(path, answer)

    def handle(self, path: str, handler: Handler) -> str:
        self.answers[path] = handler
        return self.url + path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        handler = self.answers.get(request.path)
        return await handler(request) if handler else web.Response(status=404)


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    """A site on a free port."""
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


def fetcher(**changes: object) -> Fetcher:
    values: dict[str, object] = {
        "user_agent": "tagwire/test",
        "timeout_s": 5,
        "max_bytes": 100_000,
        "allow_private": True,
        "per_host": 1,
        "pause_s": 0.5,
        "connections": 4,
    }
    return Fetcher(**(values | changes))  # type: ignore[arg-type]
