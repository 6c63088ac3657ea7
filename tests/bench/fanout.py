"""One article whose tags 200 000, 5 300 and 530 chats follow, on SQLite as it ships; others write and read meanwhile.

1 000 000 rules on 100 000 tags, chats in no order of their ids, and a million alerts of the days before.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.core.model import (
    Article,
    ArticleTag,
    Chat,
    ChatKind,
    EntryChange,
    Feed,
    FeedState,
    FeedUpdate,
    RuleSpec,
    TagSource,
)
from bot.store.database import Database
from bot.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

CHATS, READERS, TAGS, OLD_ALERTS = 265_000, 200_000, 100_000, 1_000_000
NOW = 1_800_000_000_000
STRANGER = 10**12
EVERY_S = 0.01
#: A chat's id by its number, so that neighbours are far apart; its rules are those of its number.
CHAT = "(n * 2654435761) % 7000000000"
RULES = (
    (f"n <= {READERS}", "1"),
    ("n % 50 = 0", "2"),
    ("n % 500 = 0", "3"),
    *(("true", f"4 + (n * {step}) % {TAGS - 4}") for step in (7919, 104_729, 1_299_709)),
)


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Seconds until every alert is queued, statements, and how long others wait at worst."""
    path = folder / "bench.db"
    database = await Database.open(f"sqlite:///{path}")
    store = Store(database)
    try:
        await store.feeds.sync_catalogue([Feed(name="f", url="https://e.org/rss", title="F")])
        await store.articles.ensure_tags(f"tag{number:06}" for number in range(1, TAGS + 1))
        expected = await asyncio.to_thread(fill, path)
        await store.chats.upsert(Chat(id=STRANGER, kind=ChatKind.PRIVATE), NOW)
        return await _measure(store, expected)
    finally:
        await database.close()


def fill(path: Path) -> int:
    """Chats, rules and old alerts; the number of chats that the article concerns."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in _script():
            connection.execute(statement)
        union = "SELECT count(DISTINCT chat_id) FROM rules WHERE anchor_id IN (1, 2, 3)"
        return int(connection.execute(union).fetchone()[0])
    finally:
        connection.close()
        with path.open("rb+") as file:
            os.fsync(file)  # else the first checkpoint pays for all this


def _script() -> Iterator[str]:
    numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {})"
    chats = numbers.format(CHATS)
    rule = "INSERT OR IGNORE INTO rules (chat_id, thread_id, key, anchor_id, plain, created_at)"
    yield from ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-200000", "BEGIN")
    yield f"""{chats} INSERT INTO chats (id, kind, title, language, time_zone, created_at)
        SELECT {CHAT}, 'private', 'A reader ' || n, 'uk', 'Europe/Kyiv', 1 FROM c"""
    for who, tag in RULES:
        yield f"{chats} {rule} SELECT {CHAT} AS id, 0, 'tag' || ({tag}), {tag}, 1, 1 FROM c WHERE {who} ORDER BY id"
    yield "INSERT INTO rule_terms (rule_id, tag_id, wanted, position) SELECT id, anchor_id, 1, 0 FROM rules"
    yield f"""{numbers.format(OLD_ALERTS)} INSERT INTO outbox
        (kind, subject, chat_id, thread_id, lane, not_before, state, queued_at, settled_at)
        SELECT 'alert', -1 - n / {CHATS}, {CHAT}, 0, 2, 1, 'sent', 1, 2 FROM c"""
    yield from ("COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)")


async def _measure(store: Store, expected: int) -> list[tuple[str, str, float]]:
    tags = iter(range(1, 10**9))

    async def follow() -> None:
        await store.rules.follow(STRANGER, 0, [RuleSpec((f"other{next(tags)}",))], NOW)

    async def get() -> None:
        await store.chats.get(STRANGER)

    await _while(asyncio.sleep(0.3), follow, get)  # everything is loaded and compiled
    idle = await _while(asyncio.sleep(1), follow, get)
    with _counted() as statements:
        wall, cpu = time.perf_counter(), time.process_time()
        queued = 0

        async def queue() -> None:
            nonlocal queued
            (stored,) = await store.feeds.apply([_update()], NOW)
            queued = stored.alerts + await store.fanouts.finish(stored.owed)

        busy = await _while(queue(), follow, get)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if queued != expected:
        raise RuntimeError(f"{queued} alerts were queued, not {expected}")
    what = f"fan-out to {expected:,}"
    return [
        (what, "s", wall),
        (what, "CPU s, with the others'", cpu),
        (what, "statements", len(statements)),
        *(
            (f"{what}: {name} meanwhile, {kind}", "ms", value * 1000)
            for name, waits in zip(("a /sub", "a read", "a turn of the loop"), busy, strict=True)
            for kind, value in (
                ("p99", sorted(waits)[len(waits) * 99 // 100]),
                ("max", max(waits)),
            )
        ),
        ("a /sub while nothing else goes on, max", "ms", max(idle[0]) * 1000),
    ]


async def _while(work: Awaitable[object], *others: Callable[[], Awaitable[object]]) -> list[list[float]]:
    """Do `work`; how long each of the others took meanwhile, tried every 10 ms, and by how much a sleep overran."""
    waits: list[list[float]] = [[] for _ in (*others, None)]

    async def repeat(other: Callable[[], Awaitable[object]], into: list[float]) -> None:
        while True:
            before = time.perf_counter()
            try:
                await other()
            finally:  # one that still waits at the end counts too
                into.append(time.perf_counter() - before)
            await asyncio.sleep(EVERY_S)

    async def watch(into: list[float]) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(EVERY_S)
            into.append(time.perf_counter() - before - EVERY_S)

    tasks = [asyncio.create_task(repeat(other, into)) for other, into in zip(others, waits, strict=False)]
    tasks.append(asyncio.create_task(watch(waits[-1])))
    await work
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return waits


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The statements that fan-outs execute."""
    seen: list[str] = []

    def executed(_: object, __: object, statement: str, *___: object) -> None:
        if "outbox" in statement or "fanouts" in statement or "count(*)" in statement:
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", executed)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", executed)


def _update() -> FeedUpdate:
    borne = tuple(ArticleTag(f"tag{number:06}", TagSource.PAGE) for number in (1, 2, 3))
    article = Article(
        link="https://e.org/1", title="T", summary="S", source="F", language="en", section="", published_at=NOW,
        seen_at=NOW, minutes=1, tags=borne,
    )  # fmt: skip
    change = EntryChange(key="k", content_hash="h", canonical="https://e.org/1", article=article, new=True)
    return FeedUpdate(feed="f", state=FeedState(primed=True), changes=(change,), seen_keys=("k",), alert=True)
