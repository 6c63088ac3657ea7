"""What the pumps need from the rooms above and beside them: one-method borders, joined in the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.core.model import Lane

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.core.card import Words
    from bot.core.model import Card, Millis, Outcome


class Clock(Protocol):
    """Tells the time; the only clock of the pumps."""

    def __call__(self) -> Millis:
        """Now."""
        ...


class Leave(Protocol):
    """Asked as a message's turn has come, before it may be on the wire."""

    def __call__(self) -> Awaitable[bool]:
        """Whether it may go; what it is made of may be another sender's by now."""
        ...


async def at_will() -> bool:
    """Nobody minds."""
    return True


class Sender(Protocol):
    """Sends one card and says what became of it; never raises for what Telegram answers."""

    async def send(
        self,
        chat_id: int,
        thread_id: int,
        card: Card,
        *,
        plain: bool = False,
        lane: Lane = Lane.ALERT,
        leave: Leave = at_will,
    ) -> Outcome:
        """Send `card` to a chat (and topic, unless 0), if `leave` lets it; with `plain`, without any markup."""
        ...

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        card: Card,
        *,
        plain: bool = False,
        lane: Lane = Lane.EDIT,
        leave: Leave = at_will,
    ) -> Outcome:
        """Make a message that was sent this card."""
        ...

    async def delete(self, chat_id: int, message_id: int, *, lane: Lane = Lane.HOT, leave: Leave = at_will) -> Outcome:
        """Take a message that was sent away."""
        ...


class Vocabulary(Protocol):
    """Gives the words of a language."""

    def __call__(self, language: str) -> Words:
        """The words for `language`, or for the default one where it is not spoken."""
        ...


class Meter(Protocol):
    """Counts what happens, for `/metrics`."""

    def polled(self, result: str) -> None:
        """A feed was asked."""
        ...

    def stored(self, new: int, changed: int, alerts: int) -> None:
        """A poll was committed."""
        ...

    def delivered(self, fate: str, queued_for_s: float) -> None:
        """A row of the outbox was tried."""
        ...

    def alerted(self, *, seen_to_queued_s: float, seen_to_sent_s: float, published_to_sent_s: float) -> None:
        """An alert arrived."""
        ...


class SilentMeter:
    """Counts nothing: for commands that run once."""

    def polled(self, result: str) -> None:
        """Ignored."""

    def stored(self, new: int, changed: int, alerts: int) -> None:
        """Ignored."""

    def delivered(self, fate: str, queued_for_s: float) -> None:
        """Ignored."""

    def alerted(self, *, seen_to_queued_s: float, seen_to_sent_s: float, published_to_sent_s: float) -> None:
        """Ignored."""
