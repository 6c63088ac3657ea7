"""The thesaurus: which names and spellings stand for which tag, and which of them stand in a text.

A phrase is found word by word: one dict phrase -> tags, one dict first word -> the lengths of the phrases that start
with it; a text is walked once (sources-and-tags.md 5). Whole words only: `anatomy` never finds nato.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.tags import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WORD = re.compile(r"\w+")
_APOSTROPHES = re.compile("['’ʼ‘`]")
#: A name of at most this many letters, all capitals, is an acronym that lower-case words must not match: US, EU, UN.
ACRONYM = 3


class ThesaurusError(Exception):
    """The thesaurus contradicts itself; `faults` holds one line for each contradiction."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class ThesaurusEntry:
    """One canonical tag: its titles and its names by language, and other spellings of the hashtag itself."""

    slug: str
    titles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


class Thesaurus:
    """Names to tags. Made by `build`."""

    def __init__(self, entries: Sequence[ThesaurusEntry], spellings: Mapping[str, str]) -> None:
        self._entries = {entry.slug: entry for entry in entries}
        self._spellings = dict(spellings)
        self._phrases: dict[tuple[str, ...], set[tuple[str, str]]] = defaultdict(set)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for entry in entries:
            for language, names in entry.names.items():
                for name in names:
                    self._add_phrase(name, entry.slug, language)

    @classmethod
    def build(cls, entries: Sequence[ThesaurusEntry]) -> Thesaurus:
        """The thesaurus of these entries. Raises ThesaurusError with everything that is wrong with them."""
        faults: list[str] = []
        spellings: dict[str, str] = {}
        for entry in entries:
            if normalise(entry.slug) != entry.slug:
                faults.append(f"[{entry.slug}]: is not in normal form; write [{normalise(entry.slug) or 'a_word'}]")
            names = [name for group in entry.names.values() for name in group]
            for spelling in (entry.slug, *entry.aliases, *entry.titles.values(), *names):
                slug = normalise(spelling)
                owner = spellings.setdefault(slug, entry.slug)
                if not slug:
                    faults.append(f"[{entry.slug}]: {spelling!r} has no letter that a hashtag could hold")
                elif owner != entry.slug:
                    faults.append(f"[{entry.slug}]: {spelling!r} belongs to [{owner}] already")
        if faults:
            raise ThesaurusError(faults)
        return cls(entries, spellings)

    @property
    def slugs(self) -> tuple[str, ...]:
        """Every canonical tag."""
        return tuple(self._entries)

    def canonical(self, text: str) -> str:
        """The tag that `text` spells: its canonical form if the thesaurus knows it, else its own normal form."""
        slug = normalise(text)
        return self._spellings.get(slug, slug)

    def title(self, slug: str, language: str) -> str | None:
        """What the tag is called in a language, if the thesaurus says so."""
        entry = self._entries.get(slug)
        return entry.titles.get(language) if entry else None

    def find(self, text: str, language: str) -> tuple[str, ...]:
        """The tags whose names stand in `text`, in the order they stand there.

        Names of every language are looked for; a one-word name in lower case, a common noun, only in its own
        language, where it can mean nothing else.
        """
        spoken = language.split("-", maxsplit=1)[0].lower()
        found: dict[str, None] = {}
        plain = _APOSTROPHES.sub("", text)
        words = _WORD.findall(plain.casefold())
        first = self._lengths.keys() & set(words)
        if not first:
            return ()
        written = _WORD.findall(plain)
        if len(written) != len(words):  # a letter whose small form is two characters: İ
            words = [word.casefold() for word in written]
        for at, word in enumerate(words):
            if word not in first:
                continue
            for length in sorted(self._lengths[word], reverse=True):
                if at + length <= len(words):
                    found.update(dict.fromkeys(self._matches(words, written, at, length, spoken)))
        return tuple(found)

    def _matches(
        self, words: Sequence[str], written: Sequence[str], at: int, length: int, spoken: str
    ) -> Iterator[str]:
        for slug, condition in sorted(self._phrases.get(tuple(words[at : at + length]), ())):
            if written[at] == condition if condition.isupper() else condition in {"", spoken}:
                yield slug

    def _add_phrase(self, name: str, slug: str, language: str) -> None:
        written = _WORD.findall(_APOSTROPHES.sub("", name))
        if not written:
            return
        words = tuple(word.casefold() for word in written)
        condition = ""
        if len(words) == 1 and written[0].isupper() and len(written[0]) <= ACRONYM:
            condition = written[0]
        elif len(words) == 1 and written[0].islower():
            condition = language.lower()
        self._phrases[words].add((slug, condition))
        self._lengths[words[0]].add(len(words))
