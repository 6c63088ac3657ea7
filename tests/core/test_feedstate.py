"""What a poll leaves behind, and what the admins are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.cadence import DAY_MS, Plan
from bot.core.feedstate import FAILURES_NOTICED, FROZEN_AFTER_MS, MOVES_SEEN, failed, noticed, succeeded
from bot.core.model import (
    Failure,
    Feed,
    FeedState,
    Fetched,
    FetchFailed,
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


def test_admins_hear_once_of_a_failing_feed_and_once_of_its_recovery() -> None:
    state, told = FeedState(), []
    for _ in range(FAILURES_NOTICED + 5):
        state, notice = noticed(FEED, state, failed(FEED, state, NOW, failure()), NOW)
        told.append(notice and notice.code)
    for _ in range(3):
        state, notice = noticed(FEED, state, succeeded(FEED, state, NOW, answer(), PLAN, newest_at=NOW), NOW)
        told.append(notice and notice.code)
    assert [code for code in told if code] == [NoticeCode.FAILING, NoticeCode.RECOVERED]
    assert told[FAILURES_NOTICED - 1] is NoticeCode.FAILING


def test_a_few_failures_bother_nobody() -> None:
    state = FeedState()
    for _ in range(FAILURES_NOTICED - 1):
        state, notice = noticed(FEED, state, failed(FEED, state, NOW, failure()), NOW)
        assert notice is None
    _, notice = noticed(FEED, state, succeeded(FEED, state, NOW, answer(), PLAN), NOW)
    assert notice is None


def test_a_feed_that_answers_but_publishes_nothing_is_frozen() -> None:
    old = replace(FeedState(), newest_at=NOW - FROZEN_AFTER_MS - 1)
    state, notice = noticed(FEED, old, succeeded(FEED, old, NOW, answer(), PLAN), NOW)
    assert notice is not None
    assert notice.code is NoticeCode.FROZEN
    state, notice = noticed(FEED, state, succeeded(FEED, state, NOW, answer(), PLAN), NOW)
    assert notice is None
    _, notice = noticed(FEED, state, succeeded(FEED, state, NOW, answer(), PLAN, newest_at=NOW), NOW)
    assert notice is not None
    assert notice.code is NoticeCode.RECOVERED


def test_a_gone_feed_is_told_once() -> None:
    state, notice = noticed(FEED, FeedState(), failed(FEED, FeedState(), NOW, failure(kind=Failure.GONE)), NOW)
    assert notice is not None
    assert notice.code is NoticeCode.GONE
    _, notice = noticed(FEED, state, failed(FEED, state, NOW, failure(kind=Failure.GONE)), NOW)
    assert notice is None
