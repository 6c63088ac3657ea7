"""What is remembered for a while, of at most so many: each step costs the same, and memory has a bound."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from bot.core.model import Millis

K = TypeVar("K")
V = TypeVar("V")
#: Far more than talk to one bot within a minute.
MOST = 10_000


class Fresh(Generic[K, V]):
    """Values that count for `lifetime` from when they were put; of more than `most` the oldest is forgotten."""

    def __init__(self, lifetime: Millis, most: int = MOST) -> None:
        self._lifetime = lifetime
        self._most = most
        self._kept: OrderedDict[K, tuple[Millis, V]] = OrderedDict()

    def get(self, key: K, now: Millis) -> V | None:
        """The value, if it was put less than a lifetime ago; a clock that was set back ends it too."""
        at, value = self._kept.get(key, (None, None))
        return value if at is not None and 0 <= now - at < self._lifetime else None

    def put(self, key: K, value: V, now: Millis) -> None:
        """Remember it from now on."""
        self._kept[key] = (now, value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
