"""The transport: what surely never left, what perhaps did, and no address in any of it."""

from __future__ import annotations

import pytest
from telegram import Bot, InputFile
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.playground.server import Playground
from bot.telegram.request import AiohttpRequest, BrokenError, NotSentError

TOKEN = "42:a-token-for-the-transport-0000000000000"


@pytest.fixture
async def playground():
    async with Playground(limits=False) as one:
        yield one


async def called(url: str, chat: int, text: str = "hello", **options):
    """A message by the real library over this transport."""
    request, updates = AiohttpRequest(connections=2), AiohttpRequest(connections=1)
    async with Bot(TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=updates) as bot:
        return await bot.send_message(chat, text, **options)


async def test_a_message_goes_out_and_comes_back(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    sent = await called(playground.url, chat, "Київ & <b>", disable_notification=True)
    (kept,) = playground.telegram.messages(chat)
    assert (kept["message_id"], kept["text"], kept["silent"]) == (sent.message_id, "Київ & <b>", True)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("reset-before", BrokenError), ("reset-after", BrokenError), ("500", NetworkError), ("429", RetryAfter)],
)
async def test_faults(fault, error, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    playground.faults.set(fault)
    with pytest.raises(error) as raised:
        await called(playground.url, chat)
    _says_no_token(raised.value)


async def test_no_answer_in_time_is_told_apart(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    playground.faults.set("hang")
    with pytest.raises(TimedOut) as raised:
        await called(playground.url, chat, read_timeout=0.2)
    _says_no_token(raised.value)


async def test_nobody_there_was_surely_not_sent(unused_tcp_port) -> None:
    request = AiohttpRequest(connections=1)
    await request.initialize()
    with pytest.raises(NotSentError) as raised:
        await request.do_request(f"http://127.0.0.1:{unused_tcp_port}/bot{TOKEN}/getMe", "POST")
    await request.shutdown()
    _says_no_token(raised.value)
    with pytest.raises(NotSentError):
        await request.do_request(f"http://127.0.0.1:{unused_tcp_port}/", "POST")  # closed


async def test_telegrams_refusals_keep_their_words(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    with pytest.raises(BadRequest, match='Can\'t parse entities: unsupported start tag "x" at byte offset 0'):
        await called(playground.url, chat, "<x>", parse_mode="HTML")
    playground.telegram.block(chat)
    with pytest.raises(Forbidden, match="blocked by the user"):
        await called(playground.url, chat)


async def test_files_go_as_a_form() -> None:
    from aiohttp import web  # noqa: PLC0415

    got = {}

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        got.update({name: getattr(value, "filename", value) for name, value in form.items()})
        message = {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}}
        return web.json_response({"ok": True, "result": message})

    app = web.Application()
    app.router.add_post("/bot{token}/sendDocument", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}/bot"
    bot = Bot(TOKEN, base_url=root, request=AiohttpRequest(connections=1))
    await bot._request[1].initialize()
    await bot.send_document(5, InputFile(b"a,b", filename="report.csv"))
    await bot._request[1].shutdown()
    await runner.cleanup()
    assert got["chat_id"] == "5"
    assert "report.csv" in got.values()


def _says_no_token(error: BaseException | None) -> None:
    while error is not None:
        assert TOKEN not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
