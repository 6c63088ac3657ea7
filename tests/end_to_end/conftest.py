"""The whole product against a local Telegram and a local newsroom, over HTTP, through the real library."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.app import deliver_once, poll_once
from bot.playground.newsroom import Newsroom
from bot.playground.server import Playground
from bot.service import Service
from bot.settings import FeedSettings, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.core.model import Feed

TOKEN = "42:an-end-to-end-token-of-nothing-0000000000"
CONFIG = Path(__file__).parents[2] / "config"
ADMIN = "Editor"


@dataclass
class World:
    """A local Telegram, a newsroom, and a configuration that joins them."""

    playground: Playground
    newsroom: Newsroom
    folder: Path
    admin: int
    settings: dict[str, str] = field(default_factory=dict)  #: more of the environment

    @property
    def telegram(self):
        return self.playground.telegram

    @property
    def environ(self) -> dict[str, str]:
        return {
            "TAGWIRE_TOKEN": TOKEN,
            "TAGWIRE_ADMINS": str(self.admin),
            "TAGWIRE_DATABASE": f"sqlite:///{self.folder / 'tagwire.db'}",
            "TAGWIRE_API_URL": self.playground.url,
            "TAGWIRE_FETCH__ALLOW_PRIVATE": "true",
            "TAGWIRE_READERS__OFFER_QUIET": "false",  # else what comes would depend on the hour of the run
            **self.settings,
        }

    @property
    def config(self):
        feed = FeedSettings(
            name="sample",
            url=f"{self.playground.url}/newsroom/rss.xml",
            title="Sample Newsroom",
            language="en",
            every="5m",
            pages="always",
            tag_selector=".article-tags a",
        )
        return replace(load(CONFIG, self.environ), feeds=(feed,))

    async def poll(self):
        return await poll_once(self.config, ())

    async def deliver(self):
        return await deliver_once(self.config, TOKEN)

    @asynccontextmanager
    async def running(self, feeds: tuple[Feed, ...] = ()) -> AsyncIterator[Service]:
        """The service, answering people; it polls its feed at once unless that was polled just before."""
        service = Service(self.config, TOKEN, feeds or None)
        task = asyncio.create_task(service.run())
        ready = asyncio.create_task(service.listening.wait())
        try:
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            yield service
        finally:
            ready.cancel()
            service.stop()
            await task

    async def command(self, *words: str, **environ: str) -> asyncio.subprocess.Process:
        """`tagwire` as a process of its own, its output kept."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words,
            env={**os.environ, "TAGWIRE_CONFIG": str(self.written_config()), **self.environ, **environ},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    def written_config(self) -> Path:
        """The configuration as a folder, with the sample feed alone."""
        target = self.folder / "config"
        if not target.exists():
            shutil.copytree(CONFIG, target)
            (target / "feeds.toml").write_text(
                f'[[feed]]\nname = "sample"\nurl = "{self.playground.url}/newsroom/rss.xml"\n'
                'title = "Sample Newsroom"\nlanguage = "en"\npages = "always"\ntag_selector = ".article-tags a"\n'
            )
        return target

    async def says(self, chat: int, text: str, **where: int) -> dict:
        """Write to the bot and wait for its next message in that chat."""
        before = len(self.from_bot(chat))
        self.telegram.say(chat, text, **where)
        await self.playground.wait_for(chat, predicate=lambda _: len(self.from_bot(chat)) > before)
        return self.from_bot(chat)[before]

    async def press(self, chat: int, message: dict, data: str, user: int | None = None) -> dict:
        """Press the button whose data starts so (or forge one) and wait for the bot's answer to the press."""
        held = [button.get("callback_data", "") for button in buttons(message)]
        chosen = next((one for one in held if one.startswith(data)), data)
        callback = self.telegram.press(chat, message["message_id"], chosen, user)
        return await self.playground.wait_answer(callback)

    async def next_message(self, chat: int, act: Awaitable[object]) -> dict:
        """The bot's next message in a chat after `act`."""
        before = len(self.from_bot(chat))
        await act
        await self.playground.wait_for(chat, predicate=lambda _: len(self.from_bot(chat)) > before)
        return self.from_bot(chat)[before]

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to happen in the local Telegram."""
        async with asyncio.timeout(20), self.telegram.changed:
            await self.telegram.changed.wait_for(holds)

    def from_bot(self, chat: int) -> list[dict]:
        return [message for message in self.telegram.messages(chat) if message["from"]["is_bot"]]

    def document(self, message: dict) -> dict:
        """What stands in the JSON file of a message."""
        file = self.telegram.files.get(message["document"]["file_id"])
        return json.loads(file.content)

    def cards(self, chat: int) -> list[dict]:
        """The alerts in a chat: what carries a button to read an article."""
        return [message for message in self.from_bot(chat) if any("url" in button for button in buttons(message))]


def buttons(message: dict) -> list[dict]:
    """The buttons under a message."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


@asynccontextmanager
async def a_world(folder: Path, *, limits: bool) -> AsyncIterator[World]:
    newsroom = Newsroom()
    async with Playground(extra=newsroom.mount, limits=limits) as playground:
        admin = playground.telegram.add_user(ADMIN, "en")
        # Where the local Telegram keeps to no limit, ours would only make the tests wait.
        settings = {} if limits else {"TAGWIRE_TELEGRAM__PER_CHAT_SECOND": "0"}
        yield World(playground, newsroom, folder, admin, settings)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path, limits=False) as one:
        yield one


@pytest.fixture
async def world_with_limits(tmp_path: Path) -> AsyncIterator[World]:
    """With Telegram's flood rules."""
    async with a_world(tmp_path, limits=True) as one:
        yield one
