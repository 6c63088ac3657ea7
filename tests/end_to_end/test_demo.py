"""`tagwire demo` as a newcomer meets it: one process, one page, driven over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]


async def test_from_sub_to_the_alert_over_http(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAGWIRE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", "--no-feeds",
        cwd=tmp_path, env={**clean, "PYTHONPATH": str(ROOT), "TAGWIRE_CONFIG": str(ROOT / "config")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("playground: http://127.0.0.1:")
        async with aiohttp.ClientSession(line.removeprefix("playground: ").rstrip("/")) as web:
            async with web.get("/") as page:
                assert "local simulator, not Telegram" in await page.text()
            async with web.get("/api/state") as state:
                people = (await state.json())["users"]
            chat = next(person["id"] for person in people if person["first_name"] == "Olivia")
            async with web.get("/api/events") as events:
                await web.post("/api/say", json={"chat_id": chat, "text": "/sub #peace_plan #nato"})
                await _until(events, web, chat, "You follow #peace_plan, #nato")
                await web.post("/newsroom/publish", json={})
                card = await _until(events, web, chat, "#peace_plan #nato #ukraine")
    assert "17:11 · 1 min read" in card["text"]
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, said = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - it leaves nothing behind


async def _until(events: aiohttp.ClientResponse, web: aiohttp.ClientSession, chat: int, text: str) -> dict:
    """The chat's message that ends so, once it is there."""
    async for _ in events.content:
        async with web.get("/api/messages", params={"chat_id": chat}) as answer:
            for message in (await answer.json())["messages"]:
                if message["from"]["is_bot"] and text in message["text"]:
                    return message
    raise AssertionError
