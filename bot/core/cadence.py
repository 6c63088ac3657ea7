"""When a feed is due next.

Polls are worth most where posts come most: for a total of requests the mean delay over all posts is least when each
feed is asked in proportion to the square root of its rate, and of the hour's (feeds.md 4, whose formula and figures
these are). What the feed and its site ask for comes after, as a lower bound with a cap (feeds.md 1, rules 6, 7, 15).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.core.model import Feed, Millis, Pace

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
DAY_S = 24 * 60 * 60
#: A site cannot silence us for longer than this by its headers: a real one says 10 years.
MAX_FRESH_S = 6 * 60 * 60
#: Nor by its document: most copies of `ttl` and `sy:updatePeriod` are a theme's default that nobody chose.
MAX_ASKED_S = 3 * 60 * 60
#: Posts a day that a silent feed is still credited with.
LEAST_RATE = 0.3
#: A failing feed is asked ever more rarely, but at least daily (feeds.md 1, rule 11).
MAX_BACKOFF_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Activity:
    """What was published over the last 7 days."""

    posts: Mapping[str, int] = field(default_factory=dict)  #: by feed
    reach: Mapping[str, int] = field(default_factory=dict)  #: alerts queued for them, by feed
    hours: tuple[int, ...] = (0,) * 24  #: posts of all feeds by hour, UTC


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each feed is worth asking. An empty plan asks each at its own `every`."""

    per_day: Mapping[str, float] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)  #: posts a day
    hours: tuple[float, ...] = (1.0,) * 24  #: weight of each hour, UTC, mean 1
    floor_s: float = 0.0

    def interval(self, feed: Feed, now: Millis) -> int:
        """Milliseconds to the next poll: between the floor and `every`, less up to a tenth fixed by the feed's name.

        The share by name keeps feeds of one cadence from marching in step (feeds.md 1, rule 12).
        """
        wanted_s = float(feed.every)
        if per_day := self.per_day.get(feed.name):
            wanted_s = DAY_S / (per_day * self.hours[now // HOUR_MS % 24])
        seconds = min(feed.every, max(wanted_s, self.floor_s))
        return round(seconds * 1000 * (1 - phase(feed.name) / 10))


def plan(feeds: Iterable[Feed], activity: Activity, *, floor_s: float, effort: float) -> Plan:
    """The plan for what was published of late.

    Args:
        feeds: the catalogue.
        activity: of the last 7 days.
        floor_s: the shortest time between two polls of a feed.
        effort: how many times the requests that all feeds' `every` makes may be made, in the mean; 1 is every feed
            at its `every`.
    """
    known = list(feeds)
    if not known:
        return Plan(floor_s=floor_s)
    rates = {feed.name: max(LEAST_RATE, activity.posts.get(feed.name, 0) / 7) for feed in known}
    # Alerts count beside posts: a feed that many wait for is worth more polls.
    weights = {feed.name: sqrt(rates[feed.name] + activity.reach.get(feed.name, 0) / 7) for feed in known}
    bounds = []  # polls a day: at least, at most, and the weight that decides between
    for feed in known:
        least = DAY_S / feed.every
        most = max(least, DAY_S / floor_s) if floor_s else least
        bounds.append((least, most, weights[feed.name]))
    budget = effort * sum(least for least, _, _ in bounds)
    low, high = 0.0, max(most for _, most, _ in bounds) / min(weights.values())
    for _ in range(30):
        middle = (low + high) / 2
        if sum(min(most, max(least, middle * weight)) for least, most, weight in bounds) < budget:
            low = middle
        else:
            high = middle
    per_day = [min(most, max(least, low * weight)) for least, most, weight in bounds]
    names = [feed.name for feed in known]
    return Plan(dict(zip(names, per_day, strict=True)), rates, _profile(activity.hours), floor_s)


def _profile(posts: tuple[int, ...]) -> tuple[float, ...]:
    """The square root of each hour's share of posts, scaled to a mean of 1."""
    roots = [sqrt(number + 1) for number in posts]
    return tuple(root * len(roots) / sum(roots) for root in roots)


def next_poll(feed: Feed, now: Millis, schedule: Plan, pace: Pace, fresh_s: int) -> Millis:
    """When a feed that answered is due again.

    Args:
        feed: which.
        now: when it answered.
        schedule: how often it is worth asking.
        pace: what its document asks.
        fresh_s: for how many seconds its headers call the answer fresh.
    """
    asked_s = min(pace.asked_s, MAX_ASKED_S)
    rate = schedule.rates.get(feed.name, 0.0)
    if rate * asked_s > 2 * DAY_S:
        asked_s = 0  # it asks for hours between polls and publishes by the minute: nobody chose that number
    at = now + max(schedule.interval(feed, now), asked_s * 1000, min(fresh_s, MAX_FRESH_S) * 1000)
    for _ in range(24):
        if not (pace.skip_hours >> (at // HOUR_MS % 24) & 1 or pace.skip_days >> _weekday(at) & 1):
            return at
        at = (at // HOUR_MS + 1) * HOUR_MS + round(phase(feed.name) * 60_000)
    return at  # a feed that forbids a whole day is asked daily all the same


def backoff(feed: Feed, failures: int) -> int:
    """Milliseconds to wait after so many failed polls in a row."""
    steady = round(feed.every * 1000 * (1 - phase(feed.name) / 10))
    return int(min(MAX_BACKOFF_MS, steady * 2 ** min(max(0, failures - 1), 16)))


#: An article's page that could not be read before the article went out is asked for again after these pauses.
VISITS_MS = (60_000, 5 * 60_000, 15 * 60_000, 45 * 60_000)
#: Later, what it says is no news to anybody.
VISITED_WITHIN_MS = 2 * HOUR_MS


def next_visit(attempts: int, seen_at: Millis, now: Millis, asked_s: int = 0) -> Millis | None:
    """When a page that failed `attempts` times since its article went out is asked for again; None: never.

    `asked_s`: seconds that its site asked to wait.
    """
    if attempts >= len(VISITS_MS):
        return None
    at = now + max(VISITS_MS[attempts], asked_s * 1000)
    return at if at - seen_at <= VISITED_WITHIN_MS else None


def phase(name: str) -> float:
    """A number from 0 to 1 that is always the same for a name."""
    return int.from_bytes(sha256(name.encode()).digest()[:2]) / 0xFFFF


def _weekday(at: Millis) -> int:
    return (at // DAY_MS + 3) % 7  # the epoch began on a Thursday
