"""Which rules an article satisfies, and why.

The store finds the readers of an article by SQL; these functions say the same for one chat, late: when its card is
rendered. A property test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.core.model import Millis, Rule, RuleSpec


def satisfies(spec: RuleSpec, terms: Collection[str]) -> bool:
    """Whether an article of these terms (tags and sources) has every wanted one and no unwanted one."""
    return all(term in terms for term in spec.wanted) and not any(term in terms for term in spec.unwanted)


def reasons(rules: Iterable[Rule], terms: Collection[str], now: Millis, never: Collection[str] = ()) -> tuple[str, ...]:
    """The terms for which a chat gets an article, in the order it followed them; empty: it does not get it.

    A rule that is muted at `now` gives no reason; `never` are the terms that the chat excludes whatever it follows.
    """
    return tuple(dict.fromkeys(term for rule in firing(rules, terms, now, never) for term in rule.spec.wanted))


def firing(rules: Iterable[Rule], terms: Collection[str], now: Millis, never: Collection[str] = ()) -> list[Rule]:
    """The rules for which a chat gets an article, oldest first; the decision of `reasons`."""
    if any(term in terms for term in never):
        return []
    found = [rule for rule in rules if rule.muted_until <= now and satisfies(rule.spec, terms)]
    return sorted(found, key=lambda rule: (rule.created_at, rule.id))


@dataclass(frozen=True, slots=True)
class Unmet:
    """What keeps a rule from firing on an article; it fires when nothing does."""

    missing: tuple[str, ...] = ()  #: wanted terms that the article does not bear
    refused: tuple[str, ...] = ()  #: unwanted terms that it bears
    excluded: tuple[str, ...] = ()  #: terms that it bears and the chat never wants
    muted: bool = False

    @property
    def fires(self) -> bool:
        """Whether nothing keeps it."""
        return not (self.missing or self.refused or self.excluded or self.muted)


def unmet(rule: Rule, terms: Collection[str], now: Millis, never: Collection[str] = ()) -> Unmet:
    """Why a rule does not fire on an article of these terms; the same decision as `reasons`, taken apart."""
    return Unmet(
        missing=tuple(term for term in rule.spec.wanted if term not in terms),
        refused=tuple(term for term in rule.spec.unwanted if term in terms),
        excluded=tuple(term for term in never if term in terms),
        muted=rule.muted_until > now,
    )
