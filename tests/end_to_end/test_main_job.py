"""The main job: from a published article to the phones of those who follow its tags, and to nobody else."""

from __future__ import annotations


async def test_a_subscriber_gets_exactly_one_card_and_nobody_else_any(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    stranger = world.telegram.add_user("Other", "en")
    first = await world.poll()
    assert (first.articles_new > 0, first.alerts_queued) == (True, 0)  # the archive alerts nobody
    async with world.running():
        await world.says(reader, "/sub #peace_plan #nato")
        await world.says(stranger, "/start")

    story = world.newsroom.publish_seed()
    totals = await world.poll()
    assert (totals.articles_new, totals.alerts_queued) == (1, 1)
    assert (await world.deliver()).sent == 1
    (card,) = world.cards(reader)
    assert card["text"].startswith(story.title)
    assert card["text"].splitlines()[-2:] == ["Sample Newsroom · 17:11 · 1 min read", "#peace_plan #nato #ukraine"]
    assert world.cards(stranger) == []

    again = await world.poll()
    assert (again.not_modified, again.alerts_queued) == (1, 0)
    assert (await world.deliver()).sent == 0
    async with world.running() as service:  # a restart
        await service.poll(["sample"])
    assert len(world.cards(reader)) == 1


async def test_a_running_service_delivers_by_itself(world) -> None:
    reader = world.telegram.add_user("Олена", "uk")
    async with world.running() as service:
        await service.poll(["sample"])
        await world.says(reader, "/sub nato")
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.playground.wait_for(reader, count=2)
    (card,) = world.cards(reader)
    assert "1 хв читання" in card["text"]


async def test_a_dry_run_names_readers_and_changes_nothing(world) -> None:
    from bot.app import rehearse  # noqa: PLC0415

    reader = world.telegram.add_user("Olivia", "en")
    await world.poll()
    async with world.running():
        await world.says(reader, "/sub #nato")
    world.newsroom.publish_seed()
    rehearsed = await rehearse(world.config, ())
    assert [chat for chat, _, _ in rehearsed.alerts] == [reader]
    assert (await world.poll()).alerts_queued == 1
