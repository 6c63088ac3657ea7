"""When a row goes and whether it makes a sound, over all wishes, zones and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.attention import Way, decide, fold, in_quiet, local_day, next_digest, wants_offer
from bot.core.calendar import local
from bot.core.model import Attention, Chat, ChatKind, Delivery, Hot, Kind, Lane, Volume

KYIV = "Europe/Kyiv"
ZONES = [KYIV, "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Etc/GMT-2", "UTC", "No/Where"]
HOUR = 3_600_000
MINUTES = st.integers(0, 24 * 60 - 1)
MOMENTS = st.one_of(
    st.integers(1_750_000_000_000, 1_900_000_000_000),
    # Around both of Kyiv's odd nights of 2026.
    *(
        st.integers(int(at.timestamp() * 1000) - 30 * HOUR, int(at.timestamp() * 1000) + 30 * HOUR)
        for at in (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))
    ),
)
WISHES = st.builds(
    Attention,
    quiet=st.none() | st.tuples(MINUTES, MINUTES),
    digests=st.lists(MINUTES, max_size=3).map(tuple),
    digest_all=st.booleans(),
    paused_until=st.one_of(st.just(0), MOMENTS),
    hot=st.sampled_from(Hot),
    loud_cap=st.integers(0, 10),
)
QUIET = (22 * 60, 7 * 60)


def at(text: str, zone: str = KYIV, fold: int = 0) -> int:
    """A moment, as a clock on the wall shows it."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def clock(moment: int, zone: str = KYIV) -> str:
    return f"{local(moment, zone):%m-%d %H:%M}"


def chat(zone: str = KYIV, loud: tuple[int, int] = (0, 0), **wishes: object) -> Chat:
    return Chat(
        id=1, kind=ChatKind.PRIVATE, time_zone=zone, attention=Attention(**wishes), loud_day=loud[0], loud_count=loud[1]
    )  # fmt: skip


def row(kind: Kind = Kind.ALERT, lane: Lane = Lane.ALERT) -> Delivery:
    return Delivery(id=1, kind=kind, subject=1, chat_id=1, thread_id=0, attempts=1, queued_at=0, lane=lane)


@pytest.mark.parametrize(
    ("zone", "evening", "minute", "ends"),
    [
        ("America/New_York", "2026-03-07 23:30", 2 * 60 + 9, "2026-03-08 03:00"),
        (KYIV, "2026-03-28 23:30", 3 * 60 + 59, "2026-03-29 04:00"),
        ("Australia/Lord_Howe", "2026-10-03 23:30", 2 * 60 + 9, "2026-10-04 02:30"),
        (KYIV, "2026-10-24 23:30", 3 * 60 + 30, "2026-10-25 03:30"),
    ],
)
def test_quiet_hours_that_end_in_a_skipped_hour_end_with_the_jump(zone, evening, minute, ends) -> None:
    decision = decide(row(), chat(zone, quiet=(22 * 60, minute)), (), at(evening, zone))
    assert (decision.way, decision.at) == (Way.LATER, at(ends, zone))


@given(WISHES, st.sampled_from(ZONES), st.sampled_from(Kind), st.sampled_from(Lane), st.sets(st.sampled_from(Volume)),
       MOMENTS, st.integers(0, 20))  # fmt: skip
def test_nobody_is_disturbed_and_nothing_is_dropped(wishes, zone, kind, lane, volumes, now, heard) -> None:
    reader = Chat(
        id=1, kind=ChatKind.PRIVATE, time_zone=zone, attention=wishes,
        loud_day=local_day(now, zone), loud_count=heard,
    )  # fmt: skip
    decision = decide(row(kind, lane), reader, volumes, now)
    pierces = kind is Kind.BROADCAST and wishes.hot is Hot.LOUD
    if decision.way in {Way.LATER, Way.DIGEST}:
        assert decision.at > now
        assert pierces or not in_quiet(decision.at, wishes.quiet, zone)
        assert decision.at >= wishes.paused_until
    else:
        assert decision.way is Way.NEVER or now >= wishes.paused_until
        assert decision.way is Way.NEVER or pierces or not in_quiet(now, wishes.quiet, zone)
    if decision.way is Way.NEVER:
        assert (kind, wishes.hot) == (Kind.BROADCAST, Hot.OFF)
    if decision.way is Way.LOUD and kind is Kind.ALERT:
        assert heard < wishes.loud_cap
        assert not volumes or Volume.LOUD in volumes or lane is Lane.DIGEST


@given(WISHES, st.sampled_from(ZONES), st.sampled_from(Kind), MOMENTS)
def test_what_is_put_off_goes_in_the_end(wishes, zone, kind, now) -> None:
    reader = Chat(id=1, kind=ChatKind.PRIVATE, time_zone=zone, attention=wishes)
    lane = Lane.ALERT
    for _ in range(3):  # at once; after the pause or for the digest; after another night
        decision = decide(row(kind, lane), reader, (), now)
        if decision.way not in {Way.LATER, Way.DIGEST}:
            return
        now, lane = decision.at, Lane.DIGEST if kind is Kind.ALERT else lane
    pytest.fail("put off for ever")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01 21:59", None),
        ("2026-06-01 22:00", "06-02 07:00"),
        ("2026-06-02 06:59", "06-02 07:00"),
        ("2026-06-02 07:00", None),
        ("2026-03-28 23:00", "03-29 07:00"),  # a night of an hour less
        ("2026-10-24 23:00", "10-25 07:00"),  # and of one more
    ],
)
def test_a_night(now: str, until: str | None) -> None:
    decision = decide(row(), chat(quiet=QUIET), [Volume.LOUD], at(now))
    assert (clock(decision.at) if decision.at else None) == until
    assert decision.way is (Way.LATER if until else Way.LOUD)


@pytest.mark.parametrize(
    ("kind", "hour", "wishes", "offered", "asked"),
    [
        (ChatKind.PRIVATE, "2026-06-01 23:00", {}, False, True),
        (ChatKind.PRIVATE, "2026-06-01 06:59", {}, False, True),
        (ChatKind.PRIVATE, "2026-06-01 07:00", {}, False, False),
        (ChatKind.PRIVATE, "2026-06-01 23:00", {"quiet": (60, 120)}, False, False),
        (ChatKind.PRIVATE, "2026-06-01 23:00", {}, True, False),
        (ChatKind.SUPERGROUP, "2026-06-01 23:00", {}, False, False),
    ],
)
def test_who_is_asked_about_quiet_hours(kind: ChatKind, hour: str, wishes: dict, offered: bool, asked: bool) -> None:
    one = Chat(id=1, kind=kind, time_zone=KYIV, attention=Attention(**wishes), quiet_offered=offered)
    assert wants_offer(one, at(hour)) is asked


def test_nights_that_end_in_the_odd_hour() -> None:
    reader = chat(quiet=(22 * 60, 3 * 60 + 30))
    spring = decide(row(), reader, (), at("2026-03-28 23:00")).at
    assert clock(spring) == "03-29 04:00"  # there is no 03:30: the clock jumps over it
    autumn = decide(row(), reader, (), at("2026-10-25 03:10")).at
    assert (autumn, clock(autumn)) == (at("2026-10-25 03:30"), "10-25 03:30")
    again = decide(row(), reader, (), at("2026-10-25 03:10", fold=1)).at
    assert again == at("2026-10-25 03:30", fold=1) == autumn + HOUR


def test_a_digest_comes_once_on_the_night_that_has_its_hour_twice() -> None:
    times = (3 * 60 + 30,)
    first = next_digest(at("2026-10-24 12:00"), times, KYIV)
    assert first == at("2026-10-25 03:30")
    assert clock(next_digest(first, times, KYIV)) == "10-26 03:30"
    assert clock(next_digest(at("2026-03-28 12:00"), times, KYIV)) == "03-29 04:30"


def test_the_digest_of_a_zone_without_summer_time() -> None:
    decision = decide(
        row(), chat("Asia/Kolkata", digests=(480, 1110)), [Volume.DIGEST], at("2026-03-29 08:00", "Asia/Kolkata")
    )
    assert decision.way is Way.DIGEST
    assert clock(decision.at, "Asia/Kolkata") == "03-29 18:30"


def test_a_digest_within_quiet_hours_waits_for_their_end() -> None:
    decision = decide(row(), chat(quiet=QUIET, digests=(6 * 60,)), [Volume.DIGEST], at("2026-06-01 23:00"))
    assert clock(decision.at) == "06-02 07:00"


def test_the_loudest_rule_counts_and_the_cap_takes_the_sound_alone() -> None:
    now = at("2026-06-01 12:00")
    full = (local_day(now, KYIV), 8)
    assert decide(row(), chat(digests=(480,)), [Volume.DIGEST, Volume.SILENT], now).way is Way.SILENT
    assert decide(row(), chat(), [Volume.SILENT, Volume.LOUD], now).way is Way.LOUD
    assert decide(row(), chat(loud=full), [Volume.LOUD], now).way is Way.SILENT
    assert decide(row(), chat(loud=full), [Volume.LOUD], now + 24 * HOUR).way is Way.LOUD
    assert decide(row(Kind.BROADCAST), chat(loud=full), (), now).way is Way.LOUD
    assert decide(row(), chat(), [Volume.DIGEST], now).way is Way.SILENT  # no digest was wished for


@pytest.mark.parametrize(
    ("hot", "by_day", "by_night"),
    [
        (Hot.OFF, Way.NEVER, Way.NEVER),
        (Hot.SILENT, Way.SILENT, Way.LATER),
        (Hot.DAY, Way.LOUD, Way.LATER),
        (Hot.LOUD, Way.LOUD, Way.LOUD),
    ],
)
def test_hot_news(hot: Hot, by_day: Way, by_night: Way) -> None:
    reader, hot_news = chat(quiet=QUIET, hot=hot), row(Kind.BROADCAST, Lane.HOT)
    assert decide(hot_news, reader, (), at("2026-06-01 12:00")).way is by_day
    assert decide(hot_news, reader, (), at("2026-06-01 23:00")).way is by_night


@pytest.mark.parametrize(
    ("wishes", "goes"),
    [
        ({}, "01-15 18:30"),  # where digests would be
        ({"digests": (9 * 60,)}, "01-16 09:00"),
        ({"digests": (6 * 60,), "quiet": QUIET}, "01-16 07:00"),
        ({"paused_until": at("2027-01-17 12:00")}, "01-17 18:30"),
    ],
)
def test_an_alert_that_is_no_news_any_more_comes_in_the_next_digest(wishes: dict[str, object], goes: str) -> None:
    decision = fold(chat(**wishes), at("2027-01-15 10:00"))
    assert (decision.way, clock(decision.at)) == (Way.DIGEST, goes)
