"""Times as people read them, in their own zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from bot.core.model import Millis

#: Words a minute of a calm reader; what news sites that print "N min read" use.
READING_SPEED = 200


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
