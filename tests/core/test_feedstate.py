"""What a poll leaves behind, and what the admins are told."""

from __future__ import annotations

import pytest

from bot.core.cadence import DAY_MS, Plan
from bot.core.feedstate import (
    FAILURES_NOTICED,
    FROZEN_AFTER_MS,
    MOVES_SEEN,
    Health,
    failed,
    health,
    moved,
    since_yesterday,
    succeeded,
)
from bot.core.model import (
    Failure,
    Feed,
    FeedState,
    Fetched,
    FetchFailed,
    Notice,
    NoticeCode,
    NotModified,
    Pace,
    Validators,
)

FEED = Feed(name="a", url="https://example.org/rss", title="A", every=300)
NOW = 1_763_737_860_000
PLAN = Plan()


def failure(retry_after: int | None = None, kind: Failure = Failure.STATUS) -> FetchFailed:
    return FetchFailed(failure=kind, detail="HTTP 503", retry_after=retry_after)


def answer(**more: object) -> Fetched:
    values: dict[str, object] = {"url": FEED.url, "body": b"", "content_type": "", "validators": Validators(), **more}
    return Fetched(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "waits_ms"), [(3600, 3_600_000), (10 * 365 * 86400, DAY_MS), (None, 0)])
def test_a_site_that_asks_to_wait_is_waited_for_within_a_day(asked: int | None, waits_ms: int) -> None:
    state = failed(FEED, FeedState(), NOW, failure(asked))
    assert state.wait_until == (NOW + waits_ms if waits_ms else 0)
    assert state.next_poll_at >= NOW + waits_ms


def test_a_feed_that_is_gone_is_marked_so() -> None:
    assert failed(FEED, FeedState(), NOW, failure(kind=Failure.GONE)).gone


def test_success_clears_failures_and_primes() -> None:
    broken = failed(FEED, FeedState(), NOW, failure(60))
    state = succeeded(FEED, broken, NOW, answer(validators=Validators(etag='"x"')), PLAN, body_hash="h", newest_at=5)
    assert (state.primed, state.failures, state.last_error, state.wait_until) == (True, 0, None, 0)
    assert state.validators.etag == '"x"'
    assert 0 < state.failed_share < broken.failed_share


def test_a_304_keeps_what_it_does_not_replace() -> None:
    kept = FeedState(
        validators=Validators(etag='W/"1"', last_modified="odd date"), body_hash="h", newest_at=7, pace=Pace(asked_s=9)
    )
    after = succeeded(FEED, kept, NOW, NotModified(validators=Validators(etag='W/"2"')), PLAN)
    assert after.validators == Validators(etag='W/"2"', last_modified="odd date")
    assert (after.body_hash, after.newest_at, after.pace) == ("h", 7, Pace(asked_s=9))
    dropped = succeeded(FEED, kept, NOW, answer(), PLAN)
    assert dropped.validators == Validators()  # a 200 without validators: the old ones are worth nothing


def test_a_permanent_move_is_believed_after_several_polls_in_a_row() -> None:
    state, new = FeedState(), "https://new.example/rss"
    for _ in range(MOVES_SEEN - 1):
        state = succeeded(FEED, state, NOW, answer(moved_to=new), PLAN)
    assert state.address == ""
    back = succeeded(FEED, state, NOW, answer(), PLAN)
    assert (back.moved_to, back.moved_seen) == ("", 0)
    state = succeeded(FEED, state, NOW, answer(moved_to=new), PLAN)
    assert (state.address, state.moved_seen) == (new, 0)
    assert succeeded(FEED, state, NOW, answer(), PLAN).address == new


def test_admins_hear_of_a_move_once() -> None:
    before, after = FeedState(), FeedState(address="https://new.example/rss")
    assert moved(FEED, before, after) == Notice(code=NoticeCode.MOVED, feed="a", detail=after.address)
    assert moved(FEED, after, after) is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (FeedState(), Health.NEW),
        (FeedState(failures=1), Health.FAILING),
        (FeedState(primed=True, newest_at=NOW), Health.HEALTHY),
        (FeedState(primed=True, failures=1, newest_at=NOW), Health.HEALTHY),
        (FeedState(primed=True, failures=FAILURES_NOTICED), Health.FAILING),
        (FeedState(primed=True, failed_share=0.3), Health.FAILING),
        (FeedState(primed=True, newest_at=NOW - FROZEN_AFTER_MS - 1), Health.FROZEN),
        (FeedState(primed=True, gone=True), Health.GONE),
        (FeedState(primed=True, merged_into="b", gone=True), Health.MERGED),
        (FeedState(primed=True, paused=True, failures=9), Health.PAUSED),
    ],
)
def test_how_a_feed_does_is_one_word(state: FeedState, expected: Health) -> None:
    assert health(state, NOW) is expected


def test_polls_are_tallied_by_day_and_told_since_yesterday() -> None:
    state, day = FeedState(), NOW // DAY_MS * DAY_MS
    assert since_yesterday(state.tally, day) == (0, 0)
    state = failed(FEED, state, day, failure())
    state = succeeded(FEED, state, day + 1, answer(), PLAN)
    assert since_yesterday(state.tally, day + 2) == (2, 1)
    assert since_yesterday(state.tally, day + DAY_MS) == (2, 1)
    assert since_yesterday(state.tally, day + 2 * DAY_MS) == (0, 0)
    state = failed(FEED, state, day + DAY_MS, failure())
    assert since_yesterday(state.tally, day + DAY_MS) == (3, 2)
    state = failed(FEED, state, day + 9 * DAY_MS, failure())
    assert since_yesterday(state.tally, day + 9 * DAY_MS) == (1, 1)
