"""When admins are alerted, when again, and when it is over."""

from __future__ import annotations

from dataclasses import replace

from bot.core.alarms import (
    AGAIN_MS,
    FREE_BYTES,
    MANY,
    RARELY_MS,
    WAITS_MS,
    Alarm,
    Facts,
    Move,
    Step,
    may_tell,
    review,
)
from bot.core.cadence import DAY_MS, HOUR_MS
from bot.core.feedstate import FAILURES_NOTICED, FROZEN_AFTER_MS
from bot.core.model import FeedState, NoticeCode

NOW = 1_763_737_860_000
MINUTE = 60_000
FINE = FeedState(primed=True, newest_at=NOW)
BAD = FeedState(primed=True, newest_at=NOW, failures=FAILURES_NOTICED, last_error="HTTP 503")


class Desk:
    """Does what is decided, as the store does."""

    def __init__(self) -> None:
        self.known: dict[tuple[NoticeCode, str], Alarm] = {}

    def look(self, at: int = 0, **facts: object) -> list[tuple[Step, NoticeCode, str]]:
        now = NOW + at
        moves = review(Facts(now=now, **facts), self.known)  # type: ignore[arg-type]
        for move in moves:
            self.carry_out(move, now)
        return [(move.step, move.code, move.subject) for move in moves]

    def carry_out(self, move: Move, now: int) -> None:
        key = move.code, move.subject
        if move.step is Step.CLOSE:
            del self.known[key]
        elif move.step is Step.TELL:
            muted = self.known[key].muted_until if key in self.known else 0
            self.known[key] = Alarm(open=True, told_at=now, muted_until=muted)
        else:
            self.known[key] = replace(self.known[key], open=False)


def test_a_failing_feed_is_told_once_and_its_recovery_once() -> None:
    desk = Desk()
    few = replace(BAD, failures=FAILURES_NOTICED - 1)
    assert desk.look(feeds={"a": few}) == []
    assert desk.look(feeds={"a": BAD}) == [(Step.TELL, NoticeCode.FAILING, "a")]
    assert desk.look(MINUTE, feeds={"a": replace(BAD, failures=9)}) == []
    assert desk.look(2 * MINUTE, feeds={"a": FINE}) == [(Step.FIX, NoticeCode.FAILING, "a")]
    assert desk.look(3 * MINUTE, feeds={"a": FINE}) == []


def test_the_same_alarm_is_told_at_most_once_an_hour_and_what_lasts_again_after_a_day() -> None:
    desk = Desk()
    desk.look(feeds={"a": BAD})
    desk.look(MINUTE, feeds={"a": FINE})
    assert desk.look(2 * MINUTE, feeds={"a": BAD}) == []
    assert desk.look(3 * MINUTE, feeds={"a": FINE}) == []
    assert desk.look(RARELY_MS, feeds={"a": BAD}) == [(Step.TELL, NoticeCode.FAILING, "a")]
    later = RARELY_MS + AGAIN_MS[NoticeCode.FAILING]
    assert desk.look(later - 1, feeds={"a": BAD}) == []
    assert desk.look(later, feeds={"a": BAD}) == [(Step.TELL, NoticeCode.FAILING, "a")]


def test_one_of_a_kind_is_told_in_an_hour_and_several_feeds_are_one_alarm() -> None:
    desk, names = Desk(), [f"f{n}" for n in range(9)]
    two = {name: BAD if name in names[:2] else FINE for name in names}
    assert desk.look(feeds=two) == [(Step.TELL, NoticeCode.FAILING, names[0])]
    assert desk.look(RARELY_MS - 1, feeds=two) == []
    assert desk.look(RARELY_MS, feeds=two) == [(Step.TELL, NoticeCode.FAILING, names[1])]
    three = {name: BAD if name in names[:MANY] else FINE for name in names}
    assert desk.look(RARELY_MS + MINUTE, feeds=three) == [(Step.TELL, NoticeCode.MANY, "")]
    assert desk.look(RARELY_MS + 2 * MINUTE, feeds=two) == []  # not over yet: it would waver
    assert desk.look(RARELY_MS + 3 * MINUTE, feeds=dict.fromkeys(names, FINE)) == [
        (Step.FIX, NoticeCode.FAILING, names[0]),
        (Step.FIX, NoticeCode.FAILING, names[1]),
        (Step.FIX, NoticeCode.MANY, ""),
    ]


def test_gone_and_frozen_feeds_are_told_and_what_is_known_of_neither_stays() -> None:
    desk, frozen = Desk(), FeedState(primed=True, newest_at=NOW - FROZEN_AFTER_MS - 1)
    gone = replace(FINE, gone=True, failures=1)
    assert desk.look(feeds={"a": frozen, "b": gone}) == [
        (Step.TELL, NoticeCode.FROZEN, "a"),
        (Step.TELL, NoticeCode.GONE, "b"),
    ]
    assert desk.look(90 * DAY_MS, feeds={"a": frozen, "b": gone}) == []  # they are not told again
    assert desk.look(90 * DAY_MS, feeds={"a": replace(frozen, failures=1), "b": gone}) == []
    assert desk.look(90 * DAY_MS, feeds={"a": replace(FINE, newest_at=NOW + 90 * DAY_MS), "b": gone}) == [
        (Step.FIX, NoticeCode.FROZEN, "a")
    ]


def test_a_paused_feed_is_left_alone_and_one_taken_out_is_no_affair() -> None:
    desk = Desk()
    assert desk.look(feeds={"a": replace(BAD, paused=True), "b": BAD}) == [(Step.TELL, NoticeCode.FAILING, "b")]
    assert desk.look(MINUTE, feeds={"a": FINE, "b": replace(BAD, paused=True)}) == []
    assert desk.look(2 * MINUTE, feeds={"a": FINE}) == [(Step.CLOSE, NoticeCode.FAILING, "b")]


def test_a_queue_that_waits_is_told_while_sending_works_and_over_when_it_waits_half() -> None:
    desk, queue = Desk(), (NoticeCode.QUEUE, "")
    assert desk.look(waits=WAITS_MS + 1, sending=False) == []  # nobody would get it
    assert desk.look(waits=WAITS_MS, sending=True) == []
    assert desk.look(waits=WAITS_MS + 1, sending=True) == [(Step.TELL, *queue)]
    assert desk.look(MINUTE, waits=WAITS_MS - 1, sending=True) == []
    assert desk.look(HOUR_MS, waits=WAITS_MS * 2, sending=True) == [(Step.TELL, *queue)]
    assert desk.look(HOUR_MS + MINUTE, waits=WAITS_MS // 2, sending=True) == [(Step.FIX, *queue)]


def test_a_disk_nearly_full_by_bytes_or_by_share() -> None:
    disk, total = (NoticeCode.DISK, ""), 1000 * FREE_BYTES
    assert Desk().look(disk=None) == []
    assert Desk().look(disk=(FREE_BYTES, total)) == []
    assert Desk().look(disk=(90, 1000)) == []
    assert Desk().look(disk=(49, 1000)) == [(Step.TELL, *disk)]
    desk = Desk()
    assert desk.look(disk=(FREE_BYTES - 1, total)) == [(Step.TELL, *disk)]
    assert desk.look(MINUTE, disk=(FREE_BYTES + 1, total)) == []
    assert desk.look(MINUTE, disk=(2 * FREE_BYTES, total)) == [(Step.FIX, *disk)]


def test_what_is_muted_is_not_told_and_is_when_that_ends() -> None:
    desk, key = Desk(), (NoticeCode.QUEUE, "")
    desk.known[key] = Alarm(open=True, told_at=NOW, muted_until=NOW + 8 * HOUR_MS)
    assert desk.look(7 * HOUR_MS, waits=WAITS_MS * 2, sending=True) == []
    assert desk.look(8 * HOUR_MS, waits=WAITS_MS * 2, sending=True) == [(Step.TELL, *key)]
    desk.known[key] = Alarm(open=False, told_at=NOW, muted_until=NOW + 8 * HOUR_MS)
    assert desk.look(7 * HOUR_MS, waits=WAITS_MS * 2, sending=True) == []
    assert desk.look(8 * HOUR_MS, waits=WAITS_MS * 2, sending=True) == [(Step.TELL, *key)]


def test_the_tokens_alarm_is_left_to_who_signs_in() -> None:
    desk, token = Desk(), (NoticeCode.TOKEN, "")
    assert may_tell(token, desk.known, NOW)
    desk.carry_out(Move(Step.TELL, *token), NOW)
    assert desk.look(MINUTE) == []
    assert not may_tell(token, desk.known, NOW + DAY_MS)
