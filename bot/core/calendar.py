"""Times as people read them, in their own zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from bot.core.model import Millis

#: Words a minute of a calm reader; what news sites that print "N min read" use.
READING_SPEED = 200
_CLOCK = re.compile(r"(?:(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?\s+)?(\d{1,2})[:.](\d{2})")


def zone_of(time_zone: str) -> tzinfo:
    """The IANA zone of that name; an unknown one reads as UTC rather than losing a card."""
    try:
        return ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        return UTC


def local(at: Millis, time_zone: str) -> datetime:
    """The moment `at` in the IANA zone `time_zone`."""
    return datetime.fromtimestamp(at / 1000, zone_of(time_zone))


def clock_time(at: Millis, time_zone: str) -> str:
    """`17:11`, as on an alert."""
    return f"{local(at, time_zone):%H:%M}"


def when(at: Millis, now: Millis, time_zone: str) -> str:
    """`17:11` for today, `17:11 21.11.2025` for any other day, as in a list of articles."""
    moment = local(at, time_zone)
    same_day = moment.date() == local(now, time_zone).date()
    return f"{moment:%H:%M}" if same_day else f"{moment:%H:%M %d.%m.%Y}"


def reading_minutes(words: int) -> int | None:
    """Whole minutes to read `words` words, at least 1; None when there is no text to count."""
    return max(1, -(-words // READING_SPEED)) if words > 0 else None


def moment(typed: str, now: Millis, time_zone: str) -> Millis | None:
    """The next `17:30`, or `17:30` of `26.11` or `26.11.2026`, on the clocks of the zone; None: none of these, or past.

    A day without a year that is over means the next year's. Where the clock shows a time twice, the first is meant.
    """
    match = _CLOCK.fullmatch(typed.strip())
    if match is None:
        return None
    day, month, year, hour, minute = (int(part) if part else None for part in match.groups())
    here = local(now, time_zone)
    try:
        shown = datetime(
            year or here.year, month or here.month, day or here.day, hour or 0, minute or 0, tzinfo=zone_of(time_zone)
        )
        if shown <= here and day is None:
            shown += timedelta(days=1)
        elif shown <= here and year is None:
            shown = shown.replace(year=here.year + 1)
    except ValueError:
        return None
    at = round(shown.timestamp() * 1000)
    return at if at > now else None


def day_of(at: Millis, time_zone: str) -> tuple[Millis, Millis]:
    """The first moments of that day there and of the next."""
    start = local(at, time_zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return round(start.timestamp() * 1000), round((start + timedelta(days=1)).timestamp() * 1000)
