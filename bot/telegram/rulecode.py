"""Rules in a button's 64 bytes: `12+15-3.8` by the numbers of their terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.expressions import MAX_TERMS
from bot.core.model import RuleSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store.store import Store

CODE = r"[\d+.-]+"
#: Telegram's limit is 64 bytes, of which a button's own name takes some.
LONGEST = 58
_TERM = re.compile(r"([+-]?)(\d{1,18})")


async def encode(store: Store, specs: Sequence[RuleSpec], address: str = "") -> str:
    """The code of these rules; "" when it would not fit into a button after `address`, or there are none."""
    ids = await store.articles.ensure_tags(term for spec in specs for term in (*spec.wanted, *spec.unwanted))
    rules = (
        "+".join(str(ids[term]) for term in spec.wanted) + "".join(f"-{ids[term]}" for term in spec.unwanted)
        for spec in specs
    )
    code = ".".join(rules)
    return code if len(code) <= LONGEST - len(address) else ""


async def decode(store: Store, code: str) -> list[RuleSpec]:
    """The rules of a code; of a forged one those that can be typed too."""
    numbers = [[(sign, int(number)) for sign, number in _TERM.findall(rule)] for rule in code.split(".")]
    slugs = await store.articles.slugs_of({number for rule in numbers for _, number in rule})
    specs = []
    for rule in numbers:
        wanted = dict.fromkeys(slugs[number] for sign, number in rule if sign != "-" and number in slugs)
        unwanted = dict.fromkeys(slugs[number] for sign, number in rule if sign == "-" and number in slugs)
        if wanted and not wanted.keys() & unwanted.keys() and len(wanted) + len(unwanted) <= MAX_TERMS:
            specs.append(RuleSpec(tuple(wanted), tuple(unwanted)))
    return specs
