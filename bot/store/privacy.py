"""What is kept about a chat: handed out whole, and erased whole."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, false, or_, select, update

from bot.core.broadcast import BroadcastState
from bot.core.model import Kind
from bot.store.articles import chunks
from bot.store.schema import (
    actors,
    added_feeds,
    articles,
    audit,
    broadcasts,
    chats,
    closed_topics,
    exclusions,
    invitations,
    kept_lists,
    managers,
    outbox,
    rule_terms,
    rules,
    staff,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

#: Where a chat's id stands, children before their parents. The one list: export and erasure go by it, and a test fails
#: on a column that is missing. (`rule_terms` go with their rules, `managers.channel_id` with its channel;
#: `fanouts.before_chat` is a bound between chats.)
OF_CHAT: tuple[Column[int], ...] = (
    closed_topics.c.chat_id,
    kept_lists.c.chat_id,
    exclusions.c.chat_id,
    rules.c.chat_id,
    staff.c.user_id,  # who is gone is of the newsroom no more
    outbox.c.chat_id,
    managers.c.user_id,
    invitations.c.admin_id,
    actors.c.user_id,  # with it goes who did, and to whom was done, what the audit holds
    chats.c.id,
)
#: Where a person's id stands beside something that stays, without who did it.
OF_PERSON: tuple[Column[int], ...] = (broadcasts.c.author_id, added_feeds.c.admin_id)
#: How long a chat that lets us write nothing is waited for (reader-ux.md 5).
RETURN_MS = 30 * 24 * 60 * 60 * 1000
#: Who has been forgotten; nobody has this id.
NOBODY = 0


class Privacy:
    """A person's rights."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, chat_id: int) -> dict[str, list[dict[str, Any]]]:
        """Every row that holds the id, by table; ids of terms and articles come with what they stand for."""
        kept = {}
        async with self._database.snapshot() as connection:
            for column in (*OF_CHAT, *OF_PERSON):
                rows = (await connection.execute(_rows(column).where(column == chat_id))).mappings()
                kept[column.table.name] = [dict(row) for row in rows]
            terms = await _terms(connection, chat_id)
            kept[audit.name] = await _acts(connection, chat_id)
        for rule in kept[rules.name]:
            rule["terms"] = terms[rule["id"]]
        return kept

    async def forget(self, chat_id: int) -> None:
        """Erase a chat and what waits for it, in one transaction; what is on the wire this moment still arrives."""
        history = await self._history([chat_id])
        async with self._database.transaction() as connection:
            await _erase(connection, [chat_id], history[chat_id])
            drafts = broadcasts.c.author_id == chat_id, broadcasts.c.state == BroadcastState.DRAFT.value
            await connection.execute(delete(broadcasts).where(*drafts))
            told = update(broadcasts).where(broadcasts.c.told_chat == chat_id)
            await connection.execute(told.values(told_chat=0, told_message=0))
            confirmed = update(broadcasts).where(broadcasts.c.confirmed_by == chat_id)
            await connection.execute(confirmed.values(confirmed_by=NOBODY))
            for column in OF_PERSON:
                anonymous = update(column.table).where(column == chat_id).values({column.name: NOBODY})
                await connection.execute(anonymous)

    async def purge(self, now: Millis) -> int:
        """Erase the chats that let us write nothing for RETURN_MS; their number. What the newsroom did stays."""
        gone = chats.c.active == false(), chats.c.retired_at <= now - RETURN_MS
        async with self._database.transaction() as connection:
            unknown = update(chats).where(chats.c.active == false(), chats.c.retired_at == 0)
            await connection.execute(unknown.values(retired_at=now))
            ids = (await connection.scalars(select(chats.c.id).where(*gone))).all()
        purged = 0
        for chunk in chunks(ids):
            history = await self._history(chunk)
            async with self._database.transaction() as connection:
                # Who has come back meanwhile stays; who comes back now waits for us, and begins anew.
                still = select(chats.c.id).where(chats.c.id.in_(chunk), *gone).with_for_update()
                leaving = (await connection.scalars(still)).all()
                await _erase(connection, leaving, [row for chat in leaving for row in history[chat]])
                purged += len(leaving)
        return purged

    async def _history(self, chat_ids: Sequence[int]) -> dict[int, list[int]]:
        """The outbox's rows of each chat. No index finds them: they are sought before SQLite's one writer is taken."""
        found = defaultdict(list)
        async with self._database.reading() as connection:
            query = select(outbox.c.chat_id, outbox.c.id).where(outbox.c.chat_id.in_(chat_ids))
            for chat_id, number in await connection.execute(query):
                found[chat_id].append(number)
        return found


async def _erase(connection: AsyncConnection, chat_ids: Sequence[int], history: Sequence[int]) -> None:
    for chunk in chunks(history):
        await connection.execute(delete(outbox).where(outbox.c.id.in_(chunk)))
    for column in OF_CHAT:
        theirs = delete(column.table).where(column.in_(chat_ids))
        await connection.execute(theirs.where(outbox.c.settled_at.is_(None)) if column.table is outbox else theirs)


def _rows(column: Column[int]) -> Select[Any]:
    if column.table is outbox:
        alerted = and_(outbox.c.kind == Kind.ALERT.value, articles.c.id == outbox.c.subject)
        query = select(outbox, articles.c.link.label("article")).outerjoin(articles, alerted)
        return query.order_by(outbox.c.id)
    if column.table is exclusions:
        return select(exclusions, tags.c.slug.label("term")).join(tags, tags.c.id == exclusions.c.tag_id)
    return select(column.table).order_by(*column.table.primary_key)


async def _acts(connection: AsyncConnection, person_id: int) -> list[dict[str, Any]]:
    """What the audit holds of somebody."""
    number = select(actors.c.number).where(actors.c.user_id == person_id).scalar_subquery()
    query = select(audit).where(or_(audit.c.actor == number, audit.c.about == number)).order_by(audit.c.id)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _terms(connection: AsyncConnection, chat_id: int) -> dict[int, list[str]]:
    """What each rule wants, and after a minus what it does not."""
    query = (
        select(rule_terms.c.rule_id, rule_terms.c.wanted, tags.c.slug)
        .join(tags, tags.c.id == rule_terms.c.tag_id)
        .join(rules, rules.c.id == rule_terms.c.rule_id)
        .where(rules.c.chat_id == chat_id)
        .order_by(rule_terms.c.rule_id, rule_terms.c.wanted.desc(), rule_terms.c.position)
    )
    terms = defaultdict(list)
    for rule_id, wanted, slug in await connection.execute(query):
        terms[rule_id].append(slug if wanted else f"-{slug}")
    return terms
