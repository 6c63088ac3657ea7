"""Which feeds there are: those of the file, which stays the truth for what it holds, and those added by chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.core.identity import canonical_link

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.core.model import Feed

#: Beginnings of a host that say what it is, not whose.
_SERVING = ("www.", "rss.", "feeds.", "feed.")
NAME = re.compile(r"[\w.-]{1,64}")
MOST_TAGS = 20


def roster(catalogue: Iterable[Feed], added: Iterable[Feed]) -> tuple[Feed, ...]:
    """The feeds of the file, then those added by chat of which it holds neither the name nor the address."""
    feeds = list(catalogue)
    for one in added:
        if clash(one.name, one.url, feeds) is None:
            feeds.append(one)
    return tuple(feeds)


def clash(name: str, url: str, feeds: Iterable[Feed]) -> Feed | None:
    """The feed that has this name, in any case, or this address already."""
    address = canonical_link(url)
    same = (one for one in feeds if one.name.casefold() == name.casefold() or canonical_link(one.url) == address)
    return next(same, None)


def name_for(url: str, taken: Collection[str]) -> str:
    """A name for the feed at `url` that is not taken: its host, in a form that can be typed after an `@`."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    for start in _SERVING:
        host = host.removeprefix(start)
    base = re.sub(r"[\W_]+", "-", host).strip("-")[:40] or "feed"
    used = {name.casefold() for name in taken}
    name, number = base, 2
    while name.casefold() in used:
        name, number = f"{base}-{number}", number + 1
    return name
