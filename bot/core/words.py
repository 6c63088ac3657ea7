"""A text as words that can be compared, each with its place in it."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import NamedTuple

from bot.core.tags import normalise

#: Characters of a text that are looked at: no article's lead is longer, and no site makes us read more.
MOST_CHARACTERS = 20_000
APOSTROPHES = "'’ʼ`‘′ʹ"
_CAPITAL = "A-ZА-ЯҐЄІЇ"
_DELETED = re.compile("[\u0301\u00ad\u200b\u200c\u200d\u2060\ufeff]")
#: U.S. and J.D. are one word, and so is a word with apostrophes inside.
_WORD = re.compile(rf"(?<!\w)(?:[{_CAPITAL}]\.)+[{_CAPITAL}]\b\.?|[^\W_]+(?:[{APOSTROPHES}]+[^\W_]+)*")
_HYPHENS = frozenset("-‐‑")
#: What no phrase runs across.
_BREAK = re.compile(r"[.!?…;:,()\[\]|•—/\n]|\s[-–]\s")
#: What a sentence, perhaps a quoted one, begins after: a capital says nothing there.
_SENTENCE_END = re.compile(r"[.!?…:•\n]|,\s*[\"“„«‘]")
_LATIN = re.compile("[A-Za-z]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")


class Word(NamedTuple):
    """A word of a text; `text` is empty where a phrase ends, if only for a comma."""

    text: str  #: as written, in one alphabet
    start: int
    end: int
    opens: bool = False  #: stands where a sentence begins
    tied: bool = False  #: by a hyphen to the word before


BREAK = Word("", 0, 0)


def read(text: str, limit: int) -> tuple[str, list[Word]]:
    """The text without what is not seen in it, and its first `limit` words with the breaks between them."""
    seen = _DELETED.sub("", unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]))
    seen = unicodedata.normalize("NFC", seen)
    mixed = _LATIN.search(seen) and _CYRILLIC.search(seen)
    words: list[Word] = []
    last = 0
    for match in islice(_WORD.finditer(seen), limit):
        written = match[0]
        if "." in written:
            written = written.replace(".", "")
        elif mixed and _LATIN.search(written) and _CYRILLIC.search(written):
            written = _one_alphabet(written)
        start, end = match.span()
        gap = seen[last:start]
        if not words or gap == " ":
            words.append(Word(written, start, end, opens=not words))
        else:
            opens = _SENTENCE_END.search(gap) is not None
            if opens or _BREAK.search(gap):
                words.append(BREAK)
            words.append(Word(written, start, end, opens, gap in _HYPHENS))
        last = end
    return seen, words


def untied(words: list[Word]) -> list[Word] | None:
    """The same with words that hyphens tie as one, peace-plan as peaceplan; None if there are none."""
    if not any(word.tied for word in words):
        return None
    whole: list[Word] = []
    for word in words:
        if word.tied:
            before = whole[-1]
            whole[-1] = before._replace(text=before.text + word.text, end=word.end)
        else:
            whole.append(word)
    return whole


def _one_alphabet(word: str) -> str:
    """НАТO with a Latin O, as the normal form of tags reads it; its apostrophes and capitals kept."""
    plain = "'".join(normalise(part) for part in re.split(f"[{APOSTROPHES}]+", word))
    if word.isupper():
        return plain.upper()
    return plain[:1].upper() + plain[1:] if word[0].isupper() else plain
