"""The little language of /sub.

    #nato #eu             two rules
    #nato + #peace_plan   one rule: both
    #nato -#sport         one rule: nato, but not sport
    "грошова допомога"    one tag
    peace plan            one tag when it is known as one, else two

Nothing typed raises: what cannot be understood comes back as a `Fault` with the piece it is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.model import RuleSpec
from bot.core.tags import MAX_LENGTH, hashtag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_RULES = 20
MAX_TYPED = 1000
MAX_WORDS = 6
_TOKEN = re.compile(r'["“«„]([^"”»“]*)["”»“]|([+,;])|(?<!\S)([-–—−])(?=\s|[#＃\w"“«])|([^\s+,;]+)')


class FaultKind(StrEnum):
    """Why a piece was not understood."""

    NOT_A_TAG = "not-a-tag"
    ONLY_EXCLUSIONS = "only-exclusions"
    CONTRADICTION = "contradiction"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"


@dataclass(frozen=True, slots=True)
class Fault:
    """A piece of what was typed, where it stands (in characters), and what is wrong with it."""

    kind: FaultKind
    piece: str
    position: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood, and what was not."""

    rules: tuple[RuleSpec, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  #: tag, word, plus, minus, end
    text: str
    at: int


def render(spec: RuleSpec) -> str:
    """A rule as it is typed: `#nato + #peace_plan -#sport`."""
    return " + ".join(map(hashtag, spec.wanted)) + "".join(f" -{hashtag(slug)}" for slug in spec.unwanted)


def parse(text: str, known: Callable[[str], bool], canonical: Callable[[str], str]) -> Parsed:
    """Understand what was typed after /sub.

    Args:
        text: as typed.
        known: whether a tag in normal form exists; decides whether loose words are one tag.
        canonical: the canonical tag of a spelling; "" when it can be none.
    """
    if len(text) > MAX_TYPED:
        return Parsed(faults=(Fault(FaultKind.TOO_LONG, text[:40], 0),))
    tokens = _joined(_tokens(text), known, canonical)
    reader = _Reader(canonical)
    for token in tokens:
        reader.take(token)
    return reader.result()


def _tokens(text: str) -> list[_Token]:
    tokens = []
    for match in _TOKEN.finditer(text):
        quoted, mark, minus, word = match.groups()
        if quoted is not None:
            tokens.append(_Token("tag", quoted, match.start()))
        elif mark:
            tokens.append(_Token("plus" if mark == "+" else "end", mark, match.start()))
        elif minus:
            tokens.append(_Token("minus", minus, match.start()))
        elif word:
            hashtagged = word.startswith(("#", "＃"))
            parts = [part for part in re.split("[#＃]", word) if part] if hashtagged else [word]
            kind = "tag" if hashtagged else "word"
            tokens.extend(_Token(kind, part, match.start()) for part in parts or [word])
    return tokens


def _joined(tokens: Sequence[_Token], known: Callable[[str], bool], canonical: Callable[[str], str]) -> list[_Token]:
    """Loose words made tags: the longest run of them that is a known tag, else each its own."""
    joined, at = [], 0
    while at < len(tokens):
        run = 1
        if tokens[at].kind == "word":
            words = [token.text for token in _words_from(tokens, at)]
            lengths = (n for n in range(len(words), 1, -1) if known(canonical(" ".join(words[:n]))))
            run = next(lengths, 1)
            joined.append(_Token("tag", " ".join(words[:run]), tokens[at].at))
        else:
            joined.append(tokens[at])
        at += run
    return joined


def _words_from(tokens: Sequence[_Token], at: int) -> list[_Token]:
    run = []
    for token in tokens[at : at + MAX_WORDS]:
        if token.kind != "word":
            break
        run.append(token)
    return run


class _Reader:
    """Puts tags together to rules, token by token."""

    def __init__(self, canonical: Callable[[str], str]) -> None:
        self._canonical = canonical
        self._rules: list[tuple[list[str], list[str], _Token]] = []
        self._faults: list[Fault] = []
        self._joining = False
        self._excluding = False

    def take(self, token: _Token) -> None:
        if token.kind == "plus":
            self._joining = True
        elif token.kind == "minus":
            self._excluding = True
        elif token.kind == "end":
            self._joining = self._excluding = False
        else:
            self._take_tag(token)
            self._joining = self._excluding = False

    def _take_tag(self, token: _Token) -> None:
        slug = self._canonical(token.text)
        if len(token.text) > MAX_LENGTH:
            self._faults.append(
                Fault(FaultKind.TOO_LONG, token.text[:MAX_LENGTH], token.at)
            )  # cut, it would be another
        elif not slug:
            self._faults.append(Fault(FaultKind.NOT_A_TAG, token.text, token.at))
        elif self._excluding and not self._rules:
            self._faults.append(Fault(FaultKind.ONLY_EXCLUSIONS, token.text, token.at))
        elif self._excluding:
            self._rules[-1][1].append(slug)
        elif self._joining and self._rules:
            self._rules[-1][0].append(slug)
        else:
            self._rules.append(([slug], [], token))

    def result(self) -> Parsed:
        rules: dict[str, RuleSpec] = {}
        for wanted, unwanted, token in self._rules:
            spec = RuleSpec(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))
            if set(spec.wanted) & set(spec.unwanted):
                self._faults.append(Fault(FaultKind.CONTRADICTION, render(spec), token.at))
            else:
                rules.setdefault(spec.key, spec)
        if len(rules) > MAX_RULES:
            self._faults.append(Fault(FaultKind.TOO_MANY, "", 0))
            return Parsed(faults=tuple(self._faults))
        return Parsed(tuple(rules.values()), tuple(self._faults))
