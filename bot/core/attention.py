"""When a queued row goes, and whether it makes a sound: the one decision about a reader's peace.

It is taken late, as a row is claimed, from what its chat wishes at that moment. Wishes are wall-clock times in the
chat's own zone: a night of 23 or 25 hours begins and ends when the clock on the wall says so.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.calendar import local, zone_of
from bot.core.hours import MINUTE_MS
from bot.core.model import ChatKind, Hot, Kind, Lane, Volume

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.core.model import Chat, Delivery, Millis

#: The choice "no limit" of the daily cap.
NO_CAP = 1000
#: When a digest comes to who wishes one and names no time.
DIGESTS = (8 * 60, 18 * 60 + 30)


#: Quiet hours that are offered (reader-ux.md 5); who hears an alert in the first is asked.
NIGHTS = ((22 * 60, 7 * 60), (23 * 60, 8 * 60))


class Way(StrEnum):
    """How a row goes."""

    LOUD = "loud"
    SILENT = "silent"
    LATER = "later"  #: at `at`, when its chat may be disturbed again
    DIGEST = "digest"  #: at `at`, in the digest
    NEVER = "never"  #: the reader has switched hot news off


@dataclass(frozen=True, slots=True)
class Decision:
    """A way, and for what is put off its time."""

    way: Way
    at: Millis = 0


def decide(row: Delivery, chat: Chat, volumes: Iterable[Volume], now: Millis) -> Decision:
    """When and how a row goes.

    Args:
        row: an alert of lane DIGEST has been put off before, and its time has come.
        chat: its wishes, and how many loud alerts it had.
        volumes: of the rules for which it gets an alert; the loudest counts.
        now: the moment of sending.
    """
    wishes, zone = chat.attention, chat.time_zone
    hot = row.kind is Kind.BROADCAST
    if hot and wishes.hot is Hot.OFF:
        return Decision(Way.NEVER)
    free = max(now, wishes.paused_until)
    volume = _loudest(volumes)
    gathered = row.kind is Kind.ALERT and (wishes.digest_all or volume is Volume.DIGEST)
    if gathered and wishes.digests and row.lane is not Lane.DIGEST:
        return fold(chat, now)
    if not (hot and wishes.hot is Hot.LOUD):
        free = _outside(free, wishes.quiet, zone)
    if free > now:
        return Decision(Way.LATER, free)
    if hot:
        return Decision(Way.SILENT if wishes.hot is Hot.SILENT else Way.LOUD)
    if row.kind is Kind.ALERT and (
        volume is Volume.SILENT or (gathered and not wishes.digests) or _loud_today(chat, now) >= wishes.loud_cap
    ):
        return Decision(Way.SILENT)
    return Decision(Way.LOUD)


def fold(chat: Chat, now: Millis) -> Decision:
    """An alert goes in the chat's next digest; without any, where that would be."""
    wishes, zone = chat.attention, chat.time_zone
    at = next_digest(max(now, wishes.paused_until), wishes.digests or DIGESTS, zone)
    return Decision(Way.DIGEST, _outside(at, wishes.quiet, zone))


def _loudest(volumes: Iterable[Volume]) -> Volume:
    return min(volumes, key=list(Volume).index, default=Volume.LOUD)


def local_day(now: Millis, time_zone: str) -> int:
    """The day there, as a proleptic ordinal."""
    return local(now, time_zone).toordinal()


def _loud_today(chat: Chat, now: Millis) -> int:
    return chat.loud_count if chat.loud_day == local_day(now, chat.time_zone) else 0


def in_quiet(at: Millis, quiet: tuple[int, int] | None, time_zone: str) -> bool:
    """Whether the clock on the wall stands within quiet hours; their end is outside."""
    if quiet is None:
        return False
    start, end = quiet
    there = local(at, time_zone)
    minute = there.hour * 60 + there.minute
    return start <= minute < end if start <= end else not end <= minute < start


def wants_offer(chat: Chat, now: Millis) -> bool:
    """Whether a reader who hears an alert now is offered quiet hours: at night, without any, for the first time."""
    asked = chat.attention.quiet is not None or chat.quiet_offered
    return chat.kind is ChatKind.PRIVATE and not asked and in_quiet(now, NIGHTS[0], chat.time_zone)


def _outside(at: Millis, quiet: tuple[int, int] | None, time_zone: str) -> Millis:
    """`at`, or the end of the quiet hours that it falls into."""
    if quiet is None or not in_quiet(at, quiet, time_zone):
        return at
    ends = _moments(at, quiet[1], time_zone)
    # A time that the clock jumps over: the second lies before the jump, and the night ends with the jump.
    pairs = zip(ends[::2], ends[1::2], strict=True)
    jumps = [_jump(before, after, time_zone) for after, before in pairs if before < after]
    return min(end for end in (*ends, *jumps) if end > at and not in_quiet(end, quiet, time_zone))


def _jump(before: Millis, after: Millis, time_zone: str) -> Millis:
    """The moment between these two from which the clock is as it is after the jump."""
    minutes = range(before, after + 1, MINUTE_MS)
    then = local(after, time_zone).utcoffset()
    return minutes[bisect_left(minutes, True, key=lambda moment: local(moment, time_zone).utcoffset() == then)]


def next_digest(after: Millis, digests: Iterable[int], time_zone: str) -> Millis:
    """The first of these times of day after a moment. A time that the clock shows twice counts once."""
    firsts = (_moments(after, minute, time_zone)[::2] for minute in digests)
    return min(moment for moments in firsts for moment in moments if moment > after)


def _moments(near: Millis, minute: int, time_zone: str) -> list[Millis]:
    """When the clock shows a minute of the day, from yesterday to the day after tomorrow: each day twice.

    The second is another moment only on the night that has the hour twice. Where the clock jumps over it, the first
    lies as long after the jump as it would after the hour before (PEP 495).
    """
    zone = zone_of(time_zone)
    day = local(near, time_zone).date()
    moments = []
    for days in range(-1, 3):
        for fold in (0, 1):
            shown = datetime.combine(day + timedelta(days), time(*divmod(minute, 60), fold=fold), zone)
            moments.append(round(shown.timestamp() * 1000))
    return moments
