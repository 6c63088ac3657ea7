"""An exact index of word sequences, open to new ones at any moment: which of a million phrases stand in a text.

Every word form has a number, and a phrase is one integer made of the numbers of its words: one dict leads from it to
the labels. By its first word one knows how long the phrases are that start there, so most places of a text cost one
look at a byte. A word that is in no phrase ends every phrase that would run over it (sources-and-tags.md 5).
"""

from __future__ import annotations

from array import array
from itertools import chain, product, repeat
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

#: Words of the longest phrase: the lengths that start with a word are the bits of one byte.
LONGEST = 8
#: Combinations of forms that are kept of one phrase.
MOST_KEYS = 32
#: Of a word's number in a key: more words than fit no memory holds, and two words fill two digits of a Python int.
_BITS = 30
#: Which lengths start with a pair of words is kept by a hash of the pair, for as many hashes as this, less one. Pairs
#: that share one cost a needless look; without it most looks of a large index are needless.
_PAIRS = (1 << 22) - 1
_MIX = 40503


class PhraseIndex:
    """Phrases with their labels. A word is the set of forms under which it is compared.

    A phrase stands where each of its words shares a form with the token there; the phrases that overlap it or lie
    within it are found as well. What is kept are the combinations of forms, each with the labels given to it.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._free: list[int] = []
        self._uses = array("L", [0])  # by word number: the keys that hold it
        self._lengths = bytearray(1)  # by word number: bit n for a phrase of n + 1 words that starts with it
        self._pairs = bytearray(_PAIRS + 1)  # by hash of the first two words: as above; never taken back
        self._labels: dict[int, str | tuple[str, ...]] = {}

    def __len__(self) -> int:
        """How many combinations of forms have a label."""
        return len(self._labels)

    def __contains__(self, form: str) -> bool:
        """Whether a phrase holds this form of a word."""
        return form in self._ids

    def add(self, words: Sequence[Collection[str]], label: str) -> None:
        """Find this phrase from now on. Twice is as once.

        Of a phrase with more than `MOST_KEYS` combinations of forms, the last forms of the words with most are left
        out. Raises ValueError for a phrase of no word or of more than `LONGEST`.
        """
        if not 0 < len(words) <= LONGEST:
            raise ValueError(f"a phrase has 1 to {LONGEST} words, not {len(words)}")
        for forms in combinations(words):
            ids = [self._number(form) for form in forms]
            key = _key(ids)
            known = self._labels.get(key)
            if known is None:
                self._labels[key] = label
                bit = 1 << len(ids) - 1
                self._lengths[ids[0]] |= bit
                if len(ids) > 1:
                    self._pairs[ids[0] * _MIX + ids[1] & _PAIRS] |= bit
                for number in ids:
                    self._uses[number] += 1
            elif label not in (labels := _several(known)):
                self._labels[key] = (*labels, label)

    def discard(self, words: Sequence[Collection[str]], label: str) -> None:
        """Take the label from every combination of these forms; what nothing needs any more is forgotten."""
        for forms in combinations(words):
            ids = [self._ids.get(form, 0) for form in forms]
            key = _key(ids)
            known = self._labels.get(key) if all(ids) else None
            if known is None or label not in (labels := _several(known)):
                continue
            left = tuple(other for other in labels if other != label)
            if left:
                self._labels[key] = left if len(left) > 1 else left[0]
                continue
            del self._labels[key]
            for form, number in zip(forms, ids, strict=True):
                self._forget(form, number)

    def find(self, tokens: Sequence[Collection[str]]) -> Iterator[tuple[int, int, str]]:
        """(place of the first token, number of tokens, label) of every phrase that stands in `tokens`, by place."""
        if set(map(len, tokens)) <= {1}:
            return self._walk(list(map(self._ids.get, chain.from_iterable(tokens), repeat(0))))
        return self._walk_sets([tuple(filter(None, map(self._ids.get, forms))) for forms in tokens])

    def _walk(self, ids: list[int]) -> Iterator[tuple[int, int, str]]:
        """The common case, one form a token: this loop is the speed of the index."""
        lengths, pairs, find = self._lengths, self._pairs, self._labels.get
        ids.append(0)
        for at, first in enumerate(ids):
            key = first
            if not (mask := lengths[key]):
                continue
            if mask & 1 and (found := find(key)) is not None:
                if type(found) is str:
                    yield at, 1, found
                else:
                    yield from zip(repeat(at), repeat(1), found)
            if mask > 1 and (number := ids[at + 1]):
                mask &= pairs[key * _MIX + number & _PAIRS]
                end = at + 1
                while mask > 1 and number:
                    key = key << _BITS | number
                    mask >>= 1
                    end += 1
                    if mask & 1 and (found := find(key)) is not None:
                        if type(found) is str:
                            yield at, end - at, found
                        else:
                            yield from zip(repeat(at), repeat(end - at), found)
                    number = ids[end]

    def _walk_sets(self, ids: list[tuple[int, ...]]) -> Iterator[tuple[int, int, str]]:
        """Several forms a token: the same for every combination of them, each label once at a place."""
        lengths, pairs, find = self._lengths, self._pairs, self._labels.get
        ids.append(())
        for at, first in enumerate(ids):
            hits: list[tuple[int, int, str]] = []
            ways = [(number, mask, at) for number in first if (mask := lengths[number])]
            while ways:
                key, mask, end = ways.pop()
                if mask & 1 and (found := find(key)) is not None:
                    hits += [(at, end + 1 - at, label) for label in _several(found)]
                if mask > 1:
                    for number in ids[end + 1]:
                        left = mask & pairs[key * _MIX + number & _PAIRS] if end == at else mask
                        if left > 1:
                            ways.append((key << _BITS | number, left >> 1, end + 1))
            yield from dict.fromkeys(hits) if len(hits) > 1 else hits

    def _number(self, form: str) -> int:
        """The number of a form, a new one if it has none. 0 is nobody's."""
        number = self._ids.get(form)
        if number is None:
            if self._free:
                number = self._free.pop()
            else:
                number = len(self._lengths)
                self._lengths.append(0)
                self._uses.append(0)
            self._ids[form] = number
        return number

    def _forget(self, form: str, number: int) -> None:
        self._uses[number] -= 1
        if not self._uses[number]:
            self._lengths[number] = 0
            self._free.append(number)
            del self._ids[form]


def combinations(words: Sequence[Collection[str]]) -> Iterable[tuple[str, ...]]:
    """The ways to choose one form for each word, at most `MOST_KEYS`."""
    choices = [tuple(dict.fromkeys(word)) for word in words]
    while prod(map(len, choices)) > MOST_KEYS:
        longest = max(range(len(choices)), key=lambda at: len(choices[at]))
        choices[longest] = choices[longest][:-1]
    return product(*choices)


def _key(ids: Iterable[int]) -> int:
    """One integer for one sequence: no number is 0, so none begins another."""
    key = 0
    for number in ids:
        key = key << _BITS | number
    return key


def _several(known: str | tuple[str, ...]) -> tuple[str, ...]:
    return (known,) if isinstance(known, str) else known
