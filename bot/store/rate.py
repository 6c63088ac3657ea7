"""The rate of all senders together: one row of PostgreSQL, from which each takes permits in small lots.

GCRA (storage-and-runtime.md 3): the row holds the moment at which the next permit falls due. A lot moves it on by so
many gaps, in one UPDATE by the server's clock, so that no two permits of anybody are closer than a gap. There is no
burst: a permit is a moment, and one whose moment has passed is void, for the others' permits follow it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text

from bot.store.database import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.store.database import Database

log = structlog.get_logger(__name__)
#: How far two calls may come closer on their way: lateness of a sender (core/pacing.py LATE_S), and the jitter of busy
#: hosts and of the network between them. At 0.05, four senders on two busy cores came to 212 calls in a second of 200.
SLACK_S = 0.12
#: A row that says more than this ahead was written before the server's clock was set back.
HORIZON_US = 60_000_000
#: A database that is away is asked again after this.
PAUSE_S = 1.0
#: Answers by which the server's clock is known on ours; the fastest of them knows it best.
SAMPLES = 32

_NOW = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
_TAKE = text(f"""
    UPDATE rates
    SET free_at = :lot + GREATEST(
        CASE WHEN free_at > {_NOW} + {HORIZON_US} THEN {_NOW} + 1000000 ELSE free_at END, {_NOW}
    )
    WHERE name = :name
    RETURNING free_at - :lot AS first, {_NOW} AS now
""")  # noqa: S608 - constants of this module
_MAKE = text("INSERT INTO rates (name, free_at) VALUES (:name, 0) ON CONFLICT DO NOTHING")


class SharedRate:
    """Permits of the rate `name`, at most `per_second` in any second over all who take.

    Args:
        database: on PostgreSQL.
        name: whose limit it is, e.g. the bot's.
        per_second: the limit, more than 0; the same for all who take.
        paid_per_second: that of paid broadcasts, which are counted apart.
        clock: our steady clock, in seconds.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        per_second: float,
        *,
        paid_per_second: float = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._names = {False: name, True: f"{name}, paid"}
        self._clock = clock
        self._gaps_us = {
            paid: round((1 + SLACK_S) / limit * 1e6) for paid, limit in ((False, per_second), (True, paid_per_second))
        }
        self._offsets: deque[tuple[float, float]] = deque(maxlen=SAMPLES)

    @property
    def gap(self) -> float:
        """Seconds between two permits."""
        return self._gaps_us[False] / 1e6

    async def take(self, n: int, *, paid: bool = False) -> float:
        """Take `n` permits, a gap apart: the seconds until the first; negative when its moment has passed already.

        While the database is away nobody gets a permit: it waits, and never raises for that.
        """
        away = False
        while True:
            try:
                return await self._take(self._names[paid], n * self._gaps_us[paid])
            except StorageError as error:
                if not away:
                    log.warning("rate.waits", detail=str(error))
                away = True
                await asyncio.sleep(PAUSE_S)

    async def _take(self, name: str, lot_us: int) -> float:
        asked = self._clock()
        async with self._database.at_once() as connection:
            values = {"name": name, "lot": lot_us}
            row = (await connection.execute(_TAKE, values)).first()
            if row is None:
                await connection.execute(_MAKE, {"name": name})
                row = (await connection.execute(_TAKE, values)).one()
        answered = self._clock()
        first, now = row
        return float(first / 1e6 + self._offset(asked, now / 1e6, answered) - answered)

    def _offset(self, asked: float, told: float, answered: float) -> float:
        """Our clock less the server's, by the fastest of the last answers: it is off by half its time at most."""
        way = (answered - asked) / 2
        ours = asked + way - told
        if self._offsets and abs(ours - min(self._offsets)[1]) > way + min(self._offsets)[0]:
            self._offsets.clear()  # cannot both be true: one of the clocks was set
        self._offsets.append((way, ours))
        return min(self._offsets)[1]
