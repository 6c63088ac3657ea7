"""Times of day and lengths of time as people type them, in either language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.model import Millis

MINUTE_MS = 60_000
#: Nobody is silent for longer by a slip of the finger.
LONGEST_MS = 366 * 24 * 60 * MINUTE_MS
MOST_DIGESTS = 6
_OFF = frozenset({"off", "no", "none", "stop", "вимк", "вимкнути", "викл", "ні", "немає"})
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")
_SPAN = re.compile(rf"{_CLOCK.pattern}\s*(?:[-–—−]|\s)\s*{_CLOCK.pattern}")
_UNITS = {1: ("m", "min", "хв"), 60: ("h", "г", "год"), 24 * 60: ("d", "д", "дн"), 7 * 24 * 60: ("w", "т", "тиж")}
_MINUTES = {unit: minutes for minutes, units in _UNITS.items() for unit in units}
_DURATION = re.compile(rf"(\d{{1,6}})\s*({'|'.join(sorted(_MINUTES, key=len, reverse=True))})\.?", re.IGNORECASE)
_LAST_DURATION = re.compile(rf"(?:^|\s)({_DURATION.pattern})\s*$", re.IGNORECASE)


def is_off(typed: str) -> bool:
    """Whether that says "off"."""
    return typed.strip().casefold() in _OFF


def clock(typed: str) -> int | None:
    """The minute of the day of `08:00`, `8.00` or `8`; None when it is no time of day."""
    match = _CLOCK.fullmatch(typed.strip())
    return _minute(*match.groups()) if match else None


def _minute(hours: str, minutes: str | None) -> int | None:
    hour, minute = int(hours), int(minutes or 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def span(typed: str) -> tuple[int, int] | None:
    """From when until when: `22:00-07:00`, `22-7`; None when it is none, or takes no time."""
    match = _SPAN.fullmatch(typed.strip())
    if match is None:
        return None
    start, end = _minute(match[1], match[2]), _minute(match[3], match[4])
    return None if start is None or end is None or start == end else (start, end)


def clocks(typed: str) -> tuple[int, ...] | None:
    """Times of day, `08:00 18:30`, in their order; None when one is none, there are none, or more than MOST_DIGESTS."""
    found = [clock(part) for part in re.split(r"[\s,;]+", typed.strip())]
    times = sorted({minute for minute in found if minute is not None})
    return None if None in found or not 1 <= len(times) <= MOST_DIGESTS else tuple(times)


def duration(typed: str) -> Millis | None:
    """Milliseconds of `30m`, `8h`, `2d`, `1w` and the same in Ukrainian; None when it is none, or a year or more."""
    match = _DURATION.fullmatch(typed.strip())
    if match is None:
        return None
    length = int(match[1]) * _MINUTES[match[2].casefold()] * MINUTE_MS
    return length if 0 < length < LONGEST_MS else None


def split_duration(typed: str) -> tuple[str, str]:
    """What stands before a duration at the end, and the duration; "" when none stands there."""
    match = _LAST_DURATION.search(typed)
    return (typed[: match.start()].strip(), match[1]) if match else (typed.strip(), "")


def spell(minute: int) -> str:
    """`08:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"
