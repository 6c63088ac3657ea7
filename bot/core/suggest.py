"""Did you mean: known tags that look or sound like one that nobody uses. A suggestion, never taken silently."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: KMU-2010 for Ukrainian, the letters of Russian beside it (sources-and-tags.md 4).
_LATIN = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e", "є": "ie", "ж": "zh", "з": "z",
        "и": "y", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
        "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch",
        "ю": "iu", "я": "ia", "ь": "", "ъ": "", "ё": "e", "ы": "y", "э": "e",
    }
)  # fmt: skip
_ENDINGS = re.compile(r"(?:skyi|skyy|skii|skiy|skij|skyj|sky)(?=_|$)")
_FOLDED = (
    ("yu", "u"), ("iu", "u"), ("ya", "a"), ("ia", "a"), ("ye", "e"), ("ie", "e"), ("yi", "i"),
    ("kh", "h"), ("j", "i"), ("y", "i"), ("g", "h"), ("ii", "i"),
)  # fmt: skip
_DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=1 << 15)
def skeleton(slug: str) -> str:
    """How a tag sounds: Зеленський, Zelenskyy, Zelensky and Зеленский are one; Kyiv and Kiev are not."""
    sound = _ENDINGS.sub("ski", slug.translate(_LATIN))
    for spelling, plain in _FOLDED:
        sound = sound.replace(spelling, plain)
    return _DOUBLED.sub(r"\1", sound)


def near(slug: str, known: Iterable[str], distance: Callable[[str, str], int], *, limit: int = 3) -> tuple[str, ...]:
    """Up to `limit` of the known tags that `slug` may be meant for, the likeliest first.

    Args:
        slug: what was typed, in normal form.
        known: tags in use.
        distance: how many slips of typing part two words (insertions, deletions, changes, neighbours swapped).
        limit: of the answer.
    """
    # One slip in four letters is another word: кіно and віно, iran and iraq.
    allowed = 0 if len(slug) < 5 else 1 if len(slug) < 8 else 2
    sound = skeleton(slug)
    found: list[tuple[int, str]] = []
    for other in known:
        if other == slug:
            continue
        if skeleton(other) == sound:
            found.append((0, other))
        elif abs(len(other) - len(slug)) <= allowed and (slips := distance(slug, other)) <= allowed:
            found.append((slips, other))
    return tuple(other for _, other in sorted(found)[:limit])
