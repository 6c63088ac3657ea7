"""Alarms: what admins were told, and what is to be told, by notices in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, literal, select, update

from bot.core.alarms import Alarm, Step
from bot.core.model import DeliveryState, Kind, Lane, NoticeCode
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.claims import QUEUED
from bot.store.outbox import enqueue, enqueue_for_admins
from bot.store.schema import alarms, notices, outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.alarms import Key, Move
    from bot.core.model import Millis
    from bot.store.database import Database

#: Sending works where something was sent within this time.
LATELY_MS = 5 * 60 * 1000


class Alarms:
    """What admins are alerted to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self) -> dict[Key, Alarm]:
        """What is remembered of each."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(alarms))).all()
        return {
            (NoticeCode(row.kind), row.subject): Alarm(
                id=row.id, open=row.open, told_at=row.told_at, muted_until=row.muted_until
            )
            for row in rows
        }

    async def queue(self, now: Millis) -> tuple[Millis, bool]:
        """How long the oldest alert or digest that is due has waited, and whether anything was sent of late.

        Hot news is not looked at: it goes to everybody at once, and its progress is shown where it was sent.
        """
        async with self._database.reading() as connection:
            oldest = [
                await connection.scalar(select(func.min(outbox.c.not_before)).where(QUEUED, outbox.c.lane == int(lane)))
                for lane in (Lane.ALERT, Lane.DIGEST)
            ]
            sent = select(outbox.c.id).where(
                outbox.c.settled_at >= now - LATELY_MS, outbox.c.state == DeliveryState.SENT.value
            )
            sending = (await connection.execute(sent.limit(1))).first() is not None
        return max((now - at for at in oldest if at is not None), default=0), sending

    async def carry_out(
        self, moves: Sequence[Move], known: Mapping[Key, Alarm], now: Millis, admins: Collection[int]
    ) -> int:
        """Do these steps, in one transaction; the rows queued. What another worker did meanwhile is left as it is."""
        queued = 0
        async with self._database.transaction() as connection:
            for move in moves:
                alarm = known.get((move.code, move.subject))
                if move.step is Step.TELL:
                    queued += await _tell(connection, move, alarm, now, admins)
                elif alarm is not None:
                    queued += await _end(connection, move, alarm, now)
        return queued

    async def mute(self, alarm_id: int, until: Millis, actor_id: int, now: Millis) -> bool:
        """Tell nobody of it before then; False when it is there no more."""
        async with self._database.transaction() as connection:
            muted = update(alarms).where(alarms.c.id == alarm_id).values(muted_until=until)
            row = (await connection.execute(muted.returning(alarms.c.kind, alarms.c.subject))).first()
            if row is None:
                return False
            said = f"{row.kind} {row.subject}".strip()
            await record(connection, actor_id, "alarm.mute" if until > now else "alarm.unmute", said, now)
            return True


async def _tell(
    connection: AsyncConnection, move: Move, before: Alarm | None, now: Millis, admins: Collection[int]
) -> int:
    made = insert(connection, alarms).values(kind=move.code.value, subject=move.subject, open=True, told_at=now)
    as_known = alarms.c.told_at == (before.told_at if before else -1)
    told = made.on_conflict_do_update(
        index_elements=["kind", "subject"], set_={"open": True, "told_at": now}, where=as_known
    )
    alarm_id = await connection.scalar(told.returning(alarms.c.id))
    if alarm_id is None:
        return 0
    values = {"code": move.code.value, "feed": move.subject, "detail": move.detail.replace("\0", "")}
    notice = insert(connection, notices).values(**values, created_at=now, alarm_id=alarm_id).returning(notices.c.id)
    return await enqueue_for_admins(connection, (await connection.execute(notice)).scalar_one(), admins, now)


async def _end(connection: AsyncConnection, move: Move, alarm: Alarm, now: Millis) -> int:
    """Over: each message of it that was sent is changed; one that still waits says so by itself."""
    if move.step is Step.CLOSE:
        await connection.execute(delete(alarms).where(alarms.c.id == alarm.id))
        return 0
    closed = update(alarms).where(alarms.c.id == alarm.id, alarms.c.open, alarms.c.told_at == alarm.told_at)
    if (await connection.execute(closed.values(open=False))).rowcount != 1:
        return 0
    fixed = update(notices).where(notices.c.alarm_id == alarm.id, notices.c.fixed_at == 0).values(fixed_at=now)
    told = [row.id for row in await connection.execute(fixed.returning(notices.c.id))]
    sent = and_(outbox.c.kind == Kind.NOTICE.value, outbox.c.subject.in_(told))
    rows = select(
        literal(Kind.FIXED.value),
        outbox.c.subject,
        outbox.c.chat_id,
        outbox.c.thread_id,
        literal(int(Lane.EDIT)),
        literal(now),
        literal(now),
    ).where(sent)
    return max(0, (await connection.execute(enqueue(connection, rows))).rowcount)
