"""Feeds as the newsroom sees them: how each does, what readers would lose with it, and what admins do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true, update

from bot.core.frequency import WEEK_MS
from bot.core.tags import source_term
from bot.store.articles import chunks
from bot.store.audit import record
from bot.store.polls import state_of
from bot.store.schema import added_feeds, article_tags, articles, entries, feeds, rule_terms, rules, tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import FeedState, Millis
    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed that is polled."""

    id: int
    name: str
    title: str
    url: str
    state: FeedState
    added: bool  #: by chat: it can be changed there


@dataclass(frozen=True, slots=True)
class Loss:
    """What readers lose with a feed."""

    followers: int  #: chats that follow it whole
    articles: int  #: of the last 7 days
    only: tuple[str, ...]  #: tags that somebody follows and that no other feed's article had in the last 7 days


class FeedBook:
    """What is known of each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self) -> list[Listed]:
        """Every feed that is polled, by name."""
        mine = select(added_feeds.c.name).where(added_feeds.c.live == true())
        query = select(feeds).where(feeds.c.active == true()).order_by(feeds.c.name)
        async with self._database.reading() as connection:
            added = set((await connection.scalars(mine)).all())
            rows = (await connection.execute(query)).mappings()
            return [
                Listed(row["id"], row["name"], row["title"], row["url"], state_of(row), row["name"] in added)
                for row in rows
            ]

    async def newest(self, numbers: Sequence[int]) -> dict[int, Millis]:
        """When the newest article of each of these feeds was published, by its own date."""
        query = (
            select(entries.c.feed_id, func.max(articles.c.published_at))
            .join(articles, articles.c.id == entries.c.article_id)
            .where(entries.c.feed_id.in_(numbers))
            .group_by(entries.c.feed_id)
        )
        async with self._database.reading() as connection:
            return dict((await connection.execute(query)).all())

    async def pause(self, name: str, actor_id: int, now: Millis, *, paused: bool) -> None:
        """Leave a feed alone, in every worker, until it is resumed, which polls it at once."""
        values = {"paused": paused} if paused else {"paused": False, "next_poll_at": now}
        async with self._database.transaction() as connection:
            changed = update(feeds).where(feeds.c.name == name, feeds.c.paused != paused).values(values)
            if (await connection.execute(changed)).rowcount:
                await record(connection, actor_id, "feed.pause" if paused else "feed.resume", name, now)

    async def poll_now(self, name: str, actor_id: int, now: Millis) -> None:
        """Make it due: the next tick polls it, whichever worker's it is, unless its site has asked to wait."""
        sooner = update(feeds).where(feeds.c.name == name, feeds.c.next_poll_at > now).values(next_poll_at=now)
        async with self._database.transaction() as connection:
            await connection.execute(sooner)
            await record(connection, actor_id, "feed.poll", name, now)

    async def loss(self, name: str, now: Millis) -> Loss:
        """What readers lose with it."""
        since, term = now - WEEK_MS, source_term(name)
        mine = select(tags.c.id).where(tags.c.slug == term)
        wanting = (
            select(func.count(rules.c.chat_id.distinct()))
            .join(rule_terms, rule_terms.c.rule_id == rules.c.id)
            .where(rule_terms.c.wanted == true(), rule_terms.c.tag_id.in_(mine))
        )
        recent = (
            select(article_tags.c.article_id)
            .join(articles, articles.c.id == article_tags.c.article_id)
            .where(articles.c.published_at >= since, article_tags.c.tag_id.in_(mine))
        )
        async with self._database.reading() as connection:
            followers = await connection.scalar(wanting) or 0
            brought = set((await connection.scalars(recent)).all())
            only = await _only_here(connection, brought, term, since)
        return Loss(followers, len(brought), only)


async def _only_here(connection: AsyncConnection, brought: set[int], term: str, since: Millis) -> tuple[str, ...]:
    """Followed tags of these articles that no article of another feed bears since then."""
    followed = select(rule_terms.c.tag_id).where(rule_terms.c.wanted == true())
    alone, names = set(brought), {}
    for chunk in chunks(sorted(brought)):
        others = _borne(chunk).where(tags.c.slug.like("@%"), tags.c.slug != term)
        alone -= {row.article_id for row in await connection.execute(others)}
    for chunk in chunks(sorted(alone)):
        borne = _borne(chunk).where(tags.c.slug.not_like("@%"), tags.c.id.in_(followed))
        names.update({row.id: row.slug for row in await connection.execute(borne)})
    elsewhere: set[int] = set()
    for chunk in chunks(sorted(names)):
        query = (
            select(article_tags.c.tag_id, article_tags.c.article_id)
            .join(articles, articles.c.id == article_tags.c.article_id)
            .where(articles.c.published_at >= since, article_tags.c.tag_id.in_(chunk))
        )
        elsewhere |= {row.tag_id for row in await connection.execute(query) if row.article_id not in alone}
    return tuple(sorted(slug for number, slug in names.items() if number not in elsewhere))


def _borne(of: Sequence[int]) -> Select[tuple[int, int, str]]:
    return (
        select(article_tags.c.article_id, tags.c.id, tags.c.slug)
        .join(tags, tags.c.id == article_tags.c.tag_id)
        .where(article_tags.c.article_id.in_(of))
    )
