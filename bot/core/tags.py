"""One normal form for a tag, used on both sides of every match, and the names of what else a rule can want.

The rules and their order are those of sources-and-tags.md 4; what may stand in a hashtag that Telegram makes clickable
whole is telegram.md 1.3: letters, decimal digits, `_`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Long enough for any real tag, short enough for a deep link (64) and a button.
MAX_LENGTH = 64
_APOSTROPHES = "'’ʼ`‘′ʹ＇"
_DELETED = re.compile("[\u0301\u00ad\u200b\u200c\u200d\u2060\ufeff]")
_APOSTROPHE_INSIDE = re.compile(rf"(?<=\w)[{_APOSTROPHES}]+(?=\w)")
_LATIN = "aceiopxyBHKMTAECOPXI"
_CYRILLIC = "асеіорхуВНКМТАЕСОРХІ"
_TO_CYRILLIC = dict(zip(_LATIN, _CYRILLIC, strict=True))
_TO_LATIN = dict(zip(_CYRILLIC, _LATIN, strict=True))
_CLICKABLE = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str:
    """The normal form of a tag as anybody may type it; "" when no tag is left in it.

    Idempotent. `Peace Plan`, `#peace-plan` and `PEACE_PLAN` are `peace_plan`; `НАТO` with a Latin O is `нато`.
    """
    previous, current = text, _once(text)
    while current != previous:
        previous, current = current, _once(current)
    return current


def _once(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).strip().lstrip("#＃").strip()
    folded = unicodedata.normalize("NFC", _DELETED.sub("", folded))
    folded = _APOSTROPHE_INSIDE.sub("", folded)
    words = [_one_alphabet(word) for word in "".join(_clickable_or_gap(char) for char in folded).split()]
    slug = unicodedata.normalize("NFC", "_".join(words).casefold())
    slug = "_".join("".join(_clickable_or_gap(char) for char in slug).split())[:MAX_LENGTH].rstrip("_")
    return slug if any(unicodedata.category(char)[0] == "L" for char in slug) else ""


def _clickable_or_gap(char: str) -> str:
    """The character if a hashtag may hold it; nothing for a mark that only decorates a letter; else a word's end."""
    category = unicodedata.category(char)
    if category in _CLICKABLE:
        return char
    return "" if category in {"Mn", "Me", "Cf", "Cc"} and not char.isspace() else " "


def _one_alphabet(word: str) -> str:
    """A word that mixes look-alikes of two alphabets, in the one that has more of its letters, if all have twins."""
    latin = [char for char in word if char.isascii() and char.isalpha()]
    cyrillic = [char for char in word if "\u0400" <= char <= "\u04ff"]
    if not latin or not cyrillic:
        return word
    if len(cyrillic) >= len(latin):
        twins, strangers = _TO_CYRILLIC, latin
    else:
        twins, strangers = _TO_LATIN, cyrillic
    if not all(char in twins for char in strangers):
        return word
    return "".join(twins.get(char, char) if char in strangers else char for char in word)


def hashtag(slug: str) -> str:
    """How a tag is shown: Telegram makes it clickable whole. The term of a source is shown as it is typed: `@name`."""
    return slug if is_source(slug) else f"#{slug}"


def cut_at(typed: str) -> str:
    """The character at which Telegram would end the hashtag that somebody typed; "" when it takes it whole."""
    inside = unicodedata.normalize("NFC", typed).strip().lstrip("#＃")
    return next((char for char in inside if char != "_" and unicodedata.category(char) not in _CLICKABLE), "")


# --------------------------------------------------------------------------- sources


def source_term(feed: str) -> str:
    """What a rule wants that follows a whole source; no tag can look like it."""
    return f"@{feed}"


def is_source(term: str) -> bool:
    """Whether a rule's term is a source and not a tag."""
    return term.startswith("@")
