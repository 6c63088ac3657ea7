"""The lexicon: which tags stand in a text, by the names of the thesaurus and by the words that people follow.

A text is compared word by word, each by the forms that a morphology gives it, on both sides: `мирного плану` finds
`мирний план`, and `anatomy` never finds nato. What a capital, a headline or a language must say for a single word:
sources-and-tags.md 3 and 4, and `Lexicon`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.phrases import LONGEST, PhraseIndex
from bot.core.tags import normalise
from bot.core.thesaurus import words_of
from bot.core.words import APOSTROPHES, read, untied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.core.thesaurus import Thesaurus
    from bot.core.words import Word


#: Words of an article's body that are read, in about 2 ms. The lead and what follows it say what an article is about;
#: further down stands what else has happened.
BODY_WORDS = 400
HEADLINE_WORDS = 60
#: In a text of more words, all in capitals, capitals say nothing.
SHOUT = 3
#: A single name of at most as many capitals is found only in capitals: US, EU, UN, ЄС are words when small.
LATIN_ACRONYM, CYRILLIC_ACRONYM = 3, 2
#: Words that are written like acronyms where all is in capitals; those of three letters, followed, are acronyms alone.
_SMALL_WORDS = frozenset(
    {"all", "and", "any", "are", "but", "can", "did", "for", "get", "had", "has", "her", "him", "his", "how", "its"}
    | {"let", "may", "new", "nor", "not", "now", "off", "old", "one", "our", "out", "own", "per", "put", "say", "she"}
    | {"the", "too", "two", "use", "via", "was", "way", "who", "why", "yet", "you"}
    | {"am", "an", "as", "at", "be", "by", "do", "go", "he", "if", "in", "is", "it", "me", "my", "no", "of", "on", "or"}
    | {"so", "to", "up", "us", "we"}
    | {"аж", "бо", "де", "до", "за", "із", "їй", "їм", "ми", "на", "не", "ні", "но", "об", "он", "по", "та", "те", "ти"}
    | {"то", "ту", "це", "ці", "чи", "ще", "що", "я", "як"}
    | {"бы", "во", "вы", "да", "же", "из", "ко", "ли", "мы", "от", "со", "ты"}
)
#: Languages that are read word by word. In others a word of ours may be a word of theirs: Italian `nato` is born.
_READ = frozenset({"en", "uk", "ru"})
#: A woman's surname is another person's: Зеленська is not Зеленський. By the ending of the adjective.
_HERS = re.compile("(?:а|ої|ій|(?<!ом)у|ою|ая|ой|ую)$")
_HIS = re.compile("[иы]й$")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[A-Za-z]")
_UKRAINIAN = re.compile("[іїєґІЇЄҐ]")
_RUSSIAN = re.compile("[ыэёъЫЭЁЪ]")
_UKRAINIAN_WORD = re.compile(r"\b(?:та|що|й|є|або|для)\b", re.IGNORECASE)
#: Languages of other scripts: a Latin text of theirs is English.
_NOT_LATIN = frozenset(
    {"ar", "be", "bg", "bn", "el", "fa", "he", "hi", "hy", "ja", "ka", "kk", "ko", "ky", "mk", "mn", "ru", "sr", "tg"}
    | {"th", "uk", "ur", "zh"}
)
_HASHTAG = re.compile(r"(?<![\w#&])#(\w+)")
#: An acronym with the ending that a language gives it: ЄСу, POWs, US's.
_ACRONYM = re.compile(rf"([A-ZА-ЯҐЄІЇ0-9]{{2,}})(?:[{APOSTROPHES}]?[a-zа-яєії]{{1,2}})?")
_BREAK_FORMS = ("",)
#: In a label, after the slug. A language there: found only in its texts. Else what a single word must show:
#: a capital; one, and the ending of a man's name; one where no sentence begins; one, and only capitals in languages
#: that are not read.
_NAME, _MAN, _INSIDE, _CAPITALS = "^", "^m", "^i", "^c"
#: Before a name that begins a sentence as another word: Газу is also gas.
_NOT_FIRST = "…"


def language_of(text: str, declared: str) -> str:
    """The language of a text: what its feed declares, checked by the letters (sources-and-tags.md 4).

    Args:
        text: headline and lead are enough.
        declared: BCP 47; may be empty.
    """
    spoken = declared.partition("-")[0].lower()
    latin, cyrillic = len(_LATIN.findall(text)), len(_CYRILLIC.findall(text))
    if latin > cyrillic:
        return spoken if spoken and spoken not in _NOT_LATIN else "en"
    if not cyrillic:
        return spoken or "en"
    ukrainian, russian = len(_UKRAINIAN.findall(text)), len(_RUSSIAN.findall(text))
    if ukrainian != russian:
        return "uk" if ukrainian > russian else "ru"
    if spoken in {"uk", "ru"}:
        return spoken
    return "uk" if _UKRAINIAN_WORD.search(text) else "ru"


@dataclass(frozen=True, slots=True)
class Found:
    """A tag that stands in a text, and the words that say so, as they are written there."""

    slug: str
    words: str


class Lexicon:
    """Finds tags in texts: by the names of the thesaurus, and by the words of the tags that people follow.

    Several words together count wherever they stand. A single one counts in the headline; in the body only when it is
    written as a name: in capitals, or with one where no sentence begins. Of the thesaurus, a name with a capital
    counts with a capital only, after `…` only where no sentence begins, and a common noun only in a text of its
    language.

    Args:
        thesaurus: names to tags.
        forms: gives the forms under which a casefolded word of a language is compared, the likeliest first.
    """

    def __init__(self, thesaurus: Thesaurus, forms: Callable[[str, str], tuple[str, ...]]) -> None:
        self.thesaurus = thesaurus
        self._forms = forms
        self._index = PhraseIndex()
        self._unlike: dict[tuple[str, str], set[str]] = {}  #: slugs by language and form
        for entry in thesaurus.entries:
            for language, names in (*entry.names.items(), *entry.signs.items()):
                for name in names:
                    self._learn(name, entry.slug, language.lower())
            for language, forms_of in entry.unlike.items():
                for form in forms_of:
                    self._unlike.setdefault((language.lower(), form.casefold()), set()).add(entry.slug)

    def forms(self, word: str, language: str) -> tuple[str, ...]:
        """The forms under which a casefolded word is compared."""
        return self._forms(word, language)

    def follow(self, slug: str) -> None:
        """Find the words of this tag from now on. One of the thesaurus has its names already."""
        for words in self._phrases_of(slug):
            self._index.add(words, slug)

    def unfollow(self, slug: str) -> None:
        """Find them no more."""
        for words in self._phrases_of(slug):
            self._index.discard(words, slug)

    def named(self, text: str) -> tuple[str, ...]:
        """The tags of the thesaurus that a whole text names, in any inflection: what somebody who typed it may mean."""
        words = [word.text.casefold() for word in read(text, LONGEST + 1)[1] if word.text]
        found: dict[str, None] = {}
        for language in sorted(_READ):
            tokens = [self._forms(word, language) for word in words]
            for _, length, label in self._index.find(tokens):
                slug, _, condition = label.partition(":")
                if length == len(words) and slug in self.thesaurus and not _is_hers(words[0], condition):
                    found[slug] = None
        return tuple(found)

    def find(self, headline: str, body: str, language: str) -> tuple[Found, ...]:
        """The tags that stand in an article, each once, in the order they first stand there.

        Args:
            headline: its own, in plain text.
            body: the lead, and the text where the feed gives it, in plain text; its first `BODY_WORDS` words are
                read, and its hashtags wherever they stand.
            language: as `language_of` says.
        """
        found: dict[str, Found] = {}
        for text, headed in ((headline, True), (body, False)):
            for _, _, slug, words in sorted(self._hits(text, language, headed=headed)):
                found.setdefault(slug, Found(slug, words))
        return tuple(found.values())

    def _hits(self, text: str, language: str, *, headed: bool) -> Iterator[tuple[int, int, str, str]]:
        """(start, its end as a negative number, slug, words) of all that counts: sorted, the longer are first."""
        seen, words = read(text, HEADLINE_WORDS if headed else BODY_WORDS)
        for match in _HASHTAG.finditer(seen):
            if slug := self.thesaurus.canonical(match[1]):
                yield match.start(), -match.end(), slug, match[0]
        shouted = seen.isupper() and len(words) > SHOUT
        for sequence in filter(None, (words, untied(words))):
            # Words with a hyphen taken out are one word: `ЄС-ів` is no ЄС with an ending.
            acronyms = sequence is words and (not shouted or language in _READ)
            tokens = [self._token(word, language, acronyms=acronyms, shouted=shouted) for word in sequence]
            for at, length, label in self._index.find(tokens):
                slug, _, condition = label.partition(":")
                first, last = sequence[at], sequence[at + length - 1]
                if length == 1 and not _counts(first, condition, language, anyhow=headed, shouted=shouted):
                    continue
                if length > 1 or slug not in self._unlike.get((language, first.text.casefold()), ()):
                    yield first.start, -last.end, slug, seen[first.start : last.end]

    def _token(self, word: Word, language: str, *, acronyms: bool, shouted: bool) -> tuple[str, ...]:
        if not word.text:
            return _BREAK_FORMS
        small = word.text.casefold()
        forms = self._forms(small, language)
        if acronyms and word.text[:2].isupper() and (acronym := _ACRONYM.fullmatch(word.text)):
            doubtful = shouted and small in _SMALL_WORDS  # who shouts writes words in capitals too
            return (*forms, acronym[1]) if acronym[1] in self._index and not doubtful else forms
        return forms

    def _learn(self, name: str, slug: str, language: str) -> None:
        written = words_of(name)
        for words in [written, ["".join(written)]] if "-" in name else [written]:
            label, languages = slug, _languages(name)
            if len(words) == 1:
                if _is_acronym(words[0]):
                    self._index.add([words], slug)
                    continue
                if words[0].islower():
                    label, languages = f"{slug}:{language}", (language,)
                elif words[0].isupper():
                    label = f"{slug}:{_CAPITALS}"
                elif name.startswith(_NOT_FIRST):
                    label = f"{slug}:{_INSIDE}"
                else:
                    label = f"{slug}:{_MAN if _HIS.search(words[0]) else _NAME}"
            for one in languages:
                self._index.add([self._name_forms(word, one) for word in words], label)

    def _phrases_of(self, slug: str) -> Iterator[list[tuple[str, ...]]]:
        """The words of a followed tag, in each language that they may be of."""
        words = slug.split("_")
        if self.thesaurus.canonical(slug) in self.thesaurus or len(words) > LONGEST:
            return
        if len(words) == 1 and _is_acronym(slug.upper()):
            yield [(slug.upper(),)]
            if len(slug) < LATIN_ACRONYM or slug in _SMALL_WORDS:
                return
        for language in _languages(slug):
            yield [self._name_forms(word, language) for word in words]
        if any(word.isdigit() for word in words[1:]):
            yield [("".join(words),)]  # F16

    def _name_forms(self, word: str, language: str) -> tuple[str, ...]:
        """A name stands in its dictionary form: if that is among the lemmas, the others are of other words.

        Київ is also the genitive of кий, a cue; вибори are elections, and a form of вибір, a choice.
        """
        plain = word.casefold()
        forms = self._forms(plain, language)
        return (own,) if (own := normalise(plain)) in forms else forms


def _counts(word: Word, condition: str, language: str, *, anyhow: bool, shouted: bool) -> bool:
    """Whether a single word counts where it stands. `anyhow`: in a headline it does, if nothing else is asked of it."""
    if condition.startswith(_NAME):
        if condition == _CAPITALS and language not in _READ:
            return word.text.isupper() and not shouted
        doubtful = condition == _INSIDE and (word.opens or shouted)
        return word.text[0].isupper() and not doubtful and not _is_hers(word.text.casefold(), condition)
    if condition not in {"", language}:
        return False
    capital = word.text[0].isupper() and not shouted
    return anyhow or (capital and (not word.opens or (len(word.text) > 1 and word.text.isupper())))


def _is_hers(word: str, condition: str) -> bool:
    """Whether a casefolded word is a woman's surname where a man's is looked for."""
    return condition == _MAN and _HERS.search(word) is not None


def _languages(name: str) -> tuple[str, ...]:
    """The languages whose texts may hold a name: Latin ones as English inflects them, and as they are."""
    return ("uk", "ru") if _CYRILLIC.search(name) else ("en", "")


def _is_acronym(word: str) -> bool:
    return word.isupper() and len(word) <= (CYRILLIC_ACRONYM if _CYRILLIC.search(word) else LATIN_ACRONYM)
