"""Chats: where alerts go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, exists, func, literal, select, true, update

from bot.core import bursts
from bot.core.model import Attention, Chat, ChatKind, DeliveryState, Hot, Kind, Lane
from bot.store.articles import NEWS_MS, insert
from bot.store.schema import articles, chats, exclusions, outbox, rules

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

#: Of a chat that can be written to.
_REACHABLE = {"active": True, "retired_reason": "", "retired_at": 0, "held_until": 0}


async def retire_chat(connection: AsyncConnection, chat_id: int, reason: str, now: Millis) -> None:
    """Nothing goes to this chat until it is revived; what was queued for it is dropped."""
    since = case((chats.c.active == true(), now), else_=chats.c.retired_at)
    gone = {"active": False, "retired_reason": reason, "retired_at": since}
    await connection.execute(update(chats).where(chats.c.id == chat_id).values(gone))
    await connection.execute(
        update(outbox)
        .where(outbox.c.chat_id == chat_id, outbox.c.settled_at.is_(None), outbox.c.state == DeliveryState.QUEUED.value)
        .values(state=DeliveryState.DROPPED.value, settled_at=now, reason=f"the chat was retired: {reason}")
    )


async def hold_chat(connection: AsyncConnection, chat_id: int, until: Millis) -> None:
    """Nothing is tried in this chat before then; what is queued for it keeps its order."""
    await connection.execute(update(chats).where(chats.c.id == chat_id).values(held_until=until))
    await connection.execute(
        update(outbox)
        .where(outbox.c.chat_id == chat_id, outbox.c.settled_at.is_(None))
        .where(outbox.c.state == DeliveryState.QUEUED.value, outbox.c.not_before < until)
        .values(not_before=until)
    )


async def unhold(connection: AsyncConnection, now: Millis, *which: ColumnElement[bool]) -> None:
    """What held these chats is over, or was never so: they are held no more, and what waited for that is due."""
    until = select(chats.c.held_until).where(chats.c.id == outbox.c.chat_id).scalar_subquery()
    held = select(chats.c.id).where(chats.c.held_until > now, *which)
    waiting = outbox.c.chat_id.in_(held), outbox.c.settled_at.is_(None), outbox.c.not_before == until
    queued = update(outbox).where(*waiting, outbox.c.state == DeliveryState.QUEUED.value)
    await connection.execute(queued.values(not_before=now))
    await connection.execute(update(chats).where(chats.c.held_until > now, *which).values(held_until=0))


async def reconsider(connection: AsyncConnection, chat_id: int, now: Millis) -> None:
    """What this chat has put off is due now: the pump asks anew when it is to go."""
    put_off = outbox.c.chat_id == chat_id, outbox.c.settled_at.is_(None), outbox.c.due_at > now
    queued = update(outbox).where(*put_off, outbox.c.state == DeliveryState.QUEUED.value)
    lane = case((outbox.c.kind == Kind.ALERT.value, int(Lane.ALERT)), else_=outbox.c.lane)
    await connection.execute(queued.values(not_before=now, due_at=now, lane=lane))


async def move_chat(connection: AsyncConnection, old: int, new: int, now: Millis) -> None:
    """A group became a supergroup: its choices, rules and queue go along; what the new one has is not doubled."""
    if old == new:
        return
    await _copy_chat(connection, old, new)
    other = rules.alias()
    same_rule = exists().where(
        other.c.chat_id == new, other.c.thread_id == rules.c.thread_id, other.c.key == rules.c.key
    )
    await connection.execute(delete(rules).where(rules.c.chat_id == old, same_rule))
    await connection.execute(update(rules).where(rules.c.chat_id == old).values(chat_id=new))
    never = select(literal(new), exclusions.c.tag_id).where(exclusions.c.chat_id == old)
    refused = insert(connection, exclusions).from_select(("chat_id", "tag_id"), never)
    await connection.execute(refused.on_conflict_do_nothing())
    await connection.execute(delete(exclusions).where(exclusions.c.chat_id == old))
    waiting = outbox.alias()
    same_row = exists().where(
        waiting.c.kind == outbox.c.kind,
        waiting.c.subject == outbox.c.subject,
        waiting.c.chat_id == new,
        waiting.c.thread_id == outbox.c.thread_id,
    )
    # What waits, and what was sent of news that another feed may still bring: older history stays where it is.
    news = select(articles.c.id).where(articles.c.seen_at >= now - NEWS_MS)
    for part in (
        [outbox.c.settled_at.is_(None)],
        [outbox.c.kind == Kind.ALERT.value, outbox.c.subject.in_(news)],
    ):
        mine = outbox.c.chat_id == old, *part
        await connection.execute(delete(outbox).where(*mine, same_row))
        # Numbers of messages are the old chat's; in the new one they are other messages.
        await connection.execute(update(outbox).where(*mine).values(chat_id=new, message_id=None))
    await retire_chat(connection, old, _moved_to(new), now)


def _moved_to(new: int) -> str:
    return f"moved to {new}"


async def _copy_chat(connection: AsyncConnection, old: int, new: int) -> None:
    """The new chat with the choices of the old one; Telegram may have introduced it before, with none."""
    row = (await connection.execute(select(chats).where(chats.c.id == old))).mappings().first()
    if row is None or row["retired_reason"] == _moved_to(new):
        return  # or it moved before: both its messages say so, and the outbox; what the new one chose since stands
    fresh = {"kind": ChatKind.SUPERGROUP.value, **_REACHABLE}
    made = insert(connection, chats).values({**row, **fresh, "id": new})
    choices = {name: made.excluded[name] for name in row if name not in {"id", "title", "created_at"}}
    await connection.execute(made.on_conflict_do_update(index_elements=["id"], set_=choices))


class Chats:
    """Who gets alerts, and how they like them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def upsert(self, chat: Chat, now: Millis) -> Chat:
        """Meet a chat: a new one is kept as given; a known one keeps its choices, and is active again."""
        async with self._database.reading() as connection:
            known = await _get(connection, chat.id)
        if known and known.active and (known.kind, known.title) == (chat.kind, chat.title):
            return known
        values = {
            "id": chat.id,
            "kind": chat.kind.value,
            "title": chat.title,
            "language": chat.language,
            "time_zone": chat.time_zone,
            "created_at": now,
        }
        fresh = {"kind": chat.kind.value, "title": chat.title, **_REACHABLE}
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(connection, chats).values(values).on_conflict_do_update(index_elements=["id"], set_=fresh)
            )
            return await _get(connection, chat.id) or chat

    async def get(self, chat_id: int) -> Chat | None:
        """A chat that we have met."""
        async with self._database.reading() as connection:
            return await _get(connection, chat_id)

    async def set_language(self, chat_id: int, language: str) -> None:
        """Speak this language there from now on."""
        async with self._database.transaction() as connection:
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(language=language))

    async def set_time_zone(self, chat_id: int, time_zone: str, now: Millis) -> None:
        """Count the hours of the day there by this IANA zone."""
        async with self._database.transaction() as connection:
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(time_zone=time_zone))
            await reconsider(connection, chat_id, now)

    async def set_previews(self, chat_id: int, *, previews: bool) -> None:
        """Whether cards come there with Telegram's preview of the article."""
        async with self._database.transaction() as connection:
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(previews=previews))

    async def set_attention(self, chat_id: int, attention: Attention, now: Millis) -> None:
        """When it may be disturbed from now on; what was put off by its old choices is decided anew."""
        quiet_from, quiet_to = attention.quiet or (None, None)
        values = {
            "quiet_from": quiet_from,
            "quiet_to": quiet_to,
            "digests": ",".join(map(str, attention.digests)),
            "digest_all": attention.digest_all,
            "paused_until": attention.paused_until,
            "hot": attention.hot.value,
            "loud_cap": attention.loud_cap,
        }
        async with self._database.transaction() as connection:
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(values))
            await reconsider(connection, chat_id, now)

    async def retire(self, chat_id: int, reason: str, now: Millis) -> None:
        """Send nothing more to it, and drop what was queued; what it follows is kept."""
        async with self._database.transaction() as connection:
            await retire_chat(connection, chat_id, reason, now)

    async def revive(self, chat_id: int, now: Millis) -> None:
        """Send to it again, also what waits because it could not be written to."""
        async with self._database.transaction() as connection:
            await unhold(connection, now, chats.c.id == chat_id)
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(_REACHABLE))

    async def move(self, old: int, new: int, now: Millis) -> None:
        """Re-key everything of a chat, in one transaction."""
        async with self._database.transaction() as connection:
            await move_chat(connection, old, new, now)

    async def active_count(self) -> int:
        """How many chats would get a broadcast."""
        async with self._database.reading() as connection:
            return await connection.scalar(select(func.count()).where(chats.c.active == true())) or 0

    async def set_pending(self, chat_id: int, what: str, now: Millis) -> None:
        """Remember what was asked there: the next plain message is its answer."""
        async with self._database.transaction() as connection:
            await connection.execute(update(chats).where(chats.c.id == chat_id).values(pending=what, pending_at=now))

    async def take_pending(self, chat_id: int, now: Millis, max_age_ms: int, prefix: str = "") -> str | None:
        """What was asked there, once; None when nothing was that begins so, or too long ago."""
        async with self._database.reading() as connection:
            query = select(chats.c.pending, chats.c.pending_at).where(chats.c.id == chat_id)
            row = (await connection.execute(query)).first()
        if row is None or not row.pending or not row.pending.startswith(prefix):
            return None
        taken = update(chats).where(chats.c.id == chat_id, chats.c.pending == row.pending).values(pending="")
        async with self._database.transaction() as connection:
            if (await connection.execute(taken)).rowcount != 1:
                return None
        return str(row.pending) if now - row.pending_at <= max_age_ms else None


async def load_chats(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Chat]:
    """Those of these chats that we have met."""
    rows = (await connection.execute(select(chats).where(chats.c.id.in_(ids)))).mappings()
    return {row["id"]: _chat(row) for row in rows}


async def _get(connection: AsyncConnection, chat_id: int) -> Chat | None:
    return (await load_chats(connection, [chat_id])).get(chat_id)


def _chat(row: RowMapping) -> Chat:
    return Chat(
        id=row["id"],
        kind=ChatKind(row["kind"]),
        title=row["title"],
        language=row["language"],
        time_zone=row["time_zone"],
        active=row["active"],
        retired_reason=row["retired_reason"],
        held_until=row["held_until"],
        attention=Attention(
            quiet=None if row["quiet_from"] is None else (row["quiet_from"], row["quiet_to"]),
            digests=tuple(int(minute) for minute in row["digests"].split(",") if minute),
            digest_all=row["digest_all"],
            paused_until=row["paused_until"],
            hot=Hot(row["hot"]),
            loud_cap=row["loud_cap"],
        ),
        loud_day=row["loud_day"],
        loud_count=row["loud_count"],
        quiet_offered=row["quiet_offered"],
        manages=row["manages"],
        manages_until=row["manages_until"],
        spates=bursts.read(row["spates"]),
        previews=row["previews"],
    )
