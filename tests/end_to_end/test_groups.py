"""Groups: administrators choose, topics are apart, and moving loses nothing."""

from __future__ import annotations

import pytest


async def test_only_administrators_choose(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Newsroom friends", admin=world.admin)
        (hello,) = await world.playground.wait_for(group)
        assert "An administrator can choose" in hello["text"]
        refused = await world.says(group, "/sub #nato", user_id=member)
        assert "Only administrators of this chat" in refused["text"]
        assert "You follow #nato" in (await world.says(group, "/sub #nato", user_id=world.admin))["text"]
        offered = await world.says(group, "/list", user_id=member)
        assert "#nato" in offered["text"]
        picker = await world.says(group, "/unsub", user_id=world.admin)
        answer = await world.press(group, picker, "del:", member)
        assert "Only administrators of this chat" in answer["text"]
        assert "#nato" in (await world.says(group, "/list", user_id=member))["text"]


async def test_a_bare_sub_in_a_group_asks_for_a_command_not_for_a_text_that_nobody_reads(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Newsroom friends", admin=world.admin)
        await world.playground.wait_for(group)
        said = await world.says(group, "/sub", user_id=world.admin)
        assert "name them with the command" in said["text"]


async def test_commands_for_other_bots_are_not_counted(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Players", admin=world.admin)
        await world.playground.wait_for(group)
        for _ in range(25):
            world.telegram.say(group, "/roll@other_bot", user_id=member)
        assert "You follow nothing yet" in (await world.says(group, "/list", user_id=member))["text"]


async def test_each_topic_has_its_own_tags(world) -> None:
    await world.poll()
    async with world.running() as service:
        group = world.telegram.add_group("Forum", forum=True, admin=world.admin)
        await world.playground.wait_for(group)
        said = await world.says(group, "/sub #nato", user_id=world.admin, thread_id=7)
        assert said["message_thread_id"] == 7
        assert "follow nothing" in (await world.says(group, "/list", user_id=world.admin, thread_id=8))["text"]
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(group))
        (card,) = world.cards(group)
        assert card["message_thread_id"] == 7


async def test_a_closed_topic_falls_back_to_the_chat(world) -> None:
    await world.poll()
    async with world.running() as service:
        group = world.telegram.add_group("Forum", forum=True, admin=world.admin)
        await world.playground.wait_for(group)
        await world.says(group, "/sub #nato", user_id=world.admin, thread_id=7)
        world.telegram.chat(group).closed_topics.add(7)
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(group))
    (card,) = world.cards(group)
    assert "message_thread_id" not in card


async def test_an_upgrade_to_a_supergroup_keeps_what_is_followed(world) -> None:
    await world.poll()
    async with world.running() as service:
        group = world.telegram.add_group("Group", supergroup=False, admin=world.admin)
        await world.playground.wait_for(group)
        await world.says(group, "/sub #nato", user_id=world.admin)
        moved = world.telegram.migrate(group)
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(moved))
        assert "#nato" in (await world.says(moved, "/list", user_id=world.admin))["text"]
    assert len(world.cards(moved)) == 1


async def test_a_command_in_the_supergroup_before_any_alert_finds_everything_kept(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Group", supergroup=False, admin=world.admin)
        await world.playground.wait_for(group)
        await world.says(group, "/sub #nato", user_id=world.admin)
        moved = world.telegram.migrate(group)
        assert "#nato" in (await world.says(moved, "/list", user_id=world.admin))["text"]
        assert all(call["status"] == 200 for call in world.playground.calls)  # so no refusal told of the new id


async def test_who_administrates_is_asked_once_for_a_storm_of_presses(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        await world.says(group, "/sub #nato #eu", user_id=world.admin)
        picker = await world.says(group, "/unsub", user_id=world.admin)
        for _ in range(5):
            assert "Only" in (await world.press(group, picker, "del:", member))["text"]
        asked = [call["params"]["user_id"] for call in world.playground.calls if call["method"] == "getChatMember"]
        assert sorted(asked) == sorted({world.admin, member})


async def test_a_command_for_another_bot_is_left_to_it(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        world.telegram.say(group, "/sub@other_bot #nato", user_id=world.admin)
        assert "You follow #eu" in (await world.says(group, "/sub@tagwire_bot #eu", user_id=world.admin))["text"]
        assert "#nato" not in (await world.says(group, "/list@Tagwire_Bot", user_id=world.admin))["text"]


@pytest.mark.parametrize(
    ("language", "greeting", "topics"),
    [("en", "An administrator can", "Each topic"), ("uk", "адміністратор", "У кожної теми")],
)
async def test_added_to_a_forum_the_bot_says_that_topics_are_apart(language, greeting, topics, world) -> None:
    admin = world.telegram.add_user("Admin", language)
    async with world.running():
        forum = world.telegram.add_group("Forum", forum=True, admin=admin)
        (hello,) = await world.playground.wait_for(forum)
    assert greeting.lower() in hello["text"].lower()
    assert topics in hello["text"]


@pytest.mark.parametrize(
    ("language", "greeting", "follows"), [("en", "I am in Wire", "You follow #nato"), ("uk", "Тепер я в", "#nato")]
)
async def test_a_channel_is_managed_by_posts_in_it(language, greeting, follows, world) -> None:
    editor, stranger = world.telegram.add_user("Editor", language), world.telegram.add_user("Reader", language)
    await world.poll()
    async with world.running() as service:
        channel = world.telegram.add_channel("Wire", admin=editor)
        (hello,) = await world.playground.wait_for(editor)
        assert greeting in hello["text"]
        assert world.from_bot(channel) == []  # its readers asked nothing
        said = await world.says(channel, "/sub@tagwire_bot #nato", user_id=editor)
        assert follows in said["text"]
        assert said["silent"]
        assert "123" in (await world.says(channel, "/sub 123", user_id=editor))["text"]
        assert "#nato" in (await world.says(channel, "/list", user_id=editor))["text"]
        picker = await world.says(channel, "/unsub", user_id=editor)
        world.telegram.say(channel, "A post of the editors' own, about #eu")
        assert (await world.press(channel, picker, "del:", stranger))["text"]  # a reader is refused
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(channel))
        await world.press(channel, world.cards(channel)[0], "drop:", stranger)
        assert "#nato" in (await world.says(channel, "/list", user_id=editor))["text"]
        await world.press(channel, picker, "del:", editor)
        assert "/sub #nato" in (await world.says(channel, "/list", user_id=editor))["text"]  # nothing: how to start


async def test_a_channels_post_in_its_discussion_group_is_not_answered_twice(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Discussion", admin=world.admin)
        await world.playground.wait_for(group)
        chat = world.telegram.chat(group)
        copied = world.telegram.new_message(chat, world.telegram.users[world.admin], {"text": "/sub #nato"})
        command = [{"type": "bot_command", "offset": 0, "length": 4}]
        copied |= {"is_automatic_forward": True, "sender_chat": {"id": -1009, "type": "channel", "title": "Wire"}}
        world.telegram.update({"message": {**copied, "entities": command}})
        assert "You follow nothing" in (await world.says(group, "/list", user_id=world.admin))["text"]


async def test_a_group_that_lets_the_bot_write_nothing_costs_no_defect(world, capsys) -> None:
    async with world.running():
        group = world.telegram.add_group("Muted", admin=world.admin)
        world.telegram.restrict(group)
        await world.says(world.admin, "/lang")
        await world.wait_until(lambda: any(call["status"] == 400 for call in world.playground.calls))
    assert world.from_bot(group) == []
    assert "handler.defect" not in capsys.readouterr().out
