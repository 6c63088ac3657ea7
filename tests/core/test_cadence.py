"""When a feed is due next."""

import pytest

from bot.core.cadence import DAY_MS, failed, interval, succeeded, unchanged
from bot.core.model import Failure, Feed, FeedState, FetchFailed, Validators

FEED = Feed(name="a", url="https://example.org/rss", title="A", every=300)
NOW = 1_000_000


def failure(retry_after: int | None = None, kind: Failure = Failure.STATUS) -> FetchFailed:
    return FetchFailed(failure=kind, detail="HTTP 503", retry_after=retry_after)


def test_the_interval_is_every_less_up_to_a_tenth_fixed_by_the_name() -> None:
    assert 270_000 <= interval(FEED) <= 300_000
    assert interval(FEED) == interval(FEED)
    assert interval(FEED) != interval(Feed(name="b", url="", title="", every=300))


def test_a_failing_feed_is_asked_ever_more_rarely_but_daily() -> None:
    state, gaps = FeedState(), []
    for _ in range(20):
        state = failed(FEED, state, NOW, failure())
        gaps.append(state.next_poll_at - NOW)
    assert gaps[0] == interval(FEED)
    assert gaps == sorted(gaps)
    assert gaps[-1] == DAY_MS
    assert state.failures == 20


@pytest.mark.parametrize(("asked", "waits_ms"), [(3600, 3_600_000), (10 * 365 * 86400, DAY_MS), (None, 0)])
def test_a_site_that_asks_to_wait_is_waited_for_within_a_day(asked: int | None, waits_ms: int) -> None:
    state = failed(FEED, FeedState(), NOW, failure(asked))
    assert state.wait_until == (NOW + waits_ms if waits_ms else 0)
    assert state.next_poll_at >= NOW + waits_ms


def test_a_feed_that_is_gone_is_marked_so() -> None:
    assert failed(FEED, FeedState(), NOW, failure(kind=Failure.GONE)).gone


def test_success_clears_failures_and_primes() -> None:
    broken = failed(FEED, FeedState(), NOW, failure(60))
    state = succeeded(FEED, broken, NOW, validators=Validators(etag='"x"'), body_hash="h", newest_at=5)
    assert (state.primed, state.failures, state.last_error, state.wait_until) == (True, 0, None, 0)
    assert state.validators.etag == '"x"'


def test_a_304_keeps_the_validators_it_does_not_replace() -> None:
    state = FeedState(validators=Validators(etag='W/"1"', last_modified="odd date"), body_hash="h")
    after = unchanged(FEED, state, NOW, Validators(etag='W/"2"'))
    assert after.validators == Validators(etag='W/"2"', last_modified="odd date")
    assert after.body_hash == "h"
