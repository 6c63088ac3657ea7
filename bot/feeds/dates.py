"""Dates as feeds really write them (feeds.md 3.1): what feedparser reads wrong or not at all."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from time import struct_time

    from bot.core.model import Millis

#: Zones by name that feedparser takes for UTC.
_ZONES = {"eet": 2, "eest": 3, "msk": 3}
_NAMED_ZONE = re.compile(r"\b(EET|EEST|MSK)\s*$", re.IGNORECASE)
_MONTHS = {
    stem: number
    for number, stems in enumerate(
        ("січ янв jan", "лют фев feb", "бер мар mar", "квіт апр apr", "трав мая май may", "черв июн jun",
         "лип июл jul", "серп авг aug", "вер сен sep", "жовт окт oct", "лист ноя nov", "груд дек dec"),
        start=1,
    )
    for stem in stems.split()
}  # fmt: skip
_NUMERIC = re.compile(r"^\s*(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*([+-]\d{4})?\s*$")
_WORDED = re.compile(
    r"(\d{1,2})\s+([^\W\d_]{3,})\.?\s+(\d{4})(?:[^\d]{1,5}(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*([+-]\d{4})?", re.UNICODE
)
_UNIX = re.compile(r"^\s*(\d{9,13})\s*$")
EARLIEST_YEAR = 1990
#: A date without a zone is the newsroom's own clock.
_NEWSROOM = ZoneInfo("Europe/Kyiv")


def moment(parsed: struct_time | None, written: str) -> Millis | None:
    """The moment that a feed's date means; None when nobody could say.

    Args:
        parsed: what feedparser made of it, UTC.
        written: as it stands in the feed.
    """
    if unix := _UNIX.match(written):
        number = int(unix[1])
        return number if number > 10**11 else number * 1000
    if parsed is not None and parsed.tm_year >= EARLIEST_YEAR:
        zone = _NAMED_ZONE.search(written)
        shift = _ZONES[zone[1].lower()] if zone else 0
        return (calendar.timegm(parsed) - shift * 3600) * 1000
    return _by_hand(written)


def _by_hand(written: str) -> Millis | None:
    numeric = _NUMERIC.match(written)
    found = numeric or _WORDED.search(written)
    if found is None:
        return None
    day, month, year, hour, minute, second, offset = found.groups()
    number = int(month) if numeric else _month(month)
    try:
        # 24:00 is the next day's first minute.
        start = datetime(int(year), number, int(day), tzinfo=_zone(offset))
        at = start + timedelta(hours=int(hour or 0), minutes=int(minute or 0), seconds=int(second or 0))
        return round(at.astimezone(UTC).timestamp() * 1000) if at.year >= EARLIEST_YEAR else None
    except (ValueError, OverflowError):
        return None


def _month(word: str) -> int:
    lowered = word.lower()
    return next((number for stem, number in _MONTHS.items() if lowered.startswith(stem)), 0)


def _zone(offset: str | None) -> timezone | ZoneInfo:
    if not offset:
        return _NEWSROOM
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))
