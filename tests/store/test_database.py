"""Opening, backing up and sharing a database file."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url

from bot.store.database import MIGRATIONS, WATCHED, Database, StorageError
from bot.store.store import Store

HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////proc/nowhere/tagwire.db", "folder cannot be made"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be opened"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_named(url: str, says: str) -> None:
    with pytest.raises(StorageError, match=says):
        await Database.open(url)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is a text" * 100)
    with pytest.raises(StorageError, match=r"x\.db.*not a database"):
        await Database.open(f"sqlite:///{path}")


async def test_a_password_is_not_shown() -> None:
    with pytest.raises(StorageError) as caught:
        await Database.open("postgresql://someone:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


async def test_a_second_instance_on_one_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    one, two = await Database.open(url), await Database.open(url)
    try:
        with (
            one.hold_instance(),
            pytest.raises(StorageError, match="in use by another tagwire"),
            two.hold_instance(),
        ):
            pass
        with two.hold_instance():
            pass
    finally:
        await one.close()
        await two.close()


async def test_a_backup_is_whole_and_never_overwrites(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    try:
        await database.backup(tmp_path / "copy.db")
        with pytest.raises(StorageError, match="exists already"):
            await database.backup(tmp_path / "copy.db")
        with pytest.raises(StorageError, match="the copy failed"):
            await database.backup(tmp_path / "no" / "copy.db")
    finally:
        await database.close()
    connection = sqlite3.connect(tmp_path / "copy.db")
    try:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    finally:
        connection.close()


async def test_hot_news_of_before_is_carried_over(tmp_path: Path) -> None:
    """Migration 0013: what was sent is done, what waits goes on, and texts are what they were."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    path = tmp_path / "old.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        for number, state in enumerate(("sending", "sending", "draft"), 1):
            row = f"INSERT INTO broadcasts (id, author_id, html, state, created_at) VALUES ({number}, 7, '<b>№{number}</b>', '{state}', 5)"
            connection.exec_driver_sql(row)
        connection.exec_driver_sql(
            "INSERT INTO outbox (kind, subject, chat_id, lane, queued_at) VALUES ('broadcast', 2, 1, 1, 5)"
        )
    engine.dispose()
    database = await Database.open(f"sqlite:///{path}")
    try:
        store = Store(database)
        found = [await store.broadcasts.get(number) for number in (1, 2, 3)]
        assert [one.state.value for one in found] == ["done", "sending", "draft"]
        assert [one.content.text_for("uk") for one in found] == ["<b>№1</b>", "<b>№2</b>", "<b>№3</b>"]
        assert [one.id for one in await store.broadcasts.open()] == [2]
        async with database.reading() as connection:
            hashes = (await connection.exec_driver_sql("SELECT content_hash FROM broadcasts ORDER BY id")).scalars()
            assert list(hashes) == [one.content.hash for one in found]
    finally:
        await database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_servers_host_that_vanishes_is_noticed_by_us(database_url: str) -> None:
    """The kernel asks, and gives up, long before a statement's time is over."""
    server = make_url(database_url)
    folder = server.query.get("host")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{server.port or 5432}")
        there, back = await (to if folder else asyncio.open_connection(server.host, server.port or 5432))
        async with asyncio.TaskGroup() as ways:
            for one, other in ((reader, back), (there, writer)):
                ways.create_task(_pour(one, other))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as relay:
        port = relay.sockets[0].getsockname()[1]
        reached = server.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        database = await Database.open(reached)
        try:
            async with database.transaction() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                wire = raw._transport.get_extra_info("socket")
                assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                kept = {
                    name: wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                    for name in WATCHED
                    if hasattr(socket, name)
                }
                assert kept == {name: WATCHED[name] for name in kept}
        finally:
            await database.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(65536):
        writer.write(some)
        await writer.drain()
    writer.close()
