"""`tagwire demo`: the whole product on one page, joined to the local Telegram and a sample newsroom."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import feeds_of, now_ms, opened
from bot.core.model import Feed, Member, PageMode
from bot.core.roles import Role
from bot.playground.clock import Clock
from bot.playground.keeping import Keeper
from bot.playground.newsroom import Newsroom
from bot.playground.server import Playground
from bot.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from bot.playground.telegram import Telegram
    from bot.settings import Config

#: A token of the right shape for the local Telegram, which takes any.
TOKEN = "1:local-playground-no-secret-0000000000000"  # noqa: S105 - of nothing
SAMPLES = ("sample-en", "sample-uk", "sample-wire")


class Demo:
    """The playground and the bot in one process. Its database goes with it unless one was asked for by name.

    `clock` is everybody's: Telegram's, the newsroom's and the service's. With `keep`, the local Telegram and the
    newsroom go on from that file, and so does the database beside it.
    """

    def __init__(
        self,
        config: Config,
        *,
        host: str,
        port: int,
        with_feeds: bool,
        keep: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._config = config
        self._host = host
        self._port = port
        self._with_feeds = with_feeds
        self._keep = keep
        self._stop = asyncio.Event()
        self._clock = clock or Clock()
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Stop cleanly."""
        self._stop.set()

    async def run(self, *, ready: Callable[[str], None]) -> None:
        """Play until `stop`; `ready` gets the address once the bot listens. Raises PlaygroundError and KeepError."""
        newsroom = Newsroom(clock=self._clock.moment, on_publish=self._published)
        playground = Playground(self._host, self._port, now=self._clock, extra=newsroom.mount, preview=newsroom.preview)
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tagwire-demo-")))
            keeper = (
                Keeper(self._keep, playground.telegram, {"newsroom": newsroom, "clock": self._clock})
                if self._keep
                else None
            )
            kept = keeper.read() if keeper else False
            await stack.enter_async_context(playground)
            if not kept:
                add_people(playground.telegram)
            if keeper:
                await stack.enter_async_context(keeper)
            config = self._configured(playground, folder)
            await _appoint(config, playground.telegram)
            feeds = (*_sample_feeds(playground.url), *(feeds_of(config) if self._with_feeds else ()))
            self._service = Service(config, TOKEN, feeds, clock=self._clock.ms)
            self._clock.on_turn.append(lambda: self._do(self._service.look()))
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
        self._do(self._service.poll(SAMPLES))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _configured(self, playground: Playground, folder: Path) -> Config:
        settings = self._config.settings
        chosen = settings.database != type(settings)().database
        own = self._keep.with_name(f"{self._keep.name}.db").absolute() if self._keep else folder / "demo.db"
        admins = {number for number, about in playground.telegram.about.items() if about["part"] == "admin"}
        update = {
            "api_url": playground.url,
            "database": settings.database if chosen else f"sqlite:///{own}",
            "admins": settings.admins | admins,
            # The sample newsroom is on loopback.
            "fetch": settings.fetch.model_copy(update={"allow_private": True}),
        }
        return replace(self._config, settings=settings.model_copy(update=update))


def add_people(telegram: Telegram) -> None:
    """Two readers, three of the newsroom, and a group with a topic."""
    olena = telegram.add_user("Олена", "uk", part="reader", time_zone="Europe/Kyiv")
    telegram.add_user("Olivia", "en", part="reader", time_zone="America/New_York")
    telegram.add_user("Editor", "en", part="editor")
    telegram.add_user("Publisher", "en", part="publisher")
    telegram.add_user("Admin", "en", part="admin")
    group = telegram.add_group("Спільнота", forum=True, admin=olena)
    telegram.add_topic(group, "Новини")


async def _appoint(config: Config, telegram: Telegram) -> None:
    """Give the editor and the publisher their roles, once."""
    async with opened(config) as store:
        known = {member.user_id for member in await store.staff.members()}
        for number, about in telegram.about.items():
            if about["part"] in {Role.EDITOR, Role.PUBLISHER} and number not in known:
                member = Member(user_id=number, role=Role(about["part"]), name=telegram.users[number]["first_name"])
                await store.staff.put(member, 0, now_ms())


def _sample_feeds(url: str) -> tuple[Feed, ...]:
    english, ukrainian, wire = SAMPLES
    return (
        _sample_feed(english, f"{url}/newsroom/rss.xml", "Sample Newsroom", "en"),
        _sample_feed(ukrainian, f"{url}/newsroom/uk/rss.xml", "Зразкова редакція", "uk"),
        _sample_feed(wire, f"{url}/newsroom/wire/rss.xml", "Second Sample Wire", "en"),
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
