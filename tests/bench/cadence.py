"""The cadence against a fixed interval at equal requests, on simulated feeds (feeds.md 4): pure, no network.

300 feeds, posts a day lognormal about a median of 7.2 (p90 40), by a newsroom's hours; a week to learn, a week measured.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS, HOUR_MS, Activity, plan
from bot.core.model import Feed

if TYPE_CHECKING:
    from pathlib import Path

FEEDS, MEDIAN, SPREAD = 300, 7.2, 1.34
#: Share of a day's posts by hour, UTC: a European newsroom.
HOURS = (1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 9, 9, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1)
FIXED_S = 30 * 60
EVERY_S = 3 * 60 * 60


async def measure(_: Path) -> list[tuple[str, str, float]]:
    """Mean delay of a post, and requests, fixed and planned."""
    random.seed(7)
    feeds = [Feed(name=f"f{n}", url="", title="", every=EVERY_S) for n in range(FEEDS)]
    posts = {feed.name: _posts(min(232.0, random.lognormvariate(math.log(MEDIAN), SPREAD))) for feed in feeds}
    fixed_delay, fixed_polls = _replay(feeds, posts, lambda feed, _: FIXED_S * 1000)
    # The same total of requests: the plan's budget is a multiple of what `every` makes.
    made = _plan(feeds, posts, effort=EVERY_S / FIXED_S)
    delay, polls = _replay(feeds, posts, made.interval)
    per_day = 7 * FEEDS
    return [
        ("cadence: fixed 30 min, mean delay", "min", fixed_delay),
        ("cadence: fixed 30 min, requests a feed a day", "", fixed_polls / per_day),
        ("cadence: planned, mean delay", "min", delay),
        ("cadence: planned, requests a feed a day", "", polls / per_day),
        ("cadence: less mean delay at these requests", "%", 100 * (1 - delay * polls / (fixed_delay * fixed_polls))),
    ]


def _posts(rate: float) -> list[int]:
    """Two weeks of posts, in milliseconds from its start."""
    times = []
    for day in range(14):
        for hour, share in enumerate(HOURS):
            mean = rate * share / sum(HOURS)
            number = _poisson(mean)
            times += [day * DAY_MS + hour * HOUR_MS + random.randrange(HOUR_MS) for _ in range(number)]
    return sorted(times)


def _poisson(mean: float) -> int:
    limit, product, number = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        number += 1
    return number


def _plan(feeds: list[Feed], posts: dict[str, list[int]], effort: float):
    week = {name: [at for at in times if at < 7 * DAY_MS] for name, times in posts.items()}
    hours = Counter(at // HOUR_MS % 24 for times in week.values() for at in times)
    activity = Activity(
        posts={name: len(times) for name, times in week.items()}, hours=tuple(hours[hour] for hour in range(24))
    )
    return plan(feeds, activity, floor_s=120, effort=effort)


def _replay(feeds: list[Feed], posts: dict[str, list[int]], interval) -> tuple[float, int]:
    """(mean delay in minutes, polls) over the second week."""
    delays, polls = [], 0
    for feed in feeds:
        waiting = [at for at in posts[feed.name] if at >= 7 * DAY_MS]
        now = 7 * DAY_MS + random.randrange(FIXED_S * 1000)
        seen = 0
        while now < 14 * DAY_MS:
            upto = bisect_right(waiting, now)
            delays += [now - at for at in waiting[seen:upto]]
            seen, polls = upto, polls + 1
            now += interval(feed, now)
    return sum(delays) / len(delays) / 60_000, polls
