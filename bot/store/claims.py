"""Taking rows of the outbox to send them: with an owner and a lease, one row of a chat at a time.

What is claimed is sent as soon as its turn comes: rows wait in the table, in the order of their lanes, never in a
sender's memory. A try counts from the moment it may be on the wire (`leave`), so a sender that is killed again and
again before that gives nothing up. `state = 'queued'` stands in the statements as it is, not as a parameter: the
partial indexes serve no other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, select, text, update

from bot.core.model import Delivery, DeliveryState, Kind, Lane
from bot.store.articles import chunks
from bot.store.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis

QUEUED = text("outbox.state = 'queued'")
CLAIMED = text("outbox.state = 'claimed'")
#: Due rows looked at for each that may be taken: a chat's others are passed over while its first is under way.
LOOKED_AT = 4
_NAMES = ("id", "kind", "subject", "chat_id", "thread_id", "lane", "attempts", "queued_at", "due_at")
_COLUMNS = tuple(outbox.c[name] for name in _NAMES)

_OTHER = outbox.alias("claimed")
_UNDER_WAY = select(_OTHER.c.chat_id).where(text("claimed.state = 'claimed'"))
_DUE = (
    select(*_COLUMNS)
    .where(
        QUEUED,
        outbox.c.lane == bindparam("of_lane"),
        outbox.c.not_before <= bindparam("now"),
        outbox.c.chat_id.not_in(_UNDER_WAY),
    )
    .order_by(outbox.c.not_before, outbox.c.id)
    .limit(bindparam("most"))
)
_TAKE = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=DeliveryState.CLAIMED.value,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
    )
)
_LEAVE = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), CLAIMED, outbox.c.lease_owner == bindparam("owner"))
    .values(attempts=outbox.c.attempts + 1)
    .returning(outbox.c.id)
)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who takes rows, when, and for how long."""

    owner: str
    now: Millis
    length: Millis


async def take(connection: AsyncConnection, lease: Lease, limit: int) -> list[Delivery]:
    """Up to `limit` rows that are due, best lane first, of as many chats, none of them under way with any sender."""
    found: list[Row[Any]] = []
    chats: set[int] = set()
    for lane in Lane:
        # As many as there is room for are enough where each is of another chat, as most often they are.
        for most in (limit - len(found), LOOKED_AT * limit):
            if len(found) == limit:
                break
            looked_for = {"of_lane": int(lane), "now": lease.now, "most": most}
            rows = (await connection.execute(_locking(connection, _DUE), looked_for)).all()
            for row in rows:
                if len(found) < limit and row.chat_id not in chats:
                    chats.add(row.chat_id)
                    found.append(row)
            if len(rows) < most:
                break
    return await _mark(connection, lease, found)


async def take_backlog(
    connection: AsyncConnection,
    lease: Lease,
    places: Collection[tuple[int, int]],
    since: Millis,
    at_least: int,
    *,
    put_off: bool,
) -> list[Delivery]:
    """The alerts due in those chats and topics since then, where `at_least` so many wait; oldest first.

    With `put_off` only those that their readers have put off.
    """
    waiting: dict[tuple[int, int], list[Row[Any]]] = defaultdict(list)
    for chunk in chunks(sorted({chat_id for chat_id, _ in places})):
        due = (
            select(*_COLUMNS)
            .where(
                QUEUED,
                outbox.c.chat_id.in_(chunk),
                outbox.c.kind == Kind.ALERT.value,
                outbox.c.not_before <= lease.now,
                or_(outbox.c.queued_at >= since, outbox.c.due_at >= since),
                *([outbox.c.due_at > 0] if put_off else []),
            )
            .order_by(outbox.c.id)
        )
        for row in (await connection.execute(_locking(connection, due))).all():
            waiting[row.chat_id, row.thread_id].append(row)
    return await _mark(
        connection, lease, [row for place in places if len(waiting[place]) >= at_least for row in waiting[place]]
    )


async def take_over(connection: AsyncConnection, lease: Lease, busy: Collection[int]) -> None:
    """Queue again what its owner has let lapse, behind what waits: it may have died of it.

    Never what we know to be under way, whatever a clock that jumped says of its lease. A lease that ends later than
    leases last was given before a clock went back.
    """
    lapsed = select(outbox.c.id).where(
        CLAIMED,
        or_(outbox.c.lease_until <= lease.now, outbox.c.lease_until > lease.now + 2 * lease.length),
        outbox.c.chat_id.not_in(busy),
    )
    ids = (await connection.scalars(_locking(connection, lapsed))).all()
    for chunk in chunks(ids):
        again = {"state": DeliveryState.QUEUED.value, "lease_owner": None, "lease_until": 0, "not_before": lease.now}
        await connection.execute(update(outbox).where(outbox.c.id.in_(chunk)).values(again))


async def leave(connection: AsyncConnection, owner: str, ids: Collection[int]) -> set[int]:
    """Count a try of these rows, which are about to go on the wire; those of them that are still this owner's."""
    mine: set[int] = set()
    for chunk in chunks(sorted(ids)):
        mine.update(await connection.scalars(_LEAVE, {"ids": chunk, "owner": owner}))
    return mine


async def _mark(connection: AsyncConnection, lease: Lease, rows: Sequence[Row[Any]]) -> list[Delivery]:
    for chunk in chunks([row.id for row in rows]):
        values = {"ids": chunk, "owner": lease.owner, "until": lease.now + lease.length}
        await connection.execute(_TAKE, values)
    return list(_deliveries(rows))


def _deliveries(rows: Iterable[Row[Any]]) -> Iterable[Delivery]:
    for row in rows:
        yield Delivery(
            id=row.id,
            kind=Kind(row.kind),
            subject=row.subject,
            chat_id=row.chat_id,
            thread_id=row.thread_id,
            attempts=row.attempts + 1,
            queued_at=row.queued_at,
            lane=Lane(row.lane),
            due_at=row.due_at,
        )


def _locking(connection: AsyncConnection, query: Select[Any]) -> Select[Any]:
    """On PostgreSQL other senders pass over what is being taken; SQLite has one writer."""
    return query if connection.dialect.name == "sqlite" else query.with_for_update(skip_locked=True)
