"""The audit's chain: each act is sealed with the seal of the one before, so that no row can be changed or taken out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.core.model import Millis

#: What the first act is sealed with.
NOTHING = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An administrative act. People go by numbers (`store.audit`), 0 is nobody."""

    at: Millis
    actor: int
    action: str
    detail: str = ""
    about: int = 0  #: to whom it was done


def seal(before: str, act: Act) -> str:
    """Hex SHA-256 of the seal before and the act as canonical JSON: sorted keys, no spaces, ASCII."""
    written = json.dumps(asdict(act), sort_keys=True, separators=(",", ":"))
    return sha256((before + written).encode()).hexdigest()


def broken(before: str, sealed: Iterable[tuple[int, Act, str]]) -> int | None:
    """The number of the first act, (number, act, seal) each, whose seal does not follow from `before`; None: all do."""
    for number, act, found in sealed:
        before = seal(before, act)
        if before != found:
            return number
    return None
