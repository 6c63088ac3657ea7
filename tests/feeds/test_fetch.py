"""Asking sites: conditional, within limits, every fault a value."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import sys
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest
from aiohttp import web

from bot.core.model import Failure, Fetched, FetchFailed, NotModified, Push, Validators
from bot.feeds.freshness import fresh_for, retry_after
from bot.feeds.turns import Turns
from tests.site import fetcher

if TYPE_CHECKING:
    from tests.site import Site

if sys.version_info >= (3, 14):
    from compression.zstd import compress as zstd_compress
else:
    from backports.zstd import compress as zstd_compress

NONE = Validators()
ODD = Validators(etag='W/"a b"', last_modified="Tue, 99 Nov 2025 25:61:00 KYIV")


async def test_validators_go_back_byte_for_byte(site: Site) -> None:
    url = site.serve("/rss", body=b"<rss/>", ETag=ODD.etag, Last_Modified=ODD.last_modified)
    async with fetcher() as fetch:
        first = await fetch.fetch(url, NONE)
        assert isinstance(first, Fetched)
        assert (first.body, first.validators) == (b"<rss/>", ODD)
        site.serve("/rss", status=304, ETag="new")
        assert await fetch.fetch(url, first.validators) == NotModified(validators=Validators(etag="new"))
    asked_first, asked_again = (request.headers for request in site.asked)
    assert "If-None-Match" not in asked_first
    assert "If-Modified-Since" not in asked_first
    assert (asked_again["If-None-Match"], asked_again["If-Modified-Since"]) == (ODD.etag, ODD.last_modified)
    assert asked_first["User-Agent"] == "tagwire/test"


async def test_no_cookie_and_no_referer_is_ever_sent(site: Site) -> None:
    site.serve("/b", body=b"x", Set_Cookie="a=1")
    url = site.serve("/a", status=302, Location="/b", Set_Cookie="a=1")
    async with fetcher() as fetch:
        await fetch.fetch(url, NONE)
        answer = await fetch.fetch(url, NONE)
    assert isinstance(answer, Fetched)
    assert answer.url == f"{site.url}/b"
    assert not [request for request in site.asked if {"Cookie", "Referer"} & set(request.headers)]


@pytest.mark.parametrize(
    ("status", "headers", "failure", "wait"),
    [
        (404, {}, Failure.STATUS, None),
        (500, {"Retry_After": "5"}, Failure.STATUS, None),  # only 429 and 503 may ask us to wait
        (503, {"Retry_After": "7"}, Failure.STATUS, 7),
        (429, {"Retry_After": "120"}, Failure.STATUS, 120),
        (410, {}, Failure.GONE, None),
        (301, {}, Failure.STATUS, None),  # a redirection to nowhere
        (301, {"Location": "ftp://e.org/x"}, Failure.ADDRESS, None),
        (301, {"Location": "http://[::1"}, Failure.BROKEN, None),
        (301, {"Location": "/x"}, Failure.REDIRECTS, None),
    ],
)
async def test_a_refusal_is_a_value(
    status: int, headers: dict[str, str], failure: Failure, wait: int | None, site: Site
) -> None:
    url = site.serve("/x", status=status, **headers)
    async with fetcher() as fetch:
        answer = await fetch.fetch(url, NONE)
    assert isinstance(answer, FetchFailed)
    assert (answer.failure, answer.retry_after) == (failure, wait)
    assert site.url in answer.detail or "ftp://e.org/x" in answer.detail


async def test_silence_ends_in_time_and_lets_the_next_one_in(site: Site) -> None:
    forever = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await forever.wait()
        raise AssertionError

    url = site.handle("/hang", hang)
    good = site.serve("/good", body=b"x")
    async with fetcher(timeout_s=0.2) as fetch:
        answer = await fetch.fetch(url, NONE)
        assert isinstance(answer, FetchFailed)
        assert answer.failure is Failure.TIMEOUT
        assert isinstance(await fetch.fetch(good, NONE), Fetched)
    forever.set()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zstd_compress)],
)
async def test_limits_hold_for_what_comes_out_of_the_compression(encoding: str, pack: object, site: Site) -> None:
    bomb = pack(b"0" * 50_000_000)  # type: ignore[operator]
    url = site.serve("/bomb", body=bomb, Content_Encoding=encoding)
    small = site.serve("/small", body=pack(b"news"), Content_Encoding=encoding)  # type: ignore[operator]
    async with fetcher() as fetch:
        answer = await fetch.fetch(url, NONE)
        good = await fetch.fetch(small, NONE)
    assert isinstance(answer, FetchFailed)
    assert answer.failure is Failure.TOO_LARGE
    assert isinstance(good, Fetched)
    assert good.body == b"news"


async def test_a_broken_answer_is_a_value(site: Site) -> None:
    async def stop_midway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"<rss>")
        assert request.transport is not None
        request.transport.abort()
        return response

    cut = site.handle("/cut", stop_midway)
    lie = site.serve("/lie", body=b"not gzip at all", Content_Encoding="gzip")
    async with fetcher() as fetch:
        answers = [await fetch.fetch(url, NONE) for url in (cut, lie)]
    assert [answer.failure for answer in answers if isinstance(answer, FetchFailed)] == [Failure.BROKEN] * 2


async def test_nobody_there_is_a_value(unused_tcp_port: int) -> None:
    async with fetcher() as fetch:
        answer = await fetch.fetch(f"http://127.0.0.1:{unused_tcp_port}/", NONE)
    assert isinstance(answer, FetchFailed)
    assert answer.failure is Failure.CONNECT


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_private_addresses_are_not_asked_in_any_spelling(host: str, site: Site) -> None:
    port = site.url.rpartition(":")[2]
    async with fetcher(allow_private=False) as fetch:
        answer = await fetch.fetch(f"http://{host}:{port}/", NONE)
        assert isinstance(answer, FetchFailed)
        assert answer.failure is Failure.ADDRESS
        page = await fetch.fetch_page(f"http://{host}:{port}/")
        assert isinstance(page, FetchFailed)
    assert site.asked == []


async def test_a_page_that_answers_304_to_no_condition_is_a_failure(site: Site) -> None:
    url = site.serve("/page", status=304)
    async with fetcher() as fetch:
        answer = await fetch.fetch_page(url)
    assert isinstance(answer, FetchFailed)


@pytest.mark.parametrize(
    ("value", "date", "wait"),
    [
        (None, None, None),
        ("", None, None),
        ("120", None, 120),
        (" 5 ", None, 5),
        ("-5", None, None),
        ("soon", None, None),
        ("٣", None, None),
        ("Fri, 21 Nov 2025 17:12:00 GMT", "Fri, 21 Nov 2025 17:11:00 GMT", 60),
        ("Fri, 21 Nov 2025 17:10:00 GMT", "Fri, 21 Nov 2025 17:11:00 GMT", 0),
        ("Fri, 21 Nov 2025 17:12:00 -0000", "Fri, 21 Nov 2025 17:11:00 GMT", 60),
    ],
)
def test_retry_after(value: str | None, date: str | None, wait: int | None) -> None:
    assert retry_after(value, date) == wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Cache-Control": "public, max-age=300"}, 300),
        ({"Cache-Control": "max-age=300", "Age": "100"}, 200),
        ({"Cache-Control": "max-age=300", "Age": "400"}, 0),
        ({"Cache-Control": "max-age=300", "Age": "x"}, 300),
        ({"Cache-Control": "no-cache, max-age=315360000"}, 0),
        ({"Cache-Control": "max-age=315360000"}, 315360000),
        ({"Cache-Control": "s-maxage=60"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Expires": "Fri, 21 Nov 2025 17:12:00 GMT", "Date": "Fri, 21 Nov 2025 17:11:00 GMT"}, 60),
        ({"Expires": "0"}, 0),
        ({"Cache-Control": "max-age=5", "Expires": "Fri, 21 Nov 2099 17:12:00 GMT"}, 5),
    ],
)
def test_freshness(headers: dict[str, str], seconds: int) -> None:
    assert fresh_for(headers) == seconds


async def test_a_hub_in_the_headers_is_told(site: Site) -> None:
    link = f'<{site.url}/hub>; rel="hub", <{site.url}/rss>; rel="self"'
    url = site.serve("/rss", body=b"x", Link=link)
    async with fetcher() as fetch:
        answer = await fetch.fetch(url, NONE)
    assert isinstance(answer, Fetched)
    assert answer.push == Push(f"{site.url}/hub", url)


async def test_only_a_wholly_permanent_move_is_told(site: Site) -> None:
    site.serve("/feed", body=b"x")
    site.serve("/was", status=301, Location="/feed")
    site.serve("/long-ago", status=308, Location="/was")
    site.serve("/today", status=302, Location="/was")
    async with fetcher() as fetch:
        moves = {
            path: (await fetch.fetch(site.url + path, NONE)).moved_to  # type: ignore[union-attr]
            for path in ("/feed", "/was", "/long-ago", "/today")
        }
    new = f"{site.url}/feed"
    assert moves == {"/feed": "", "/was": new, "/long-ago": new, "/today": ""}


async def test_a_429_speaks_for_the_whole_site(site: Site) -> None:
    url = site.serve("/x", status=429, Retry_After="60")
    busy = site.serve("/y", status=503, Retry_After="60")
    async with fetcher() as fetch:
        answers = [await fetch.fetch(one, NONE) for one in (url, busy)]
    assert [one.whole_site for one in answers if isinstance(one, FetchFailed)] == [True, False]


async def test_one_request_at_a_time_to_a_site(site: Site) -> None:
    now = most = 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return web.Response(body=b"x")

    for number in range(5):
        site.handle(f"/{number}", slow)
    # Five answers of 20 ms in turn take longer than one may: waiting for a turn does not count.
    async with fetcher(timeout_s=0.08) as fetch:
        answers = await asyncio.gather(*(fetch.fetch(f"{site.url}/{number}", NONE) for number in range(5)))
    assert all(isinstance(answer, Fetched) for answer in answers)
    assert most == 1


async def test_a_pause_between_two_requests_to_a_site_of_somebody_elses() -> None:
    loop = asyncio.get_running_loop()
    turns, started = Turns(1, 0.05), []

    async def ask(url: str) -> None:
        async with turns.at(url):
            started.append((url, loop.time()))

    await asyncio.gather(*(ask("https://a.example/x") for _ in range(3)), ask("https://b.example/"))
    times = [at for url, at in started if "a.example" in url]
    assert all(later - earlier >= 0.049 for earlier, later in itertools.pairwise(times))
    assert next(at for url, at in started if "b.example" in url) < times[1]
    await asyncio.gather(*(ask("http://127.0.0.1:1/") for _ in range(50)))
    assert len(turns._sites) <= 3
