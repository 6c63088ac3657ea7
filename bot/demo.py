"""`tagwire demo`: the whole product on one page, joined to the local Telegram and a sample newsroom."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import feeds_of
from bot.core.model import Feed, PageMode
from bot.playground.newsroom import Newsroom
from bot.playground.server import Playground
from bot.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import Config

#: A token of the right shape for the local Telegram, which takes any.
TOKEN = "1:local-playground-no-secret-0000000000000"  # noqa: S105 - of nothing
SAMPLES = ("sample-en", "sample-uk")


class Demo:
    """The playground and the bot in one process. Its database goes with it unless one was asked for by name."""

    def __init__(self, config: Config, *, host: str, port: int, with_feeds: bool) -> None:
        self._config = config
        self._host = host
        self._port = port
        self._with_feeds = with_feeds
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Stop cleanly."""
        self._stop.set()

    async def run(self, *, ready: Callable[[str], None]) -> None:
        """Play until `stop`; `ready` gets the address once the bot listens. Raises PlaygroundError."""
        newsroom = Newsroom(on_publish=self._published)
        with tempfile.TemporaryDirectory(prefix="tagwire-demo-") as folder:
            async with Playground(self._host, self._port, extra=newsroom.mount) as playground:
                people = _people(playground)
                config = self._configured(playground.url, Path(folder), people)
                samples = _sample_feeds(playground.url)
                feeds = (*samples, *(feeds_of(config) if self._with_feeds else ()))
                self._service = Service(config, TOKEN, feeds)
                self._tasks: set[asyncio.Task[None]] = set()
                await self._play(self._service, playground.url, ready)

    async def _play(self, service: Service, url: str, ready: Callable[[str], None]) -> None:
        running = asyncio.create_task(service.run())
        stopped = asyncio.create_task(self._stop.wait())
        listening = asyncio.create_task(service.listening.wait())
        try:
            await asyncio.wait({running, listening, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if service.listening.is_set():
                await service.poll(SAMPLES)  # the archive is filled before anybody can publish
                ready(url)
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            service.stop()
            for waiting in (stopped, listening):
                waiting.cancel()
            await running

    def _published(self) -> None:
        """A story appeared in the sample newsroom: fetch it at once rather than at the next tick."""
        task = asyncio.get_running_loop().create_task(self._service.poll(SAMPLES))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _configured(self, url: str, folder: Path, admin: int) -> Config:
        settings = self._config.settings
        chosen = settings.database != type(settings)().database
        update = {
            "api_url": url,
            "database": settings.database if chosen else f"sqlite:///{folder / 'demo.db'}",
            "admins": settings.admins | {admin},
            # The sample newsroom is on loopback.
            "fetch": settings.fetch.model_copy(update={"allow_private": True}),
        }
        return replace(self._config, settings=settings.model_copy(update=update))


def _people(playground: Playground) -> int:
    """Two readers and an editor; the editor's id."""
    playground.telegram.add_user("Олена", "uk")
    playground.telegram.add_user("Olivia", "en")
    return playground.telegram.add_user("Editor", "en")


def _sample_feeds(url: str) -> tuple[Feed, ...]:
    english, ukrainian = SAMPLES
    return (
        _sample_feed(english, f"{url}/newsroom/rss.xml", "Sample Newsroom", "en"),
        _sample_feed(ukrainian, f"{url}/newsroom/uk/rss.xml", "Зразкова редакція", "uk"),
    )


def _sample_feed(name: str, url: str, title: str, language: str) -> Feed:
    return Feed(
        name=name,
        url=url,
        title=title,
        language=language,
        every=60,
        pages=PageMode.ALWAYS,
        tag_selector=".article-tags a",
    )
