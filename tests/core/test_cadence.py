"""When a feed is due next: the plan, and what sites ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cadence import (
    DAY_MS,
    DAY_S,
    HOUR_MS,
    MAX_ASKED_S,
    MAX_FRESH_S,
    Activity,
    Plan,
    backoff,
    next_poll,
    phase,
    plan,
)
from bot.core.model import Feed, Pace

NOW = 1_763_737_860_000  # Friday, 21 November 2025, 15:11 UTC
NONE = Plan()


def feed(name: str = "a", every: int = 300) -> Feed:
    return Feed(name=name, url=f"https://{name}.example/rss", title=name, every=every)


def test_without_a_plan_the_interval_is_every_less_up_to_a_tenth_fixed_by_the_name() -> None:
    assert 270_000 <= NONE.interval(feed(), NOW) <= 300_000
    assert NONE.interval(feed("b"), NOW) != NONE.interval(feed(), NOW)
    assert len({phase(f"feed {n}") for n in range(100)}) > 95


def test_a_failing_feed_is_asked_ever_more_rarely_but_daily() -> None:
    gaps = [backoff(feed(), failures) for failures in range(1, 21)]
    assert gaps[0] == NONE.interval(feed(), NOW)
    assert gaps == sorted(gaps)
    assert gaps[-1] == DAY_MS


@pytest.mark.parametrize(("asked", "waits_s"), [(0, 0), (60, 0), (3600, 3600), (10 * 365 * DAY_S, MAX_FRESH_S)])
def test_freshness_is_a_lower_bound_with_a_cap(asked: int, waits_s: int) -> None:
    at = next_poll(feed(), NOW, NONE, Pace(), asked)
    assert at - NOW == max(waits_s * 1000, NONE.interval(feed(), NOW))


@pytest.mark.parametrize(("asked", "waits_s"), [(3600, 3600), (30 * DAY_S, MAX_ASKED_S)])
def test_a_documents_own_pace_too(asked: int, waits_s: int) -> None:
    assert next_poll(feed(), NOW, NONE, Pace(asked_s=asked), 0) - NOW == waits_s * 1000


def test_a_pace_that_the_feed_itself_contradicts_is_not_believed() -> None:
    busy = plan([feed()], Activity(posts={"a": 7 * 200}), floor_s=60, effort=1)
    assert next_poll(feed(), NOW, busy, Pace(asked_s=3600), 0) - NOW < 300_000


def test_hours_and_days_to_skip() -> None:
    afternoon = sum(1 << hour for hour in (15, 16, 17))
    at = next_poll(feed(), NOW, NONE, Pace(skip_hours=afternoon), 0)
    assert 18 * HOUR_MS <= at % DAY_MS < 18 * HOUR_MS + 60_000
    friday = 1 << 4
    at = next_poll(feed(), NOW, NONE, Pace(skip_days=friday), 0)
    assert 0 <= at % DAY_MS < 60_000
    assert at - NOW < 9 * HOUR_MS
    never = Pace(skip_hours=2**24 - 1)
    assert next_poll(feed(), NOW, NONE, never, 0) - NOW <= 25 * HOUR_MS


def test_polls_go_where_posts_are_and_hours_where_they_come() -> None:
    feeds = [feed("busy", 3600), feed("quiet", 3600)]
    hours = tuple(100 if 8 <= hour < 20 else 5 for hour in range(24))
    made = plan(feeds, Activity(posts={"busy": 700, "quiet": 7}, hours=hours), floor_s=60, effort=4)
    assert made.per_day["busy"] > 3 * made.per_day["quiet"]
    night, day = NOW - 12 * HOUR_MS, NOW
    assert made.interval(feeds[0], day) < made.interval(feeds[0], night)
    read = plan(feeds, Activity(posts={"busy": 70, "quiet": 70}, reach={"quiet": 70_000}), floor_s=60, effort=4)
    assert read.per_day["quiet"] > read.per_day["busy"]


@given(
    st.lists(st.tuples(st.integers(30, 7 * DAY_S), st.integers(0, 5000), st.integers(0, 10**6)), max_size=30),
    st.floats(10, 3600),
    st.floats(1, 20),
    st.integers(0, 23),
)
def test_the_plan_keeps_its_bounds_and_its_budget(
    known: list[tuple[int, int, int]], floor_s: float, effort: float, hour: int
) -> None:
    feeds = [feed(str(number), every) for number, (every, _, _) in enumerate(known)]
    activity = Activity(
        posts={str(n): posts for n, (_, posts, _) in enumerate(known)},
        reach={str(n): reach for n, (_, _, reach) in enumerate(known)},
    )
    made = plan(feeds, activity, floor_s=floor_s, effort=effort)
    for one in feeds:
        interval = made.interval(one, hour * HOUR_MS) / 1000
        assert 0.9 * min(one.every, floor_s) - 0.001 <= interval <= one.every
    budget = effort * sum(DAY_S / one.every for one in feeds)
    assert sum(made.per_day.values()) <= max(budget, sum(DAY_S / one.every for one in feeds)) * 1.0001
