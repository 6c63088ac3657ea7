"""Time zones by the names that people use for them."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from babel import Locale

from bot.telegram.texts import LANGUAGES

#: Offered as buttons: where most readers of the two languages live.
OFFERED = ("Europe/Kyiv", "Europe/Warsaw", "Europe/Berlin", "Europe/London", "America/New_York", "UTC")
#: CLDR keeps the names that a zone had first.
_RENAMED = {"Europe/Kiev": "Europe/Kyiv"}
_CLDR = {new: old for old, new in _RENAMED.items()}
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−–])\s*(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_EAST, _WEST = 14, 12
#: Zones without a place are of whole hours. Of other hours: a place that keeps them all year.
_PLACES = {
    "+3:30": "Asia/Tehran",
    "+4:30": "Asia/Kabul",
    "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu",
    "+6:30": "Asia/Yangon",
    "+8:45": "Australia/Eucla",
    "+9:30": "Australia/Darwin",
    "-9:30": "Pacific/Marquesas",
}


def find(typed: str) -> str:
    """The IANA zone of `Kyiv`, `Київ`, `Europe/Warsaw`, `+2` or `UTC+5:30`; "" when none is meant."""
    name = re.sub(r"[\s_]+", " ", typed.strip()).casefold()
    return _names().get(name) or _offset(name)


def _offset(name: str) -> str:
    match = _OFFSET.fullmatch(name)
    if match is None:
        return ""
    east, hours, minutes = match[1] == "+", int(match[2]), int(match[3] or 0)
    if minutes:
        return _PLACES.get(f"{'+' if east else '-'}{hours}:{minutes:02}", "")
    if hours == 0:
        return "UTC"
    # POSIX counts westwards: Etc/GMT-2 is two hours ahead.
    return f"Etc/GMT{'-' if east else '+'}{hours}" if hours <= (_EAST if east else _WEST) else ""


def at(latitude: float, longitude: float) -> str:
    """The IANA zone of a place on Earth, at sea too; looked up here, nobody is asked."""
    # The map takes 34 MB from its first use on: who never uses it does not pay for it.
    import tzfpy  # noqa: PLC0415

    return tzfpy.get_tz(longitude, latitude)


def city(zone: str, language: str) -> str:
    """What people call a zone: its city, or its offset."""
    if zone.startswith("Etc/GMT"):
        return "UTC" + zone[7:].translate({ord("-"): "+", ord("+"): "−"})
    known = Locale(language).time_zones.get(_CLDR.get(zone, zone), {})
    return str(known.get("city") or zone.rpartition("/")[2].replace("_", " "))


@cache
def _names() -> dict[str, str]:
    zones = {zone for zone in available_timezones() if not zone.startswith(("posix", "right/", "SystemV/"))}
    names: dict[str, str] = {}
    for language in LANGUAGES:
        for zone, known in Locale(language).time_zones.items():
            current = _RENAMED.get(zone, zone)
            if "city" in known and current in zones:
                names.setdefault(str(known["city"]).casefold(), current)
    for zone in sorted(zones, key=lambda name: (name in _RENAMED, name)):
        if not zone.startswith("Etc/"):  # its GMT-2 is what people call +2
            names.setdefault(zone.rpartition("/")[2].replace("_", " ").casefold(), _RENAMED.get(zone, zone))
        names[zone.replace("_", " ").casefold()] = _RENAMED.get(zone, zone)
    return names
