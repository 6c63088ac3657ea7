"""An article's page as a reader copied it: lines of text, in the order in which the page shows them.

Interfax-Ukraine / Facts / 17:11 21.11.2025 / headline / 1 min read / headline / body / Tags: #a #b / MORE ABOUT / ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.calendar import reading_minutes
from bot.core.model import Link, PageFacts
from bot.feeds.keywords import MAX_TAGS, tags_of_line
from bot.feeds.markup import line
from bot.feeds.related import MAX_LINKS, MORE, OTHER, TIME
from bot.feeds.stated import MAX_LEAD, MAX_NAME, MAX_TITLE, minutes_in

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT, MAX_LINES = 500_000, 5000


def read_copy(text: str) -> PageFacts:
    """The facts of a copied page; its related links have no address."""
    lines = [shown for raw in text[:MAX_TEXT].splitlines()[:MAX_LINES] if (shown := line(raw))]
    ends = [
        at for at, shown in enumerate(lines) if MORE.fullmatch(shown) or OTHER.fullmatch(shown) or tags_of_line(shown)
    ]
    article, rest = lines[: ends[0] if ends else None], lines[ends[0] if ends else len(lines) :]
    time_at = next((at for at, shown in enumerate(article) if TIME.fullmatch(shown)), None)
    below = article[time_at + 1 :] if time_at is not None else article
    title = below[0] if below else ""
    body = [shown for shown in below[1:] if shown != title and not minutes_in(shown)]
    return PageFacts(
        tags=tuple(tag for shown in rest for tag in tags_of_line(shown))[:MAX_TAGS],
        title=title[:MAX_TITLE],
        section=(article[time_at - 1] if time_at else "")[:MAX_NAME],
        lead=(body[0] if body else "")[:MAX_LEAD],
        minutes=next((stated for shown in below if (stated := minutes_in(shown))), None)
        or reading_minutes(sum(len(shown.split()) for shown in body)),
        related=_related(rest),
    )


def _related(rest: Sequence[str]) -> tuple[Link, ...]:
    start = next((at for at, shown in enumerate(rest) if MORE.fullmatch(shown)), len(rest))
    titles: dict[str, None] = {}
    for shown in rest[start + 1 :]:
        if OTHER.fullmatch(shown) or MORE.fullmatch(shown):
            break
        if not TIME.fullmatch(shown) and len(shown.split()) > 2:
            titles[shown[:MAX_TITLE]] = None
    return tuple(Link(title, "") for title in list(titles)[:MAX_LINKS])
