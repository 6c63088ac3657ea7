"""What a poll leaves behind in a feed's state."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS, backoff, next_poll
from bot.core.model import Failure, Fetched, Notice, NoticeCode, Tally, Validators

if TYPE_CHECKING:
    from bot.core.cadence import Plan
    from bot.core.model import Feed, FeedState, FetchFailed, Millis, NotModified, Pace

#: A site cannot ask us to wait for longer than this.
MAX_WAIT_MS = DAY_MS
#: A permanent move is believed when so many polls in a row have seen it (feeds.md 1, rule 9).
MOVES_SEEN = 3
#: Admins hear of a feed that failed so many times in a row: with the pauses in between, hours.
FAILURES_NOTICED = 5
#: A feed that answers and publishes nothing for so long is frozen: its status says nothing about it.
FROZEN_AFTER_MS = 21 * DAY_MS
#: A feed of which this share of polls failed of late is failing, whatever its last status: one hiccup is none.
FAILING_SHARE = 0.3
#: How much the last poll counts in the share of failed ones.
FORGETTING = 0.1


def succeeded(
    feed: Feed,
    state: FeedState,
    now: Millis,
    answer: Fetched | NotModified,
    schedule: Plan,
    *,
    body_hash: str | None = None,
    newest_at: Millis = 0,
    pace: Pace | None = None,
) -> FeedState:
    """The state after a document was read or was found unchanged; what is not given stays as it was.

    A 304's validators replace only those that it carries (feeds.md 1, rule 2).
    """
    validators = answer.validators
    if not isinstance(answer, Fetched):
        validators = Validators(
            etag=validators.etag or state.validators.etag,
            last_modified=validators.last_modified or state.validators.last_modified,
        )
    after = replace(
        state,
        primed=True,
        validators=validators,
        body_hash=body_hash or state.body_hash,
        failures=0,
        last_error=None,
        wait_until=0,
        polled_at=now,
        newest_at=max(state.newest_at, newest_at),
        pace=pace or state.pace,
        failed_share=state.failed_share * (1 - FORGETTING),
        tally=tallied(state.tally, now, in_vain=False),
        next_poll_at=next_poll(feed, now, schedule, pace or state.pace, answer.fresh_s),
    )
    return _moved(feed, after, answer.moved_to)


def _moved(feed: Feed, state: FeedState, moved_to: str) -> FeedState:
    if not moved_to or moved_to == (state.address or feed.url):
        return replace(state, moved_to="", moved_seen=0)
    seen = state.moved_seen + 1 if moved_to == state.moved_to else 1
    if seen < MOVES_SEEN:
        return replace(state, moved_to=moved_to, moved_seen=seen)
    return replace(state, address=moved_to, moved_to="", moved_seen=0)


def failed(feed: Feed, state: FeedState, now: Millis, failure: FetchFailed) -> FeedState:
    """The state after a poll that gave nothing: back off, keep what is known."""
    failures = state.failures + 1
    asked = min(MAX_WAIT_MS, (failure.retry_after or 0) * 1000)
    return replace(
        state,
        gone=state.gone or failure.failure is Failure.GONE,
        failures=failures,
        last_error=failure.detail,
        wait_until=now + asked if asked else 0,
        polled_at=now,
        failed_share=state.failed_share * (1 - FORGETTING) + FORGETTING,
        tally=tallied(state.tally, now, in_vain=True),
        next_poll_at=now + max(backoff(feed, failures), asked),
    )


def tallied(tally: Tally, now: Millis, *, in_vain: bool) -> Tally:
    """The tally with one poll more."""
    day = now // DAY_MS
    if day != tally.day:
        before = (tally.polls, tally.failed) if day == tally.day + 1 else (0, 0)
        tally = Tally(day=day, polls_before=before[0], failed_before=before[1])
    return replace(tally, polls=tally.polls + 1, failed=tally.failed + in_vain)


def since_yesterday(tally: Tally, now: Millis) -> tuple[int, int]:
    """Polls, and those in vain, since yesterday began, UTC."""
    match now // DAY_MS - tally.day:
        case 0:
            return tally.polls + tally.polls_before, tally.failed + tally.failed_before
        case 1:
            return tally.polls, tally.failed
        case _:
            return 0, 0


def moved(feed: Feed, before: FeedState, after: FeedState) -> Notice | None:
    """What the admins are told of a poll: that the feed is asked elsewhere now. What ails it is the alarms' affair."""
    if after.address == before.address:
        return None
    return Notice(code=NoticeCode.MOVED, feed=feed.name, detail=after.address)


class Health(StrEnum):
    """How a feed does, in one word; the worst first."""

    GONE = "gone"
    FAILING = "failing"
    FROZEN = "frozen"  #: it answers, and has published nothing for weeks
    NEW = "new"  #: never read yet
    PAUSED = "paused"
    MERGED = "merged"  #: it has moved to another one's address
    HEALTHY = "healthy"


def health(state: FeedState, now: Millis) -> Health:
    """How a feed does."""
    failing = state.failed_share >= FAILING_SHARE or state.failures >= FAILURES_NOTICED
    if state.paused:
        return Health.PAUSED
    if state.merged_into:
        return Health.MERGED
    if state.gone:
        return Health.GONE
    if failing or (not state.primed and state.failures):
        return Health.FAILING
    if not state.primed:
        return Health.NEW
    frozen = state.newest_at and now - state.newest_at > FROZEN_AFTER_MS
    return Health.FROZEN if frozen else Health.HEALTHY
