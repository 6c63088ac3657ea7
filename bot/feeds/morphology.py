"""The forms under which a word is compared, so that every inflection of a name finds it.

Ukrainian and Russian words are compared by all their lemmas: the first reading alone misses one form in five
(sources-and-tags.md 4). English ones by a stem that takes away inflection only.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pymorphy3
import Stemmer

#: Words remembered: 32 MB when all are taken (measured).
REMEMBERED = 1 << 16
#: Letters; a longer word is compared as it is and not remembered, so memory stays what it is said to be.
LONGEST_WORD = 48

_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-z]")
_UKRAINIAN = re.compile("[іїєґ]")
_RUSSIAN = re.compile("[ыэёъ]")
_ONE_APOSTROPHE = str.maketrans(dict.fromkeys("’ʼ`‘′ʹ＇", "'"))
#: Where Ukrainian spelling wants an apostrophe, and a hashtag cannot hold it: здоров_я, прем_єр.
_LOST_APOSTROPHE = re.compile("(?<=[бпвмфгґкхжчшрнтдзс])(?=[яюєї])")
#: F-16s: more than one of what bears a number.
_NUMBERS = re.compile(r"(?<=\d)s$")
_ENGLISH_Y = re.compile("(?:ies|y)$")
_ENGLISH_ENDING = re.compile("(?:ed|es|ing|[de]|(?<!s)s)$")


class Morphology:
    """Word and language in, forms out. Two words are the same for us if they share a form.

    A dictionary is loaded when its language is first met (about 0.1 s and 20 MB each), or by `preload`. A word costs
    0.1 to 0.4 us when it is remembered, 10 us when it is new, 40 us when no dictionary has it: an article of 300 words
    is a few milliseconds of the event loop at the very most. Not for several threads at once.
    """

    def __init__(self) -> None:
        self._analysers: dict[str, pymorphy3.MorphAnalyzer] = {}
        self._stemmer = Stemmer.Stemmer("english", 0)  # 0: no cache of its own
        self._remembered = lru_cache(REMEMBERED)(self._analyse)

    def __call__(self, word: str, language: str) -> tuple[str, ...]:
        """The forms of a casefolded word, the likeliest first, without apostrophes; never none.

        Args:
            word: one word, its apostrophes in place: the dictionary spells with them.
            language: of the text, as ISO 639. In Ukrainian and Russian texts Latin words are read as English.
        """
        return self._remembered(word, language) if len(word) <= LONGEST_WORD else (word,)

    @property
    def loaded(self) -> set[str]:
        """Languages whose dictionary is in memory."""
        return set(self._analysers)

    @property
    def remembered(self) -> int:
        """Words whose forms are remembered, at most `REMEMBERED`."""
        return self._remembered.cache_info().currsize

    def preload(self) -> None:
        """Load the dictionaries now, so that the first article does not wait for them."""
        self("слово", "uk")
        self("слово", "ru")

    def _analyse(self, word: str, language: str) -> tuple[str, ...]:
        word = word.translate(_ONE_APOSTROPHE).strip("'")
        if _CYRILLIC.search(word):
            return self._lemmas(word, language)
        if _LATIN.search(word):
            return (self._stem(word) if language in {"en", "uk", "ru"} else _unelided(word),)
        return (word,)

    def _lemmas(self, word: str, language: str) -> tuple[str, ...]:
        """By the dictionary of the language, unless a letter of the word belongs to one of the two alone."""
        if _RUSSIAN.search(word):
            language = "ru"
        elif _UKRAINIAN.search(word) or language != "ru":
            language = "uk"
        analyser = self._analyser(language)
        if language == "uk" and "'" not in word:
            spelled = _LOST_APOSTROPHE.sub("'", word)
            if spelled != word and analyser.word_is_known(spelled) and not analyser.word_is_known(word):
                word = spelled
        lemmas = (lemma.replace("'", "").replace("ё", "е") for lemma in analyser.normal_forms(word))
        return tuple(dict.fromkeys(lemmas)) or (word.replace("'", ""),)

    def _analyser(self, language: str) -> pymorphy3.MorphAnalyzer:
        if language not in self._analysers:
            # Neither tags nor probabilities are asked for: plain tuples, and a third less time.
            self._analysers[language] = pymorphy3.MorphAnalyzer(lang=language, result_type=None)
        return self._analysers[language]

    def _stem(self, word: str) -> str:
        """The word without the endings of number, possession and tense.

        Snowball takes derivation away as well: corruption and corrupt, attacker and attack, national and nation are
        one for it, and three subjects for a reader. What it took beyond an ending is put back.
        """
        word = _NUMBERS.sub("", word.removesuffix("'s").replace("'", ""))
        stem: str = self._stemmer.stemWord(word)
        if not word.startswith(stem):
            return stem
        taken = _ENGLISH_ENDING.sub("", _ENGLISH_Y.sub("i", word[len(stem) :]))
        return stem if taken == stem[-1:] else stem + taken  # plan|ned: a consonant doubled


def _unelided(word: str) -> str:
    """l'otan, dell'unione: the word itself, in whatever Latin language."""
    return max(word.split("'"), key=len)
