"""The database: one writer and several readers on SQLite, a pool on PostgreSQL, and the schema brought up to date.

SQLite runs in WAL with synchronous=FULL: a lost fan-out would be a lost alert (storage-and-runtime.md 6). Its one
writer begins IMMEDIATE, because a read that turns into a write fails at once whatever the busy timeout says.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy.exc
from sqlalchemy import event, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import asyncpg
    from sqlalchemy import Connection

READERS = 4
BUSY_MS = 10_000
#: Migrations are files named by their revision, `0002_what_it_does.py`.
MIGRATIONS = Path(__file__).parent / "migrations"
#: Serialises migrations of several workers that start at once on PostgreSQL; any constant does.
MIGRATION_LOCK = 7_461_727
#: Of every connection to PostgreSQL. A worker that freezes inside a transaction must not hold its locks for ever, and a
#: host that vanishes must be noticed in less than the two hours of TCP's own default, by the server and by us.
SERVER_SETTINGS = {
    "application_name": "tagwire",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
#: The same for our end, and for what we sent and nobody acknowledges: after a failover the old host says nothing.
WATCHED = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 11_000}
CONNECT_S, COMMAND_S = 10, 300
CONNECTIONS = 10

#: Faults of our own statements, which are defects; whatever else a driver raises is the database being in the way.
DEFECTS = (
    sqlalchemy.exc.ProgrammingError,
    sqlalchemy.exc.IntegrityError,
    sqlalchemy.exc.DataError,
    sqlalchemy.exc.NotSupportedError,
)


class StorageError(Exception):
    """The database cannot be used; the text says what, where, and what to do."""


class Database:
    """An open database. Made by `open`, ended by `close`."""

    def __init__(self, url: str, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()
        self._rehearsing: AsyncConnection | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded engine, which one process writes to."""
        return self._writer.dialect.name == "sqlite"

    @property
    def url(self) -> str:
        """Where it is, with its password."""
        return self._url

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database; None in memory and on PostgreSQL."""
        return _path(self._url)

    @staticmethod
    def exists(url: str) -> bool:
        """Whether there is a database at `url` already; a server's is taken to exist."""
        path = _path(url)
        return path is None or path.exists()

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database and bring its schema up to date. Raises StorageError."""
        writer, reader = _engines(url)
        database = cls(url, writer, reader)
        try:
            await database._prepare()
        except StorageError:
            await database.close()
            raise
        except (sqlalchemy.exc.SQLAlchemyError, OSError, sqlite3.Error) as error:
            await database.close()
            raise StorageError(f"{shown(url)}: cannot be opened: {_cause(error)}") from error
        return database

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that may write; committed at the end, rolled back on an exception.

        Raises StorageError when the database cannot be used: a full disk, a server that went away.
        """
        with self._named():
            if self._rehearsing is not None:
                async with self._rehearsing.begin_nested():
                    yield self._rehearsing
            elif self.is_sqlite:
                async with self._writing, self._writer.begin() as connection:
                    yield connection
            else:
                async with self._writer.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that only reads. Raises StorageError as `transaction` does."""
        with self._named():
            if self._rehearsing is not None:
                yield self._rehearsing
                return
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection that reads everything as it was at one moment. Raises StorageError as `transaction` does."""
        if self.is_sqlite:
            async with self.reading() as connection:
                yield connection
            return
        with self._named():
            async with self._writer.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
                yield connection

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[AsyncConnection]:
        """On PostgreSQL, a connection that commits each statement by itself. Raises StorageError as the others."""
        with self._named():
            async with self._reader.connect() as connection:
                yield connection

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Faults of the database, a full disk or a lost server, under one name; our defects keep their own."""
        try:
            yield
        except DEFECTS:
            raise
        except (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.TimeoutError, OSError) as error:
            raise StorageError(f"{shown(self._url)}: cannot be used: {_cause(error)}") from error

    @asynccontextmanager
    async def rehearsal(self) -> AsyncIterator[None]:
        """What is written within is seen within, and gone afterwards. For a process that does nothing else."""
        async with self._writing, self._writer.connect() as connection:
            await connection.begin()
            self._rehearsing = connection
            try:
                yield
            finally:
                self._rehearsing = None
                await connection.rollback()

    @contextmanager
    def hold_instance(self) -> Iterator[None]:
        """The right to send from this SQLite file; the kernel gives it back even on kill -9. Raises StorageError.

        On PostgreSQL several senders are legal: leases tell their rows apart.
        """
        if self.path is None:
            yield
            return
        lock = self.path.with_name(self.path.name + ".lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(f"{lock}: cannot be written: {error.strerror}") from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
                raise StorageError(
                    f"{self.path}: is in use by another tagwire (process {holder}); stop that one first, "
                    "or use PostgreSQL for several"
                ) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    async def backup(self, target: Path) -> None:
        """Write a consistent copy of a live SQLite database, whole or not at all. Raises StorageError."""
        if not self.is_sqlite:
            raise StorageError("a PostgreSQL database is copied with its own tool: pg_dump")
        part = target.with_name(target.name + ".part")
        try:
            if await asyncio.to_thread(target.exists):
                raise StorageError(f"{target}: exists already; name a file that does not")
            await asyncio.to_thread(part.unlink, missing_ok=True)
            await asyncio.to_thread(_vacuum_into, self.path, part)
            part.replace(target)
        except (OSError, sqlite3.Error) as error:
            part.unlink(missing_ok=True)
            raise StorageError(f"{target}: the copy failed: {_cause(error)}") from error

    async def _prepare(self) -> None:
        if self.path is not None:
            # Opened here first: a connection that fails in aiosqlite's own thread may outlive the loop, and say so.
            await asyncio.to_thread(lambda path: sqlite3.connect(path).close(), self.path)
        async with self._writer.connect() as connection:
            await connection.begin()
            if not self.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(self._migrate)
            await connection.commit()

    def _verify(self, connection: Connection) -> bool:
        """Whether the schema is current. Raises StorageError for one this program does not know."""
        known = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if current is not None and current not in known:
            raise StorageError(
                f"{shown(self._url)}: its schema ({current}) is newer than this tagwire knows ({known[-1]}); "
                "use a newer tagwire, or another database"
            )
        return bool(current == known[-1])

    def _migrate(self, connection: Connection) -> None:
        if self._verify(connection):
            return
        from alembic import command  # noqa: PLC0415 - a quarter of a second, and most starts find nothing to do
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _vacuum_into(source: Path | None, target: Path) -> None:
    """Copy in one step: a copy in small steps starts again at every write (storage-and-runtime.md 5)."""
    connection = sqlite3.connect(source or ":memory:", timeout=BUSY_MS / 1000)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()


def shown(url: str) -> str:
    """The address for people: an SQLite file's path, or the server's without its password."""
    path = _path(url)
    return str(path) if path else make_url(url).render_as_string(hide_password=True)


def _path(url: str) -> Path | None:
    rest = url.removeprefix("sqlite:///")
    return Path(rest) if rest != url and rest and rest != ":memory:" else None


def _engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    if url.startswith("postgresql"):
        engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            # Who finds all of them busy waits: a connection opened for one statement costs more than ten statements.
            pool_size=CONNECTIONS,
            max_overflow=0,
            connect_args={"timeout": CONNECT_S, "command_timeout": COMMAND_S, "server_settings": SERVER_SETTINGS},
        )

        @event.listens_for(engine.sync_engine, "connect")
        def connected(raw: Any, _record: object) -> None:
            watch(raw.driver_connection)

        @event.listens_for(engine.sync_engine, "checkout")
        def chosen(raw: Any, _record: object, _proxy: object) -> None:
            # The driver knows at once of a connection that the server ended; asking would cost a way there and back.
            if raw.driver_connection.is_closed():
                raise sqlalchemy.exc.DisconnectionError

        # Each statement of READ COMMITTED sees the newest anyway: readers need no BEGIN and no ROLLBACK around it.
        return engine, engine.execution_options(isolation_level="AUTOCOMMIT")
    path = _path(url)
    if path is None:
        memory = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        _on_connect(memory, "BEGIN IMMEDIATE")
        return memory, memory
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path.parent}: the folder cannot be made: {error.strerror}") from None
    address = f"sqlite+aiosqlite:///{path}"
    writer = create_async_engine(address, pool_size=1, max_overflow=0)
    reader = create_async_engine(address, pool_size=READERS, max_overflow=0)
    _on_connect(writer, "BEGIN IMMEDIATE")
    _on_connect(reader, "BEGIN")
    return writer, reader


def watch(connection: asyncpg.Connection[Any]) -> None:
    """Notice within seconds that the server's host has vanished; asyncpg itself waits for COMMAND_S."""
    wire = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no name for it
    if wire.family == socket.AF_UNIX:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in WATCHED.items():
        if hasattr(socket, name):  # by the system
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _on_connect(engine: AsyncEngine, begin: str) -> None:
    """Set the connection up, and begin transactions ourselves: the driver's own BEGIN is deferred and comes late."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(raw: Any, _: object) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _cause(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())[:300] or type(origin).__name__
