"""A broadcast's rows in the outbox: queued, put aside, taken up, dropped, counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, literal, select, update

from bot.core.broadcast import ASIDE
from bot.core.model import DeliveryState, Hot, Kind, Lane
from bot.core.tallies import STOPPED, Tally, tally
from bot.store.outbox import enqueue
from bot.store.reach import belongs
from bot.store.schema import broadcast_changes, chats, outbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.broadcast import Broadcast
    from bot.core.model import Millis
    from bot.store.database import Database

_QUEUED = outbox.c.state == DeliveryState.QUEUED.value
_FAILING = outbox.c.state.in_([DeliveryState.DROPPED.value, DeliveryState.PARKED.value])
#: From when on a copy was ours to deliver, and so how long its reader waited for it.
_SINCE = case((outbox.c.due_at > outbox.c.queued_at, outbox.c.due_at), else_=outbox.c.queued_at)
_SPAN = outbox.c.settled_at - _SINCE
#: Points of a picture of deliveries over time, at most.
POINTS = 60


def _of(broadcast_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return outbox.c.kind == Kind.BROADCAST.value, outbox.c.subject == broadcast_id


async def enqueue_broadcast(connection: AsyncConnection, broadcast: Broadcast, now: Millis) -> int:
    """Queue hot news to its audience as it is now, without those who wish none; the number of rows."""
    readers = select(
        literal(Kind.BROADCAST.value),
        literal(broadcast.id),
        chats.c.id,
        literal(0),
        literal(int(Lane.HOT)),
        literal(now),
        literal(now),
    ).where(belongs(broadcast.content.audience), chats.c.hot != Hot.OFF.value)
    return max(0, (await connection.execute(enqueue(connection, readers))).rowcount)


async def put_aside(connection: AsyncConnection, broadcast_id: int, now: Millis) -> None:
    """What is due goes to nobody until it is taken up; what becomes due meanwhile is put aside as it is rendered."""
    due = update(outbox).where(*_of(broadcast_id), _QUEUED, outbox.c.not_before <= now)
    await connection.execute(due.values(not_before=ASIDE))


async def take_up(connection: AsyncConnection, broadcast_id: int, now: Millis) -> None:
    """What was put aside is due, and as young as if it were queued now."""
    aside = update(outbox).where(*_of(broadcast_id), _QUEUED, outbox.c.not_before == ASIDE)
    await connection.execute(aside.values(not_before=now, due_at=now))


async def drop_waiting(connection: AsyncConnection, broadcast_id: int, now: Millis) -> None:
    """Nobody gets it any more; what is on the wire arrives, or is dropped when it comes back."""
    waiting = update(outbox).where(*_of(broadcast_id), _QUEUED)
    await connection.execute(waiting.values(state=DeliveryState.DROPPED.value, settled_at=now, reason=STOPPED))


async def is_over(connection: AsyncConnection, broadcast_id: int) -> tuple[bool, int, int]:
    """Whether no row of it and of its changes waits; how many copies arrived, and how many failed."""
    changes = select(broadcast_changes.c.id).where(broadcast_changes.c.broadcast_id == broadcast_id)
    changing = and_(outbox.c.kind.in_([Kind.CORRECTION.value, Kind.RECALL.value]), outbox.c.subject.in_(changes))
    for mine in (and_(*_of(broadcast_id)), changing):
        waits = select(outbox.c.id).where(mine, outbox.c.settled_at.is_(None)).limit(1)
        if (await connection.execute(waits)).first() is not None:
            return False, 0, 0
    count = select(outbox.c.state, func.count()).where(*_of(broadcast_id)).group_by(outbox.c.state)
    found: dict[str, int] = dict((await connection.execute(count)).all())
    return True, found.get(DeliveryState.SENT.value, 0), found.get(DeliveryState.PARKED.value, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a broadcast."""

    tally: Tally
    change: tuple[Kind, Tally] | None = None  #: its last correction or recall
    median_s: float | None = None  #: from when a copy was ours to deliver until Telegram had it
    p95_s: float | None = None
    every: Millis = 0  #: the width of `delivered`
    delivered: tuple[tuple[Millis, int], ...] = ()  #: copies by the time they arrived, without gaps


class Runs:
    """How broadcasts go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tally(self, broadcast_id: int, now: Millis) -> tuple[Tally, tuple[Kind, Tally] | None]:
        """What became of its rows so far, and of those of its last change."""
        async with self._database.reading() as connection:
            return await self._tallies(connection, broadcast_id, now)

    async def _tallies(
        self, connection: AsyncConnection, broadcast_id: int, now: Millis
    ) -> tuple[Tally, tuple[Kind, Tally] | None]:
        mine = await _tally(connection, now, *_of(broadcast_id))
        query = select(broadcast_changes.c.id, broadcast_changes.c.kind)
        query = query.where(broadcast_changes.c.broadcast_id == broadcast_id)
        last = (await connection.execute(query.order_by(broadcast_changes.c.id.desc()).limit(1))).first()
        if last is None:
            return mine, None
        of_change = outbox.c.kind == last.kind, outbox.c.subject == last.id
        return mine, (Kind(last.kind), await _tally(connection, now, *of_change))

    async def report(self, broadcast_id: int, now: Millis) -> Report:
        """All of it, as of one moment."""
        arrived = *_of(broadcast_id), outbox.c.state == DeliveryState.SENT.value
        async with self._database.snapshot() as connection:
            mine, change = await self._tallies(connection, broadcast_id, now)
            if not mine.sent:
                return Report(tally=mine, change=change)
            spans = {}
            for share in (0.5, 0.95):
                at = math.ceil(share * mine.sent) - 1
                query = select(_SPAN).where(*arrived).order_by(_SPAN).offset(at).limit(1)
                spans[share] = (await connection.scalar(query) or 0) / 1000
            ends = select(func.min(outbox.c.settled_at), func.max(outbox.c.settled_at)).where(*arrived)
            first, last = (await connection.execute(ends)).one()
            every = _width(last - first)
            slot = (outbox.c.settled_at - first) // every
            by_slot = select(slot, func.count()).where(*arrived).group_by(slot)
            found = {int(n): number for n, number in await connection.execute(by_slot)}
        delivered = tuple((first + n * every, found.get(n, 0)) for n in range((last - first) // every + 1))
        return Report(
            tally=mine, change=change, median_s=spans[0.5], p95_s=spans[0.95], every=every, delivered=delivered
        )

    async def rows(self, broadcast_id: int) -> AsyncIterator[tuple[Any, ...]]:
        """(queued, settled, seconds, state, reason) of each row, in the order they were settled; of nobody by name."""
        query = (
            select(_SINCE, outbox.c.settled_at, _SPAN, outbox.c.state, outbox.c.reason)
            .where(*_of(broadcast_id))
            .order_by(outbox.c.settled_at, outbox.c.id)
        )
        async with self._database.snapshot() as connection, connection.stream(query) as result:
            async for row in result:
                yield tuple(row)


async def _tally(connection: AsyncConnection, now: Millis, *mine: ColumnElement[bool]) -> Tally:
    due = outbox.c.due_at <= now
    reason = case((_FAILING, outbox.c.reason), else_="")
    query = select(outbox.c.state, due, reason, func.count()).where(*mine).group_by(outbox.c.state, due, reason)
    rows = await connection.execute(query)
    return tally((DeliveryState(state), bool(is_due), why, number) for state, is_due, why, number in rows)


def _width(span: Millis) -> Millis:
    """A round width of which at most POINTS fill `span`."""
    widths = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
    return next((one * 1000 for one in widths if span < one * 1000 * POINTS), 7 * 86_400_000)
