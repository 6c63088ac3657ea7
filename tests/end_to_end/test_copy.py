"""Moving a living installation: its queue is half sent, and some of it is in flight when the service dies."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from bot.app import opened
from bot.core.model import DeliveryState


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_half_sent_queue_moves_with_nothing_lost_and_nothing_twice(world, database_url) -> None:
    people = [world.telegram.add_user(f"Reader {n}", "en") for n in range(6)]
    async with world.running():
        for one in people:
            await world.says(one, "/sub #nato")
    await world.poll()
    world.newsroom.publish_seed()
    await world.poll()
    for one in people[3:]:
        world.playground.faults.set("hang", chat_id=one)
    service = await world.command("deliver")
    await _sent(world, 3)
    service.send_signal(signal.SIGKILL)
    await service.communicate()
    world.playground.faults.clear()
    old = world.environ["TAGWIRE_DATABASE"]
    copied = await _printed(world, "copy", "--from", old, "--to", database_url, "--json")
    assert copied["outbox"] == 6
    delivered = await _printed(world, "deliver", "--json", TAGWIRE_DATABASE=database_url)
    assert (delivered["sent"], delivered["left"]) == (3, 0)
    assert [len(world.cards(one)) for one in people] == [1] * 6
    assert (await _printed(world, "deliver", "--json", TAGWIRE_DATABASE=database_url))["sent"] == 0


async def _printed(world, *words: str, **environ: str) -> dict:
    process = await world.command(*words, **environ)
    printed, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")
    return json.loads(printed)


async def _sent(world, number: int) -> None:
    """Wait for another process to write; the database tells nobody, so it is asked."""
    async with asyncio.timeout(60), opened(world.config) as store:
        while (await store.outbox.counts()).get(DeliveryState.SENT, 0) != number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
