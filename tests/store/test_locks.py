"""What only one worker may do, and the word that rows were queued: sessions of a real PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bot.core.model import Chat, ChatKind, Ruling, Verdict
from bot.store.database import Database, StorageError
from bot.store.locks import IN_USE, Session, in_use, key
from bot.store.store import Store
from tests.hot import confirmed, drafted, send_hot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
NOW = 1_700_000_000_000


class Worker:
    """Works while it may."""

    def __init__(self, url: str) -> None:
        self.told = asyncio.Event()
        self.session = Session(url, on_queued=self.told.set)
        self.began, self.ended = asyncio.Event(), asyncio.Event()
        self.turns = 0

    async def work(self) -> None:
        self.turns += 1
        self.ended.clear()
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.began.clear()
            self.ended.set()


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    database = await Database.open(database_url)
    await database.close()
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@postgresql
async def test_one_works_and_the_next_takes_over_when_it_goes(database_url: str, server: asyncpg.Connection) -> None:
    one, two = Worker(database_url), Worker(database_url)
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        await stack.enter_async_context(two.session)
        async with one.session:
            first = asyncio.create_task(one.session.hold("tick", one.work))
            await one.began.wait()
            second = asyncio.create_task(two.session.hold("tick", two.work))
            two.told.clear()
            await server.execute("SELECT pg_notify('tagwire_outbox', '')")
            await two.told.wait()  # it lives, and still does not work
            assert (one.session.holds("tick"), two.session.holds("tick")) == (True, False)
            first.cancel()
            await one.ended.wait()
        await two.began.wait()
        assert two.session.holds("tick")
        second.cancel()


@postgresql
async def test_a_holder_whose_session_ends_stops_and_comes_back(database_url: str, server: asyncpg.Connection) -> None:
    """The server ends a session that was silent for LEASE_S; here it is told to."""
    worker = Worker(database_url)
    async with asyncio.timeout(20), worker.session:
        holding = asyncio.create_task(worker.session.hold("tick", worker.work))
        await worker.began.wait()
        await server.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        await worker.ended.wait()
        await worker.began.wait()
        assert worker.turns == 2
        holding.cancel()


@postgresql
async def test_the_server_ends_a_session_that_is_silent(database_url: str, server: asyncpg.Connection) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"idle_session_timeout": "50ms"})
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    await connection.fetchval("SELECT pg_advisory_lock(1)")
    async with asyncio.timeout(20):
        await ended.wait()


@postgresql
async def test_work_that_ends_or_fails_ends_the_holding(database_url: str, server: asyncpg.Connection) -> None:
    async def done() -> None:
        return

    async def fails() -> None:
        raise ValueError("a defect")

    async with asyncio.timeout(20), Session(database_url, on_queued=lambda: None) as session:
        await session.hold("one", done)
        with pytest.raises(ValueError, match="a defect"):
            await session.hold("two", fails)


@postgresql
async def test_those_who_deliver_are_told_when_rows_are_committed(
    database_url: str, server: asyncpg.Connection
) -> None:
    database = await Database.open(database_url)
    worker = Worker(database_url)
    store = Store(database)
    try:
        await store.chats.upsert(Chat(id=1, kind=ChatKind.PRIVATE), NOW)
        draft = await drafted(store, "Hot", NOW)
        async with asyncio.timeout(20), worker.session:
            await worker.told.wait()  # what was queued before
            worker.told.clear()
            assert await confirmed(store, draft, NOW) == 1
            await worker.told.wait()
    finally:
        await database.close()


@postgresql
async def test_one_chat_is_with_one_worker_and_the_next_knows_its_pace(
    database_url: str, server: asyncpg.Connection
) -> None:
    database = await Database.open(database_url)
    store = Store(database)
    try:
        for chat in (1, 2):
            await store.chats.upsert(Chat(id=chat, kind=ChatKind.PRIVATE), NOW)
        for _ in range(2):
            await send_hot(store, "Hot", NOW)
        (first,) = await store.outbox.claim("one", NOW, 10_000, 1)
        assert first.chat_id == 1
        others = await store.outbox.claim("two", NOW, 10_000, 10)
        assert [row.chat_id for row in others] == [2]
        assert await store.outbox.claim("one", NOW, 10_000, 10) == []
        assert await store.outbox.claim("two", NOW + 9_999, 10_000, 10) == []
        await store.outbox.settle([(first, Verdict(ruling=Ruling.SENT, message_id=1))], "one", NOW)
        assert await store.outbox.sent_by_others("two", [1, 2], NOW + 59_999) == {1: [NOW]}
        assert await store.outbox.sent_by_others("two", [1, 2], NOW + 60_000) == {}
        assert await store.outbox.sent_by_others("one", [1, 2], NOW) == {}
        # Lapsed leases are looked for once a second.
        assert {row.chat_id for row in await store.outbox.claim("three", NOW + 11_000, 10_000, 10)} == {1, 2}
    finally:
        await database.close()


async def test_a_database_is_shared_by_senders_on_postgresql_and_by_nobody_with_who_moves_it(database_url: str) -> None:
    one, two = await Database.open(database_url), await Database.open(database_url)
    try:
        async with in_use(one):
            with pytest.raises(StorageError, match="is in use by another tagwire"):
                async with in_use(two, alone=True):
                    pass
            if not one.is_sqlite:
                async with in_use(two):
                    pass
        async with in_use(one, alone=True):
            with pytest.raises(StorageError, match="is in use by another tagwire"):
                async with in_use(two):
                    pass
    finally:
        await one.close()
        await two.close()


def test_each_name_has_a_number_of_its_own() -> None:
    names = ["tick", "updates of 42", "updates of 43", IN_USE]
    assert len({key(name) for name in names}) == len(names)
    assert all(-(2**63) <= key(name) < 2**63 for name in names)


@postgresql
async def test_a_worker_that_outlived_its_server_still_says_that_the_database_is_in_use(
    database_url: str, server: asyncpg.Connection
) -> None:
    """`tagwire copy` would take a queue away that is being sent."""
    worker = Worker(database_url)
    database = await Database.open(database_url)
    try:
        async with asyncio.timeout(20), in_use(database), worker.session:
            await worker.told.wait()
            worker.told.clear()
            await server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tagwire' AND datname = current_database()"
            )
            await worker.told.wait()  # it is there again
            with pytest.raises(StorageError, match="in use"):
                async with in_use(database, alone=True):
                    pass
    finally:
        await database.close()
