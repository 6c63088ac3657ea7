"""When a feed is due next, and what a poll leaves behind in its state."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from bot.core.model import Failure, Validators

if TYPE_CHECKING:
    from bot.core.model import Feed, FeedState, FetchFailed, Millis

DAY_MS = 24 * 60 * 60 * 1000
#: A failing feed is asked ever more rarely, but at least daily (feeds.md 1, rule 11).
MAX_BACKOFF_MS = DAY_MS
#: A site cannot silence us for longer than this (feeds.md 1, rule 7: a real one says 10 years).
MAX_WAIT_MS = DAY_MS


def succeeded(
    feed: Feed, state: FeedState, now: Millis, *, validators: Validators, body_hash: str | None, newest_at: Millis
) -> FeedState:
    """The state after a document was read, or was found unchanged."""
    return replace(
        state,
        primed=True,
        validators=validators,
        body_hash=body_hash,
        failures=0,
        last_error=None,
        wait_until=0,
        polled_at=now,
        newest_at=max(state.newest_at, newest_at),
        next_poll_at=now + interval(feed),
    )


def unchanged(feed: Feed, state: FeedState, now: Millis, validators: Validators) -> FeedState:
    """The state after a 304; validators that it carried replace the old ones (feeds.md 1, rule 2)."""
    merged = Validators(
        etag=validators.etag or state.validators.etag,
        last_modified=validators.last_modified or state.validators.last_modified,
    )
    return succeeded(feed, state, now, validators=merged, body_hash=state.body_hash, newest_at=state.newest_at)


def failed(feed: Feed, state: FeedState, now: Millis, failure: FetchFailed) -> FeedState:
    """The state after a poll that gave nothing: back off, keep what is known."""
    failures = state.failures + 1
    backoff = min(MAX_BACKOFF_MS, interval(feed) * 2 ** min(failures - 1, 16))
    asked = min(MAX_WAIT_MS, (failure.retry_after or 0) * 1000)
    return replace(
        state,
        gone=state.gone or failure.failure is Failure.GONE,
        failures=failures,
        last_error=failure.detail,
        wait_until=now + asked if asked else 0,
        polled_at=now,
        next_poll_at=now + max(backoff, asked),
    )


def interval(feed: Feed) -> int:
    """Milliseconds to the next poll: `every`, less up to a tenth fixed by the feed's name.

    The share by name keeps feeds of one cadence from marching in step (feeds.md 1, rule 12).
    """
    share = int.from_bytes(sha256(feed.name.encode()).digest()[:2]) / 0xFFFF
    return round(feed.every * 1000 * (1 - share / 10))
