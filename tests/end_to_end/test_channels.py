"""Channels managed from a private chat: their news is chosen there, and only by their administrators."""

from __future__ import annotations

import pytest

from bot.app import opened
from bot.playground.html import detect

from .conftest import buttons


async def joined(world, title: str = "Wire <1>", language: str = "en") -> tuple[int, int, dict]:
    """An editor who has talked to the bot and added it to a channel: both, and what the bot said to that."""
    editor = world.telegram.add_user("Ann", language)
    await world.says(editor, "/start")
    channel = world.telegram.add_channel(title, admin=editor)
    (*_, greeting) = await world.playground.wait_for(editor, predicate=lambda _: len(world.from_bot(editor)) > 1)
    return editor, channel, greeting


@pytest.mark.parametrize(
    ("language", "follows", "back"),
    [("en", "You follow #nato", "your own chat"), ("uk", "стежите за #nato", "вашого чату")],
)
async def test_a_channel_is_chosen_and_everything_said_is_for_it(world, language, follows, back) -> None:
    await world.poll()
    async with world.running() as service:
        editor, channel, greeting = await joined(world, language=language)
        await world.press(editor, greeting, "channel:")
        said = await world.says(editor, "/sub #nato")
        assert said["text"].startswith("Wire <1>\n")
        assert follows in said["text"]
        assert "Wire <1>" in (await world.says(editor, "/settings"))["text"]
        picker = await world.says(editor, "/unsub")
        assert all(button["callback_data"].startswith(f"at:{channel}:") for button in buttons(picker))
        assert world.from_bot(channel) == []  # its readers saw nothing of that
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(channel))
        assert not world.cards(editor)

        choice = await world.says(editor, "/channels")
        await world.press(editor, choice, "channel:0")
        await world.wait_until(lambda: back in world.from_bot(editor)[-1]["text"])
        assert (await world.says(editor, "/list"))["text"].endswith("/sub #nato")  # nothing: how to begin
        await world.press(editor, picker, f"at:{channel}:del:")  # an old button is still the channel's
        await world.press(editor, choice, f"channel:{channel}")
        assert (await world.says(editor, "/list"))["text"].endswith("/sub #nato")


async def test_nobody_else_can_choose_forge_or_go_on(world) -> None:
    async with world.running():
        editor, channel, greeting = await joined(world)
        await world.press(editor, greeting, "channel:")
        await world.says(editor, "/sub #nato")
        stranger = world.telegram.add_user("Stranger", "en")
        menu = await world.says(stranger, "/channels")
        assert "forward one of its posts" in menu["text"]
        refused = await world.press(stranger, menu, f"channel:{channel}")
        assert "Only administrators" in refused["text"]
        async with opened(world.config) as store:
            (rule,) = await store.rules.of_chat(channel, 0)
            forged = await world.press(stranger, menu, f"at:{channel}:del:{rule.id}")
            assert "nothing was changed" in forged["text"]
            assert await store.rules.of_chat(channel, 0) == [rule]
            # Somebody who was an administrator when they chose, and is not any more.
            await store.managers.choose(stranger, channel, 2**53)
            assert "nothing was changed" in (await world.says(stranger, "/sub #eu"))["text"]
            assert await store.rules.of_chat(channel, 0) == [rule]
            # After the hour commands are for one's own chat.
            await store.managers.choose(editor, channel, 1)
        assert (await world.says(editor, "/sub #eu"))["text"].startswith("You follow #eu")


async def forwards(world, person: int, place: dict) -> dict:
    """Somebody forwards a post of that channel; the bot's answer."""
    telegram, before = world.telegram, len(world.from_bot(person))
    content = {"text": "Of #nato", "entities": detect("Of #nato", [])}
    post = telegram.new_message(telegram.chat(person), telegram.users[person], content)
    post["forward_origin"] = {"type": "channel", "chat": place, "message_id": 1, "date": post["date"]}
    telegram.update({"message": post})
    await world.wait_until(lambda: len(world.from_bot(person)) > before)
    return world.from_bot(person)[before]


async def test_a_forgotten_channel_can_be_chosen_anew(world) -> None:
    async with world.running():
        editor, channel, greeting = await joined(world)
        await world.press(editor, greeting, "channel:")
        await world.says(editor, "/sub #nato")
        await world.press(editor, await world.says(editor, "/forgetme"), f"at:{channel}:forget:yes")
        await world.wait_until(lambda: any("post /start there" in one["text"] for one in world.from_bot(editor)))
        assert (await world.says(editor, "/list"))["text"].endswith("/sub #nato")  # of their own chat
        async with world.stored() as store:
            assert await store.chats.get(channel) is None
        offered = await forwards(world, editor, {"id": channel, "type": "channel", "title": "Wire <1>"})
        stranger = world.telegram.add_user("Stranger", "en")
        hello = await world.says(stranger, "/start")
        for forged in (channel, -1):
            assert "Only administrators" in (await world.press(stranger, hello, f"channel:{forged}"))["text"]
        await world.press(editor, offered, "channel:")
        assert (await world.says(editor, "/list"))["text"].startswith("Wire <1>\nYou follow nothing")


async def test_a_forwarded_post_finds_the_channel(world) -> None:
    async with world.running():
        editor, channel, _ = await joined(world)
        stranger = world.telegram.add_user("Stranger", "en")
        place = {"id": channel, "type": "channel", "title": "Wire <1>"}
        for person, offers in ((editor, [f"channel:{channel}"]), (stranger, [])):
            held = [button["callback_data"] for button in buttons(await forwards(world, person, place))]
            assert [one for one in held if one.startswith("channel:")] == offers
            assert [one for one in held if one.startswith("follow:")]


async def test_in_a_group_channels_are_chosen_elsewhere(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        assert "private chat" in (await world.says(group, "/channels", user_id=world.admin))["text"]


async def test_hot_news_is_never_about_a_channel(world) -> None:
    """It goes to everyone, and must not look as if it went to the one that is managed."""
    async with world.running():
        await world.says(world.admin, "/start")
        channel = world.telegram.add_channel("Wire", admin=world.admin)
        (*_, greeting) = await world.playground.wait_for(
            world.admin, predicate=lambda _: len(world.from_bot(world.admin)) > 1
        )
        await world.press(world.admin, greeting, "channel:")
        assert (await world.says(world.admin, "/list"))["text"].startswith("Wire\n")
        for said in ("/broadcast Talks begin", "/stats", "/feeds"):
            assert not (await world.says(world.admin, said))["text"].startswith("Wire"), said
        world.telegram.say(world.admin, "/broadcast")
        await world.wait_until(lambda: "Send the text" in world.from_bot(world.admin)[-1]["text"])
        assert (await world.says(world.admin, "Typed"))["text"] == "Typed"
        assert channel


async def test_many_tags_at_once_fit_beside_the_channels_number(world) -> None:
    async with world.running():
        editor, _, greeting = await joined(world)
        await world.press(editor, greeting, "channel:")
        many = " ".join(f"#tag{n}" for n in range(18))
        async with opened(world.config) as store:
            await store.articles.ensure_tags(f"before{n}" for n in range(1000))  # else their numbers are short
        for command, says in (("/sub", "You follow"), ("/latest", "No article"), ("/unsub", "You no longer follow")):
            assert says in (await world.says(editor, f"{command} {many}"))["text"]
