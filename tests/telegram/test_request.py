"""The transport: what surely never left, what perhaps did, and no secret in any of it."""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from pydantic import ValidationError
from telegram import InputFile
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.core.model import Button, Card, Fate
from bot.core.pacing import Pacer
from bot.pipeline.deliver import TokenRefusedError
from bot.playground.server import Playground
from bot.settings import TelegramSettings
from bot.telegram.application import TelegramBot
from bot.telegram.pacing import PacingLimiter
from bot.telegram.request import HIDDEN, AiohttpRequest, BrokenError, NotSentError
from bot.telegram.sender import Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "42:a-token-for-the-transport-0000000000000"
PASSWORD = "s3cret-of-the-proxy"
BROKEN, UNSENT = (BrokenError, Fate.UNKNOWN), (NotSentError, Fate.UNSENT)
CARD = Card(html="<b>Київ</b>", plain="Київ", buttons=((Button("Read", url="https://e.org"), Button("x", data="y")),))


@pytest.fixture
async def playground():
    async with Playground(limits=False, token=TOKEN) as one:
        yield one


@asynccontextmanager
async def a_bot(url: str, *, proxy: str = "", token: str = TOKEN) -> AsyncIterator[ExtBot]:
    """The real library over this transport, not signed in."""
    calls, updates = (AiohttpRequest(token=token, connections=1, proxy=proxy) for _ in range(2))
    limiter = PacingLimiter(Pacer(overall=0, per_chat=0))
    bot = ExtBot(HIDDEN, base_url=f"{url}/bot", request=calls, get_updates_request=updates, rate_limiter=limiter)
    for request in (calls, updates):
        await request.initialize()
    try:
        yield bot
    finally:
        for request in (calls, updates):
            await request.shutdown()


async def called(url: str, chat: int = 5, text: str = "hello", *, proxy: str = "", **options):
    async with a_bot(url, proxy=proxy) as bot:
        return await bot.send_message(chat, text, **options)


@asynccontextmanager
async def serving(answer) -> AsyncIterator[str]:
    """The address of a server that answers everything so."""
    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def tcp(handle) -> AsyncIterator[int]:
    """The port of a bare TCP server."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_message_goes_out_and_comes_back(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    sent = await called(playground.url, chat, "Київ & <b>", disable_notification=True)
    (kept,) = playground.telegram.messages(chat)
    assert (kept["message_id"], kept["text"], kept["silent"]) == (sent.message_id, "Київ & <b>", True)


async def test_a_letter_that_cannot_be_written_does_not_cost_the_message(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    assert (await called(playground.url, chat, "half \ud83d a pair")).text == "half ? a pair"


@pytest.mark.parametrize("plain", [False, True])
async def test_a_card_is_sent_without_the_librarys_objects(plain, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    async with a_bot(playground.url) as bot:
        outcome = await Sender(bot).send(chat, 0, CARD, plain=plain)
    (kept,) = playground.telegram.messages(chat)
    assert (outcome.fate, outcome.message_id) == (Fate.SENT, kept["message_id"])
    assert (kept["text"], bool(kept.get("entities"))) == ("Київ", not plain)
    assert [len(row) for row in kept["reply_markup"]["inline_keyboard"]] == [1 if plain else 2]
    assert playground.calls[-1]["method"] == "sendMessage"


@pytest.mark.parametrize("paid", [False, True])
async def test_a_paid_broadcast_says_so(paid, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    async with a_bot(playground.url) as bot:
        await Sender(bot, paid_broadcast=paid).send(chat, 0, CARD)
    assert playground.calls[-1]["params"].get("allow_paid_broadcast", False) is paid


@pytest.mark.parametrize(
    ("fault", "error", "fate"),
    [
        ("reset-before", *BROKEN),
        ("reset-after", *BROKEN),
        ("500", NetworkError, Fate.SERVER),
        ("502", NetworkError, Fate.SERVER),
        ("429", RetryAfter, Fate.FLOOD),
    ],
)
async def test_faults(fault, error, fate, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    playground.faults.set(fault, retry_after=90)
    with pytest.raises(error) as raised:
        await called(playground.url, chat)
    says_no_secret(raised.value)
    async with a_bot(playground.url) as bot:
        assert (await Sender(bot).send(chat, 0, CARD)).fate is fate


async def test_no_answer_in_time_is_told_apart(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    playground.faults.set("hang")
    with pytest.raises(TimedOut) as raised:
        await called(playground.url, chat, read_timeout=0.2)
    says_no_secret(raised.value)


async def test_who_waits_for_a_free_connection_in_vain_was_not_sent(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    playground.faults.set("hang")
    async with a_bot(playground.url) as bot:
        first = asyncio.create_task(bot.send_message(chat, "hello"))
        await asyncio.sleep(0)
        with pytest.raises(NotSentError, match="no connection in time") as raised:
            await bot.send_message(chat, "hello", pool_timeout=0.1)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    says_no_secret(raised.value)


@pytest.mark.parametrize("proxy", ["", f"http://reader:{PASSWORD}@127.0.0.1:1"])
async def test_nobody_there_was_surely_not_sent(proxy, unused_tcp_port) -> None:
    request = AiohttpRequest(token=TOKEN, connections=1, proxy=proxy)
    with pytest.raises(NotSentError):
        await request.do_request(f"http://127.0.0.1:{unused_tcp_port}/bot{HIDDEN}/getMe", "POST")  # not open yet
    await request.initialize()
    for address in (f"http://127.0.0.1:{unused_tcp_port}", "http://there-is-no-such-host.invalid", "http://[:::"):
        with pytest.raises((NotSentError, BrokenError)) as raised:
            await request.do_request(f"{address}/bot{HIDDEN}/getMe", "POST")
        says_no_secret(raised.value)
        assert isinstance(raised.value, NotSentError) or address == "http://[:::"
    await request.shutdown()


async def test_no_tls_was_surely_not_sent() -> None:
    async with tcp(hang_up) as port:
        with pytest.raises(NotSentError) as raised:
            await called(f"https://127.0.0.1:{port}")
    says_no_secret(raised.value)


async def test_a_proxy_that_refuses_the_tunnel_sent_nothing() -> None:
    seen = {}

    async def refuse(request: web.BaseRequest) -> web.Response:
        seen[request.method] = request.headers.get("Proxy-Authorization", "")
        return web.Response(status=407, text=f"no entry for {request.headers}")

    async with serving(refuse) as url:
        proxy = url.replace("http://", f"http://reader:{PASSWORD}@")
        with pytest.raises(NotSentError) as raised:
            await called("https://127.0.0.1:1", proxy=proxy)
    says_no_secret(raised.value)
    assert base64.b64decode(seen["CONNECT"].removeprefix("Basic ")).decode() == f"reader:{PASSWORD}"


async def test_a_proxy_that_hangs_up_on_the_tunnel_sent_nothing() -> None:
    async with tcp(hang_up) as port:
        with pytest.raises(NotSentError) as raised:
            await called("https://127.0.0.1:1", proxy=f"http://reader:{PASSWORD}@127.0.0.1:{port}")
    says_no_secret(raised.value)


async def test_a_request_goes_through_a_proxy_with_its_password(playground) -> None:
    chat, seen = playground.telegram.add_user("Olivia"), []

    async def pass_on(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers["Proxy-Authorization"])
        return web.json_response({"ok": True, "result": {"message_id": 7}})

    async with serving(pass_on) as url, a_bot(playground.url, proxy=url.replace("//", f"//reader:{PASSWORD}@")) as bot:
        for _ in range(2):
            assert (await Sender(bot).send(chat, 0, CARD)).message_id == 7
    assert [base64.b64decode(one.removeprefix("Basic ")).decode() for one in seen] == [f"reader:{PASSWORD}"] * 2


@pytest.mark.parametrize("status", [200, 302, 403, 404, 407, 413, 502])
async def test_a_proxys_page_is_not_telegrams_word(status) -> None:
    """It may echo the address; and its 403 must not retire a chat, nor its 404 the token."""

    async def page(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=f"<html>{request.url}", headers={"Location": "http://127.0.0.1:1/"})

    async with serving(page) as url, a_bot(url) as bot:
        assert (await Sender(bot).send(5, 0, CARD)).fate is Fate.SERVER
        with pytest.raises(NetworkError, match="Bad Gateway") as raised:
            await bot.send_message(5, "hello")
    says_no_secret(raised.value)


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429])
async def test_a_gateways_json_is_not_telegrams_word_either(status) -> None:
    async def refusal(_: web.BaseRequest) -> web.Response:
        return web.json_response({"message": "Forbidden", "error_code": status}, status=status)

    async with serving(refusal) as url, a_bot(url) as bot:
        assert (await Sender(bot).send(5, 0, CARD)).fate is Fate.SERVER


async def test_telegrams_refusals_keep_their_words(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    with pytest.raises(BadRequest, match='Can\'t parse entities: unsupported start tag "x" at byte offset 0'):
        await called(playground.url, chat, "<x>", parse_mode="HTML")
    playground.telegram.block(chat)
    with pytest.raises(Forbidden, match="blocked by the user"):
        await called(playground.url, chat)


async def test_files_go_as_a_form() -> None:
    got = {}

    async def answer(request: web.BaseRequest) -> web.Response:
        form = await request.post()
        got.update({name: getattr(value, "filename", value) for name, value in form.items()})
        message = {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}}
        return web.json_response({"ok": True, "result": message})

    async with serving(answer) as url, a_bot(url) as bot:
        await bot.send_document(5, InputFile(b"a,b", filename="report.csv"))
    assert got["chat_id"] == "5"
    assert "report.csv" in got.values()


async def test_a_token_that_is_refused_is_told_without_it(playground) -> None:
    async with a_bot(playground.url, token=TOKEN + "x") as bot:
        with pytest.raises(InvalidToken) as raised:
            await bot.initialize()
        assert (await Sender(bot).send(5, 0, CARD)).fate is Fate.UNAUTHORISED
        await bot.shutdown()
    says_no_secret(raised.value)


async def test_nothing_ever_says_the_token_or_the_password(playground, caplog) -> None:
    """Every logger at DEBUG, asyncio's debug mode, every fault, a proxy, the library's reprs."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)
    asyncio.get_running_loop().set_debug(True)
    chat = playground.telegram.add_user("Olivia")
    said: list[str] = []
    async with tcp(hang_up) as port:
        for proxy, token in (("", TOKEN), ("", TOKEN + "x"), (f"http://reader:{PASSWORD}@127.0.0.1:{port}", TOKEN)):
            bot = TelegramBot(token=token, api_url=playground.url, pacer=Pacer(per_chat=0), proxy=proxy)
            try:
                async with asyncio.timeout(1 if proxy else 30):  # nobody ever answers there
                    await bot.connect()
                    for fault in ("500", "502", "reset-before", "reset-after", "parse", "429"):
                        playground.faults.set(fault, times=1)
                        said.append(repr(await bot.sender.send(chat, 0, CARD)))
                    await bot.listen()
            except (TokenRefusedError, TimeoutError) as error:
                says_no_secret(error)
            said += [repr(bot._application), repr(bot._application.bot), repr(bot._application.updater)]
            await bot.close()
    gc.collect()  # what was left open would complain, with its address
    said += [record.getMessage() + str(record.exc_text) for record in caplog.records]
    for record in caplog.records:
        if record.exc_info:
            says_no_secret(record.exc_info[1])
    assert any("Set Bot API URL" in line for line in said)
    assert any("sendMessage" in line for line in said)
    for line in said:
        assert TOKEN not in line
        assert PASSWORD not in line


def says_no_secret(error: BaseException | None) -> None:
    """Neither it nor what led to it, be that shown or not; nor what its frames hold of ours and the library's."""
    assert isinstance(error, TelegramError | TokenRefusedError | TimeoutError)
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts = [f"{one!r} {one} {vars(one)}"]
        trace = one.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            file = frame.f_code.co_filename
            if "/tests/" not in file and ("/bot/" in file or "/telegram/" in file):
                texts += [repr(value) for value in frame.f_locals.values()]
            trace = trace.tb_next
        for text in texts:
            assert TOKEN not in text
            assert PASSWORD not in text
        waiting += [one.__cause__, one.__context__]


@pytest.mark.parametrize("address", ["socks5://h:1", "http://h", "h:1", "http://a:b:c@h:1", f"http://u:{PASSWORD}@h"])
def test_a_proxy_that_is_none_is_told_without_its_password(address: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TelegramSettings(proxy=address)
    assert all(PASSWORD not in fault["msg"] for fault in raised.value.errors())


def test_the_settings_keep_the_proxys_password() -> None:
    settings = TelegramSettings(proxy=f"http://reader:{PASSWORD}@h:1")
    assert PASSWORD not in f"{settings!r} {settings}"
    assert (settings.proxy_password, TelegramSettings(proxy="http://h:1").proxy_password) == (PASSWORD, "")
