"""What rises: surprise against a tag's own usual day, not raw counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.trending import PRIOR, TagCount, by_week, offered, rise, rising

DAYS = 28


def tag(slug: str, day: int, before: int, week: int | None = None) -> TagCount:
    return TagCount(hash(slug) % 1000, slug, day, day if week is None else week, before)


def test_what_is_surprising_comes_before_what_is_large() -> None:
    counts = [
        tag("always", 60, 58 * DAYS),  # large, as ever
        tag("new", 2, 0),  # two articles
        tag("burst", 20, 2 * DAYS),
        tag("more", 40, 20 * DAYS),
        tag("less", 3, 10 * DAYS),
    ]
    assert [one.slug for one in rising(counts, DAYS, 10)] == ["burst", "more", "new", "always"]
    assert [one.slug for one in rising(counts, DAYS, 1)] == ["burst"]


def test_a_newcomer_is_offered_what_rises_then_what_is_frequent() -> None:
    counts = [tag("quiet", 0, 200, week=50), tag("up", 9, 0), tag("gone", 0, 90, week=0), tag("some", 1, 200, week=7)]
    assert [one.slug for one in offered(counts, DAYS, 6)] == ["up", "quiet", "some"]
    assert [one.slug for one in by_week(counts)] == ["quiet", "up", "some"]


@pytest.mark.parametrize(("day", "before"), [(0, 0), (1, 0), (0, 100), (5, 4 * DAYS)])
def test_nothing_rises_that_is_not_above_its_usual_day(day: int, before: int) -> None:
    assert rise(day, before, DAYS) == 0


@given(st.integers(0, 500), st.integers(0, 5000), st.floats(1, DAYS))
def test_more_today_is_never_less_of_a_rise_and_more_before_never_a_greater_one(
    day: int, before: int, days: float
) -> None:
    here = rise(day, before, days)
    assert rise(day + 1, before, days) >= here >= rise(day, before + 1, days) >= 0
    above = day - (before / days + PRIOR)
    assert here == 0 if above <= 0 else here > 0 or above < 1e-6  # rounding hides what is hardly above


def test_what_is_above_by_a_rounding_only_does_not_rise() -> None:
    assert rise(26, 25, 1.0000000000000002) == 0  # was -1.3e-15
