"""Hot news: nothing goes out without an admin's own press upon what they have seen, and then to everyone once."""

from __future__ import annotations

import asyncio

import pytest

from bot.app import opened

from .conftest import buttons
from .editing import AT_ONCE, copies, data_of, draft, panel, shown, text_of


@pytest.fixture
async def readers(world) -> list[int]:
    """Two readers whom the bot has met."""
    world.settings |= AT_ONCE
    people = [world.telegram.add_user(name, language) for name, language in (("Olivia", "en"), ("Олена", "uk"))]
    async with world.running():
        for one in (*people, world.admin):
            await world.says(one, "/start")
    return people


async def test_preview_confirm_and_every_reader_once(world, readers) -> None:
    async with world.running():
        preview = await world.says(world.admin, "/broadcast Talks <b>begin</b> & go on")
        assert preview["text"] == "Talks <b>begin</b> & go on"  # what was typed is text, not markup
        question = await panel(world, world.admin)
        assert [b["text"] for b in buttons(question)][:2] == ["Send to 3 readers", "Cancel"]
        assert "Nothing has been sent yet" in question["text"]
        assert all(not copies(world, reader, "Talks") for reader in readers)
        held = data_of(question, "send")
        await world.press(world.admin, question, held)
        second = await world.press(world.admin, question, held)
        assert "sent already" in second["text"]
        for chat in (*readers, world.admin):
            await world.wait_until(lambda chat=chat: copies(world, chat, "Talks") != [])
        assert [len(copies(world, reader, "Talks")) for reader in readers] == [1, 1]
        assert "Talks" in (await world.says(readers[1], "/hot"))["text"]
        # Who comes later does not get it, and a restart repeats nothing.
        late = world.telegram.add_user("Late", "en")
        await world.says(late, "/start")
        await world.wait_until(lambda: "Sent" in text_of(shown(world, world.admin, question)))
    assert (await world.deliver()).sent == 0
    assert copies(world, late, "Talks") == []


async def test_formatting_of_the_author_is_kept(world, readers) -> None:
    async with world.running():
        bold = {"type": "bold", "offset": 11, "length": 5}
        preview = await world.next_message(world.admin, _said(world, "/broadcast Talks begin", [bold]))
        assert [(e["type"], e["offset"], e["length"]) for e in preview["entities"]] == [("bold", 0, 5)]


async def _said(world, text, entities) -> None:
    world.telegram.say(world.admin, text, entities=entities)


async def test_asked_for_the_text_and_cancelled(world, readers) -> None:
    async with world.running():
        assert "Send the text" in (await world.says(world.admin, "/hotnews"))["text"]
        await world.says(world.admin, "Hot")
        question = await panel(world, world.admin)
        held = data_of(question, "send")
        await world.press(world.admin, question, "hot-cancel:")
        await world.wait_until(lambda: "Nothing was sent" in text_of(shown(world, world.admin, question)))
        gone = await world.press(world.admin, question, held)
        assert "was cancelled" in gone["text"]
    assert (await world.deliver()).sent == 0


async def test_strangers_and_forged_presses_send_nothing(world, readers) -> None:
    stranger = readers[0]
    async with world.running():
        await draft(world, "Secret draft")
        said = await world.says(stranger, "/broadcast Buy now")
        assert "Only the newsroom" in said["text"]
        for data in ("hot-send:1", "hot-cancel:1", "hot-recalled:1", "hot-stop:1", "hot-report:1", "hot-open:1"):
            answer = await world.press(stranger, said, data)
            assert "Only the newsroom" in answer["text"]
        assert "/broadcast" not in (await world.says(stranger, "/help"))["text"]
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        assert "private chat" in (await world.says(group, "/broadcast Hello", user_id=world.admin))["text"]
    assert (await world.deliver()).sent == 0


async def test_a_reader_who_blocked_the_bot_is_not_tried(world, readers) -> None:
    async with world.running():
        world.telegram.block(readers[0])
        async with asyncio.timeout(20), opened(world.config) as store:
            while await store.chats.active_count() != 2:  # noqa: ASYNC110 - a block is told to nobody outside
                await asyncio.sleep(0.02)
        question = await draft(world, "Hot")
    assert buttons(question)[0]["text"] == "Send to 2 readers"
