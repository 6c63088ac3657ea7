"""Rules: what each chat follows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from bot.core.cadence import DAY_MS
from bot.core.frequency import Frequency, days_since
from bot.core.model import Rule, RuleSpec, Volume
from bot.core.tags import is_source
from bot.store.articles import ensure_tags, ids_of_tags, insert
from bot.store.chats import reconsider
from bot.store.schema import article_tags, articles, exclusions, rule_terms, rules, tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database


#: A transaction that began earlier may commit later: so many rules back are looked at again for what is new.
LOOK_BACK = 1000


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


def refusals(article_ids: Sequence[int]) -> Select[tuple[int, int]]:
    """Of these articles, (article, chat) where the chat excludes a term that the article bears."""
    borne = article_tags.alias()
    return (
        select(borne.c.article_id, exclusions.c.chat_id)
        .join(exclusions, exclusions.c.tag_id == borne.c.tag_id)
        .where(borne.c.article_id.in_(article_ids))
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
            # A tag is rarer than a source, so fewer rules are candidates.
            anchor_id=ids[next((term for term in spec.wanted if not is_source(term)), spec.wanted[0])],
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
                volume=Volume(first[number].volume),
            )
            for number, (wanted, unwanted) in terms.items()
        ]

    async def mute(self, rule_ids: Sequence[int], until: Millis) -> None:
        """Give no alert for these rules until then."""
        async with self._database.transaction() as connection:
            await connection.execute(update(rules).where(rules.c.id.in_(rule_ids)).values(muted_until=until))

    async def set_volume(self, chat_id: int, rule_id: int, volume: Volume, now: Millis) -> None:
        """How the alerts of one of its rules come; what it has put off is decided anew."""
        async with self._database.transaction() as connection:
            mine = rules.c.id == rule_id, rules.c.chat_id == chat_id
            await connection.execute(update(rules).where(*mine).values(volume=volume.value))
            await reconsider(connection, chat_id, now)

    async def exclude(self, chat_id: int, terms: Sequence[str]) -> None:
        """Never give this chat an article with any of these terms."""
        async with self._database.transaction() as connection:
            ids = await ensure_tags(connection, terms)
            rows = [{"chat_id": chat_id, "tag_id": number} for number in ids.values()]
            await connection.execute(insert(connection, exclusions).on_conflict_do_nothing(), rows)

    async def admit(self, chat_id: int, terms: Sequence[str]) -> list[str]:
        """Lift exclusions; returns those that there were."""
        async with self._database.transaction() as connection:
            ids = await ids_of_tags(connection, terms)
            mine = exclusions.c.chat_id == chat_id, exclusions.c.tag_id.in_(ids.values())
            gone = (await connection.scalars(delete(exclusions).where(*mine).returning(exclusions.c.tag_id))).all()
        return [term for term in terms if ids.get(term) in gone]

    async def excluded(self, chat_id: int) -> list[str]:
        """The terms that this chat never gets."""
        query = (
            select(tags.c.slug)
            .join(exclusions, exclusions.c.tag_id == tags.c.id)
            .where(exclusions.c.chat_id == chat_id)
            .order_by(tags.c.slug)
        )
        async with self._database.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def followed(self, after: int) -> tuple[int, list[str]]:
        """The terms of rules made since the rule `after`, and the newest rule; after 0, what chats exclude too."""
        newest = select(func.max(rules.c.id))
        query = (
            select(tags.c.slug)
            .join(rule_terms, rule_terms.c.tag_id == tags.c.id)
            .where(rule_terms.c.rule_id > after - LOOK_BACK)
            .distinct()
        )
        refused = select(tags.c.slug).where(
            select(exclusions.c.tag_id).where(exclusions.c.tag_id == tags.c.id).exists()
        )
        async with self._database.reading() as connection:
            last = await connection.scalar(newest) or 0
            # SQLite has one writer: there none commits late.
            known = last <= after and self._database.is_sqlite
            terms = [] if known else list((await connection.scalars(query)).all())
            return last, terms if after else [*terms, *await connection.scalars(refused)]

    async def preview(self, spec: RuleSpec, never: Sequence[str], since: Millis, now: Millis) -> Frequency:
        """What a rule would have brought of all that was published since then to a chat that excludes `never`."""
        days = days_since(since, now)
        query = select(func.count(articles.c.id), func.max(articles.c.published_at))
        query = query.where(articles.c.published_at.between(since, now))
        async with self._database.reading() as connection:
            unwanted = [*spec.unwanted, *never]
            ids = await ids_of_tags(connection, [*spec.wanted, *unwanted])
            if not all(term in ids for term in spec.wanted):
                return Frequency(0, days)
            for term in spec.wanted:
                query = query.where(articles.c.id.in_(_bearing([ids[term]])))
            refused = [ids[term] for term in unwanted if term in ids]
            if refused:
                query = query.where(articles.c.id.not_in(_bearing(refused)))
            count, last = (await connection.execute(query)).one()
        return Frequency(count, days, last, at_least=now - since < DAY_MS)

    async def frequencies(self, chat_id: int, thread_id: int, since: Millis, now: Millis) -> dict[int, Frequency]:
        """How often each rule matched what was published since then; those that never did are left out."""
        days = days_since(since, now)
        borne = article_tags.alias()
        never = select(exclusions.c.tag_id).where(exclusions.c.chat_id == chat_id)
        refused = select(borne.c.article_id).where(borne.c.tag_id.in_(never))
        query = (
            select(rules.c.id, func.count(articles.c.id), func.max(articles.c.published_at))
            .select_from(rules)
            .join(article_tags, article_tags.c.tag_id == rules.c.anchor_id)
            .join(articles, articles.c.id == article_tags.c.article_id)
            .where(
                rules.c.chat_id == chat_id, rules.c.thread_id == thread_id, articles.c.published_at.between(since, now)
            )
            .where(~broken(articles.c.id), articles.c.id.not_in(refused))
            .group_by(rules.c.id)
        )
        async with self._database.reading() as connection:
            return {number: Frequency(count, days, last) for number, count, last in await connection.execute(query)}

    async def count(self, chat_id: int) -> int:
        """How many rules a chat has, over all its topics."""
        async with self._database.reading() as connection:
            return await connection.scalar(select(func.count()).where(rules.c.chat_id == chat_id)) or 0


def _bearing(tag_ids: Sequence[int]) -> Select[tuple[int]]:
    return select(article_tags.c.article_id).where(article_tags.c.tag_id.in_(tag_ids))
