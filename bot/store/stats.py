"""Counts for `tagwire stats`."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text, true

from bot.core.feedstate import Health, health
from bot.core.model import DeliveryState, Kind
from bot.store.polls import state_of
from bot.store.schema import articles, chats, feeds, outbox, rules

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database

DAY_MS = 24 * 60 * 60 * 1000
SHOWN_HEALTH = (Health.HEALTHY, Health.FAILING, Health.FROZEN, Health.GONE, Health.NEW, Health.PAUSED, Health.MERGED)
#: Alerts from which times are told, and errors that are shown.
MEASURED, SHOWN_ERRORS = 10_000, 5


@dataclass(frozen=True, slots=True)
class Stats:
    """The service in numbers."""

    feeds: dict[str, int]  #: by health: healthy, failing, frozen (nothing new for weeks), gone, new (never read yet),
    #: paused, merged (with another of the same address)
    articles: int
    chats: dict[str, int]  #: active, inactive
    subscriptions: int
    queue: dict[str, int]  #: outbox rows by state
    deliveries_24h: dict[str, int]  #: rows settled in the last 24 hours, by state
    alerts_s: dict[str, float]  #: of the last 24 hours' alerts: median and 95th percentile of each span, in seconds
    last_errors: dict[str, str]  #: the last rows that were parked, or sent as plain text because of a defect, and why

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class Statistics:
    """Counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def collect(self, now: Millis) -> Stats:
        """Every count, as of one moment."""
        by_activity = select(chats.c.active, func.count()).group_by(chats.c.active)
        by_state = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(feeds).where(feeds.c.active == true()))).mappings()
            found = Counter(health(state_of(row), now) for row in rows)
            active = await _pairs(connection, by_activity)
            queue = await _pairs(connection, by_state)
            recent = await _pairs(connection, by_state.where(outbox.c.settled_at >= now - DAY_MS))
            article_count = await connection.scalar(select(func.count()).select_from(articles)) or 0
            rule_count = await connection.scalar(select(func.count()).select_from(rules)) or 0
            spans = await _spans(connection, now - DAY_MS)
            errors = await _last_errors(connection, now - DAY_MS)
        settled = (DeliveryState.SENT, DeliveryState.DROPPED, DeliveryState.PARKED)
        return Stats(
            feeds={one.value: found[one] for one in SHOWN_HEALTH},
            articles=article_count,
            chats={"active": active.get(True, 0), "inactive": active.get(False, 0)},
            subscriptions=rule_count,
            queue={state.value: queue.get(state.value, 0) for state in DeliveryState},
            deliveries_24h={state.value: recent.get(state.value, 0) for state in settled},
            alerts_s=spans,
            last_errors=errors,
        )


async def _spans(connection: AsyncConnection, since: Millis) -> dict[str, float]:
    """How long alerts took, by the last MEASURED of them; empty when there were none."""
    query = (
        select(outbox.c.queued_at, outbox.c.settled_at, articles.c.seen_at, articles.c.published_at)
        .join(articles, articles.c.id == outbox.c.subject)
        .where(
            outbox.c.kind == Kind.ALERT.value,
            outbox.c.state == DeliveryState.SENT.value,
            outbox.c.settled_at >= since,
            outbox.c.due_at == 0,  # what its reader put off says nothing of how fast we are
        )
        .order_by(outbox.c.settled_at.desc())
        .limit(MEASURED)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return {}
    spans = {
        "seen_to_queued": sorted(row.queued_at - row.seen_at for row in rows),
        "queued_to_sent": sorted(row.settled_at - row.queued_at for row in rows),
        "seen_to_sent": sorted(row.settled_at - row.seen_at for row in rows),
        "published_to_sent": sorted(row.settled_at - row.published_at for row in rows),
    }
    shares = {"median": 0.5, "p95": 0.95}
    return {
        f"{name}_{share}": times[math.ceil(part * len(times)) - 1] / 1000
        for name, times in spans.items()
        for share, part in shares.items()
    }


async def _last_errors(connection: AsyncConnection, since: Millis) -> dict[str, str]:
    """The newest first: parked ones however old, defects that cost only the markup of the last 24 hours."""
    columns = outbox.c.id, outbox.c.kind, outbox.c.reason, outbox.c.settled_at
    parked = select(*columns).where(text("outbox.state = 'parked'"))
    plain = select(*columns).where(
        outbox.c.settled_at >= since, outbox.c.state == DeliveryState.SENT.value, outbox.c.reason != ""
    )
    rows: list[Any] = []
    for query in (parked, plain):
        newest = query.order_by(outbox.c.settled_at.desc(), outbox.c.id.desc()).limit(SHOWN_ERRORS)
        rows += (await connection.execute(newest)).all()
    rows.sort(key=lambda row: (row.settled_at, row.id), reverse=True)
    return {f"{row.kind} {row.id}": row.reason for row in rows[:SHOWN_ERRORS]}


async def _pairs(connection: AsyncConnection, query: Select[Any]) -> dict[Any, int]:
    return dict((await connection.execute(query)).all())
