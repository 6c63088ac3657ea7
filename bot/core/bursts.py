"""Bursts: of many alerts on one tag within minutes the first come by themselves, the rest as one card at the end.

A reader's phone rings a few times for a big event, not thirty times (reader-ux.md 2 and 5: a gap for each tag, the
excess gathered and never dropped). What is counted is what was sent, by chat, topic and term; an article of several
terms waits only when each of them has had enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.model import Millis


@dataclass(frozen=True, slots=True)
class Spate:
    """The alerts of one term in one topic of a chat since the first of them."""

    thread_id: int
    term: str
    since: Millis
    count: int


@dataclass(frozen=True, slots=True)
class Folding:
    """So many alerts of a term come by themselves within `window`; 0: all of them do."""

    most: int = 5
    window: Millis = 10 * 60_000

    def until(self, spates: Iterable[Spate], thread_id: int, terms: Sequence[str], now: Millis) -> Millis | None:
        """When an alert for these terms is to come; None: now."""
        full = {
            spate.term: spate.since + self.window
            for spate in spates
            if spate.thread_id == thread_id and self._is_full(spate) and spate.since <= now < spate.since + self.window
        }
        return min(full[term] for term in terms) if terms and all(term in full for term in terms) else None

    def folds(self, spates: Iterable[Spate], thread_id: int, term: str) -> bool:
        """Whether alerts of the term that come together now are the rest of a burst."""
        return any((spate.thread_id, spate.term) == (thread_id, term) and self._is_full(spate) for spate in spates)

    def count(
        self, spates: Iterable[Spate], thread_id: int, terms: Iterable[str], now: Millis, *, rest: bool = False
    ) -> tuple[Spate, ...]:
        """The spates after one more message for these terms; what is long over is forgotten.

        After the rest of a burst (`rest`) the next alerts wait as well: while it goes on, one card comes a window.
        """
        if not self.most:
            return ()
        recent = [spate for spate in spates if spate.since <= now < spate.since + 2 * self.window]
        kept = {(spate.thread_id, spate.term): spate for spate in recent}
        for term in terms:
            old = kept.get((thread_id, term))
            if old is None or now >= old.since + self.window:
                kept[thread_id, term] = Spate(thread_id, term, now, self.most if rest else 1)
            else:
                kept[thread_id, term] = replace(old, count=old.count + 1)
        return tuple(kept.values())

    def _is_full(self, spate: Spate) -> bool:
        return 0 < self.most <= spate.count


def spell(spates: Iterable[Spate]) -> str:
    """Spates as one line of text."""
    return " ".join(f"{spate.thread_id}/{spate.since}/{spate.count}/{spate.term}" for spate in spates)


def read(text: str) -> tuple[Spate, ...]:
    """What `spell` has written. No term holds white space."""
    parts = (word.split("/", 3) for word in text.split())
    return tuple(Spate(int(thread), term, int(since), int(count)) for thread, since, count, term in parts)
