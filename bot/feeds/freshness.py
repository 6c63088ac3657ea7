"""How long an answer stays fresh, as its headers say (RFC 9111 4.2; feeds.md 1, rules 6 to 8)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_AGE = re.compile(r"""(?:^|[\s,])max-age\s*=\s*"?(\d{1,10})""", re.IGNORECASE)
_NEVER_FRESH = re.compile(r"(?:^|[\s,])(?:no-cache|no-store)\b", re.IGNORECASE)


def fresh_for(headers: Mapping[str, str]) -> int:
    """Whole seconds for which asking again is pointless; 0 where the answer does not say. Nothing is capped here."""
    control = headers.get("Cache-Control", "")
    if _NEVER_FRESH.search(control):
        return 0  # a real feed says "no-cache, max-age=315360000"
    if stated := _MAX_AGE.search(control):
        age = headers.get("Age", "").strip()
        return max(0, int(stated[1]) - (int(age) if age.isascii() and age.isdigit() else 0))
    return _until(headers.get("Expires"), headers.get("Date")) or 0


def retry_after(value: str | None, date: str | None) -> int | None:
    """Seconds that a Retry-After asks for, given as seconds or as a date, which is relative to the answer's Date."""
    if value and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return _until(value, date)


def _until(value: str | None, date: str | None) -> int | None:
    """Seconds from the answer's Date to a date; None when `value` is none."""
    if not value:
        return None
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max(0, round((_aware(until) - _aware(since)).total_seconds()))
    except (ValueError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
