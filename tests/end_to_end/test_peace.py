"""Peace of mind: when alerts go, by the pump's own clock and on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.bursts import Folding
from bot.core.model import Attention, Hot, Volume
from bot.core.verdicts import Policy
from bot.playground.server import Playground
from tests.end_to_end.pumping import HOUR, MINUTE, NOW, follow, pumping
from tests.hot import send_hot

from .conftest import buttons

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
    """Of each message in a chat whether it made a sound."""
    return ["silent" not in message for message in telegram.telegram.messages(chat)]


def texts(telegram: Playground, chat: int) -> list[str]:
    return [message["text"].splitlines()[0] for message in telegram.telegram.messages(chat)]


@pytest.mark.parametrize(("language", "asks"), [("en", "That alert came at night"), ("uk", "надійшло вночі")])
async def test_quiet_hours_are_offered_once_after_the_first_alert_at_night(pump, telegram, language, asks) -> None:
    pump.policy = Policy()
    reader = await a_reader(pump, telegram, language)
    await pump.news(1)
    await pump.drain()
    assert len(sounds(telegram, reader)) == 1  # in the morning nobody is asked
    await pump.news(1)
    await pump.drain(after=13 * HOUR)  # 23:00: catch-up would hide the hour, so it is news of now
    await pump.news(2)
    await pump.drain()
    await pump.drain(after=MINUTE)
    offers = [message for message in telegram.telegram.messages(reader) if asks in message["text"]]
    assert len(offers) == 1
    assert "silent" in offers[0]
    held = [button["callback_data"] for row in offers[0]["reply_markup"]["inline_keyboard"] for button in row]
    assert held == ["set:qquiet=1320-420", "set:qquiet=1380-480", "set:qquiet=off"]
    await pump.news(1)
    await pump.drain(after=24 * HOUR)
    assert len([one for one in telegram.telegram.messages(reader) if asks in one["text"]]) == 1


@ON_SQLITE
async def test_who_has_quiet_hours_is_not_asked(pump, telegram) -> None:
    pump.policy = Policy()
    reader = await a_reader(pump, telegram, quiet=(2 * 60, 3 * 60))
    await pump.drain(after=13 * HOUR)
    await pump.news(1)
    await pump.drain()
    assert len(telegram.telegram.messages(reader)) == 1


FOLDING = Policy(folding=Folding(most=3, window=10 * MINUTE), offer_quiet=False)


@pytest.mark.parametrize(("language", "heading"), [("en", "7 more on #nato"), ("uk", "Ще 7 новин за темою #nato")])
async def test_a_burst_of_one_tag_comes_as_three_alerts_and_one_card(pump, telegram, language, heading) -> None:
    pump.policy = FOLDING
    reader = await a_reader(pump, telegram, language)
    for _ in range(5):
        await pump.news(2)
        await pump.drain(after=MINUTE)
    assert texts(telegram, reader) == ["Story 1", "Story 2", "Story 3"]
    assert (await pump.drain(after=5 * MINUTE)).sent == 0
    assert (await pump.drain(after=MINUTE)).sent == 7  # ten minutes after the first
    *_, last = telegram.telegram.messages(reader)
    assert last["text"].splitlines() == [heading, "", "#nato", *(f"• Story {n}" for n in range(10, 3, -1))]
    assert sounds(telegram, reader) == [True] * 4
    await pump.news(2)  # it goes on
    assert (await pump.drain(after=9 * MINUTE)).sent == 0
    assert (await pump.drain(after=MINUTE)).sent == 2
    assert texts(telegram, reader)[4:] == [heading.replace("7", "2").replace("новин ", "новини ")]
    await pump.news(1)  # it is over
    assert (await pump.drain(after=10 * MINUTE)).sent == 1
    assert texts(telegram, reader)[5:] == ["Story 13"]


@ON_SQLITE
async def test_a_burst_in_one_topic_holds_up_no_other_and_survives_a_restart(pump, telegram) -> None:
    pump.policy = FOLDING
    group = telegram.telegram.add_group("Group", forum=True)
    for thread in (5, 6):
        await follow(pump.store, group, thread=thread)
    await pump.news(3)
    await pump.drain()
    await pump.news(1)
    assert (await pump.drain()).left == 2  # each drain is a process of its own
    assert [message.get("message_thread_id") for message in telegram.telegram.messages(group)].count(5) == 3
    assert (await pump.drain(after=10 * MINUTE)).left == 0
    assert texts(telegram, group)[6:] == ["Story 4", "Story 4"]  # one that was left is an alert like any other


@pytest.mark.parametrize(("language", "heading"), [("en", "Digest: 3 articles"), ("uk", "Дайджест: 3 статті")])
async def test_a_night_comes_as_one_message_when_it_ends(pump, telegram, language, heading) -> None:
    # Longer than an alert is news: it was put off, and does not age.
    reader = await a_reader(pump, telegram, language, quiet=(TEN - 60, TEN + 12 * 60 + 30))
    await pump.news(3)
    assert (await pump.drain()).sent == 0
    assert (await pump.drain(after=12 * HOUR + 29 * MINUTE)).sent == 0
    assert await pump.states() == {"queued": 3}
    assert (await pump.drain(after=MINUTE)).sent == 3
    (message,) = telegram.telegram.messages(reader)
    assert message["text"].splitlines() == [heading, "", "#nato", "• Story 3", "• Story 2", "• Story 1"]
    assert [entity["url"][-1] for entity in message["entities"] if entity["type"] == "text_link"] == ["3", "2", "1"]
    assert await pump.states() == {"sent": 3}
    assert (await pump.drain(after=24 * HOUR)).sent == 0  # nothing to say: nothing is sent


@ON_SQLITE
async def test_one_alert_of_a_night_comes_as_its_card(pump, telegram) -> None:
    reader = await a_reader(pump, telegram, quiet=(TEN - 60, TEN + 60))
    await pump.news()
    await pump.drain()
    await pump.drain(after=HOUR)
    assert texts(telegram, reader) == ["Story 1"]


@ON_SQLITE
async def test_what_nobody_could_send_in_its_digest_comes_in_the_next_for_a_few_days(pump, telegram) -> None:
    reader = await a_reader(pump, telegram, digests=(TEN + 60,), digest_all=True)
    await pump.news(2)
    await pump.drain()
    assert (await pump.drain(after=HOUR + pump.policy.expiry + 1)).sent == 0
    assert (await pump.drain(after=12 * HOUR - 1)).sent == 2
    assert texts(telegram, reader) == ["Digest: 2 articles"]
    await pump.news()
    await pump.drain()
    assert (await pump.drain(after=4 * 24 * HOUR)).sent == 0
    assert await pump.states() == {"sent": 2, "dropped": 1}


async def test_a_digest_gathers_and_what_it_does_not_gather_comes_at_once(pump, telegram) -> None:
    reader = await a_reader(pump, telegram, digests=(TEN + 60, TEN + 120))
    (rule,) = await pump.store.rules.of_chat(reader)
    await pump.store.rules.set_volume(reader, rule.id, Volume.DIGEST, NOW)
    await pump.news(2)
    await pump.drain()
    await pump.drain(after=30 * MINUTE)
    await pump.news(1)
    await pump.drain()
    assert texts(telegram, reader) == []
    await pump.drain(after=30 * MINUTE)
    assert texts(telegram, reader) == ["Digest: 3 articles"]
    await pump.news(2)
    await pump.drain()
    await pump.store.rules.set_volume(reader, rule.id, Volume.SILENT, pump.now)  # decided anew
    await pump.drain()
    assert texts(telegram, reader)[1:] == ["Digest: 2 articles"]
    assert sounds(telegram, reader) == [True, False]


@ON_SQLITE
async def test_a_digest_of_very_many_fits_into_one_message(pump, telegram) -> None:
    reader = await a_reader(pump, telegram, digests=(TEN + 60,), digest_all=True)
    await pump.news(
        60, "An article with a headline that is as long as headlines of newsrooms sometimes are, and longer"
    )
    await pump.drain()
    await pump.drain(after=HOUR)
    (message,) = telegram.telegram.messages(reader)
    shown = message["text"].count("•")
    assert message["text"].endswith(f"and {60 - shown} more")
    (button,) = buttons(message)
    assert (button["text"], button["callback_data"].split(":")[2]) == ("Show the rest", str(shown))
    row = int(button["callback_data"].split(":")[1])
    assert len(await pump.store.articles.sent_with(reader, row)) == 60
    assert await pump.store.articles.sent_with(reader + 1, row) == []
    assert 30 < shown < 60
    assert await pump.states() == {"sent": 60}


async def test_the_ninth_alert_of_a_day_makes_no_sound(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    for _ in range(10):
        await pump.news()
        await pump.drain(after=MINUTE)
    assert sounds(telegram, reader) == [True] * 8 + [False] * 2
    await pump.news()
    await pump.drain(after=22 * HOUR)  # another day there, and too old
    await pump.news()
    await pump.drain()
    assert sounds(telegram, reader)[10:] == [True]


@ON_SQLITE
async def test_what_waits_for_a_pause_comes_when_it_ends_or_is_ended(pump, telegram) -> None:
    reader = await a_reader(pump, telegram, paused_until=NOW + 48 * HOUR)
    await pump.news(2)
    await pump.drain()
    await pump.drain(after=30 * HOUR)
    assert texts(telegram, reader) == []
    await pump.store.chats.set_attention(reader, Attention(), pump.now)
    await pump.drain()
    assert texts(telegram, reader) == ["Digest: 2 articles"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("hot", "at_night", "after_it"),
    [(Hot.OFF, [], []), (Hot.SILENT, [], [False]), (Hot.DAY, [], [True]), (Hot.LOUD, [True], [True])],
)
async def test_hot_news_at_night(pump, telegram, hot, at_night, after_it) -> None:
    reader = await a_reader(pump, telegram, hot=hot, quiet=(TEN - 60, TEN + 60))
    await send_hot(pump.store, "Attention", NOW)
    await pump.drain()
    assert sounds(telegram, reader) == at_night
    await pump.drain(after=HOUR)
    assert sounds(telegram, reader) == after_it
