"""Time zones by name, by hours and by place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
import tzfpy

from bot.telegram import zones


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Kyiv", "Europe/Kyiv"),
        ("київ", "Europe/Kyiv"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("new york", "America/New_York"),
        ("+2", "Etc/GMT-2"),
        ("UTC+02:00", "Etc/GMT-2"),
        ("gmt −5", "Etc/GMT+5"),
        ("utc+0", "UTC"),
        ("UTC+5:30", "Asia/Kolkata"),
        ("+0545", "Asia/Kathmandu"),
        ("UTC−9:30", "Pacific/Marquesas"),
        ("+10:30", ""),  # summer time moves those who have it
        ("+5:15", ""),
        ("+15", ""),
        ("-13", ""),
        ("Atlantis", ""),
        ("", ""),
    ],
)
def test_what_is_typed(typed, zone) -> None:
    assert zones.find(typed) == zone


def test_a_place_that_stands_for_hours_keeps_them_all_year() -> None:
    for typed, zone in zones._PLACES.items():
        sign, (hours, minutes) = (-1 if typed[0] == "-" else 1), map(int, typed[1:].split(":"))
        offset = sign * timedelta(hours=hours, minutes=minutes)
        for month in (1, 7):
            assert datetime(2026, month, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() == offset, zone


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (50.45, 30.52, "Europe/Kyiv"),
        (48.62, 22.29, "Europe/Kyiv"),  # Uzhhorod, two kilometres from another zone
        (52.23, 21.01, "Europe/Warsaw"),
        (28.61, 77.21, "Asia/Kolkata"),
        (40.71, -74.0, "America/New_York"),
        (-17.7, 178.1, "Pacific/Fiji"),
        (0.0, -150.0, "Etc/GMT+10"),  # at sea
    ],
)
def test_where_one_is(latitude, longitude, zone) -> None:
    assert zones.at(latitude, longitude) == zone


def test_every_zone_of_the_map_is_known_here() -> None:
    assert set(tzfpy.timezonenames()) <= available_timezones()
    assert {zones.find(zone) for zone in tzfpy.timezonenames()} - {""} == {zones.find(z) for z in tzfpy.timezonenames()}
