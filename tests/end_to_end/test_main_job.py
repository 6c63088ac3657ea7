"""The main job: from a published article to the phones of those who follow its tags, and to nobody else."""

from __future__ import annotations


async def test_a_subscriber_gets_exactly_one_card_and_a_stranger_none(world) -> None:
    reader = world.playground.add_user(first_name="Olivia", language_code="en")
    stranger = world.playground.add_user(first_name="Other", language_code="en")
    async with world.running():
        await world.says(reader, "/sub #peace_plan #nato")
        await world.says(stranger, "/start")
        await world.playground.wait_for(reader, count=2)
        assert (await world_poll(world))["alerts_queued"] == 0  # the first poll fills the archive
    world.newsroom.publish_seed()
    totals = await world.poll()
    assert (totals.articles_new, totals.alerts_queued) == (1, 1)
    assert (await world.deliver()).sent == 1
    assert len(world.cards(reader)) == 1
    assert world.cards(stranger) == []


async def world_poll(world) -> dict[str, int]:
    totals = await world.poll()
    return {"alerts_queued": totals.alerts_queued}
