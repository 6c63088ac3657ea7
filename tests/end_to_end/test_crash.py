"""kill -9 at the worst moment: after Telegram's yes, before ours."""

from __future__ import annotations

import asyncio
import signal

from bot.app import opened
from bot.core.model import DeliveryState


async def test_kill_9_between_accept_and_settle_repeats_that_card_and_no_other(world) -> None:
    people = [world.telegram.add_user(f"Reader {n}", "en") for n in range(5)]
    async with world.running():
        for one in people:
            await world.says(one, "/sub #nato")
    await world.poll()
    world.newsroom.publish_seed()
    await world.poll()
    unlucky = people[2]
    world.playground.faults.set("hang-after", chat_id=unlucky)
    process = await world.command("deliver")
    await world.wait_until(lambda: all(world.cards(one) for one in people))
    await _settled(world, len(people) - 1)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    world.playground.faults.clear()

    totals = await world.deliver()
    assert (totals.sent, totals.left) == (1, 0)
    assert [len(world.cards(one)) for one in people] == [1, 1, 2, 1, 1]
    assert (await world.deliver()).sent == 0


async def test_kill_9_before_the_send_loses_nothing(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        await world.says(reader, "/sub #nato")
    await world.poll()
    world.newsroom.publish_seed()
    await world.poll()
    world.playground.faults.set("hang", chat_id=reader)
    process = await world.command("deliver")
    await _claimed(world)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    world.playground.faults.clear()
    assert (await world.deliver()).sent == 1
    assert len(world.cards(reader)) == 1


async def _settled(world, number: int) -> None:
    await _counted(world, DeliveryState.SENT, number)


async def _claimed(world) -> None:
    await _counted(world, DeliveryState.CLAIMED, 1)


async def _counted(world, state: DeliveryState, number: int) -> None:
    """Wait for another process to write; the database tells nobody, so it is asked."""
    async with asyncio.timeout(20), opened(world.config) as store:
        while (await store.outbox.counts()).get(state, 0) != number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
