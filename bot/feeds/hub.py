"""WebSub (W3C Recommendation, 2018): what is said to a hub, and whether a push is the hub's own."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.model import Hook

#: Asked for; the hub decides.
LEASE_S = 5 * 24 * 60 * 60
#: Those that the recommendation names, 5.2; a hub may still use the first.
ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})


def subscription(hook: Hook, callback: str) -> dict[str, str]:
    """The form that asks a hub to push a topic to `callback`, 5.1."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": hook.topic,
        "hub.callback": callback,
        "hub.secret": hook.secret,
        "hub.lease_seconds": str(LEASE_S),
    }


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether X-Hub-Signature (`sha256=…`) signs `body` with `secret`; compared in constant time."""
    algorithm, _, given = signature.partition("=")
    if algorithm.lower() not in ALGORITHMS:
        return False
    made = hmac.new(secret.encode(), body, getattr(hashlib, algorithm.lower())).hexdigest()
    return hmac.compare_digest(made, given.strip().lower())
