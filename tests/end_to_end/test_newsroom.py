"""Hot news: nothing goes out without an admin's own second press, and then to everyone once."""

from __future__ import annotations

import asyncio

import pytest

from bot.app import opened

from .conftest import buttons


@pytest.fixture
async def readers(world) -> list[int]:
    """Two readers whom the bot has met."""
    people = [world.telegram.add_user(name, language) for name, language in (("Olivia", "en"), ("Олена", "uk"))]
    async with world.running():
        for one in (*people, world.admin):
            await world.says(one, "/start")
    return people


async def test_preview_confirm_and_every_reader_once(world, readers) -> None:
    async with world.running():
        preview = await world.says(world.admin, "/broadcast Talks <b>begin</b> & go on https://e.org/1")
        assert preview["text"] == "Talks <b>begin</b> & go on https://e.org/1"  # what was typed is text, not markup
        await world.wait_until(lambda: len(buttons(world.from_bot(world.admin)[-1])) == 2)
        question = world.from_bot(world.admin)[-1]
        assert [b["text"] for b in buttons(question)] == ["Send to 3 readers", "Cancel"]
        assert all("Talks" not in m["text"] for reader in readers for m in world.from_bot(reader))
        await world.press(world.admin, question, "hot-send:")
        second = await world.press(world.admin, question, buttons(question)[0]["callback_data"])
        assert "sent already" in second["text"]
        for chat in (*readers, world.admin):
            await world.playground.wait_for(chat, predicate=lambda m: "Talks" in m["text"] and m["from"]["is_bot"])
        assert [sum("Talks" in m["text"] for m in world.from_bot(reader)) for reader in readers] == [1, 1]
        assert "Talks" in (await world.says(readers[1], "/hot"))["text"]
        # Who comes later does not get it, and a restart repeats nothing.
        late = world.telegram.add_user("Late", "en")
        await world.says(late, "/start")
    assert (await world.deliver()).sent == 0
    assert all("Talks" not in m["text"] for m in world.from_bot(late))


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
        await world.wait_until(lambda: len(buttons(world.from_bot(world.admin)[-1])) == 2)
        question = world.from_bot(world.admin)[-1]
        held = buttons(question)
        await world.press(world.admin, question, "hot-cancel:")
        await world.wait_until(lambda: "Nothing was sent" in question["text"])
        gone = await world.press(world.admin, question, held[0]["callback_data"])
        assert "no longer there" in gone["text"]
    assert (await world.deliver()).sent == 0


async def test_strangers_and_forged_presses_send_nothing(world, readers) -> None:
    stranger = readers[0]
    async with world.running():
        await world.says(world.admin, "/broadcast Secret draft")
        said = await world.says(stranger, "/broadcast Buy now")
        assert "Only the newsroom" in said["text"]
        for data in ("hot-send:1", "hot-cancel:1"):
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
        await world.says(world.admin, "/broadcast Hot")
        await world.wait_until(lambda: len(buttons(world.from_bot(world.admin)[-1])) == 2)
        question = world.from_bot(world.admin)[-1]
    assert buttons(question)[0]["text"] == "Send to 2 readers"
