"""Broadcasts: hot news, from draft to the last copy. Each step is one transaction, guarded by what `core` grants."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, or_, select, true, update

from bot.core.broadcast import (
    REPEATED_MS,
    STARTED,
    Audience,
    Broadcast,
    BroadcastState,
    Content,
    Refusal,
    Step,
    after,
    refusal,
    unfit,
)
from bot.core.calendar import day_of
from bot.core.model import DeliveryState, Kind, NoticeCode
from bot.core.roles import Role
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.copies import copies_of, queue_changes, reads
from bot.store.outbox import enqueue_notice
from bot.store.reach import reach
from bot.store.runs import drop_waiting, enqueue_broadcast, is_over, put_aside, take_up
from bot.store.schema import broadcasts, notices, outbox, staff
from bot.store.sharing import in_turn

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.broadcast import NewsroomRules, Wish
    from bot.core.model import Millis
    from bot.core.tallies import Reach
    from bot.store.database import Database

#: Confirmed, whether it has begun or not: what counts for the day's limit.
_CONFIRMED = [state.value for state in (*STARTED, BroadcastState.SCHEDULED)]
_CONFIRMING = frozenset({Step.CONFIRM, Step.APPROVE, Step.BREAK_GLASS})


#: What its author is told when another has decided.
_DECIDED = {
    Step.APPROVE: NoticeCode.APPROVED,
    Step.RETURN: NoticeCode.RETURNED,
    Step.CANCEL: NoticeCode.CANCELLED,
}
#: Steps after which readers get a text: the audit holds it, whatever becomes of it later.
_SAID = frozenset({*_CONFIRMING, Step.CORRECT})
#: Of what is a draft again.
_NOT_CONFIRMED = {"starts_at": 0, "open": False, "confirmed_by": 0}
#: What could not begin for so long after its time, because nothing ran, is looked at by people first.
LATE_MS = 15 * 60_000


async def unschedule(connection: AsyncConnection, user_id: int) -> None:
    """What somebody has confirmed and has not begun is a draft again: they may not send any more."""
    theirs = broadcasts.c.confirmed_by == user_id, broadcasts.c.state == BroadcastState.SCHEDULED.value
    draft = {"state": BroadcastState.DRAFT.value, **_NOT_CONFIRMED}
    await connection.execute(update(broadcasts).where(*theirs).values(draft))


class Broadcasts:
    """Hot news."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(
        self, author_id: int, content: Content, now: Millis, *, corrects: Broadcast | None = None
    ) -> Broadcast:
        """Keep a draft, or a correction of what was sent; nothing is sent."""
        values = {"author_id": author_id, "created_at": now, **_values(content)}
        if corrects is not None:
            values |= {"corrects": corrects.id, "replaces": corrects.content.hash}
        async with self._database.transaction() as connection:
            made = insert(connection, broadcasts).values(values).returning(broadcasts)
            return broadcast_of((await connection.execute(made)).mappings().one())

    async def get(self, broadcast_id: int) -> Broadcast | None:
        """A broadcast in any state."""
        async with self._database.reading() as connection:
            query = select(broadcasts).where(broadcasts.c.id == broadcast_id)
            row = (await connection.execute(query)).mappings().first()
        return broadcast_of(row) if row else None

    async def take(self, wish: Wish, rules: NewsroomRules, now: Millis) -> Broadcast | Refusal:
        """Take a step: the broadcast as it is then, or why it was not taken. A second press finds another state."""
        async with self._database.transaction() as connection:
            await in_turn(connection)  # no claim renders what this changes
            old, kept = await _asked(connection, wish)
            if old is None:
                return Refusal.UNKNOWN
            refused = refusal(wish.step, old, wish.by, kept.replaces if kept else wish.seen, rules)
            if refused is None and kept is not None:
                refused = unfit(kept, old, wish.by, wish.seen, rules)
            if refused is None and wish.step in _CONFIRMING:
                refused = await _objection(connection, old, wish, rules, now)
            if refused is not None:
                return refused
            if kept is not None:
                wish = await _use_up(connection, kept, wish)
            values = {"state": after(wish.step, old.state).value, **_changes(old, wish, rules, now)}
            changed = update(broadcasts).where(broadcasts.c.id == old.id).values(values).returning(broadcasts)
            new = broadcast_of((await connection.execute(changed)).mappings().one())
            await _carry_out(connection, old, new, wish, rules, now)
            detail = f"broadcast {old.id}, {new.content.hash}" + (f": {wish.reason}" if wish.reason else "")
            if wish.step in _SAID:
                detail += "".join(f"\n{language}: {text}" for language, text in new.content.texts.items())
            await record(connection, wish.by.user_id, f"broadcast.{wish.step}", detail, now)
            return new

    async def open(self) -> list[Broadcast]:
        """Those that a worker has something to do for, oldest first."""
        query = select(broadcasts).where(broadcasts.c.open == true()).order_by(broadcasts.c.id)
        async with self._database.reading() as connection:
            return [broadcast_of(row) for row in (await connection.execute(query)).mappings()]

    async def start_due(self, now: Millis) -> list[Broadcast]:
        """Queue those whose time has come to all their readers; once, whoever else does the same.

        Who comes later is none of these readers, and none of them gets it twice.
        """
        due = select(broadcasts).where(
            broadcasts.c.open == true(),
            broadcasts.c.state == BroadcastState.SCHEDULED.value,
            broadcasts.c.starts_at <= now,
        )
        started = []
        async with self._database.transaction() as connection:
            for row in (await connection.execute(due.with_for_update())).mappings().all():
                if row["starts_at"] < now - LATE_MS:
                    draft = {"state": BroadcastState.DRAFT.value, **_NOT_CONFIRMED}
                    await connection.execute(update(broadcasts).where(broadcasts.c.id == row["id"]).values(draft))
                    await _notify(
                        connection, NoticeCode.LATE, str(row["id"]), {row["confirmed_by"], row["author_id"]}, now
                    )
                    continue
                total = await enqueue_broadcast(connection, broadcast_of(row), now)
                values = {"state": BroadcastState.SENDING.value, "started_at": now, "total": total}
                begun = update(broadcasts).where(broadcasts.c.id == row["id"]).values(values).returning(broadcasts)
                started.append(broadcast_of((await connection.execute(begun)).mappings().one()))
        return started

    async def finish(self, broadcast_id: int, now: Millis) -> bool:
        """Nothing is left to do: it is over. False when something is."""
        mine = broadcasts.c.id == broadcast_id, broadcasts.c.open == true()
        async with self._database.transaction() as connection:
            await in_turn(connection)
            row = (await connection.execute(select(broadcasts).where(*mine).with_for_update())).mappings().first()
            if row is None or row["state"] == BroadcastState.SCHEDULED:
                return False
            over, arrived, failed = await is_over(connection, broadcast_id)
            if not over:
                return False
            ended = BroadcastState.FAILED if failed and not arrived else BroadcastState.DONE
            running = broadcasts.c.state.in_([BroadcastState.SENDING.value, BroadcastState.PAUSED.value])
            values = {
                "open": False,
                "ended_at": case((broadcasts.c.ended_at == 0, now), else_=broadcasts.c.ended_at),
                "state": case((running, ended.value), else_=broadcasts.c.state),
            }
            await connection.execute(update(broadcasts).where(*mine).values(values))
            return True

    async def tell(self, broadcast_id: int, chat_id: int, message_id: int) -> None:
        """Show how it goes in this message from now on; 0 and 0: nowhere."""
        values = {"told_chat": chat_id, "told_message": message_id}
        async with self._database.transaction() as connection:
            await connection.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(values))

    async def reach(self, audience: Audience, now: Millis) -> Reach:
        """Whom this audience is now."""
        async with self._database.reading() as connection:
            return await reach(connection, audience, now)

    async def copies(self, kept: Broadcast, languages: Collection[str]) -> int:
        """The copies that have arrived of what this correction is about, of readers of these languages."""
        async with self._database.reading() as connection:
            return await copies_of(connection, kept.corrects, reads(kept.content, languages))

    async def listed(self, limit: int) -> list[Broadcast]:
        """What waits for a second person or its time, goes on, or has ended: the newest first."""
        states = [state.value for state in (*STARTED, BroadcastState.WAITING, BroadcastState.SCHEDULED)]
        query = select(broadcasts).where(broadcasts.c.state.in_(states)).order_by(broadcasts.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [broadcast_of(row) for row in (await connection.execute(query)).mappings()]

    async def latest(self, chat_id: int, limit: int) -> list[Broadcast]:
        """The newest that a chat got, and those for everyone from before it came; without what was taken back."""
        got = exists().where(
            outbox.c.kind == Kind.BROADCAST.value,
            outbox.c.subject == broadcasts.c.id,
            outbox.c.chat_id == chat_id,
            outbox.c.state == DeliveryState.SENT.value,
        )
        everyone = json.dumps(Audience().as_data(), ensure_ascii=False)
        public = and_(broadcasts.c.audience == everyone, broadcasts.c.state == BroadcastState.DONE.value)
        shown = [state.value for state in STARTED - {BroadcastState.RECALLED}]
        query = (
            select(broadcasts)
            .where(broadcasts.c.state.in_(shown), or_(got, public))
            .order_by(broadcasts.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [broadcast_of(row) for row in (await connection.execute(query)).mappings()]


def _changes(old: Broadcast, wish: Wish, rules: NewsroomRules, now: Millis) -> dict[str, Any]:
    """What a step writes into the broadcast beside its state."""
    match wish.step:
        case Step.REVISE if wish.content is not None:
            # Who changes nothing has written nothing, or a writer could become the second person.
            same = wish.content.hash == old.content.hash
            return {"author_id": old.author_id if same else wish.by.user_id, **_values(wish.content)}
        case Step.CONFIRM | Step.APPROVE | Step.BREAK_GLASS:
            chat, message = wish.told
            starts_at = wish.at or now + rules.countdown
            told = {"told_chat": chat, "told_message": message}
            return {"starts_at": starts_at, "open": True, "confirmed_by": wish.by.user_id, **told}
        case Step.HALT:
            return _NOT_CONFIRMED
        case Step.CANCEL:
            return {"open": False}
        case Step.STOP:
            return {"ended_at": now}
        case Step.CORRECT if wish.content is not None:
            corrected = {**old.corrected, **dict.fromkeys(wish.content.changed(old.content), now)}
            return {"corrected_at": now, "corrected": json.dumps(corrected), "open": True, **_values(wish.content)}
        case Step.RECALL:
            return {"recalled_at": now, "open": True, "ended_at": old.ended_at or now}
        case _:
            return {}


async def _carry_out(
    connection: AsyncConnection, old: Broadcast, new: Broadcast, wish: Wish, rules: NewsroomRules, now: Millis
) -> None:
    """What a step does to the outbox."""
    match wish.step:
        case Step.SUBMIT:
            await _tell(connection, NoticeCode.APPROVE, str(new.id), Role.PUBLISHER, wish, rules, now)
        case Step.BREAK_GLASS:
            await _tell(connection, NoticeCode.GLASS, f"{wish.name}: {wish.reason}", Role.ADMIN, wish, rules, now)
        case Step.APPROVE | Step.RETURN | Step.CANCEL if new.author_id != wish.by.user_id:
            await _notify(connection, _DECIDED[wish.step], str(new.id), {new.author_id}, now)
        case Step.PAUSE:
            await put_aside(connection, new.id, now)
        case Step.RESUME:
            await take_up(connection, new.id, now)
        case Step.STOP:
            await drop_waiting(connection, new.id, now)
        case Step.CORRECT:
            changed = reads(new.content, new.content.changed(old.content))
            await queue_changes(connection, new.id, Kind.CORRECTION, now, changed)
        case Step.RECALL:
            await drop_waiting(connection, new.id, now)
            await queue_changes(connection, new.id, Kind.RECALL, now)
        case _:
            pass


async def _asked(connection: AsyncConnection, wish: Wish) -> tuple[Broadcast | None, Broadcast | None]:
    """What the step is about; and with CORRECT, what shall take its place. Nobody else changes them meanwhile."""

    async def locked(number: int) -> Broadcast | None:
        query = select(broadcasts).where(broadcasts.c.id == number).with_for_update()
        row = (await connection.execute(query)).mappings().first()
        return broadcast_of(row) if row else None

    found = await locked(wish.broadcast_id)
    if found is None or wish.step is not Step.CORRECT:
        return found, None
    return await locked(found.corrects), found


async def _use_up(connection: AsyncConnection, kept: Broadcast, wish: Wish) -> Wish:
    """The wish with what the correction says, which is there for no second press."""
    used = update(broadcasts).where(broadcasts.c.id == kept.id).values(state=BroadcastState.CANCELLED.value)
    await connection.execute(used)
    return replace(wish, content=kept.content)


async def _objection(
    connection: AsyncConnection, mine: Broadcast, wish: Wish, rules: NewsroomRules, now: Millis
) -> Refusal | None:
    """What must be said before it goes out, unless it was said already."""
    at = wish.at or now + rules.countdown
    others = select(broadcasts).where(broadcasts.c.id != mine.id, broadcasts.c.state.in_(_CONFIRMED))
    if rules.daily_limit and Refusal.LIMIT not in wish.anyway:
        first, last = day_of(at, rules.time_zone)
        today = others.where(broadcasts.c.starts_at.between(first, last - 1)).subquery()
        if (await connection.scalar(select(func.count()).select_from(today)) or 0) >= rules.daily_limit:
            return Refusal.LIMIT
    if Refusal.REPEATED not in wish.anyway:
        recent = (await connection.execute(others.where(broadcasts.c.starts_at > now - REPEATED_MS))).mappings()
        said = {text for row in recent for text in broadcast_of(row).content.texts.values()}
        if said & {*mine.content.texts.values()}:
            return Refusal.REPEATED
    return None


async def _tell(
    connection: AsyncConnection,
    code: NoticeCode,
    detail: str,
    needed: Role,
    wish: Wish,
    rules: NewsroomRules,
    now: Millis,
) -> None:
    """Tell those who have the role, but not who caused it."""
    roles = [role.value for role in Role if role.covers(needed)]
    people = {*rules.admins, *await connection.scalars(select(staff.c.user_id).where(staff.c.role.in_(roles)))}
    await _notify(connection, code, detail, people - {wish.by.user_id}, now)


async def _notify(
    connection: AsyncConnection, code: NoticeCode, detail: str, people: Collection[int], now: Millis
) -> None:
    values = {"code": code.value, "detail": detail, "created_at": now}
    notice = insert(connection, notices).values(values).returning(notices.c.id)
    await enqueue_notice(connection, (await connection.execute(notice)).scalar_one(), people, now)


def _values(content: Content) -> dict[str, Any]:
    return {
        "texts": json.dumps(dict(content.texts), ensure_ascii=False),
        "photo": content.photo,
        "audience": json.dumps(content.audience.as_data(), ensure_ascii=False),
        "content_hash": content.hash,
    }


def broadcast_of(row: RowMapping) -> Broadcast:
    """A broadcast from its row."""
    plain = ("starts_at", "started_at", "ended_at", "corrected_at", "recalled_at", "total", "told_chat", "told_message")
    return Broadcast(
        id=row["id"],
        author_id=row["author_id"],
        content=Content(
            texts=json.loads(row["texts"] or "{}"),
            photo=row["photo"],
            audience=Audience.from_data(json.loads(row["audience"] or "{}")),
        ),
        state=BroadcastState(row["state"]),
        created_at=row["created_at"],
        corrected=json.loads(row["corrected"] or "{}"),
        corrects=row["corrects"],
        replaces=row["replaces"],
        **{name: row[name] for name in plain},
    )
