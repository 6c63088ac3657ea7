"""Rules: what each chat follows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from bot.core.model import Rule, RuleSpec
from bot.store.articles import ensure_tags, insert
from bot.store.schema import article_tags, articles, rule_terms, rules, tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database


def broken(article_id: Column[int]) -> ColumnElement[bool]:
    """Whether an article lacks a tag that a rule wants or bears one that it does not; both are of the query around."""
    borne = article_tags.alias()
    return (
        select(rule_terms.c.rule_id)
        .select_from(rule_terms)
        .outerjoin(borne, (borne.c.tag_id == rule_terms.c.tag_id) & (borne.c.article_id == article_id))
        .where(rule_terms.c.rule_id == rules.c.id, rule_terms.c.wanted == borne.c.article_id.is_(None))
        .correlate(rules, article_id.table)
        .exists()
    )


class Rules:
    """Subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self, chat_id: int, thread_id: int, specs: Sequence[RuleSpec], now: Millis) -> list[RuleSpec]:
        """Follow; returns those that the chat did not follow yet."""
        async with self._database.transaction() as connection:
            ids = await ensure_tags(connection, (slug for spec in specs for slug in (*spec.wanted, *spec.unwanted)))
            return [spec for spec in specs if await self._insert(connection, chat_id, thread_id, spec, ids, now)]

    async def _insert(
        self,
        connection: AsyncConnection,
        chat_id: int,
        thread_id: int,
        spec: RuleSpec,
        ids: dict[str, int],
        now: Millis,
    ) -> bool:
        statement = insert(connection, rules).values(
            chat_id=chat_id,
            thread_id=thread_id,
            key=spec.key,
            anchor_id=ids[spec.wanted[0]],
            plain=len(spec.wanted) == 1 and not spec.unwanted,
            created_at=now,
        )
        made = statement.on_conflict_do_nothing(index_elements=["chat_id", "thread_id", "key"])
        rule_id = (await connection.execute(made.returning(rules.c.id))).scalar()
        if rule_id is None:
            return False
        terms = [(slug, True) for slug in spec.wanted] + [(slug, False) for slug in spec.unwanted]
        await connection.execute(
            insert(connection, rule_terms),
            [
                {"rule_id": rule_id, "tag_id": ids[slug], "wanted": wanted, "position": position}
                for position, (slug, wanted) in enumerate(terms)
            ],
        )
        return True

    async def unfollow(self, chat_id: int, thread_id: int, specs: Iterable[RuleSpec]) -> list[RuleSpec]:
        """Stop; returns those that were followed."""
        by_key = {spec.key: spec for spec in specs}
        mine = rules.c.chat_id == chat_id, rules.c.thread_id == thread_id, rules.c.key.in_(by_key)
        async with self._database.transaction() as connection:
            gone = (await connection.scalars(delete(rules).where(*mine).returning(rules.c.key))).all()
        return [spec for key, spec in by_key.items() if key in gone]

    async def of_chat(self, chat_id: int, thread_id: int | None = None) -> list[Rule]:
        """What a chat (and topic) follows, oldest first; over all its topics when none is named."""
        topic = [] if thread_id is None else [rules.c.thread_id == thread_id]
        return await self._load(rules.c.chat_id == chat_id, *topic)

    async def with_tag(self, chat_id: int, thread_id: int, slugs: Sequence[str]) -> list[Rule]:
        """Those of a chat's rules that want any of these tags."""
        found = await self.of_chat(chat_id, thread_id)
        return [rule for rule in found if set(rule.spec.wanted) & set(slugs)]

    async def _load(self, *conditions: ColumnElement[bool]) -> list[Rule]:
        query = (
            select(rules, rule_terms.c.wanted, tags.c.slug)
            .join(rule_terms, rule_terms.c.rule_id == rules.c.id)
            .join(tags, tags.c.id == rule_terms.c.tag_id)
            .where(*conditions)
            .order_by(rules.c.created_at, rules.c.id, rule_terms.c.position)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        terms: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for row in rows:
            terms[row.id][0 if row.wanted else 1].append(row.slug)
        first = {row.id: row for row in reversed(rows)}
        return [
            Rule(
                id=number,
                chat_id=first[number].chat_id,
                thread_id=first[number].thread_id,
                spec=RuleSpec(tuple(wanted), tuple(unwanted)),
                created_at=first[number].created_at,
                muted_until=first[number].muted_until,
            )
            for number, (wanted, unwanted) in terms.items()
        ]

    async def mute(self, rule_ids: Sequence[int], until: Millis) -> None:
        """Give no alert for these rules until then."""
        async with self._database.transaction() as connection:
            await connection.execute(update(rules).where(rules.c.id.in_(rule_ids)).values(muted_until=until))

    async def rates(self, chat_id: int, thread_id: int, since: Millis) -> dict[int, tuple[int, Millis | None]]:
        """For each rule how many articles it matched since then, and when the last of them was published."""
        query = (
            select(rules.c.id, func.count(articles.c.id), func.max(articles.c.published_at))
            .select_from(rules)
            .join(article_tags, article_tags.c.tag_id == rules.c.anchor_id)
            .join(articles, articles.c.id == article_tags.c.article_id)
            .where(rules.c.chat_id == chat_id, rules.c.thread_id == thread_id, articles.c.seen_at >= since)
            .where(~broken(articles.c.id))
            .group_by(rules.c.id)
        )
        async with self._database.reading() as connection:
            return {number: (count, last) for number, count, last in await connection.execute(query)}

    async def count(self, chat_id: int) -> int:
        """How many rules a chat has, over all its topics."""
        async with self._database.reading() as connection:
            return await connection.scalar(select(func.count()).where(rules.c.chat_id == chat_id)) or 0
