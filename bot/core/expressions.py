"""The little language of /sub.

    rule       = term { "+" term } { "-" term }
    term       = #tag | "quoted words" | @source | loose words
    message    = { rule | exclusion } , parted by spaces, commas or lines
    exclusion  = "-" term, before any rule: this chat never gets it, whatever else it follows

    #nato #eu             two rules
    #nato + #peace_plan   one rule: both
    #nato -#sport         one rule: nato, but not sport
    "грошова допомога"    one tag
    peace plan            one tag when it is known as one, else two
    @interfax-en          everything of a source

Words that join others in a sentence (and, або, без) are no tags, unless written as one, #and: `#nato без #sport` must
not follow sport. Nothing typed raises: what cannot be understood comes back as a `Fault` with the piece it is about and
its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.model import RuleSpec
from bot.core.tags import MAX_LENGTH, hashtag, source_term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_RULES = 20
MAX_TERMS = 10
MAX_TYPED = 1000
MAX_WORDS = 6
_JOINING = frozenset(["and", "or", "і", "й", "та", "або", "и", "или"])
_REFUSING = frozenset(["not", "no", "without", "except", "but", "не", "без", "крім", "окрім", "кроме", "ні", "но"])
_TOKEN = re.compile(
    r'[#＃]?["“«„](?P<quoted>[^"”»“«„]*)["”»“]'
    r'|(?P<open>["“«„”»].*)'
    r"|(?P<address>(?:https?://|t\.me/|www\.)\S+)"
    r"|(?P<command>/[a-z_]\w*(?:@\w+)?(?=\s|$))"
    r"|(?P<html></?[a-z][^<>]{0,40}>)"
    r"|(?P<refusing>[!~^]+(?=[#＃\"“«„\w]))"
    r"|(?P<mark>[+,;\n])"
    r'|(?<![^\s+,;])(?P<minus>[-–—−])(?=\s|[#＃@\w"“«„]|$)'
    r'|(?P<word>(?:(?!</?[a-z])[^\s+,;"“«„”»])+)',
    re.DOTALL | re.IGNORECASE,
)


class FaultKind(StrEnum):
    """Why a piece was not understood."""

    NOT_A_TAG = "not-a-tag"  #: no letter that a hashtag could hold
    NO_SOURCE = "no-source"  #: no feed of this name
    ADDRESS = "address"  #: a link
    CONTRADICTION = "contradiction"
    DANGLING = "dangling"  #: a + or - without a term on both, or after it
    UNCLOSED = "unclosed"  #: a quote that does not end
    JOINING = "joining"  #: a word such as "and"
    REFUSING = "refusing"  #: a word such as "not", with what it refuses, which is not followed
    COMMAND = "command"  #: another command in the same message
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
    exclusions: tuple[str, ...] = ()  #: terms that the chat never wants
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  #: tag, word, source, plus, minus, end, or the kind of a fault
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean.

    Args:
        known: whether a tag in normal form exists; decides whether loose words are one tag.
        canonical: the canonical tag of a spelling; "" when it can be none.
        source: the feed that a typed name means; "" when there is none.
    """

    known: Callable[[str], bool]
    canonical: Callable[[str], str]
    source: Callable[[str], str] = field(default=lambda _: "")


def render(spec: RuleSpec) -> str:
    """A rule as it is typed: `#nato + #peace_plan -#sport`."""
    return " + ".join(map(hashtag, spec.wanted)) + "".join(f" -{hashtag(slug)}" for slug in spec.unwanted)


def parse(text: str, names: Names) -> Parsed:
    """Understand what was typed after /sub."""
    if len(text) > MAX_TYPED:
        return Parsed(faults=(Fault(FaultKind.TOO_LONG, text[:40], 0),))
    reader = _Reader(names)
    for token in _joined(_tokens(text), names):
        reader.take(token)
    return reader.result()


def loose_tags(text: str, canonical: Callable[[str], str]) -> set[str]:
    """Every tag that loose words of `text` could be together: what `Names.known` may be asked about."""
    tokens = _tokens(text[:MAX_TYPED])
    runs = ([token.text for token in _words_from(tokens, at)] for at in range(len(tokens)))
    return {slug for run in runs for n in range(1, len(run) + 1) if (slug := canonical(" ".join(run[:n])))}


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind, found, at = str(match.lastgroup), match[str(match.lastgroup)], match.start()
        if kind == "quoted":
            tokens.append(_Token("tag", found, at))
        elif kind == "mark":
            tokens.append(_Token({"+": "plus", "\n": "line"}.get(found, "end"), found, at))
        elif kind == "html":
            continue  # copied from somewhere with its markup
        elif kind == "word":
            tokens.extend(_of_word(found, at))
        else:
            tokens.append(_Token(kind, found, at))
    return tokens


def _of_word(word: str, at: int) -> Iterable[_Token]:
    """`#a#b` is two tags, `#a-#b` a tag and an exclusion; `@name` is a source."""
    if word.startswith("@") and len(word) > 1:
        return [_Token("source", word, at)]
    if not word.startswith(("#", "＃")):
        return [_Token("word", word, at)]
    found: list[_Token] = []
    for part in re.finditer("[^#＃]+", word):
        tag = part[0].rstrip("-–—−") if part.end() < len(word) else part[0]
        if tag:
            found.append(_Token("tag", tag, at + part.start()))
        if tag != part[0]:
            found.append(_Token("minus", part[0][len(tag) :], at + part.start() + len(tag)))
    return found or [_Token("word", word, at)]


def _joined(tokens: Sequence[_Token], names: Names) -> list[_Token]:
    """Loose words made tags: the longest run of them that is a known tag, else each its own."""
    joined, at = [], 0
    while at < len(tokens):
        run = 1
        if tokens[at].kind == "word":
            words = [token.text for token in _words_from(tokens, at)]
            lengths = (n for n in range(len(words), 1, -1) if names.known(names.canonical(" ".join(words[:n]))))
            run = next(lengths, 1)
            joined.append(_Token(_kind_of(words[0]) if run == 1 else "tag", " ".join(words[:run]), tokens[at].at))
        else:
            joined.append(tokens[at])
        at += run
    return joined


def _kind_of(word: str) -> str:
    small = word.casefold()
    return "joining" if small in _JOINING else "refusing" if small in _REFUSING else "tag"


def _words_from(tokens: Sequence[_Token], at: int) -> list[_Token]:
    run = []
    for token in tokens[at : at + MAX_WORDS]:
        if token.kind != "word":
            break
        run.append(token)
    return run


_FAULTY = {
    "open": FaultKind.UNCLOSED,
    "address": FaultKind.ADDRESS,
    "command": FaultKind.COMMAND,
    "joining": FaultKind.JOINING,
}


class _Reader:
    """Puts terms together to rules, token by token."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._rules: list[tuple[list[str], list[str], _Token]] = []
        self._exclusions: list[str] = []
        self._faults: list[Fault] = []
        self._sign: _Token | None = None  #: a + or - that waits for its term

    def take(self, token: _Token) -> None:
        if token.kind in {"plus", "minus", "refusing"}:
            self._dangles()
            self._sign = token
            if token.kind == "plus" and not self._rules:
                self._dangles()
        elif token.kind == "end":
            self._dangles()
        elif token.kind == "line":
            pass  # a rule that ends with a sign goes on below
        elif token.kind in _FAULTY:
            self._fault(_FAULTY[token.kind], token)
            self._sign = None
        else:
            self._take_term(token)
            self._sign = None

    def _dangles(self) -> None:
        """A sign that no term follows."""
        if self._sign is not None:
            self._fault(FaultKind.REFUSING if self._sign.kind == "refusing" else FaultKind.DANGLING, self._sign)
            self._sign = None

    def _take_term(self, token: _Token) -> None:
        if self._sign and self._sign.kind == "refusing":
            self._dangles()  # what is refused is no term
            return
        term = self._term(token)
        if not term:
            return
        sign = self._sign.kind if self._sign else ""
        if sign == "minus" and not self._rules:
            self._exclusions.append(term)
        elif sign and self._rules:
            wanted, unwanted, _ = self._rules[-1]
            (unwanted if sign == "minus" else wanted).append(term)
            if len(wanted) + len(unwanted) > MAX_TERMS:
                self._fault(FaultKind.TOO_MANY, token)
        else:
            self._rules.append(([term], [], token))

    def _term(self, token: _Token) -> str:
        """The term that a token names; "" and a fault when it names none."""
        if token.kind == "source":
            feed = self._names.source(token.text[1:])
            if not feed:
                self._fault(FaultKind.NO_SOURCE, token)
            return source_term(feed) if feed else ""
        if len(token.text) > MAX_LENGTH:
            # Cut, it would be another tag.
            self._faults.append(Fault(FaultKind.TOO_LONG, token.text[:MAX_LENGTH], token.at))
            return ""
        slug = self._names.canonical(token.text)
        if not slug:
            self._fault(FaultKind.NOT_A_TAG, token)
        return slug

    def _fault(self, kind: FaultKind, token: _Token) -> None:
        self._faults.append(Fault(kind, token.text, token.at))

    def result(self) -> Parsed:
        self._dangles()
        rules: dict[str, RuleSpec] = {}
        for wanted, unwanted, token in self._rules:
            spec = RuleSpec(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))
            if set(spec.wanted) & set(spec.unwanted):
                self._faults.append(Fault(FaultKind.CONTRADICTION, render(spec), token.at))
            else:
                rules.setdefault(spec.key, spec)
        faults = tuple(sorted(self._faults, key=lambda fault: fault.position))
        if any(fault.kind is FaultKind.TOO_MANY for fault in faults) or len(rules) > MAX_RULES:
            return Parsed(faults=faults if len(rules) <= MAX_RULES else (*faults, Fault(FaultKind.TOO_MANY, "", 0)))
        return Parsed(tuple(rules.values()), tuple(dict.fromkeys(self._exclusions)), faults)
