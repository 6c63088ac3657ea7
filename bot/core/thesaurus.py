"""The thesaurus: which names and spellings stand for which tag."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.phrases import LONGEST
from bot.core.tags import normalise
from bot.core.words import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ThesaurusError(Exception):
    """The thesaurus contradicts itself; `faults` holds one line for each contradiction."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class ThesaurusEntry:
    """One canonical tag, with what stands for it by language."""

    slug: str
    titles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: in a text, and spelled as a hashtag
    aliases: tuple[str, ...] = ()  #: other spellings of the hashtag itself
    signs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: tell of it in a text: Eurovision of culture
    unlike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: forms that look like its names and are not


class Thesaurus:
    """Names to tags. Made by `build`."""

    def __init__(self, entries: Sequence[ThesaurusEntry], spellings: Mapping[str, str]) -> None:
        self._entries = {entry.slug: entry for entry in entries}
        self._spellings = dict(spellings)

    @classmethod
    def build(cls, entries: Sequence[ThesaurusEntry]) -> Thesaurus:
        """The thesaurus of these entries. Raises ThesaurusError with everything that is wrong with them."""
        faults: list[str] = []
        spellings: dict[str, str] = {}
        for entry in entries:
            if normalise(entry.slug) != entry.slug:
                faults.append(f"[{entry.slug}]: is not in normal form; write [{normalise(entry.slug) or 'a_word'}]")
            names = [name for group in entry.names.values() for name in group]
            signs = [sign for group in entry.signs.values() for sign in group]
            for spelling in (entry.slug, *entry.aliases, *entry.titles.values(), *names):
                slug = normalise(spelling)
                owner = spellings.setdefault(slug, entry.slug)
                if not slug:
                    faults.append(f"[{entry.slug}]: {spelling!r} has no letter that a hashtag could hold")
                elif owner != entry.slug:
                    faults.append(f"[{entry.slug}]: {spelling!r} belongs to [{owner}] already")
            faults += [
                f"[{entry.slug}]: {name!r} has no word, or more than {LONGEST}"
                for name in (*names, *signs)
                if not 0 < len(words_of(name)) <= LONGEST
            ]
        if faults:
            raise ThesaurusError(faults)
        return cls(entries, spellings)

    @property
    def entries(self) -> tuple[ThesaurusEntry, ...]:
        """Every entry, in the order they were given."""
        return tuple(self._entries.values())

    @property
    def slugs(self) -> tuple[str, ...]:
        """Every canonical tag."""
        return tuple(self._entries)

    def __contains__(self, slug: str) -> bool:
        """Whether this is a canonical tag."""
        return slug in self._entries

    def canonical(self, text: str) -> str:
        """The tag that `text` spells: its canonical form if the thesaurus knows it, else its own normal form."""
        slug = normalise(text)
        return self._spellings.get(slug, slug)

    def title(self, slug: str, language: str) -> str | None:
        """What the tag is called in a language, if the thesaurus says so."""
        entry = self._entries.get(slug)
        return entry.titles.get(language) if entry else None


def words_of(name: str) -> list[str]:
    """The words of a name as they are written."""
    return [word.text for word in read(name, limit=64)[1] if word.text]
