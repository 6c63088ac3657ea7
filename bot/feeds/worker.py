"""Parsing in worker processes: slow or hostile documents cost neither the event loop nor the service.

A worker that runs out of time is killed and replaced; it costs one document one poll.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from bot.core.model import Failure, FetchFailed, PageFacts
from bot.feeds.parse import parse, parse_small

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bot.core.model import Fetched, ParsedFeed

log = structlog.get_logger(__name__)
T = TypeVar("T")
#: Seconds for one document; 6000 items take feedparser about one (feeds.md 3.1).
TIME_LIMIT_S = 20.0
#: Bytes of address space for a worker; it starts at a fifth of it.
MEMORY_LIMIT = 1024 * 1024 * 1024


class ParserPool:
    """Workers that start at the first document; use as an async context manager."""

    def __init__(self, *, max_workers: int, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._max_workers = max_workers
        self._time_limit_s = time_limit_s
        self._pool: ProcessPoolExecutor | None = None
        # No more documents in the pool than it has workers: waiting for one must not count as parsing.
        self._free = asyncio.Semaphore(max_workers)
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Nothing yet: a round of 304 needs no worker."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        self._end()

    async def parse(self, fetched: Fetched) -> ParsedFeed | FetchFailed:
        """The feed in a body, or why there is none.

        A small document that the quick reader is sure of needs no worker: that costs less than handing it over.
        """
        try:
            if (read := parse_small(fetched)) is not None:
                return read
            return await self._work(parse, fetched)
        except (TimeoutError, BrokenProcessPool, MemoryError) as error:
            why = {TimeoutError: "took too long", MemoryError: "took too much memory"}.get(
                type(error), "ended the parser"
            )
            return FetchFailed(failure=Failure.PARSER, detail=f"{fetched.url}: the document {why}")
        except Exception as error:  # whatever a document does to the parser, it costs this feed this poll
            log.exception("parse.defect", url=fetched.url)
            return FetchFailed(
                failure=Failure.PARSER, detail=f"{fetched.url}: the document broke the parser ({type(error).__name__})"
            )

    async def read_page(self, page: Fetched, tag_selector: str) -> PageFacts:
        """The facts of a page; none where it could not be read."""
        try:
            return await self._work(_read_page, page, tag_selector)
        except (TimeoutError, BrokenProcessPool, MemoryError):
            log.warning("page.gave_up", url=page.url)
        except Exception:
            log.exception("page.defect", url=page.url)
        return PageFacts()

    async def _work(self, function: Callable[..., T], *values: object) -> T:
        async with self._free:
            async with self._starting:
                if self._pool is None:  # in a thread: the first one waits until the fork server has read its modules
                    self._pool = await asyncio.to_thread(self._start)
            pool = self._pool
            try:
                async with asyncio.timeout(self._time_limit_s):
                    return await asyncio.get_running_loop().run_in_executor(pool, function, *values)
            except (TimeoutError, BrokenProcessPool):
                if self._pool is pool:
                    self._end()
                raise

    def _start(self) -> ProcessPoolExecutor:
        # A fork of a process with threads and connections is no clean start; one of a server that only has the modules
        # is, and takes a hundredth of a second where a new interpreter takes a third.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bot.feeds.parse", "bot.feeds.page"])
        pool = ProcessPoolExecutor(self._max_workers, mp_context=context, initializer=_settle_in)
        pool.submit(int)
        return pool

    def _end(self) -> None:
        """Kill what still works: its results are not wanted, and it may never end by itself."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - the executor has no kill before 3.14
                process.kill()
            pool.shutdown(wait=True, cancel_futures=True)


def _settle_in() -> None:
    """Ctrl-C in the terminal is the service's business; one that was killed takes its fork server and workers along."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    service = multiprocessing.parent_process()

    def watch() -> None:
        if service is not None:
            service.join()
            os._exit(1)  # the fork server goes with its last worker

    threading.Thread(target=watch, daemon=True).start()


def _read_page(page: Fetched, tag_selector: str) -> PageFacts:
    from bot.feeds.page import read_page  # noqa: PLC0415 - as above

    return read_page(page, tag_selector)
