"""Full-text search: what is indexed of an article, what a reader's words ask for, and in which order it is shown.

Words are compared as everywhere, by all their forms (feeds/morphology.py): `мирного плану` finds `мирний план`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bot.core.lexicon import language_of
from bot.core.words import read, untied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.core.model import Millis

    Forms = Callable[[str, str], tuple[str, ...]]

#: Words of a query that are looked for, and of a headline or lead that are indexed.
MOST_WORDS, MOST_INDEXED = 12, 400
#: A longer run of letters is no word, and no index needs it.
LONGEST_WORD = 48
#: What stands in the headline is what an article is about: it counts as so much younger.
HEADLINE_MS = 7 * 24 * 60 * 60 * 1000
#: A word that was typed is looked for in each of these: nobody says in which language they search.
_LANGUAGES = ("uk", "ru", "en", "")
_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]')


@dataclass(frozen=True, slots=True)
class Indexed:
    """The forms of an article's words, each once, parted by spaces."""

    headline: str
    lead: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all of the words, each in any of its forms, and the phrases word by word."""

    words: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[tuple[tuple[str, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that holds every word of a query."""

    article_id: int
    published_at: Millis
    in_headline: bool  #: all of them stand in the headline


def indexed(title: str, summary: str, declared: str, forms: Forms) -> Indexed:
    """What is kept of an article; `declared` is its feed's language."""
    language = language_of(f"{title}\n{summary}", declared)
    return Indexed(*(" ".join(dict.fromkeys(chain(*_tokens(text, language, forms)))) for text in (title, summary)))


def understand(typed: str, forms: Forms) -> Query:
    """The query that somebody typed; of a very long one its first words. Without a word in it, it is empty."""
    phrases = [found for part in _QUOTED.findall(typed) if len(found := _asked(part, forms)) > 1]
    return Query(tuple(dict.fromkeys(_asked(typed, forms))), tuple(map(tuple, phrases)))


def holds(title: str, summary: str, declared: str, query: Query, forms: Forms) -> bool:
    """Whether every phrase of the query stands in the headline or in the lead, word after word."""
    language = language_of(f"{title}\n{summary}", declared)
    texts = [[frozenset(forms_of) for forms_of in _tokens(text, language, forms)] for text in (title, summary)]
    return all(any(_stands(phrase, tokens) for tokens in texts) for phrase in query.phrases)


def ranked(hits: Iterable[Hit]) -> list[int]:
    """The articles, the newest first; one whose headline holds every word is taken for a week younger."""
    found = {hit.article_id: hit.published_at + hit.in_headline * HEADLINE_MS for hit in hits}
    return sorted(found, key=lambda number: (-found[number], -number))


def _stands(phrase: Sequence[Sequence[str]], tokens: Sequence[frozenset[str]]) -> bool:
    places = range(len(tokens) - len(phrase) + 1)
    return any(all(not tokens[at + n].isdisjoint(word) for n, word in enumerate(phrase)) for at in places)


def _asked(text: str, forms: Forms) -> list[tuple[str, ...]]:
    words = [word.text.casefold() for word in read(text, MOST_WORDS)[1] if 0 < len(word.text) <= LONGEST_WORD]
    every = (tuple(dict.fromkeys(chain(*(forms(word, language) for language in _LANGUAGES)))) for word in words)
    return [found for known in every if (found := tuple(filter(None, known)))]


def _tokens(text: str, language: str, forms: Forms) -> list[tuple[str, ...]]:
    """The words' forms in their order, then those of the words that hyphens tie: F-16 is found as f16 too."""
    _, words = read(text, MOST_INDEXED)
    tied = [word for word in untied(words) or () if word not in words]
    plain = (word.text.casefold() for word in (*words, *tied) if 0 < len(word.text) <= LONGEST_WORD)
    return [tuple(filter(None, forms(word, language))) for word in plain]
