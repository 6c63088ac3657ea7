"""Moving an installation between engines, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bot.core.model import Chat, ChatKind, DeliveryState, Kind, RuleSpec, Ruling, Verdict
from bot.store.copy import copy
from bot.store.database import Database, StorageError
from bot.store.schema import metadata, outbox
from bot.store.store import Store
from tests.hot import drafted, send_hot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = 1_700_000_000_000
READERS = 2_500  #: more than two batches


@pytest.fixture(params=["there", "back"])
async def pair(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """A source and a target: SQLite to each engine, and each engine to SQLite."""
    urls = [f"sqlite:///{tmp_path / 'other.db'}", database_url]
    opened = [await Database.open(url) for url in (urls if request.param == "there" else urls[::-1])]
    yield Store(opened[0]), Store(opened[1])
    for database in opened:
        await database.close()


async def _living(store: Store) -> None:
    """Readers who follow, and hot news of which a part was sent and a part was on its way."""
    async with store.database.transaction() as connection:
        table = metadata.tables["chats"]
        await connection.execute(
            table.insert(), [{"id": n, "kind": "private", "created_at": NOW} for n in range(1, READERS)]
        )
    await store.chats.upsert(Chat(id=-100_123, kind=ChatKind.SUPERGROUP, title="Гурт & co"), NOW)
    await store.rules.follow(7, 0, [RuleSpec(("nato", "peace_plan"), ("sport",))], NOW)
    await send_hot(store, "<b>Hot</b>", NOW)
    sent = await store.outbox.claim("one", NOW, 60_000, 100)
    await store.outbox.settle([(row, Verdict(ruling=Ruling.SENT, message_id=5)) for row in sent], "one", NOW)
    await store.outbox.claim("two", NOW, 60_000, 50)


async def _rows(store: Store, name: str) -> list[tuple[object, ...]]:
    table = metadata.tables[name]
    async with store.database.reading() as connection:
        return [tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key))]


async def test_everything_arrives_and_what_was_on_its_way_is_queued(pair: tuple[Store, Store]) -> None:
    source, target = pair
    await _living(source)
    seen: list[tuple[int, int]] = []
    counts = await copy(source.database, target.database, on_rows=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (sum(counts.values()),) * 2
    for name in set(metadata.tables) - {"outbox", "rates"}:
        assert await _rows(target, name) == await _rows(source, name)
    assert await target.outbox.counts() == {DeliveryState.SENT: 100, DeliveryState.QUEUED: READERS - 100}
    assert (await source.outbox.counts())[DeliveryState.CLAIMED] == 50
    left = await target.outbox.claim("three", NOW, 60_000, READERS)
    assert len(left) == READERS - 100
    assert {row.kind for row in left} == {Kind.BROADCAST}


async def test_new_rows_get_new_numbers_afterwards(pair: tuple[Store, Store]) -> None:
    source, target = pair
    await _living(source)
    await copy(source.database, target.database)
    before = await target.rules.of_chat(7)
    await target.rules.follow(8, 0, [RuleSpec(("ukraine",))], NOW)
    assert (await drafted(target, "More", NOW)).id > 1
    (after,) = await target.rules.of_chat(8)
    assert after.id > before[0].id


async def test_a_target_that_is_not_empty_is_left_as_it_is(pair: tuple[Store, Store]) -> None:
    source, target = pair
    await _living(source)
    await target.chats.upsert(Chat(id=5, kind=ChatKind.PRIVATE), NOW)
    with pytest.raises(StorageError, match=r"is not empty \(it has chats\)"):
        await copy(source.database, target.database)
    assert len(await _rows(target, "chats")) == 1


async def test_a_copy_that_breaks_off_leaves_nothing(pair: tuple[Store, Store]) -> None:
    source, target = pair
    await _living(source)

    def stops(done: int, _: int) -> None:
        if done > READERS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await copy(source.database, target.database, on_rows=stops)
    for name in metadata.tables:
        assert await _rows(target, name) == []
    await copy(source.database, target.database)
    async with target.database.reading() as connection:
        assert len((await connection.execute(select(outbox.c.id))).all()) == READERS
