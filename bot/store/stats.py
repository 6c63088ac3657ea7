"""Counts for `tagwire stats`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, false, func, or_, select, true

from bot.core.feedstate import FAILING_SHARE, FAILURES_NOTICED, FROZEN_AFTER_MS
from bot.core.model import DeliveryState
from bot.store.schema import articles, chats, feeds, outbox, rules

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Stats:
    """The service in numbers."""

    feeds: dict[str, int]  #: by health: healthy, failing, frozen (nothing new for weeks), gone, new (never read yet)
    articles: int
    chats: dict[str, int]  #: active, inactive
    subscriptions: int
    queue: dict[str, int]  #: outbox rows by state
    deliveries_24h: dict[str, int]  #: rows settled in the last 24 hours, by state

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class Statistics:
    """Counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def collect(self, now: Millis) -> Stats:
        """Every count, as of one moment."""
        health = case(
            (feeds.c.gone == true(), "gone"),
            (or_(feeds.c.failed_share >= FAILING_SHARE, feeds.c.failures >= FAILURES_NOTICED), "failing"),
            (and_(feeds.c.primed == false(), feeds.c.failures > 0), "failing"),
            (feeds.c.primed == false(), "new"),
            (and_(feeds.c.newest_at > 0, feeds.c.newest_at < now - FROZEN_AFTER_MS), "frozen"),
            else_="healthy",
        )
        by_health = select(health, func.count()).where(feeds.c.active == true()).group_by(health)
        by_activity = select(chats.c.active, func.count()).group_by(chats.c.active)
        by_state = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.reading() as connection:
            found = await _pairs(connection, by_health)
            active = await _pairs(connection, by_activity)
            queue = await _pairs(connection, by_state)
            recent = await _pairs(connection, by_state.where(outbox.c.settled_at >= now - DAY_MS))
            article_count = await connection.scalar(select(func.count()).select_from(articles)) or 0
            rule_count = await connection.scalar(select(func.count()).select_from(rules)) or 0
        settled = (DeliveryState.SENT, DeliveryState.DROPPED, DeliveryState.PARKED)
        return Stats(
            feeds={name: found.get(name, 0) for name in ("healthy", "failing", "frozen", "gone", "new")},
            articles=article_count,
            chats={"active": active.get(True, 0), "inactive": active.get(False, 0)},
            subscriptions=rule_count,
            queue={state.value: queue.get(state.value, 0) for state in DeliveryState},
            deliveries_24h={state.value: recent.get(state.value, 0) for state in settled},
        )


async def _pairs(connection: AsyncConnection, query: Select[Any]) -> dict[Any, int]:
    return dict((await connection.execute(query)).all())
