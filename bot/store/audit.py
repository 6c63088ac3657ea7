"""The audit: every administrative act, who did it and when. Rows are only ever added, each sealed with the one before.

The chain knows people by numbers of their own: who is forgotten takes their name out of `actors`, and it stays whole.
A chain cannot show that its end was cut off; who keeps the last seal elsewhere can (`tagwire check --audit` prints it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from bot.core.chain import NOTHING, Act, broken, seal
from bot.store.articles import insert
from bot.store.locks import key
from bot.store.schema import actors, audit, chats, staff

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

BATCH = 1000
LOCK = key("audit")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act as it is shown; names are "" for who is unknown or was forgotten, ids 0."""

    id: int
    act: Act
    actor_id: int
    actor: str
    about_id: int
    about: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of following the chain."""

    acts: int
    last: str  #: the seal of the last act
    broken: int | None  #: the first row that was changed, or that misses the one before it


async def record(
    connection: AsyncConnection, actor_id: int, action: str, detail: str, now: Millis, *, about: int = 0
) -> None:
    """Note an act, in the transaction of the act itself; to be called last in it, because others wait for its end.

    `about` is the id of the person that it was done to.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    numbers = await _numbers(connection, {actor_id, about} - {0})
    act = Act(
        at=now,
        actor=numbers.get(actor_id, 0),
        action=action,
        detail=detail.replace("\0", ""),
        about=numbers.get(about, 0),
    )
    newest = select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    last: str = await connection.scalar(newest) or NOTHING
    row = {"at": now, "actor": act.actor, "action": action, "detail": act.detail, "about": act.about}
    await connection.execute(insert(connection, audit).values(**row, hash=seal(last, act)))


async def _numbers(connection: AsyncConnection, people: Collection[int]) -> dict[int, int]:
    """Their numbers; who has none gets one that nobody ever had."""
    query = select(actors.c.user_id, actors.c.number).where(actors.c.user_id.in_(people))
    known: dict[int, int] = dict((await connection.execute(query)).all())
    for user_id in sorted({*people} - known.keys()):
        used = [await connection.scalar(select(func.max(one))) or 0 for one in (actors.c.number, audit.c.actor)]
        used.append(await connection.scalar(select(func.max(audit.c.about))) or 0)
        known[user_id] = max(used) + 1
        await connection.execute(insert(connection, actors).values(number=known[user_id], user_id=user_id))
    return known


class Audit:
    """Reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> int:
        """All acts."""
        async with self._database.reading() as connection:
            return await connection.scalar(select(func.count()).select_from(audit)) or 0

    async def newest(self, skip: int, limit: int) -> list[Recorded]:
        """The newest first."""
        who, whom = actors.alias("who"), actors.alias("whom")
        query = (
            select(audit, who.c.user_id.label("actor_id"), whom.c.user_id.label("about_id"))
            .outerjoin(who, who.c.number == audit.c.actor)
            .outerjoin(whom, whom.c.number == audit.c.about)
            .order_by(audit.c.id.desc())
            .offset(skip)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
            people = {row[name] for row in rows for name in ("actor_id", "about_id") if row[name]}
            names = dict((await connection.execute(select(staff.c.user_id, staff.c.name))).all())
            titles = select(chats.c.id, chats.c.title).where(chats.c.id.in_(people))
            names |= {number: title for number, title in await connection.execute(titles) if title}
        return [
            Recorded(
                row["id"],
                _act(row),
                row["actor_id"] or 0,
                names.get(row["actor_id"], ""),
                row["about_id"] or 0,
                names.get(row["about_id"], ""),
            )
            for row in rows
        ]

    async def verify(self) -> Verified:
        """Follow the chain from its beginning."""
        number, last, found = 0, NOTHING, None
        async with (
            self._database.snapshot() as connection,
            connection.stream(select(audit).order_by(audit.c.id)) as result,
        ):
            async for rows in result.mappings().partitions(BATCH):
                found = found or broken(last, [(row["id"], _act(row), row["hash"]) for row in rows])
                number, last = number + len(rows), rows[-1]["hash"]
        return Verified(number, last, found)


def _act(row: RowMapping) -> Act:
    return Act(at=row["at"], actor=row["actor"], action=row["action"], detail=row["detail"], about=row["about"])
