"""Which rules an article satisfies, and why.

The store finds the readers of an article by SQL; these functions say the same for one chat, late: when its card is
rendered. A property test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.core.model import Millis, Rule, RuleSpec


def satisfies(spec: RuleSpec, tags: Collection[str]) -> bool:
    """Whether an article bearing `tags` has every wanted tag and no unwanted one."""
    return all(slug in tags for slug in spec.wanted) and not any(slug in tags for slug in spec.unwanted)


def reasons(rules: Iterable[Rule], tags: Collection[str], now: Millis) -> tuple[str, ...]:
    """The tags for which a chat gets an article, in the order it followed them; empty: it does not get it.

    A rule that is muted at `now` gives no reason.
    """
    found = (
        slug
        for rule in sorted(rules, key=lambda rule: (rule.created_at, rule.id))
        if rule.muted_until <= now and satisfies(rule.spec, tags)
        for slug in rule.spec.wanted
    )
    return tuple(dict.fromkeys(found))
