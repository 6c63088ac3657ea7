"""The demo's page with 2 000 messages in a chat and 200 chats: until it is drawn, and until a new message is.

Each figure is the browser's own time, from the navigation (or the call that sends) to the frame after the last change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from bot.playground.server import Playground
from tests.browser.chromium import ARGUMENTS, NONE, find

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES, CHATS = 2_000, 200
TOKEN = "1:a-token-of-nothing-000000000000"
TEXT = "<b>Headline {n} of the newsroom</b>\nA summary of two lines, as an alert has it, with a #tag and a #peace_plan."
BUTTONS = {"inline_keyboard": [[{"text": "Read", "url": "https://e.org/"}, {"text": "Mute", "callback_data": "x"}]]}
#: Milliseconds until the frame after the open chat shows the message of that number, its newest.
DRAWN = """
(wanted) => new Promise((resolve) => {
  const list = document.getElementById("messages");
  const look = () => (list.querySelector(`[data-message-id="${wanted}"]`)
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look));
  look();
})
"""


async def measure(_: Path) -> list[tuple[str, str, float]]:
    """Milliseconds."""
    path = find()
    if path is None:
        raise RuntimeError(NONE)
    async with Playground(limits=False) as playground, async_playwright() as playwright:
        chats = [playground.telegram.add_user(f"Reader {n}") for n in range(CHATS)]
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 1280, "height": 800})

        async def send(n: int) -> None:
            url = f"{playground.url}/bot{TOKEN}/sendMessage"
            body = {"chat_id": chats[0], "text": TEXT.format(n=n), "parse_mode": "HTML", "reply_markup": BUTTONS}
            await page.request.post(url, data=body)

        for n in range(MESSAGES):
            await send(n)
        await page.goto(playground.url)
        drawn = await page.evaluate(DRAWN, MESSAGES)
        added = 0.0
        for n in range(10):
            before = await page.evaluate("performance.now()")
            await send(n)
            added += await page.evaluate(DRAWN, MESSAGES + n + 1) - before
        before = await page.evaluate("performance.now()")
        await page.locator(f"[data-chat='{chats[-1]}']").click()
        await page.locator(".empty").wait_for()
        other = await page.evaluate("performance.now()") - before
        await browser.close()
    return [
        (f"page with {MESSAGES:,} messages and {CHATS} chats drawn", "ms", drawn),
        ("a new message in it, from the call to the frame", "ms", added / 10),
        ("another of the chats opened", "ms", other),
    ]
