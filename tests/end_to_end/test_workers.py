"""Several workers on one PostgreSQL: a kill, a freeze, and what the local Telegram counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.playground.limits import PRIVATE
from bot.store.locks import LEASE_S
from tests.workers import Work, through_faults

if TYPE_CHECKING:
    from pathlib import Path

#: Two that did not share the rate would pass the limit; two that do stay below it on a busy machine too, whose local
#: Telegram reads late and all at once what was sent evenly.
IN_FLIGHT, LIMIT, RATE = 8, 60, 40


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_one_worker_killed_and_one_frozen_lose_nothing_and_never_pass_the_limit(
    database_url: str, tmp_path: Path
) -> None:
    work = Work(readers=560, eager=10, articles=4)
    judged = await through_faults(
        database_url, tmp_path, work, number=2, limit=LIMIT, rate=RATE, in_flight=IN_FLIGHT, frozen_s=LEASE_S + 1
    )
    assert (judged.lost, judged.foreign, judged.disordered) == (0, 0, 0), judged
    assert judged.twice <= 2 * IN_FLIGHT, judged  # what the killed and the frozen worker had in flight
    assert judged.most_copies <= 2, judged
    assert judged.peak <= LIMIT, judged
    assert judged.chat_peak <= PRIVATE, judged
    assert judged.refused == 0, judged
