"""Cards that are to be changed, because their article was: an outbox row each, of kind "edit"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, literal, or_, select, true

from bot.core.cadence import DAY_MS
from bot.core.model import DeliveryState, Kind, Lane
from bot.store.articles import chunks, insert
from bot.store.outbox import enqueue
from bot.store.schema import chats, outbox, revisions

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Delivery, Millis

#: Cards older than this are read no more.
EDITED_FOR_MS = 2 * DAY_MS


@dataclass(frozen=True, slots=True)
class Target:
    """The card that a row is to change."""

    article_id: int
    message_id: int
    superseded: bool  #: the article was changed once more, and a later row does it
    shared: bool  #: the card stands for several articles


async def queue_edits(connection: AsyncConnection, article_id: int, now: Millis) -> None:
    """An article's headline or summary changed: queue a change of each card of it.

    Each revision has rows of its own: what is on the wire may still bring an older one. A card that waits is left
    alone, because it is rendered when it goes; one on the wire may be of the old text, and its chat takes nothing
    else before it is settled.
    """
    made = insert(connection, revisions).values(article_id=article_id, created_at=now).returning(revisions.c.id)
    revision_id = (await connection.execute(made)).scalar_one()
    recent = and_(
        outbox.c.state == DeliveryState.SENT.value,
        outbox.c.message_id.is_not(None),
        outbox.c.settled_at >= now - EDITED_FOR_MS,
    )
    cards = (
        select(
            literal(Kind.EDIT.value),
            literal(revision_id),
            outbox.c.chat_id,
            outbox.c.thread_id,
            literal(int(Lane.EDIT)),
            literal(now),
            literal(now),
        )
        .join(chats, chats.c.id == outbox.c.chat_id)
        .where(outbox.c.kind == Kind.ALERT.value, outbox.c.subject == article_id, chats.c.active == true())
        .where(or_(recent, outbox.c.state == DeliveryState.CLAIMED.value))
    )
    await connection.execute(enqueue(connection, cards))


async def targets(connection: AsyncConnection, edits: Collection[Delivery]) -> dict[int, Target]:
    """By row, the cards that these change; none where the card did not arrive, or is no longer known."""
    card, other, newer = outbox.alias("card"), outbox.alias("other"), revisions.alias("newer")
    shared = select(other.c.id).where(
        other.c.settled_at == card.c.settled_at,  # rows that share a card were settled together
        other.c.chat_id == card.c.chat_id,
        other.c.message_id == card.c.message_id,
        other.c.id != card.c.id,
    )
    newest = select(func.max(newer.c.id)).where(newer.c.article_id == revisions.c.article_id).scalar_subquery()
    query = (
        select(
            outbox.c.id,
            revisions.c.article_id,
            card.c.message_id,
            (newest > revisions.c.id).label("superseded"),
            shared.exists().label("shared"),
        )
        .join(revisions, revisions.c.id == outbox.c.subject)
        .join(
            card,
            and_(
                card.c.kind == Kind.ALERT.value,
                card.c.subject == revisions.c.article_id,
                card.c.chat_id == outbox.c.chat_id,
                card.c.thread_id == outbox.c.thread_id,
            ),
        )
        .where(card.c.state == DeliveryState.SENT.value, card.c.message_id.is_not(None))
    )
    found: dict[int, Target] = {}
    for chunk in chunks(sorted(one.id for one in edits)):
        for number, article_id, message_id, superseded, together in await connection.execute(
            query.where(outbox.c.id.in_(chunk))
        ):
            found[number] = Target(article_id, message_id, bool(superseded), bool(together))
    return found
