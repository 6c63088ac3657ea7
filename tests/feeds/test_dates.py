"""Dates as newsrooms write them."""

import pytest

from bot.core.model import ParsedFeed

from .test_parse import document, parse, rss

KYIV_17_11 = 1_763_737_860_000  # 21 November 2025, 17:11 in Kyiv


@pytest.mark.parametrize(
    "written",
    [
        "Fri, 21 Nov 2025 17:11:00 +0200",
        "Fri, 21 Nov 2025 15:11:00 GMT",
        "Fri, 21 Nov 2025 17:11:00 EET",
        "Fri, 21 Nov 2025 18:11:00 MSK",
        "2025-11-21T17:11:00+02:00",
        "2025-11-21T15:11:00Z",
        "21.11.2025 17:11",
        "21.11.2025, 17:11:00",
        "21 листопада 2025, 17:11",
        "21 ноября 2025 17:11 +0200",
        "1763737860",
        "1763737860000",
    ],
)
def test_one_moment(written: str) -> None:
    assert _date(written) == KYIV_17_11


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "Mon, 01 Jan 1795 00:00:00 GMT", "21.13.2025 17:11", "99.99.9999", "21.11.99999", "0",
     "Fri, 31 Dec 9999 23:59:59 -2300", "21 листопада 2025 17:11 +9999", "1"],
)  # fmt: skip
def test_no_moment(written: str) -> None:
    assert _date(written) is None


def test_summer_in_kyiv_and_the_minute_after_23_59() -> None:
    assert _date("01.07.2025 12:00") == 1_751_360_400_000
    assert _date("21.11.2025 24:00") == _date("22.11.2025 00:00")


def _date(written: str) -> int | None:
    parsed = parse(document(rss(f"<item><title>x</title><pubDate>{written}</pubDate></item>")))
    assert isinstance(parsed, ParsedFeed)
    return parsed.entries[0].published_at
