"""Parsing in a worker process: its death costs one document one poll."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.core.model import Failure, FetchFailed, PageFacts, ParsedFeed
from bot.feeds.parse import MAX_ENTRIES
from bot.feeds.worker import ParserPool

from .test_parse import document, rss

#: No document for the quick reader, which would need no worker.
GOOD = document(b"<!DOCTYPE rss>" + rss("<item><title>x</title></item>")[21:])
#: Quadratic in feedparser: minutes of work.
SLOW = document(
    b"<!DOCTYPE rss>"
    + rss(b"<item " + b"".join(b'a%d="1" ' % n for n in range(100_000)) + b"><title>x</title></item>")[21:]
)


async def test_a_slow_document_is_given_up_and_the_next_one_read() -> None:
    async with ParserPool(max_workers=1, time_limit_s=20) as parsers:
        assert isinstance(await parsers.parse(GOOD), ParsedFeed)
        parsers._time_limit_s = 0.5
        failed = await parsers.parse(SLOW)
        assert isinstance(failed, FetchFailed)
        assert (failed.failure, "took too long" in failed.detail) == (Failure.PARSER, True)
        parsers._time_limit_s = 0.001  # pages have limits of their own, and are read sooner
        assert await parsers.read_page(SLOW, "") == PageFacts()
        parsers._time_limit_s = 20
        assert isinstance(await parsers.parse(GOOD), ParsedFeed)


async def test_a_killed_worker_is_replaced() -> None:
    async with ParserPool(max_workers=1) as parsers:
        await parsers.parse(GOOD)
        assert parsers._pool is not None
        for process in parsers._pool._processes.values():
            os.kill(process.pid, signal.SIGKILL)
        failed = await parsers.parse(GOOD)
        again = await parsers.parse(GOOD)
    assert isinstance(again, ParsedFeed)
    assert isinstance(failed, FetchFailed)
    assert failed.failure is Failure.PARSER


PARSING = """
import asyncio
from bot.feeds.worker import ParserPool
from bot.core.model import Fetched, Validators

async def main():
    page = Fetched(url="https://e.org/", body=b"<html>", content_type="text/html", validators=Validators())
    async with ParserPool(max_workers=2) as parsers:
        await asyncio.gather(*(parsers.read_page(page, "") for _ in range(4)))
        print("parsed", flush=True)
        await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_service_that_is_killed_takes_its_workers_along(tmp_path: Path) -> None:
    script = tmp_path / "parsing.py"
    script.write_text(PARSING)
    service = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert service.stdout is not None
    async with asyncio.timeout(60):
        assert await service.stdout.readline() == b"parsed\n"
        service.kill()
        assert await service.stdout.read() == b""  # nobody holds its other end: the workers have gone too
        await service.wait()


async def test_a_document_that_eats_memory_ends_nothing() -> None:
    hungry = document(
        b"<!DOCTYPE rss>" + rss(b"<item><title>" + b"&lt;i&gt;x" * 1_000_000 + b"</title></item>" * 3)[21:]
    )
    async with ParserPool(max_workers=1) as parsers:
        await parsers.parse(hungry)
        assert isinstance(await parsers.parse(GOOD), ParsedFeed)


@pytest.mark.parametrize(
    ("items", "entries"),
    [
        (b"<item><title>x</title><link>https://e.org/1</link></item>" * 100_000, MAX_ENTRIES),
        (b"<item><title>x</title><a>" + b"<b>" * 50_000, 1),
        (b"<item><title>x</title><description>" + b"&lt;div&gt;" * 100_000 + b"</description></item>", 1),
    ],
)
async def test_what_is_endless_ends(items: bytes, entries: int) -> None:
    async with ParserPool(max_workers=1) as parsers:
        parsed = await parsers.parse(document(rss(items)))
    assert isinstance(parsed, ParsedFeed)
    assert len(parsed.entries) == entries
