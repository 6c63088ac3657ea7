"""What is rising now: a tag's last 24 hours against its own usual day."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The usual days that the last 24 hours are compared with: four weeks, so that every weekday counts the same.
USUAL_DAYS = 28
#: Articles a day that every tag is taken to have anyway: a new tag with two articles is no surprise.
PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class TagCount:
    """How many articles bear a tag."""

    id: int
    slug: str
    day: int  #: published in the last 24 hours
    week: int  #: published in the last 7 days
    before: int  #: published in the 28 days before the last 24 hours


def rise(day: int, before: int, days: float) -> float:
    """How surprising it is that a tag stands in `day` articles of the last 24 hours; 0 when it does not rise.

    The log-likelihood ratio of one Poisson count, `x ln(x / u) - (x - u)`, with x today's articles and u the usual
    day's (T. Dunning, Accurate Methods for the Statistics of Surprise and Coincidence, 1993). Its first term is how
    Instagram ranks hashtags (instagram-engineering.com/trending-on-instagram-b749450e6d93); the second takes away what
    a large tag gains by chance. u holds `PRIOR` on top, so that what is rare needs more than a few articles.

    Args:
        day: articles of the last 24 hours.
        before: articles of the `days` before them.
        days: at least 1; fewer than `USUAL_DAYS` where the archive is younger.
    """
    usual = before / days + PRIOR
    # Rounded, the difference of two nearly equal terms can be a hair below nothing.
    return max(day * log(day / usual) - (day - usual), 0.0) if day > usual else 0.0


def rising(counts: Iterable[TagCount], days: float, limit: int) -> list[TagCount]:
    """The tags that rise, the most surprising first."""
    scored = [(rise(one.day, one.before, days), one) for one in counts]
    found = sorted((-score, one.slug, one) for score, one in scored if score > 0)
    return [one for _, _, one in found[:limit]]


def offered(counts: Iterable[TagCount], days: float, limit: int) -> list[TagCount]:
    """What a newcomer is offered: the tags that rise, then those with most articles of the week."""
    known = list(counts)
    first = rising(known, days, limit)
    rest = [one for one in by_week(known) if one not in first]
    return [*first, *rest][:limit]


def by_week(counts: Iterable[TagCount]) -> list[TagCount]:
    """The tags of the last 7 days, those of most articles first."""
    return sorted((one for one in counts if one.week), key=lambda one: (-one.week, one.slug))
