"""From /start to the first article and the first alert, in the demo as a newcomer meets it: a process, over HTTP.

The times are the machine's; a person's reading and tapping come on top. The issue asks for 30 seconds in all.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Milliseconds of each step of a newcomer. The alert follows the sample at once, so it waits for its chat's pace."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAGWIRE_")}
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", "--no-feeds",
        cwd=folder, env={**clean, "PYTHONPATH": str(ROOT), "TAGWIRE_CONFIG": str(ROOT / "config")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().strip()
        up = time.perf_counter()
        async with aiohttp.ClientSession(line.removeprefix("playground: ").rstrip("/")) as web:
            greeted, sampled, asked, alerted = await _newcomer(web)
    finally:
        process.terminate()
        await process.wait()
    return [
        ("the demo is up", "ms", 1000 * (up - started)),
        ("/start: the first message", "ms", 1000 * greeted),
        ("a tap on a tag: its newest article", "ms", 1000 * sampled),
        ("both: /start to the first article", "ms", 1000 * asked),
        ("published next: its alert", "ms", 1000 * alerted),
    ]


async def _newcomer(web: aiohttp.ClientSession) -> tuple[float, float, float, float]:
    async with web.get("/api/state") as state:
        people = (await state.json())["users"]
    chat = next(person["id"] for person in people if person["first_name"] == "Olivia")
    async with web.get("/api/events") as events:
        begun = time.perf_counter()
        await web.post("/api/say", json={"chat_id": chat, "text": "/start"})
        hello = await _until(events, web, chat, lambda message: _tags(message) != [])
        greeted = time.perf_counter()
        button = next((one for one in _tags(hello) if one["text"].startswith("#nato ")), _tags(hello)[0])
        pressed = {"chat_id": chat, "message_id": hello["message_id"], "data": button["callback_data"]}
        await web.post("/api/press", json=pressed)
        await _until(events, web, chat, _is_card)
        sampled = time.perf_counter()
        tag = button["text"].partition(" ")[0].removeprefix("#")
        await web.post("/newsroom/publish", json={"title": "What a newcomer waits for", "tags": [tag]})
        await _until(events, web, chat, lambda message: message["text"].startswith("What a newcomer waits for"))
        return greeted - begun, sampled - greeted, sampled - begun, time.perf_counter() - sampled


def _tags(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [button for button in _buttons(message) if str(button.get("callback_data")).startswith("follow:")]


def _is_card(message: dict[str, Any]) -> bool:
    return any("url" in button for button in _buttons(message))


def _buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


async def _until(
    events: aiohttp.ClientResponse, web: aiohttp.ClientSession, chat: int, wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The bot's message that is so, once it is there; the page learns of it by the same events."""
    async with asyncio.timeout(30):
        async for _ in events.content:
            async with web.get("/api/messages", params={"chat_id": chat}) as answer:
                for message in (await answer.json())["messages"]:
                    if message["from"]["is_bot"] and wanted(message):
                        return message
    raise AssertionError("the events ended")
