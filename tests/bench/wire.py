"""One message over the wire: ours beside the library as it comes and aiogram, against a server that answers after 50 ms.

HTML of 400 Cyrillic characters and two buttons. The server runs in a process of its own; what is printed is the
client's, which has one thread: under 1000 us a message it makes 1 000 a second on one core.
"""

from __future__ import annotations

import asyncio
import json
import time
import warnings
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.bench.served import served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Send = Callable[[int], Awaitable[object]]

LATENCY_S = 0.05
TOKEN = "42:bench-00000000000000000000000000000000"
LINK = "https://example.org/news/1"
TEXT = (
    f'<b><a href="{LINK}">Заголовок новини про мирний план</a></b>\n'
    + "Слово про події у світі. " * 14
    + "\n#peace_plan #nato"
)
ME = {"id": 42, "is_bot": True, "first_name": "B", "username": "b"}
MESSAGE = {
    "message_id": 1,
    "from": ME,
    "chat": {"id": 5, "first_name": "О", "type": "private"},
    "date": 1_700_000_000,
    "text": TEXT[len(LINK) + 20 :],
    "entities": [
        {"offset": 0, "length": 32, "type": "bold"},
        {"offset": 0, "length": 32, "type": "text_link", "url": LINK},
        {"offset": 384, "length": 11, "type": "hashtag"},
        {"offset": 396, "length": 5, "type": "hashtag"},
    ],
    "link_preview_options": {"is_disabled": True},
    "reply_markup": {
        "inline_keyboard": [[{"text": "Читати", "url": LINK}, {"text": "Ще про це", "callback_data": "more:1"}]]
    },
}


def telegram() -> web.Application:
    """A Telegram that takes its time, never says no, and answers as fully as the real one."""
    answers = {
        name: json.dumps({"ok": True, "result": result}, ensure_ascii=False).encode()
        for name, result in (("getMe", ME), ("sendMessage", MESSAGE))
    }

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(LATENCY_S)
        name = request.match_info["method"]
        return web.Response(body=answers[name[0].lower() + name[1:]], content_type="application/json")

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    return app


async def ours(url: str, stack: AsyncExitStack) -> Send:
    """Our transport, limiter (without limits) and sender."""
    from bot.core.model import Button, Card  # noqa: PLC0415 - each peer loads what it needs
    from bot.core.pacing import Pacer  # noqa: PLC0415
    from bot.telegram.application import TelegramBot  # noqa: PLC0415

    card = Card(html=TEXT, plain=TEXT, buttons=((Button("Читати", url=LINK), Button("Ще про це", data="more:1")),))
    bot = TelegramBot(token=TOKEN, api_url=url, pacer=Pacer(overall=0, per_chat=0, per_group=0))
    await bot.connect()
    stack.push_async_callback(bot.close)
    return lambda chat: bot.sender.send(chat, 0, card)


async def stock(url: str, stack: AsyncExitStack) -> Send:
    """The library with its own transport and limiter, the limiter's rate out of the way."""
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions  # noqa: PLC0415
    from telegram.ext import AIORateLimiter, ExtBot  # noqa: PLC0415
    from telegram.request import HTTPXRequest  # noqa: PLC0415

    request = HTTPXRequest(connection_pool_size=256, pool_timeout=60)
    limiter = AIORateLimiter(overall_max_rate=1_000_000, overall_time_period=1)
    bot: ExtBot[Any] = ExtBot(TOKEN, base_url=f"{url}/bot", request=request, rate_limiter=limiter)
    await stack.enter_async_context(bot)

    def send(chat: int) -> Awaitable[object]:
        keys = [InlineKeyboardButton("Читати", url=LINK), InlineKeyboardButton("Ще про це", callback_data="more:1")]
        return bot.send_message(
            chat, TEXT, parse_mode="HTML", reply_markup=InlineKeyboardMarkup([keys]),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )  # fmt: skip

    return send


async def aiogram(url: str, stack: AsyncExitStack) -> Send:
    """Aiogram 3, which has no limiter."""
    from aiogram import Bot  # noqa: PLC0415
    from aiogram.client.session.aiohttp import AiohttpSession  # noqa: PLC0415
    from aiogram.client.telegram import TelegramAPIServer  # noqa: PLC0415
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions  # noqa: PLC0415

    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    stack.push_async_callback(bot.session.close)

    def send(chat: int) -> Awaitable[object]:
        keys = [
            InlineKeyboardButton(text="Читати", url=LINK),
            InlineKeyboardButton(text="Ще про це", callback_data="more:1"),
        ]
        return bot.send_message(
            chat, TEXT, parse_mode="HTML", reply_markup=InlineKeyboardMarkup(inline_keyboard=[keys]),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )  # fmt: skip

    return send


#: Who, calls under way at once, messages. The library's own transport slows down above 30.
RUNS = (
    ("ours", ours, 100, 6_000),
    ("aiogram 3", aiogram, 100, 6_000),
    ("python-telegram-bot, stock transport and limiter", stock, 30, 1_500),
    ("python-telegram-bot, stock transport and limiter", stock, 100, 500),
)


async def measure(_: Path) -> list[tuple[str, str, float]]:
    """Messages a second and CPU a message, of each."""
    figures: list[tuple[str, str, float]] = []
    with served(telegram) as url, warnings.catch_warnings(action="ignore"):
        for name, make, in_flight, messages in RUNS:
            async with AsyncExitStack() as stack:
                wall, cpu = await _run(await make(url, stack), in_flight, messages)
            what = f"wire, {LATENCY_S * 1000:.0f} ms server, {in_flight} in flight: {name}"
            figures += [(what, "messages / s", messages / wall), (what, "CPU us / message", cpu / messages * 1e6)]
    return figures


async def _run(send: Send, in_flight: int, messages: int) -> tuple[float, float]:
    left = iter(range(1, messages + 1))

    async def worker() -> None:
        for chat in left:
            await send(chat)

    await asyncio.gather(*(send(1) for _ in range(in_flight)))  # connections stand, code is warm
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return time.perf_counter() - wall, time.process_time() - cpu
