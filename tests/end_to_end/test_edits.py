"""An article that changes after it went out: its cards are changed in place, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.core.model import Attention, RuleSpec
from bot.playground.server import Playground
from tests.end_to_end.pumping import HOUR, follow, publish, pumping, story

from .conftest import buttons

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.store.store import Store
    from tests.end_to_end.pumping import Pump

#: The pump begins at ten in Kyiv.
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


async def corrected(pump: Pump, title: str, *, summary: str = "What happened.") -> None:
    """The first story has this headline now."""
    known = story(1, pump.now, title)
    article = replace(known.article, summary=summary)
    await publish(pump.store, pump.now, replace(known, article=article, content_hash=title + summary, new=False))


def edits(telegram: Playground) -> int:
    return sum(call["method"] == "editMessageText" for call in telegram.calls)


def heads(telegram: Playground, chat: int) -> list[str]:
    return [one["text"].splitlines()[0] for one in telegram.telegram.messages(chat) if "text" in one]


async def a_reader(pump: Pump, telegram: Playground) -> int:
    reader = telegram.telegram.add_user("Olivia", "en")
    await follow(pump.store, reader)
    return reader


async def test_cards_follow_their_article_and_make_no_new_message(pump, telegram) -> None:
    readers = [telegram.telegram.add_user("Olivia", "en"), telegram.telegram.add_user("Ольга", "uk")]
    await follow(pump.store, readers[0])
    await follow(pump.store, readers[1], language="uk")
    gone = telegram.telegram.add_user("Gone", "en")
    await follow(pump.store, gone)
    await pump.news(2)
    await pump.drain()
    await pump.store.chats.retire(gone, "blocked", pump.now)
    await pump.store.rules.unfollow(readers[1], 0, [RuleSpec(("nato",))])
    await corrected(pump, "Corrected")
    totals = await pump.drain()
    assert (totals.edited, totals.sent, totals.failed, totals.left) == (2, 0, 0, 0)
    for reader in readers:
        assert sorted(heads(telegram, reader)) == ["Corrected", "Story 2"]
    assert "Story 1" in heads(telegram, gone)
    (mine,) = [one for one in telegram.telegram.messages(readers[0]) if one["text"].startswith("Corrected")]
    assert {"more", "mute", "drop"} <= {one.get("callback_data", "").partition(":")[0] for one in buttons(mine)}
    await corrected(pump, "Corrected")  # the same text once more, or tags alone, are no change
    assert (await pump.drain()).edited == 0
    await corrected(pump, "Corrected", summary="More is known.")
    assert (await pump.drain()).edited == 2
    assert edits(telegram) == 4


async def test_of_several_changes_the_last_is_sent_once_and_a_waiting_card_needs_none(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.news()
    await corrected(pump, "Before it went out")
    assert (await pump.drain()).sent == 1
    assert (heads(telegram, reader), edits(telegram)) == (["Before it went out"], 0)
    await corrected(pump, "Second")
    await corrected(pump, "Third")
    assert (await pump.drain()).edited == 1
    assert (heads(telegram, reader), edits(telegram)) == (["Third"], 1)


async def test_a_change_while_the_card_is_on_the_wire_is_not_lost(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.news()
    send = pump.sender.send

    async def meanwhile(*given: object, **how: object) -> object:
        await corrected(pump, "Corrected")
        return await send(*given, **how)

    pump.sender.send = meanwhile
    totals = await pump.drain()
    assert (totals.sent, totals.edited, heads(telegram, reader)) == (1, 1, ["Corrected"])


@pytest.mark.parametrize("why", ["deleted", "same", "caption", "restricted", "closed topic"])
@ON_SQLITE
async def test_what_cannot_be_changed_is_settled_and_not_tried_again(why, pump, telegram) -> None:
    chat = telegram.telegram.add_group("Group", forum=True)
    await follow(pump.store, chat, thread=7)
    await pump.news()
    await pump.drain()
    (message,) = telegram.telegram.messages(chat)
    await corrected(pump, "Corrected")
    if why == "deleted":
        telegram.telegram.chat(chat).messages.clear()
    elif why == "same":
        await pump.drain()
        await corrected(pump, "Corrected", summary="What happened. ")  # a space that no card shows
    elif why == "caption":
        message["caption"] = message.pop("text")
    elif why == "restricted":
        telegram.telegram.restrict(chat)
    else:
        telegram.telegram.chat(chat).refusal = (400, "Bad Request: TOPIC_CLOSED")
    assert (await pump.drain()).left == 0
    tried = len(telegram.calls)
    assert (await pump.drain(after=2 * HOUR)).left == 0
    assert len(telegram.calls) == tried
    assert (await pump.store.chats.get(chat)).held_until == 0
    assert "parked" not in await pump.states()


@ON_SQLITE
async def test_old_cards_cards_for_several_and_moved_ones_stay_as_they_are(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.news(4)
    await pump.drain(after=2 * HOUR)  # one card for all four, after an outage
    await corrected(pump, "Corrected")
    assert (await pump.drain()).edited == 0
    assert edits(telegram) == 0
    group = telegram.telegram.add_group("Group", supergroup=False)
    await follow(pump.store, group)
    await pump.news()
    await pump.drain()
    moved = telegram.telegram.migrate(group)
    await pump.store.chats.move(group, moved, pump.now)
    known = story(5, pump.now, "Corrected too")
    await publish(pump.store, pump.now, replace(known, new=False))
    totals = await pump.drain()
    assert (totals.edited, heads(telegram, reader)[-1]) == (1, "Corrected too")
    pump.now += 49 * HOUR
    known = story(5, pump.now, "Too late")
    await publish(pump.store, pump.now, replace(known, new=False))
    assert (await pump.drain()).edited == 0


@ON_SQLITE
async def test_edits_go_after_alerts(pump, telegram) -> None:
    await a_reader(pump, telegram)
    await pump.news()
    await pump.drain()
    await corrected(pump, "Corrected")
    await pump.news()
    await pump.drain()
    assert [call["method"].lower() for call in telegram.calls][-2:] == ["sendmessage", "editmessagetext"]


async def test_a_card_changed_at_night_is_changed_at_once_and_wakes_nobody(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.news()
    await pump.drain()
    await pump.store.chats.set_attention(reader, Attention(quiet=(TEN - 60, TEN + 60)), pump.now)
    tried = len(telegram.calls)
    await corrected(pump, "Corrected")
    assert (await pump.drain()).edited == 1
    # A change in place makes no sound; a new message would.
    assert [call["method"].lower() for call in list(telegram.calls)[tried:]] == ["editmessagetext"]
    assert heads(telegram, reader) == ["Corrected"]
    assert (await pump.drain(after=2 * HOUR)).left == 0
    assert heads(telegram, reader) == ["Corrected"]


@ON_SQLITE
async def test_what_waits_for_the_morning_is_corrected_before_it_comes(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.store.chats.set_attention(reader, Attention(quiet=(TEN - 60, TEN + 60)), pump.now)
    await pump.news()
    await pump.drain()
    await corrected(pump, "Corrected")
    assert ((await pump.drain()).edited, telegram.telegram.messages(reader)) == (0, [])
    await pump.drain(after=HOUR)
    assert heads(telegram, reader) == ["Corrected"]


@ON_SQLITE
async def test_previews_are_for_who_wants_them_on_cards_and_on_their_corrections(pump, telegram) -> None:
    fond, plain = await a_reader(pump, telegram), await a_reader(pump, telegram)
    await pump.store.chats.set_previews(fond, previews=True)
    await pump.news()
    await pump.drain()
    await corrected(pump, "Corrected")
    await pump.drain()
    written = [call["params"] for call in telegram.calls if "text" in call["params"]]
    assert sorted((int(one["chat_id"]), shows_preview(one)) for one in written) == sorted(
        [(fond, True)] * 2 + [(plain, False)] * 2
    )


def shows_preview(params: dict) -> bool:
    options = params["link_preview_options"]
    return not (json.loads(options) if isinstance(options, str) else options)["is_disabled"]
