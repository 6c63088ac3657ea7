"""The demo in this process, and its page in a real browser."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from bot.demo import Demo
from bot.playground.clock import Clock
from bot.settings import load
from tests.browser.chromium import ARGUMENTS, NONE, find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Locator, Page

ROOT = Path(__file__).parents[2]
#: Friday, 17:20 in Kyiv: nine minutes after the seed article, and nobody's night.
START = 1_763_738_400
WIDE, NARROW = ViewportSize(width=1080, height=660), ViewportSize(width=360, height=740)
PATIENCE_MS = 15_000
#: Where pictures go; without it none are made.
PICTURES = os.environ.get("TAGWIRE_PICTURES", "")


@dataclass
class Stage:
    """The page as a person meets it."""

    page: Page
    url: str

    async def open(self, name: str) -> None:
        """Open somebody's chat."""
        if await self.page.locator(".views").is_visible():
            await self.page.get_by_role("button", name="People", exact=True).click()
        await self.page.locator("#chats").get_by_role("button", name=name).first.click()
        await expect(self.page.locator("#chat-title")).to_contain_text(name)
        await expect(self.page.locator("#messages")).to_have_attribute("aria-busy", "false")

    async def say(self, text: str) -> Locator:
        """Write; the bot's next message."""
        before = await self.of_bot.count()
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()
        await expect(self.of_bot.nth(before)).to_be_visible()
        return self.of_bot.nth(before)

    @property
    def of_bot(self) -> Locator:
        """What the bot said in the open chat."""
        return self.page.locator("li.message:not(.mine)")

    def card(self, headline: str) -> Locator:
        """The bot's newest message that holds this."""
        return self.of_bot.filter(has_text=headline).last

    def button(self, name: str) -> Locator:
        """A button anywhere on the page."""
        return self.page.get_by_role("button", name=name)

    async def api(self, path: str, **body: object) -> dict:
        """A documented call, as a script makes it."""
        answer = await self.page.request.post(f"{self.url}{path}", data=body)
        return await answer.json()

    async def picture(self, name: str, of: Locator | None = None) -> None:
        """A picture for the documents, when they are asked for."""
        if PICTURES:
            target = of or self.page
            await target.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = find()
    if path is None:
        pytest.fail(NONE)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield launched
        await launched.close()


@asynccontextmanager
async def demonstrated(keep: Path | None = None, **settings: str) -> AsyncIterator[str]:
    """The demo's address, while it plays from a Friday evening on; `settings` are more of its environment."""
    began = time.monotonic()
    clock = Clock(lambda: START + time.monotonic() - began)
    config = load(ROOT / "config", {"TAGWIRE_READERS__OFFER_QUIET": "false", **settings})
    demo = Demo(config, host="127.0.0.1", port=0, with_feeds=False, keep=keep, clock=clock)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    playing = asyncio.create_task(demo.run(ready=ready.set_result))
    try:
        await asyncio.wait({playing, ready}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            await playing
        yield await ready
    finally:
        demo.stop()
        await playing


@asynccontextmanager
async def seen(browser: Browser, url: str, **how: object) -> AsyncIterator[Stage]:
    """The page in a browser; a fault in its script fails the test."""
    context = await browser.new_context(**{"viewport": WIDE, **how})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(url)
    await page.locator("body[data-ready]").wait_for()
    yield Stage(page, url.rstrip("/"))
    await context.close()
    assert faults == []


@pytest.fixture
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    expect.set_options(timeout=PATIENCE_MS)
    async with demonstrated() as url, seen(browser, url) as one:
        yield one
