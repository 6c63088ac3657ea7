"""Peace of mind: when alerts go, by the pump's own clock and on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.core.model import Attention, Hot, Volume
from bot.playground.server import Playground
from bot.store.broadcasts import Broadcasts
from tests.end_to_end.pumping import HOUR, MINUTE, NOW, follow, pumping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.store.store import Store
    from tests.end_to_end.pumping import Pump

#: NOW is 10:00 in Kyiv.
TEN = 10 * 60
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def telegram() -> AsyncIterator[Playground]:
    async with Playground(limits=False) as playground:
        yield playground


@pytest.fixture
async def pump(store: Store, telegram: Playground) -> AsyncIterator[Pump]:
    async with pumping(store, telegram.url) as one:
        yield one


async def a_reader(pump: Pump, telegram: Playground, language: str = "en", **wishes: object) -> int:
    reader = telegram.telegram.add_user("Olivia", language)
    await follow(pump.store, reader, language=language)
    await pump.store.chats.set_attention(reader, Attention(**wishes), NOW)
    return reader


def sounds(telegram: Playground, chat: int) -> list[bool]:
    """Of each message whether it made a sound."""
    return [not call.params.get("disable_notification") for call in telegram.telegram.calls_to(chat)]


@pytest.mark.parametrize(
    ("language", "heading", "rest"), [("en", "Digest: 3 articles", ""), ("uk", "Дайджест: 3 статті", "")]
)
async def test_a_night_comes_as_one_message_when_it_ends(pump, telegram, language, heading, rest) -> None:
    # Thirteen hours: longer than an alert is news. It was put off, and did not age.
    reader = await a_reader(pump, telegram, language, quiet=(TEN - 60, TEN + 12 * 60 + 30))
    await pump.news(3)
    assert (await pump.drain()).sent == 0
    assert (await pump.drain(after=12 * HOUR + 29 * MINUTE)).sent == 0
    assert await pump.states() == {"queued": 3}
    assert (await pump.drain(after=MINUTE)).sent == 3
    (message,) = telegram.telegram.messages(reader)
    assert message["text"].splitlines() == [heading, "", "#nato", "• Story 3", "• Story 2", "• Story 1"]
    assert await pump.states() == {"sent": 3}
