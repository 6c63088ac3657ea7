"""The outbox: what is to be sent, by whom it is being sent, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, case, delete, false, func, literal, null, select, true, update

from bot.core import bursts
from bot.core.cadence import DAY_MS
from bot.core.model import DeliveryState, Kind, Lane, NoticeCode, Ruling
from bot.core.roles import Role
from bot.core.verdicts import FEW
from bot.store.articles import insert
from bot.store.chats import hold_chat, move_chat, retire_chat, unhold
from bot.store.claims import CLAIMED, QUEUED, Lease, leave, take, take_backlog, take_over
from bot.store.schema import chats, closed_topics, notices, outbox, staff
from bot.store.sharing import MINUTE_MS, in_turn, sent_by_others

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Delivery, Millis, Verdict
    from bot.store.database import Database

#: How long what was sent is kept, for statistics and for those who ask what came.
KEPT_MS = 30 * DAY_MS
#: How long a topic that Telegram refused is not tried again; it may be opened any time.
TOPIC_CLOSED_MS = DAY_MS
#: Lapsed leases are looked for this often: rows of a sender that died.
LAPSED_EVERY_MS = 1000
_COLUMNS = ("kind", "subject", "chat_id", "thread_id", "lane", "not_before", "queued_at")
_UNIQUE = ("kind", "subject", "chat_id", "thread_id")


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


async def enqueue_for_admins(connection: AsyncConnection, notice_id: int, named: Collection[int], now: Millis) -> int:
    """Queue a notice to the admins, those that the configuration names and the others; the number of rows."""
    others = await connection.scalars(select(staff.c.user_id).where(staff.c.role == Role.ADMIN.value))
    return await enqueue_notice(connection, notice_id, {*named, *others}, now)


def enqueue(connection: AsyncConnection, readers: Select[Any]) -> Any:
    """The statement that queues a row for each of `readers`, which selects _COLUMNS; what is there is not doubled."""
    return insert(connection, outbox).from_select(_COLUMNS, readers).on_conflict_do_nothing(index_elements=_UNIQUE)


async def _enqueue(connection: AsyncConnection, readers: Select[Any]) -> int:
    return max(0, (await connection.execute(enqueue(connection, readers))).rowcount)


class Outbox:
    """The queue between the two pumps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at: Millis = 0  #: for lapsed leases
        self._alone_from: Millis = 0  #: what another process sent was over a minute ago, where there is but one

    async def claim(
        self, owner: str, now: Millis, lease_ms: int, limit: int, busy: Collection[int] = ()
    ) -> list[Delivery]:
        """Take rows that are due, best lane first: up to `limit`, one of a chat, and none where another is under way.

        Nobody else gets them until they are settled or the lease ends. `busy` are the chats where the caller knows its
        own to be under way, whatever the clock says.
        """
        lease = Lease(owner, now, lease_ms)
        async with self._database.transaction() as connection:
            await in_turn(connection)
            if abs(now - self._looked_at) >= LAPSED_EVERY_MS:
                await take_over(connection, lease, busy)
                self._looked_at = now
            return await take(connection, lease, limit)

    async def claim_backlog(
        self, lease: Lease, places: Collection[tuple[int, int]], since: Millis, *, put_off: bool = False
    ) -> list[Delivery]:
        """Take the other alerts of those (chat, topic) where FEW or more wait since then; of what was put off, any."""
        async with self._database.transaction() as connection:
            await in_turn(connection)
            return await take_backlog(connection, lease, places, since, 1 if put_off else FEW, put_off=put_off)

    async def sent_by_others(self, owner: str, chats: Collection[int], now: Millis) -> dict[int, list[Millis]]:
        """When other workers sent to these chats in the last minute; of an SQLite file, the one before us."""
        self._alone_from = self._alone_from or now + MINUTE_MS
        if self._database.is_sqlite and now >= self._alone_from:
            return {}
        async with self._database.reading() as connection:
            return await sent_by_others(connection, owner, chats, now)

    async def leave(self, owner: str, ids: Collection[int]) -> set[int]:
        """Count a try of rows that are about to go on the wire; those that are still `owner`'s, the others may not."""
        async with self._database.transaction() as connection:
            return await leave(connection, owner, ids)

    async def settle(self, results: Sequence[tuple[Delivery, Verdict]], owner: str, now: Millis) -> None:
        """Write what became of rows, all in one transaction; rows that another owner took meanwhile are left to it."""
        results = [
            (delivery, replace(verdict, reason=_storable(verdict.reason)) if verdict.reason else verdict)
            for delivery, verdict in results
        ]
        async with self._database.transaction() as connection:
            ended, again = [], []
            for delivery, verdict in results:
                tries = delivery.attempts
                row = {"of": delivery.id, "tries": tries, "before": tries - 1, "reason": verdict.reason}
                settled = _SETTLED.get(verdict.ruling)
                if verdict.ruling is Ruling.ROOT and await _stands_outside(connection, delivery):
                    settled = DeliveryState.DROPPED
                if settled:
                    ended.append({**row, "state": settled.value, "message_id": verdict.message_id})
                else:
                    free = verdict.free or verdict.ruling in _UNDELIVERED
                    thread = 0 if verdict.ruling is Ruling.ROOT else delivery.thread_id
                    at = max(now, verdict.at)
                    due = delivery.due_at if verdict.lane is None else at
                    lane = int(verdict.lane or delivery.lane)
                    left = tries - free
                    again.append({**row, "at": at, "due": due, "lane": lane, "left": left, "thread": thread})
            for statement, rows in ((_END, ended), (_AGAIN, again)):
                common = {"owner": owner, "now": now} if statement is _END else {"owner": owner}
                if rows:
                    await connection.execute(statement, [{**row, **common} for row in rows])
            got = [
                {"chat": delivery.chat_id, "day": verdict.loud_day, "spates": bursts.spell(verdict.spates)}
                for delivery, verdict in results
                if verdict.spates is not None
            ]
            if got:
                await connection.execute(_GOT, got)
            for delivery, verdict in results:
                await _carry_out(connection, delivery, verdict, now)

    async def release_all(self, now: Millis) -> int:
        """Queue every claimed row again: for the one process of an SQLite file, whose claims are a dead one's."""
        statement = (
            update(outbox)
            .where(CLAIMED)
            .values(state=DeliveryState.QUEUED.value, lease_owner=None, lease_until=0, not_before=now)
        )
        async with self._database.transaction() as connection:
            return max(0, (await connection.execute(statement)).rowcount)

    async def newest(self) -> Millis | None:
        """When the last of the rows that wait was queued; None when none waits."""
        async with self._database.reading() as connection:
            newest: Millis | None = await connection.scalar(select(func.max(outbox.c.queued_at)).where(QUEUED))
            return newest

    async def hurry(self, now: Millis, before: Millis) -> int:
        """The clock went back from `before` to `now`: what was due then is due now; their number.

        Nor is a chat held until a moment that was told from the wrong time; one that refuses still says so again.
        """
        due = update(outbox).where(QUEUED, outbox.c.not_before > now, outbox.c.not_before <= before)
        async with self._database.transaction() as connection:
            await unhold(connection, now)
            return max(0, (await connection.execute(due.values(not_before=now))).rowcount)

    async def prune(self, now: Millis) -> int:
        """Forget what was settled long ago; their number. Nothing is news for so long that it could be sent again."""
        old = delete(outbox).where(outbox.c.settled_at < now - KEPT_MS)
        async with self._database.transaction() as connection:
            return max(0, (await connection.execute(old)).rowcount)

    async def next_due(self, now: Millis) -> Millis | None:
        """When the next row after `now` becomes due; None when none does."""
        times = []
        async with self._database.reading() as connection:
            for lane in Lane:  # each lane is one step into the index of due rows
                later = QUEUED, outbox.c.lane == int(lane), outbox.c.not_before > now
                times.append(await connection.scalar(select(func.min(outbox.c.not_before)).where(*later)))
        return min((time for time in times if time is not None), default=None)

    async def counts(self) -> dict[DeliveryState, int]:
        """Rows by state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.reading() as connection:
            return {DeliveryState(state): number for state, number in await connection.execute(query)}


_SETTLED = {
    Ruling.SENT: DeliveryState.SENT,
    Ruling.DROP: DeliveryState.DROPPED,
    Ruling.RETIRE: DeliveryState.DROPPED,
    Ruling.PARK: DeliveryState.PARKED,
}
#: Rulings upon an answer that says that nobody got it.
_UNDELIVERED = frozenset({Ruling.MOVE, Ruling.ROOT})
#: A row is settled by its owner, for the try that it speaks of, whether that left or not: both can have changed while
#: a sender was frozen.
_MINE = (
    outbox.c.id == bindparam("of"),
    outbox.c.lease_owner == bindparam("owner"),
    outbox.c.attempts.in_([bindparam("tries"), bindparam("before")]),
)
_FREE = {"lease_until": 0, "reason": bindparam("reason")}
#: Who sent it stays: the others' pace of its chat begins where ours ended (store.sharing).
_END = (
    update(outbox)
    .where(*_MINE)
    .values(state=bindparam("state"), settled_at=bindparam("now"), message_id=bindparam("message_id"), **_FREE)
)
_AGAIN = (
    update(outbox)
    .where(*_MINE)
    .values(
        state=DeliveryState.QUEUED.value,
        not_before=bindparam("at"),
        attempts=bindparam("left"),
        thread_id=bindparam("thread"),
        lane=bindparam("lane"),
        due_at=bindparam("due"),
        lease_owner=null(),
        **_FREE,
    )
)


#: One alert more, a loud one on `day` unless that is 0. A chat's messages go one after the other, so what its spates
#: were made from has not changed meanwhile.
_DAY = bindparam("day", type_=Integer)
_GOT = (
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(
        loud_count=case((_DAY == 0, chats.c.loud_count), (chats.c.loud_day == _DAY, chats.c.loud_count + 1), else_=1),
        loud_day=case((_DAY == 0, chats.c.loud_day), else_=_DAY),
        spates=bindparam("spates"),
    )
)


def _storable(reason: str) -> str:
    """A reason may quote anything, also what no database takes; one such row must not keep all others unsettled."""
    return reason.replace("\0", "?").encode("utf-8", "replace").decode()


async def _carry_out(connection: AsyncConnection, delivery: Delivery, verdict: Verdict, now: Millis) -> None:
    """What a verdict on a row means for its chat."""
    match verdict.ruling:
        case Ruling.RETIRE:
            await retire_chat(connection, delivery.chat_id, verdict.reason, now)
        case Ruling.HOLD:
            await hold_chat(connection, delivery.chat_id, verdict.at)
        case Ruling.MOVE if verdict.moved_to is not None:
            await move_chat(connection, delivery.chat_id, verdict.moved_to, now)
        case Ruling.SENT if verdict.offer_quiet:
            await _offer_quiet(connection, delivery.chat_id, now)
        case Ruling.ROOT:
            await _close_topic(connection, delivery.chat_id, delivery.thread_id, now)
        case _:
            pass


async def _stands_outside(connection: AsyncConnection, delivery: Delivery) -> bool:
    """Whether the chat gets the same outside the row's topic anyway."""
    same = select(outbox.c.id).where(
        outbox.c.kind == delivery.kind.value,
        outbox.c.subject == delivery.subject,
        outbox.c.chat_id == delivery.chat_id,
        outbox.c.thread_id == 0,
    )
    return (await connection.execute(same)).first() is not None


async def _close_topic(connection: AsyncConnection, chat_id: int, thread_id: int, now: Millis) -> None:
    """Try this topic no more for a day; its chat is told once, however often that happens."""
    this = closed_topics.c.chat_id == chat_id, closed_topics.c.thread_id == thread_id
    until = await connection.scalar(select(closed_topics.c.until).where(*this))
    if until is not None and until > now:
        return
    values = {"until": now + TOPIC_CLOSED_MS}
    found = select(chats.c.id, literal(thread_id), literal(values["until"])).where(chats.c.id == chat_id)
    made = insert(connection, closed_topics).from_select(("chat_id", "thread_id", "until"), found)
    await connection.execute(made.on_conflict_do_update(index_elements=["chat_id", "thread_id"], set_=values))
    if until is None:
        await _tell(connection, NoticeCode.TOPIC, chat_id, now)


async def _offer_quiet(connection: AsyncConnection, chat_id: int, now: Millis) -> None:
    """Ask a reader once whether they want quiet hours."""
    first = update(chats).where(chats.c.id == chat_id, chats.c.quiet_offered == false()).values(quiet_offered=True)
    if (await connection.execute(first)).rowcount == 1:
        await _tell(connection, NoticeCode.QUIET, chat_id, now)


async def _tell(connection: AsyncConnection, code: NoticeCode, chat_id: int, now: Millis) -> None:
    notice = insert(connection, notices).values(code=code.value, created_at=now).returning(notices.c.id)
    await enqueue_notice(connection, (await connection.execute(notice)).scalar_one(), [chat_id], now)
