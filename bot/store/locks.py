"""What only one worker may do at a time, and the word that rows were queued: a lasting connection to PostgreSQL.

A lock is an advisory lock of the connection's session. It ends with the session: at once when the process dies, and
within LEASE_S when it freezes or its host vanishes, because the server ends a session that is silent for so long. A
holder that cannot reach the server stops its work by itself, before that. Those who wait ask once a BEAT_S.

An SQLite file has one process: it holds every lock.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol, Self

import asyncpg
import structlog

from bot.store.database import SERVER_SETTINGS, StorageError, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from types import TracebackType
    from typing import Any

    from bot.store.database import Database

log = structlog.get_logger(__name__)
BEAT_S = 1.0
#: A beat that gets no answer in this time is a lost session; with BEAT_S well below LEASE_S, so that the holder knows
#: before anybody else can have the lock.
ANSWER_S = 3.0
LEASE_S = 10
#: The trigger of migration 0005 tells here.
CHANNEL = "tagwire_outbox"
#: Shared by all who deliver, taken whole by who moves the database away.
IN_USE = "in use"
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Locks(Protocol):
    """Turns at what only one worker may do; an async context manager for as long as the worker lives."""

    async def __aenter__(self) -> Self:
        """Take part."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give every lock back."""
        ...

    async def hold(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` whenever this worker has the lock, cancelling it when the lock is lost; returns when it does."""
        ...

    def holds(self, name: str) -> bool:
        """Whether this worker has the lock now."""
        ...


class Alone:
    """Of an SQLite file's one process."""

    async def __aenter__(self) -> Self:
        """Nothing to do."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do."""

    async def hold(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:  # noqa: ARG002
        """Run `work`."""
        await work()

    def holds(self, name: str) -> bool:  # noqa: ARG002
        """It does."""
        return True


class _Turn:
    """One lock as this worker sees it: exactly one of the two events is set."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.ended.set()

    def begin(self) -> None:
        self.begun.set()
        self.ended.clear()

    def end(self) -> None:
        self.begun.clear()
        self.ended.set()


class Session:
    """A worker's lasting connection: holds locks, and calls `on_queued` when anybody queued rows."""

    def __init__(self, url: str, *, on_queued: Callable[[], None]) -> None:
        self._url = url
        self._on_queued = on_queued
        self._turns: dict[str, _Turn] = {}
        self._stirred = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Start; a server that is away is waited for."""
        self._living = asyncio.create_task(self._live(), name="session")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection, and every lock with it."""
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)

    def holds(self, name: str) -> bool:
        """Whether this worker has the lock now."""
        return name in self._turns and self._turns[name].begun.is_set()

    async def hold(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """See `Locks.hold`. What `work` raises ends the waiting too."""
        turn = self._turns.setdefault(name, _Turn())
        self._stirred.set()
        while True:
            await turn.begun.wait()
            if await _while(turn, work()):
                return

    async def _live(self) -> None:
        while True:
            try:
                await self._connected()
            except AWAY as error:
                log.warning("session.lost", detail=" ".join(str(error).split()) or type(error).__name__)
            except Exception:
                log.exception("session.defect")
            await asyncio.sleep(BEAT_S)

    async def _connected(self) -> None:
        """Be there until the connection ends."""
        connection = await connect(self._url)
        connection.add_termination_listener(lambda _: self._stirred.set())
        try:
            # What `in_use` said with a connection of its own ends with a restart of the server; this one comes back.
            if not await connection.fetchval("SELECT pg_try_advisory_lock_shared($1)", key(IN_USE)):
                raise TimeoutError("the database is being moved")
            await connection.add_listener(CHANNEL, lambda *_: self._on_queued())
            self._on_queued()  # what was queued while nobody listened
            while not connection.is_closed():
                self._stirred.clear()
                await self._beat(connection)
                await _within(BEAT_S, self._stirred.wait())
        finally:
            for name, turn in self._turns.items():
                if turn.begun.is_set():
                    log.info("lock.ended", lock=name)
                turn.end()
            connection.terminate()  # no farewell: the server may be away, and it ends the session either way

    async def _beat(self, connection: asyncpg.Connection[Any]) -> None:
        """Say that we live, and ask for what we wait for."""
        await connection.fetchval("SELECT 1")
        for name, turn in list(self._turns.items()):
            if not turn.begun.is_set() and await connection.fetchval("SELECT pg_try_advisory_lock($1)", key(name)):
                log.info("lock.taken", lock=name)
                turn.begin()


def locks_of(database: Database, *, on_queued: Callable[[], None]) -> Locks:
    """The locks of this database."""
    return Alone() if database.is_sqlite else Session(database.url, on_queued=on_queued)


@asynccontextmanager
async def in_use(database: Database, *, alone: bool = False) -> AsyncIterator[None]:
    """The right to send from this database; with `alone`, that nobody else does. Raises StorageError.

    On SQLite one process has it. On PostgreSQL any number has it together.
    """
    if database.is_sqlite:
        with database.hold_instance():
            yield
        return
    try:
        connection = await connect(database.url, silent=True)
        take = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        taken = await connection.fetchval(f"SELECT {take}($1)", key(IN_USE))
    except AWAY as error:
        raise StorageError(f"{shown(database.url)}: cannot be used: {' '.join(str(error).split())}") from error
    try:
        if not taken:
            raise StorageError(f"{shown(database.url)}: is in use by another tagwire; stop that one first")
        yield
    finally:
        try:
            with suppress(*AWAY):  # else the next one may come before the server has noticed that we are gone
                await connection.execute("SELECT pg_advisory_unlock_all()")
        finally:
            connection.terminate()


async def connect(url: str, *, silent: bool = False) -> asyncpg.Connection[Any]:
    """A connection of its own; unless it may be `silent`, the server ends it after LEASE_S without a word."""
    lease = {} if silent else {"idle_session_timeout": f"{LEASE_S}s"}
    return await asyncpg.connect(
        url, timeout=ANSWER_S, command_timeout=ANSWER_S, server_settings={**SERVER_SETTINGS, **lease}
    )


def key(name: str) -> int:
    """An advisory lock's number for `name`."""
    return int.from_bytes(blake2b(f"tagwire {name}".encode(), digest_size=8).digest(), signed=True)


async def _while(turn: _Turn, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` ended by itself before the turn did. Raises what it raises."""
    working, ended = asyncio.create_task(work), asyncio.create_task(turn.ended.wait())
    try:
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return True
        return False
    finally:
        working.cancel()
        ended.cancel()
        await asyncio.gather(working, ended, return_exceptions=True)


async def _within(seconds: float, waiting: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return
