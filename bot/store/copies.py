"""Copies of hot news that were sent: corrected or taken back by rows of the outbox about a change of the broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, literal, or_, select, true

from bot.core.model import DeliveryState, Kind, Lane
from bot.store.articles import chunks, insert
from bot.store.outbox import enqueue
from bot.store.schema import broadcast_changes, chats, outbox

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.broadcast import Content
    from bot.core.model import Delivery, Millis

#: Kinds of rows that change a copy.
CHANGES = frozenset({Kind.CORRECTION, Kind.RECALL})


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy that a row is to change."""

    broadcast_id: int
    message_id: int
    sent_at: Millis
    superseded: bool  #: the broadcast was changed once more, and a later row does it


_THERE = and_(outbox.c.state == DeliveryState.SENT.value, outbox.c.message_id.is_not(None))


def reads(content: Content, languages: Collection[str]) -> ColumnElement[bool]:
    """Whether a chat gets `content` in one of these languages."""
    theirs = chats.c.language.in_(sorted(languages))
    others = chats.c.language.not_in(sorted(content.texts))
    return or_(theirs, others) if content.speaks("") in languages else theirs


def _copies(broadcast_id: int, readers: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = outbox.c.kind == Kind.BROADCAST.value, outbox.c.subject == broadcast_id
    return and_(*mine, chats.c.active == true(), readers)


async def copies_of(connection: AsyncConnection, broadcast_id: int, readers: ColumnElement[bool]) -> int:
    """How many copies these readers have."""
    query = select(func.count()).select_from(outbox).join(chats, chats.c.id == outbox.c.chat_id)
    return await connection.scalar(query.where(_copies(broadcast_id, readers), _THERE)) or 0


async def queue_changes(
    connection: AsyncConnection, broadcast_id: int, kind: Kind, now: Millis, readers: ColumnElement[bool] | None = None
) -> int:
    """Queue a change of each copy that is there, or on the wire and may be of the old text; their number.

    Of `readers` alone, where they are given.

    What waits needs none: it is rendered when it goes. Claims must not go on meanwhile (`sharing.in_turn`), or one
    that this does not see yet could still render what was.
    """
    values = {"broadcast_id": broadcast_id, "kind": kind.value, "created_at": now}
    made = insert(connection, broadcast_changes).values(values).returning(broadcast_changes.c.id)
    change_id = (await connection.execute(made)).scalar_one()
    copies = (
        select(
            literal(kind.value),
            literal(change_id),
            outbox.c.chat_id,
            outbox.c.thread_id,
            literal(int(Lane.HOT)),
            literal(now),
            literal(now),
        )
        .join(chats, chats.c.id == outbox.c.chat_id)
        .where(_copies(broadcast_id, true() if readers is None else readers))
        .where(or_(_THERE, outbox.c.state == DeliveryState.CLAIMED.value))
    )
    return max(0, (await connection.execute(enqueue(connection, copies))).rowcount)


async def copies(connection: AsyncConnection, rows: Collection[Delivery]) -> dict[int, Copy]:
    """By row, the copies that these change; none where the copy did not arrive."""
    sent, newer, later = outbox.alias("sent"), broadcast_changes.alias("newer"), outbox.alias("later")
    # A later correction may be of another language, and have no row for this reader.
    has_row = exists().where(
        later.c.kind == newer.c.kind,
        later.c.subject == newer.c.id,
        later.c.chat_id == outbox.c.chat_id,
        later.c.thread_id == outbox.c.thread_id,
    )
    superseded = exists().where(
        newer.c.broadcast_id == broadcast_changes.c.broadcast_id,
        newer.c.id > broadcast_changes.c.id,
        or_(newer.c.kind == Kind.RECALL.value, has_row.correlate(newer, outbox)),
    )
    query = (
        select(
            outbox.c.id,
            broadcast_changes.c.broadcast_id,
            sent.c.message_id,
            sent.c.settled_at,
            superseded.correlate(broadcast_changes, outbox).label("superseded"),
        )
        .join(broadcast_changes, broadcast_changes.c.id == outbox.c.subject)
        .join(
            sent,
            and_(
                sent.c.kind == Kind.BROADCAST.value,
                sent.c.subject == broadcast_changes.c.broadcast_id,
                sent.c.chat_id == outbox.c.chat_id,
                sent.c.thread_id == outbox.c.thread_id,
            ),
        )
        .where(sent.c.state == DeliveryState.SENT.value, sent.c.message_id.is_not(None))
    )
    found: dict[int, Copy] = {}
    for chunk in chunks(sorted(one.id for one in rows if one.kind in CHANGES)):
        for number, broadcast_id, message_id, sent_at, old in await connection.execute(
            query.where(outbox.c.id.in_(chunk))
        ):
            found[number] = Copy(broadcast_id, message_id, sent_at, bool(old))
    return found
