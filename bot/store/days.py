"""The service by days: what leaves no other trace is counted while the day lasts, the rest is read from the outbox.

Days are those of the newsroom's zone, as proleptic ordinals. Its offset of today is taken for all of them: on the other
side of a change of clocks a day ends an hour off.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true

from bot.core.cadence import DAY_MS
from bot.core.model import DeliveryState, Kind
from bot.store.articles import insert
from bot.store.schema import articles, chats, days, feeds, outbox, rule_terms, rules, tags

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from bot.core.model import Millis
    from bot.store.database import Database

EPOCH = date(1970, 1, 1).toordinal()
#: Alerts from which times are told, over all days.
MEASURED = 20_000


@dataclass(frozen=True, slots=True)
class Day:
    """One day, as it was counted last."""

    day: int
    readers: int
    follows: int


@dataclass(frozen=True, slots=True)
class Speed:
    """From a newsroom's publication, as it dates it, to the alert's arrival, in milliseconds."""

    day: int
    spans: tuple[int, ...]  #: in order; of very many alerts an even part


class Days:
    """Figures by day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, day: int) -> None:
        """Count now, for this day."""
        counts = {
            "readers": select(func.count()).select_from(chats).where(chats.c.active == true()),
            "follows": select(func.count()).select_from(rules),
            "feeds": select(func.count()).select_from(feeds).where(feeds.c.active == true()),
            "articles": select(func.count()).select_from(articles),
        }
        async with self._database.transaction() as connection:
            values = {name: await connection.scalar(query) or 0 for name, query in counts.items()}
            made = insert(connection, days).values(day=day, **values)
            await connection.execute(made.on_conflict_do_update(index_elements=["day"], set_=values))

    async def counted(self, since: int) -> list[Day]:
        """The days since then that were counted, oldest first."""
        query = select(days.c.day, days.c.readers, days.c.follows).where(days.c.day >= since).order_by(days.c.day)
        async with self._database.reading() as connection:
            return [Day(row.day, row.readers, row.follows) for row in await connection.execute(query)]

    async def alerts(self, since: int, offset: Millis) -> dict[int, int]:
        """Alerts that were sent, by day."""
        day = _day(offset)
        query = select(day, func.count()).where(*_sent(since, offset)).group_by(day)
        async with self._database.reading() as connection:
            return {int(number): count for number, count in await connection.execute(query)}

    async def speeds(self, since: int, offset: Millis) -> list[Speed]:
        """How long alerts took, by day; what its reader put off says nothing of it."""
        which = (*_sent(since, offset), outbox.c.due_at == 0)
        async with self._database.reading() as connection:
            number = await connection.scalar(select(func.count()).select_from(outbox).where(*which)) or 0
            part = -(-number // MEASURED) or 1
            query = (
                select(_day(offset).label("day"), outbox.c.settled_at, articles.c.published_at)
                .join(articles, articles.c.id == outbox.c.subject)
                .where(*which, outbox.c.id % part == 0)
            )
            found = defaultdict(list)
            for row in await connection.execute(query):
                found[int(row.day)].append(row.settled_at - row.published_at)
        return [Speed(day, tuple(sorted(spans))) for day, spans in sorted(found.items())]

    async def top_tags(self, limit: int) -> list[tuple[str, int]]:
        """What most chats follow, and how many."""
        number = func.count(rules.c.chat_id.distinct())
        query = (
            select(tags.c.slug, number)
            .join(rule_terms, rule_terms.c.tag_id == tags.c.id)
            .join(rules, rules.c.id == rule_terms.c.rule_id)
            .where(rule_terms.c.wanted == true())
            .group_by(tags.c.slug)
            .order_by(number.desc(), tags.c.slug)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]


def _day(offset: Millis) -> ColumnElement[int]:
    return (outbox.c.settled_at + offset) // DAY_MS + EPOCH


def _sent(since: int, offset: Millis) -> tuple[ColumnElement[bool], ...]:
    begins = (since - EPOCH) * DAY_MS - offset
    return (
        outbox.c.settled_at >= begins,
        outbox.c.kind == Kind.ALERT.value,
        outbox.c.state == DeliveryState.SENT.value,
    )
