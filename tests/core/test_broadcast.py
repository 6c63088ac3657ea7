"""Who may take which step, what a hash covers, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.broadcast import (
    STARTED,
    Actor,
    Audience,
    Broadcast,
    BroadcastState,
    Content,
    NewsroomRules,
    Refusal,
    Step,
    addresses,
    after,
    language_of,
    least,
    refusal,
)
from bot.core.calendar import day_of, moment
from bot.core.model import DeliveryState, RuleSpec
from bot.core.roles import Role
from bot.core.tallies import OFF, STOPPED, Reach, tally

AUTHOR, OTHER = 7, 8
CONTENT = Content(texts={"en": "<b>Hot</b>", "uk": "Гаряче"}, photo="p", audience=Audience(language="uk"))
ONE, TWO = NewsroomRules(), NewsroomRules(second_person=True)
KYIV = "Europe/Kyiv"


def hot(state: BroadcastState) -> Broadcast:
    return Broadcast(id=1, author_id=AUTHOR, content=CONTENT, state=state, created_at=0)


def may(step: Step, state: BroadcastState, role: Role, who: int = OTHER, rules: NewsroomRules = ONE) -> bool:
    return refusal(step, hot(state), Actor(who, role), CONTENT.hash, rules) is None


@pytest.mark.parametrize("state", list(BroadcastState))
@pytest.mark.parametrize("step", list(Step))
def test_no_role_below_publisher_sends_stops_corrects_or_recalls(step: Step, state: BroadcastState) -> None:
    harmless = {Step.REVISE, Step.SUBMIT, Step.CANCEL, Step.RETURN, Step.HALT}
    for role in (Role.AUTHOR, Role.EDITOR):
        for who in (AUTHOR, OTHER):
            assert not may(step, state, role, who) or step in harmless


@pytest.mark.parametrize("state", list(BroadcastState))
def test_nothing_that_went_out_or_was_thrown_away_goes_out_again(state: BroadcastState) -> None:
    sending = [step for step in (Step.CONFIRM, Step.APPROVE, Step.BREAK_GLASS) if may(step, state, Role.ADMIN)]
    assert bool(sending) == (state in {BroadcastState.DRAFT, BroadcastState.WAITING})
    assert all(after(step, state) is BroadcastState.SCHEDULED for step in sending)


def test_an_author_may_halt_and_cancel_their_own_and_not_that_of_others() -> None:
    for step, state in ((Step.HALT, BroadcastState.SCHEDULED), (Step.CANCEL, BroadcastState.DRAFT)):
        assert may(step, state, Role.AUTHOR, AUTHOR)
        assert not may(step, state, Role.AUTHOR, OTHER)


def test_a_second_person_is_another_person() -> None:
    waiting = hot(BroadcastState.WAITING)
    author, other = Actor(AUTHOR, Role.ADMIN), Actor(OTHER, Role.PUBLISHER)
    assert refusal(Step.CONFIRM, hot(BroadcastState.DRAFT), author, CONTENT.hash, TWO) is Refusal.SECOND
    assert refusal(Step.APPROVE, waiting, author, CONTENT.hash, TWO) is Refusal.OWN
    assert refusal(Step.APPROVE, waiting, other, CONTENT.hash, TWO) is None
    assert refusal(Step.APPROVE, waiting, author, CONTENT.hash, ONE) is None
    assert refusal(Step.BREAK_GLASS, waiting, author, CONTENT.hash, TWO) is None


@pytest.mark.parametrize("step", [Step.CONFIRM, Step.SUBMIT, Step.REVISE])
def test_what_was_not_seen_is_not_sent(step: Step) -> None:
    by = Actor(AUTHOR, Role.ADMIN)
    assert refusal(step, hot(BroadcastState.DRAFT), by, "0" * 16, ONE) is Refusal.CHANGED


@pytest.mark.parametrize(
    "changed",
    [
        replace(CONTENT, texts={**CONTENT.texts, "uk": "гаряче"}),
        replace(CONTENT, texts={"uk": "Гаряче", "en": "<b>Hot</b>"}),  # the first is for all others
        replace(CONTENT, texts={"en": "<b>Hot</b>"}),
        replace(CONTENT, photo="q"),
        replace(CONTENT, photo=""),
        replace(CONTENT, audience=Audience()),
        replace(CONTENT, audience=Audience(language="uk", kind="group")),
        replace(CONTENT, audience=Audience(language="uk", rules=(RuleSpec(("nato",)),))),
    ],
)
def test_any_change_changes_the_hash(changed: Content) -> None:
    assert changed.hash != CONTENT.hash
    assert len(changed.hash) == 16


@given(st.dictionaries(st.sampled_from(["en", "uk"]), st.text(min_size=1), min_size=1))
def test_everybody_gets_a_text(texts: dict[str, str]) -> None:
    content = Content(texts=texts)
    for language in ("en", "uk", "de"):
        assert content.text_for(language) == texts[content.speaks(language)]


def test_an_audience_is_read_as_it_was_written() -> None:
    one = Audience(rules=(RuleSpec(("nato", "eu"), ("sport",)), RuleSpec(("a",))), language="uk", kind="channel")
    assert Audience.from_data(one.as_data()) == one
    assert Audience.from_data({}).everyone
    assert not one.everyone


def test_the_least_role_of_a_step_is_what_its_button_asks() -> None:
    assert least(Step.CONFIRM) is Role.PUBLISHER
    assert least(Step.CANCEL) is Role.AUTHOR
    assert least(Step.RECALL) is Role.PUBLISHER


def test_rows_are_counted_by_what_became_of_them() -> None:
    blocked, bad = "Forbidden: bot was blocked by the user", "Bad Request: can't parse"
    counted = tally(
        [
            (DeliveryState.SENT, True, "", 5),
            (DeliveryState.QUEUED, True, "", 2),
            (DeliveryState.CLAIMED, False, "", 1),
            (DeliveryState.QUEUED, False, "", 3),
            (DeliveryState.DROPPED, True, blocked, 4),
            (DeliveryState.DROPPED, True, OFF, 1),
            (DeliveryState.DROPPED, True, STOPPED, 6),
            (DeliveryState.PARKED, True, bad, 1),
        ]
    )
    assert (counted.sent, counted.left, counted.later, counted.retired) == (5, 3, 3, 4)
    assert (counted.failed, counted.unwanted, counted.stopped) == (1, 1, 6)
    assert (counted.total, counted.open) == (23, 6)
    assert counted.reasons == ((blocked, 4), (bad, 1))


def at(shown: str, zone: str = KYIV) -> int:
    return round(datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("17:30", "2026-11-25 17:30"),
        (" 9.05 ", "2026-11-26 09:05"),  # today's is over
        ("26.11 08:00", "2026-11-26 08:00"),
        ("24.11 08:00", "2027-11-24 08:00"),
        ("24.11.2028 08:00", "2028-11-24 08:00"),
        ("24.11.2026 08:00", None),  # over
        ("25:00", None),
        ("31.02 10:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_time_is_read_on_the_newsrooms_clocks(typed: str, means: str | None) -> None:
    assert moment(typed, at("2026-11-25 12:00"), KYIV) == (at(means) if means else None)


def test_a_day_of_25_hours_is_a_day() -> None:
    first, last = day_of(at("2026-10-25 12:00"), KYIV)
    assert (first, last) == (at("2026-10-25 00:00"), at("2026-10-26 00:00"))
    assert last - first == 25 * 3_600_000


def test_how_long_it_takes() -> None:
    assert Reach(readers=12_431).minutes(30) == 7
    assert Reach(readers=100).minutes(30) == 0
    assert Reach(readers=10**6).minutes(0) == 0


def test_a_text_tells_its_language() -> None:
    assert [language_of(one) for one in ("Talks begin", "Переговори тривають", "NATO: переговори", "123")] == [
        "en",
        "uk",
        "uk",
        "en",
    ]


def test_addresses_are_found_behind_words_and_bare_each_once() -> None:
    html = 'See <a href="https://e.example/?a=1&amp;b=2">this</a>, https://f.example/x and https://f.example/x &amp; tg://x'
    assert addresses(html) == ["https://e.example/?a=1&b=2", "https://f.example/x"]


def test_what_started_has_no_way_back() -> None:
    for state in STARTED:
        for step in (Step.HALT, Step.CANCEL, Step.REVISE, Step.CONFIRM):
            assert not may(step, state, Role.ADMIN, AUTHOR)
