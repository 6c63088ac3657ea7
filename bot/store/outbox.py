"""The outbox: what is to be sent, by whom it is being sent, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, literal, or_, select, true, update

from bot.core.cadence import DAY_MS
from bot.core.model import Delivery, DeliveryState, Kind, Lane, Ruling
from bot.store.articles import insert
from bot.store.chats import move_chat, retire_chat
from bot.store.schema import article_tags, chats, outbox, rule_terms, rules
from bot.store.sharing import in_turn, sent_by_others, with_others

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis, Verdict
    from bot.store.database import Database

#: How long what was sent is kept, for statistics and for those who ask what came.
KEPT_MS = 30 * DAY_MS
_COLUMNS = ("kind", "subject", "chat_id", "thread_id", "lane", "not_before", "queued_at")
_UNIQUE = ("kind", "subject", "chat_id", "thread_id")


async def fan_out(connection: AsyncConnection, article_id: int, now: Millis) -> int:
    """Queue an article's alerts: one row for each active chat (and topic) with a rule it satisfies; their number.

    One statement, whatever the number of readers. It may run again, for tags that came late: nobody gets two.
    """
    borne = select(article_tags.c.tag_id).where(article_tags.c.article_id == article_id)
    broken = exists().where(
        rule_terms.c.rule_id == rules.c.id,
        or_(
            and_(rule_terms.c.wanted, rule_terms.c.tag_id.not_in(borne)),
            and_(~rule_terms.c.wanted, rule_terms.c.tag_id.in_(borne)),
        ),
    )
    readers = (
        select(
            literal(Kind.ALERT.value),
            literal(article_id),
            rules.c.chat_id,
            rules.c.thread_id,
            literal(int(Lane.ALERT)),
            literal(now),
            literal(now),
        )
        .join(chats, chats.c.id == rules.c.chat_id)
        .where(
            rules.c.anchor_id.in_(borne),
            rules.c.muted_until <= now,
            chats.c.active == true(),
            or_(rules.c.plain == true(), ~broken),
        )
        .distinct()
    )
    return await _enqueue(connection, readers)


async def enqueue_broadcast(connection: AsyncConnection, broadcast_id: int, now: Millis) -> int:
    """Queue hot news to every active chat; the number of rows."""
    readers = select(
        literal(Kind.BROADCAST.value),
        literal(broadcast_id),
        chats.c.id,
        literal(0),
        literal(int(Lane.HOT)),
        literal(now),
        literal(now),
    ).where(chats.c.active == true())
    return await _enqueue(connection, readers)


async def enqueue_notice(connection: AsyncConnection, notice_id: int, admins: Collection[int], now: Millis) -> int:
    """Queue a notice to those admins whom the bot has met; the number of rows."""
    readers = select(
        literal(Kind.NOTICE.value),
        literal(notice_id),
        chats.c.id,
        literal(0),
        literal(int(Lane.ALERT)),
        literal(now),
        literal(now),
    ).where(chats.c.active == true(), chats.c.id.in_(admins))
    return await _enqueue(connection, readers)


async def _enqueue(connection: AsyncConnection, readers: Any) -> int:
    statement = insert(connection, outbox).from_select(_COLUMNS, readers)
    result = await connection.execute(statement.on_conflict_do_nothing(index_elements=_UNIQUE))
    return max(0, result.rowcount)


class Outbox:
    """The queue between the two pumps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, owner: str, now: Millis, lease_ms: int, limit: int) -> list[Delivery]:
        """Take up to `limit` rows that are due, best lane first; nobody else gets them until the lease ends.

        Nor does anybody get other rows of their chats meanwhile: a chat's rows stay in order, and are paced by one.
        """
        due = (
            select(outbox.c.id)
            .where(
                or_(
                    and_(outbox.c.state == DeliveryState.QUEUED.value, outbox.c.not_before <= now),
                    and_(outbox.c.state == DeliveryState.CLAIMED.value, outbox.c.lease_until <= now),
                )
            )
            .order_by(outbox.c.lane, outbox.c.not_before, outbox.c.id)
            .limit(limit)
        )
        if not self._database.is_sqlite:
            due = due.where(outbox.c.chat_id.not_in(with_others(owner, now))).with_for_update(skip_locked=True)
        claim = (
            update(outbox)
            .where(outbox.c.id.in_(due.scalar_subquery()))
            .values(
                state=DeliveryState.CLAIMED.value,
                lease_owner=owner,
                lease_until=now + lease_ms,
                attempts=outbox.c.attempts + 1,
            )
            .returning(outbox)
        )
        async with self._database.transaction() as connection:
            await in_turn(connection)
            rows = (await connection.execute(claim)).mappings().all()
        return [
            Delivery(
                id=row["id"],
                kind=Kind(row["kind"]),
                subject=row["subject"],
                chat_id=row["chat_id"],
                thread_id=row["thread_id"],
                attempts=row["attempts"],
                queued_at=row["queued_at"],
            )
            for row in sorted(rows, key=lambda row: (row["lane"], row["not_before"], row["id"]))
        ]

    async def sent_by_others(self, owner: str, chats: Collection[int], now: Millis) -> dict[int, list[Millis]]:
        """When other workers sent to these chats in the last minute."""
        async with self._database.reading() as connection:
            return await sent_by_others(connection, owner, chats, now)

    async def settle(self, results: Sequence[tuple[Delivery, Verdict]], owner: str, now: Millis) -> None:
        """Write what became of rows, all in one transaction; rows that another owner took meanwhile are left to it."""
        async with self._database.transaction() as connection:
            for delivery, verdict in results:
                await self._settle(connection, delivery, verdict, owner, now)

    async def _settle(
        self, connection: AsyncConnection, delivery: Delivery, verdict: Verdict, owner: str, now: Millis
    ) -> None:
        values: dict[str, Any] = {"lease_owner": None, "lease_until": 0, "reason": verdict.reason}
        match verdict.ruling:
            case Ruling.SENT:
                # Who sent it stays: the others' pace of this chat begins where ours ended.
                sent = {"settled_at": now, "message_id": verdict.message_id, "lease_owner": owner}
                values |= {"state": DeliveryState.SENT, **sent}
            case Ruling.DROP | Ruling.RETIRE:
                values |= {"state": DeliveryState.DROPPED, "settled_at": now}
            case Ruling.PARK:
                values |= {"state": DeliveryState.PARKED, "settled_at": now}
            case Ruling.RETRY | Ruling.PLAIN:
                values |= {"state": DeliveryState.QUEUED, "not_before": max(now, verdict.at)}
                values |= {"attempts": outbox.c.attempts - 1} if verdict.free else {}
            case Ruling.MOVE:
                values |= {"state": DeliveryState.QUEUED, "not_before": now, "attempts": outbox.c.attempts - 1}
            case Ruling.ROOT:
                values |= await self._to_root(connection, delivery, now)
        mine = outbox.c.id == delivery.id, outbox.c.lease_owner == owner
        await connection.execute(update(outbox).where(*mine).values(**values))
        if verdict.ruling is Ruling.RETIRE:
            await retire_chat(connection, delivery.chat_id, verdict.reason, now)
        elif verdict.ruling is Ruling.MOVE and verdict.moved_to is not None:
            await move_chat(connection, delivery.chat_id, verdict.moved_to, now)

    async def _to_root(self, connection: AsyncConnection, delivery: Delivery, now: Millis) -> dict[str, Any]:
        """The row outside its topic, unless the chat gets the same there anyway."""
        same = select(outbox.c.id).where(
            outbox.c.kind == delivery.kind.value,
            outbox.c.subject == delivery.subject,
            outbox.c.chat_id == delivery.chat_id,
            outbox.c.thread_id == 0,
        )
        if (await connection.execute(same)).first():
            return {"state": DeliveryState.DROPPED, "settled_at": now}
        return {"state": DeliveryState.QUEUED, "not_before": now, "thread_id": 0}

    async def release_all(self, now: Millis) -> int:
        """Queue every claimed row again: for the one process of an SQLite file, whose claims are a dead one's."""
        statement = (
            update(outbox)
            .where(outbox.c.state == DeliveryState.CLAIMED.value)
            .values(state=DeliveryState.QUEUED.value, lease_owner=None, lease_until=0, not_before=now)
        )
        async with self._database.transaction() as connection:
            return max(0, (await connection.execute(statement)).rowcount)

    async def prune(self, now: Millis) -> int:
        """Forget what was settled long ago; their number. Nothing is news for so long that it could be sent again."""
        old = delete(outbox).where(outbox.c.settled_at < now - KEPT_MS)
        async with self._database.transaction() as connection:
            return max(0, (await connection.execute(old)).rowcount)

    async def next_due(self) -> Millis | None:
        """When the next row can be claimed; None when none waits."""
        queued = select(func.min(outbox.c.not_before)).where(outbox.c.state == DeliveryState.QUEUED.value)
        leased = select(func.min(outbox.c.lease_until)).where(outbox.c.state == DeliveryState.CLAIMED.value)
        async with self._database.reading() as connection:
            times = [await connection.scalar(queued), await connection.scalar(leased)]
        return min((time for time in times if time is not None), default=None)

    async def counts(self) -> dict[DeliveryState, int]:
        """Rows by state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.reading() as connection:
            return {DeliveryState(state): number for state, number in await connection.execute(query)}
