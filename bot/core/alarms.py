"""What admins are alerted to, when again, and when it is over (reader-ux.md 6: alarms with Fixed and Mute).

An alarm is told once; again only when it lasts, or comes back after an hour. Each has two thresholds where its measure
wavers, so that it does not open and close with every breath.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS, HOUR_MS
from bot.core.feedstate import FAILURES_NOTICED, FROZEN_AFTER_MS
from bot.core.model import NoticeCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.core.model import FeedState, Millis

    #: What an alarm is of: its kind, and for feeds the name.
    Key = tuple[NoticeCode, str]

OF_FEED = frozenset({NoticeCode.FAILING, NoticeCode.GONE, NoticeCode.FROZEN})
#: Of each kind one alarm is told in this time, whatever it is of; the next then.
RARELY_MS = HOUR_MS
#: What lasts is told again after so long; what is not here, never.
AGAIN_MS = {
    NoticeCode.FAILING: DAY_MS,
    NoticeCode.MANY: 6 * HOUR_MS,
    NoticeCode.QUEUE: HOUR_MS,
    NoticeCode.DISK: 6 * HOUR_MS,
}
#: So many failing feeds are one alarm, which names some; until there is one fewer, not to waver.
MANY, NAMED = 3, 5
#: An alert that has been due for so long waits too long; once alarmed, until nothing waits half of it.
WAITS_MS = 10 * 60 * 1000
#: A disk with less free than this, in bytes and as a share of a small one, is nearly full.
FREE_BYTES, FREE_SHARE = 1 << 30, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The service at one moment."""

    now: Millis
    feeds: Mapping[str, FeedState] = field(default_factory=dict)  #: those that are polled
    waits: Millis = 0  #: how long the oldest alert that is due has been so
    sending: bool = False  #: whether anything was sent of late
    disk: tuple[int, int] | None = None  #: bytes free, and in all, where the database is; None: not ours to see


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is remembered of one."""

    open: bool
    told_at: Millis
    muted_until: Millis = 0
    id: int = 0


class Step(StrEnum):
    """What is to be done about an alarm."""

    TELL = "tell"
    FIX = "fix"  #: it is over: its messages say so
    CLOSE = "close"  #: what it was of is there no more


@dataclass(frozen=True, slots=True)
class Move:
    """A step for one alarm."""

    step: Step
    code: NoticeCode
    subject: str = ""
    detail: str = ""


def review(facts: Facts, known: Mapping[Key, Alarm]) -> list[Move]:
    """What is to be done now; the token's alarm is the affair of who signs in."""
    opened = {key for key, alarm in known.items() if alarm.open}
    wrong, held = _wrong(facts, opened)
    moves: list[Move] = []
    for key, detail in wrong.items():
        others = [alarm.told_at for other, alarm in known.items() if other[0] is key[0] and other != key]
        quiet = facts.now - max(others, default=-RARELY_MS) >= RARELY_MS
        if quiet and may_tell(key, known, facts.now) and not any(move.code is key[0] for move in moves):
            moves.append(Move(Step.TELL, *key, detail))
    for code, subject in sorted(opened - wrong.keys() - held):
        gone = code in OF_FEED and subject not in facts.feeds
        moves.append(Move(Step.CLOSE if gone else Step.FIX, code, subject))
    return moves


def may_tell(key: Key, known: Mapping[Key, Alarm], now: Millis) -> bool:
    """Whether admins are to be told of what is wrong now."""
    alarm = known.get(key)
    if alarm is None:
        return True
    pause = AGAIN_MS.get(key[0]) if alarm.open else RARELY_MS
    return pause is not None and now - alarm.told_at >= pause and now >= alarm.muted_until


def _wrong(facts: Facts, opened: set[Key]) -> tuple[dict[Key, str], set[Key]]:
    """What is wrong, with what is to be said of it; and of which alarms nothing can be said now."""
    wrong: dict[Key, str] = {}
    held: set[Key] = {(NoticeCode.TOKEN, "")}
    for name, state in facts.feeds.items():
        wrong |= dict(_of_feed(name, state, facts.now))
        if state.paused or state.failures:  # whether it would publish is not to be known
            held |= {(code, name) for code in OF_FEED if state.paused or code is NoticeCode.FROZEN}
    failing = [key for key in wrong if key[0] is NoticeCode.FAILING]
    most = (NoticeCode.MANY, "")
    if len(failing) >= (MANY - 1 if most in opened else MANY):
        named = ", ".join(sorted(name for _, name in failing)[:NAMED])
        wrong[most] = f"{len(failing)}/{len(facts.feeds)} ({named}{', …' if len(failing) > NAMED else ''})"
        held.update(failing)
        wrong = {key: detail for key, detail in wrong.items() if key not in failing}
    queue, disk = (NoticeCode.QUEUE, ""), (NoticeCode.DISK, "")
    if queue in opened:
        if facts.waits > WAITS_MS // 2:
            wrong[queue] = _minutes(facts)
    elif facts.waits > WAITS_MS and facts.sending:
        wrong[queue] = _minutes(facts)
    if facts.disk is not None:
        free, total = facts.disk
        least = min(FREE_BYTES, round(total * FREE_SHARE)) * (2 if disk in opened else 1)
        if free < least:
            wrong[disk] = f"{free // (1 << 20)} MB"
    return wrong, held


def _of_feed(name: str, state: FeedState, now: Millis) -> Iterator[tuple[Key, str]]:
    if state.paused or state.merged_into:
        return
    if state.gone:
        yield (NoticeCode.GONE, name), state.last_error or ""
    elif state.failures >= FAILURES_NOTICED:
        yield (NoticeCode.FAILING, name), state.last_error or ""
    elif not state.failures and state.newest_at and now - state.newest_at > FROZEN_AFTER_MS:
        yield (NoticeCode.FROZEN, name), ""


def _minutes(facts: Facts) -> str:
    return str(facts.waits // 60_000)
