"""How often a rule fires: over which days, and what that makes a day."""

from bot.core.cadence import DAY_MS
from bot.core.frequency import MANY_A_DAY, WEEK_MS, Frequency, days_since, window

NOW = 1_800_000_000_000


def test_a_week_is_counted_or_as_long_as_anything_was_seen_but_a_day_at_least() -> None:
    assert window(NOW - 30 * DAY_MS, NOW) == NOW - WEEK_MS
    assert window(NOW - 3 * DAY_MS, NOW) == NOW - 3 * DAY_MS
    assert window(NOW - 60_000, NOW) == NOW - DAY_MS
    assert window(None, NOW) == NOW - DAY_MS
    assert window(NOW + DAY_MS, NOW) == NOW - DAY_MS  # a clock that was set back


def test_a_part_of_a_day_counts_as_one() -> None:
    assert days_since(NOW - WEEK_MS, NOW) == 7
    assert days_since(NOW - 60_000, NOW) == 1


def test_more_a_day_than_people_read_is_many() -> None:
    assert Frequency(7 * MANY_A_DAY + 1, 7).many
    assert not Frequency(7 * MANY_A_DAY, 7).many
    assert Frequency(14, 7).per_day == 2
