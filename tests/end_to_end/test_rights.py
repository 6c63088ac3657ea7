"""A reader's rights, in both languages and in every kind of chat."""

from __future__ import annotations

import pytest

from .conftest import buttons


@pytest.fixture(autouse=True)
def unpaced(world) -> None:
    """Nothing here waits for Telegram's pace, which has tests of its own."""
    world.settings = {"TAGWIRE_TELEGRAM__PER_SECOND": "0", "TAGWIRE_TELEGRAM__PER_CHAT_SECOND": "0"}


@pytest.mark.parametrize(("language", "kept", "erased"), [("en", "30 days", "Erased."), ("uk", "30 днів", "Стерто.")])
async def test_privacy_my_data_and_forget_me(language, kept, erased, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await world.poll()
    async with world.running() as service:
        told = (await world.says(reader, "/privacy"))["text"]
        assert kept in told
        assert "/forgetme" in told
        await world.says(reader, "/sub #nato")
        sent = await world.says(reader, "/mydata and more words")
        data = world.document(sent)
        assert sent["document"]["file_name"] == "tagwire.json"
        assert (data["chat"], data["kept"]["rules"][0]["terms"]) == (reader, ["nato"])
        asked = await world.says(reader, "/forgetme")
        await world.press(reader, asked, "forget:no")
        assert "#nato" in (await world.says(reader, "/list"))["text"]
        await world.press(reader, asked, "forget:sure")  # forged: nothing changes
        assert "#nato" in (await world.says(reader, "/list"))["text"]
        asked = await world.says(reader, "/forgetme")
        await world.press(reader, asked, "forget:yes")
        await world.wait_until(lambda: asked["text"].startswith(erased))
        assert buttons(asked) == []
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        assert "/sub" in (await world.says(reader, "/start"))["text"]
        again = world.document(await world.says(reader, "/mydata"))["kept"]
        assert (again["rules"], again["outbox"], len(again["chats"])) == ([], [], 1)
    assert world.cards(reader) == []


async def test_in_a_group_only_its_administrators_see_and_erase(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Friends", forum=True, admin=world.admin)
        await world.playground.wait_for(group)
        await world.says(group, "/sub #nato", user_id=world.admin, thread_id=7)
        for command in ("/mydata", "/forgetme"):
            refused = await world.says(group, command, user_id=member)
            assert "Only administrators of this chat" in refused["text"]
        sent = await world.says(group, "/mydata", user_id=world.admin, thread_id=7)
        assert sent["message_thread_id"] == 7
        assert world.document(sent)["kept"]["rules"][0]["thread_id"] == 7
        asked = await world.says(group, "/forgetme", user_id=world.admin)
        assert "Only" in (await world.press(group, asked, "forget:yes", member))["text"]
        await world.press(group, asked, "forget:yes", world.admin)
        await world.wait_until(lambda: asked["text"].startswith("Erased."))
        nothing = await world.says(group, "/list", user_id=world.admin, thread_id=7)
        assert "You follow nothing yet" in nothing["text"]


@pytest.mark.parametrize(("language", "calm"), [("en", "That was a lot"), ("uk", "Забагато за раз")])
async def test_twenty_commands_a_minute_then_one_calm_notice(language, calm, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    async with world.running():
        for _ in range(25):
            world.telegram.say(reader, "/lang")
        await world.playground.wait_for(reader, count=21)
        # The messages of a chat are answered in their order, so these come after all of the above.
        for _ in range(25):
            world.telegram.say(world.admin, "/lang")
        await world.playground.wait_for(world.admin, count=25)
        last = world.from_bot(reader)[-1]
        await world.press(reader, world.from_bot(reader)[0], "nothing")  # buttons go on
    assert last["text"].startswith(calm)
    assert len(world.from_bot(reader)) == 21
