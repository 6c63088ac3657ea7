"""Groups: administrators choose, topics are apart, and moving loses nothing."""

from __future__ import annotations


async def test_only_administrators_choose(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Newsroom friends", admin=world.admin)
        (hello,) = await world.playground.wait_for(group)
        assert "An administrator can choose" in hello["text"]
        refused = await world.says(group, "/sub #nato", user_id=member)
        assert "Only this group's administrators" in refused["text"]
        assert "You follow #nato" in (await world.says(group, "/sub #nato", user_id=world.admin))["text"]
        offered = await world.says(group, "/list", user_id=member)
        assert "#nato" in offered["text"]
        picker = await world.says(group, "/unsub", user_id=world.admin)
        answer = await world.press(group, picker, "del:", member)
        assert "Only this group's administrators" in answer["text"]
        assert "#nato" in (await world.says(group, "/list", user_id=member))["text"]


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
