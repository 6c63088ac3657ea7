"""What the cards of claimed rows are made of, read together: a few statements, whatever the number of rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import not_, select

from bot.core.model import Article, Chat, Kind, Notice, NoticeCode, Rule, RuleSpec, Volume
from bot.store.articles import chunks, load
from bot.store.broadcasts import broadcast_of
from bot.store.chats import load_chats
from bot.store.copies import CHANGES, Copy, copies
from bot.store.edits import Target, targets
from bot.store.schema import (
    article_tags,
    broadcasts,
    closed_topics,
    exclusions,
    notices,
    outbox,
    rule_terms,
    rules,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.broadcast import Broadcast
    from bot.core.model import Delivery, Millis
    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Material:
    """What was read, as of one moment; what is missing is gone."""

    articles: dict[int, Article] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    rules: dict[int, list[Rule]] = field(default_factory=dict)  #: by chat, those that these articles can satisfy
    tag_ids: dict[str, int] = field(default_factory=dict)  #: of the terms that those rules want
    never: dict[int, list[str]] = field(default_factory=dict)  #: by chat, what it excludes whatever it follows
    broadcasts: dict[int, Broadcast] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    targets: dict[int, Target] = field(default_factory=dict)  #: by row, the cards that edits change
    copies: dict[int, Copy] = field(default_factory=dict)  #: by row, the hot news that corrections and recalls change
    told: dict[int, int] = field(default_factory=dict)  #: by row, the message that says what is over now
    closed: frozenset[tuple[int, int]] = frozenset()  #: topics not to be tried


class Materials:
    """Reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, deliveries: Collection[Delivery], now: Millis) -> Material:
        """Everything that the cards of these rows are made of, as it is now."""
        async with self._database.reading() as connection:
            return await _gather(connection, deliveries, now)


async def _gather(connection: AsyncConnection, deliveries: Collection[Delivery], now: Millis) -> Material:
    material = Material(closed=await _closed(connection, deliveries, now))
    alerts = [one for one in deliveries if one.kind in {Kind.ALERT, Kind.EDIT}]
    material.targets.update(await targets(connection, [one for one in alerts if one.kind is Kind.EDIT]))
    edited = {target.article_id for target in material.targets.values()}
    for chunk in chunks(sorted({one.subject for one in alerts if one.kind is Kind.ALERT} | edited)):
        material.articles.update({article.id: article for article in await load(connection, chunk)})
    for chunk in chunks(sorted({one.chat_id for one in deliveries})):
        material.chats.update(await load_chats(connection, chunk))
    for chunk in chunks(sorted({one.chat_id for one in alerts})):
        await _read_rules(connection, chunk, material)
    material.copies.update(await copies(connection, [one for one in deliveries if one.kind in CHANGES]))
    changed = {copy.broadcast_id for copy in material.copies.values()}
    for chunk in chunks(sorted({one.subject for one in deliveries if one.kind is Kind.BROADCAST} | changed)):
        rows = (await connection.execute(select(broadcasts).where(broadcasts.c.id.in_(chunk)))).mappings()
        material.broadcasts.update({row["id"]: broadcast_of(row) for row in rows})
    for chunk in chunks(sorted({one.subject for one in deliveries if one.kind in {Kind.NOTICE, Kind.FIXED}})):
        for row in await connection.execute(select(notices).where(notices.c.id.in_(chunk))):
            material.notices[row.id] = Notice(
                code=NoticeCode(row.code),
                feed=row.feed,
                detail=row.detail,
                id=row.id,
                alarm_id=row.alarm_id,
                fixed_at=row.fixed_at,
            )
    await _read_told(connection, [one for one in deliveries if one.kind is Kind.FIXED], material)
    return material


async def _read_told(connection: AsyncConnection, fixed: Collection[Delivery], material: Material) -> None:
    """The messages of notices whose matter is over; none where one was not sent, and will say so by itself."""
    for chunk in chunks(sorted({one.subject for one in fixed})):
        query = select(outbox.c.subject, outbox.c.chat_id, outbox.c.message_id).where(
            outbox.c.kind == Kind.NOTICE.value,
            outbox.c.subject.in_(chunk),
            outbox.c.message_id.is_not(None),
        )
        sent = {(row.subject, row.chat_id): row.message_id for row in await connection.execute(query)}
        material.told.update(
            {one.id: sent[one.subject, one.chat_id] for one in fixed if (one.subject, one.chat_id) in sent}
        )


async def _closed(
    connection: AsyncConnection, deliveries: Collection[Delivery], now: Millis
) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for chunk in chunks(sorted({one.chat_id for one in deliveries if one.thread_id})):
        query = select(closed_topics.c.chat_id, closed_topics.c.thread_id)
        query = query.where(closed_topics.c.chat_id.in_(chunk), closed_topics.c.until > now)
        found.update((chat_id, thread_id) for chat_id, thread_id in await connection.execute(query))
    return frozenset(found)


async def _read_rules(connection: AsyncConnection, chat_ids: Sequence[int], material: Material) -> None:
    """Of all that those chats follow only what stands on a tag that one of the articles bears."""
    borne = select(article_tags.c.tag_id).where(article_tags.c.article_id.in_(list(material.articles)))
    query = (
        select(rules, tags.c.slug)
        .join(tags, tags.c.id == rules.c.anchor_id)
        .where(rules.c.chat_id.in_(chat_ids), rules.c.anchor_id.in_(borne))
    )
    rows = (await connection.execute(query)).all()
    terms = await _terms(connection, [row.id for row in rows if not row.plain], material)
    for row in rows:
        material.tag_ids[row.slug] = row.anchor_id
        rule = Rule(
            id=row.id,
            chat_id=row.chat_id,
            thread_id=row.thread_id,
            spec=RuleSpec((row.slug,)) if row.plain else terms[row.id],
            created_at=row.created_at,
            muted_until=row.muted_until,
            volume=Volume(row.volume),
        )
        material.rules.setdefault(row.chat_id, []).append(rule)
    refused = select(exclusions.c.chat_id, tags.c.slug).join(tags, tags.c.id == exclusions.c.tag_id)
    for chat_id, slug in await connection.execute(refused.where(exclusions.c.chat_id.in_(chat_ids))):
        material.never.setdefault(chat_id, []).append(slug)


async def _terms(connection: AsyncConnection, rule_ids: Sequence[int], material: Material) -> dict[int, RuleSpec]:
    sides: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for chunk in chunks(rule_ids):
        query = (
            select(rule_terms.c.rule_id, rule_terms.c.wanted, tags.c.slug, tags.c.id)
            .join(tags, tags.c.id == rule_terms.c.tag_id)
            .where(rule_terms.c.rule_id.in_(chunk))
            .order_by(rule_terms.c.rule_id, not_(rule_terms.c.wanted), rule_terms.c.position)
        )
        for number, wanted, slug, tag_id in await connection.execute(query):
            sides[number][0 if wanted else 1].append(slug)
            material.tag_ids[slug] = tag_id
    return {number: RuleSpec(tuple(wanted), tuple(unwanted)) for number, (wanted, unwanted) in sides.items()}
