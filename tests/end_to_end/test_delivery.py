"""Delivery in the whole product; the table of outcomes stands in test_outcomes.py."""

from __future__ import annotations

import pytest

from bot.app import opened
from bot.core.model import Chat, ChatKind, RuleSpec


async def follows(world, *people: int, tag: str = "#nato") -> None:
    """Everybody follows a tag, the archive is filled, and the seed article is queued for them."""
    async with world.running():
        for one in people:
            await world.says(one, f"/sub {tag}")
    await world.poll()
    world.newsroom.publish_seed()
    assert (await world.poll()).alerts_queued == len(people)


async def test_blocked_and_deleted_readers_are_retired_and_start_brings_them_back(world) -> None:
    gone, blocked, there = (world.telegram.add_user(name, "en") for name in ("Gone", "Blocked", "There"))
    await follows(world, gone, blocked, there)
    world.telegram.deactivate(gone)
    world.telegram.chat(blocked).refusal = (403, "Forbidden: bot was blocked by the user")
    totals = await world.deliver()
    assert (totals.sent, totals.retired_chats, totals.failed, totals.left) == (1, 2, 0, 0)
    world.newsroom.publish(title="NATO again", tags=["nato"])
    assert (await world.poll()).alerts_queued == 1  # nobody who is gone is queued for
    world.telegram.unblock(blocked)
    async with world.running() as service:
        await world.says(blocked, "/start")
        world.newsroom.publish(title="NATO a third time", tags=["nato"])
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(blocked))
    assert [card["text"].splitlines()[0] for card in world.cards(blocked)] == ["NATO a third time"]


@pytest.mark.parametrize("kind", ["500", "502", "429"])
async def test_a_fault_that_passes_delays_and_repeats_nothing(kind, world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await follows(world, reader)
    world.playground.faults.set(kind, times=1, retry_after=1)
    first = await world.deliver()
    assert (first.sent, first.failed) == (0, 0)
    assert first.left == 1
    async with world.running():
        await world.wait_until(lambda: world.cards(reader))
    assert len(world.cards(reader)) == 1


async def test_markup_that_telegram_cannot_read_goes_out_as_text(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await follows(world, reader)
    world.playground.faults.set("parse", times=1)
    assert (await world.deliver()).sent == 1
    message = world.from_bot(reader)[-1]
    story = world.newsroom.stories[0]
    assert message["text"].startswith(story.title)
    assert message["text"].endswith(story.path)  # the link is in the text now
    assert {entity["type"] for entity in message["entities"]} == {"hashtag", "url"}


async def test_an_article_corrected_while_it_waited_goes_out_corrected(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await follows(world, reader)
    story = world.newsroom.stories[0]
    world.newsroom.edit(story.id, title="A corrected headline")
    totals = await world.poll()
    assert (totals.articles_changed, totals.alerts_queued) == (1, 0)
    await world.deliver()
    (card,) = world.cards(reader)
    assert card["text"].startswith("A corrected headline")


async def test_unfollowed_while_it_waited_is_not_sent(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await follows(world, reader)
    async with opened(world.config) as store:
        await store.rules.unfollow(reader, 0, [rule.spec for rule in await store.rules.of_chat(reader, 0)])
    assert (await world.deliver()).sent == 0
    assert world.cards(reader) == []


async def test_under_telegrams_limits_everybody_gets_exactly_one(world_with_limits) -> None:
    world = world_with_limits
    people = [world.telegram.add_user(f"Reader {n}", "en") for n in range(60)]
    await world.poll()
    async with opened(world.config) as store:
        for person in people:
            await store.chats.upsert(Chat(id=person, kind=ChatKind.PRIVATE), 1)
            await store.rules.follow(person, 0, [RuleSpec(("nato",))], 1)
    world.newsroom.publish_seed()
    await world.poll()
    async with world.running():
        await world.wait_until(lambda: all(world.cards(person) for person in people))
    assert [len(world.cards(person)) for person in people] == [1] * len(people)
