"""Articles of many readers: a poll reports every alert, and what a crash left owed is queued by others."""

from __future__ import annotations

from bot.pipeline.poll import OWED_MS
from bot.store.fanouts import PAGE
from tests.crowd import crowd
from tests.pipeline.conftest import NOW, World, item
from tests.site import fetcher


async def test_a_poll_counts_every_alert_and_wakes_the_deliverer_page_by_page(world: World) -> None:
    await crowd(world.store, "eu", PAGE + 1)
    world.feed("one", item(1), tags=("eu",))
    await world.poll()
    world.publish("one", item(1) + item(2))
    assert (await world.poll()).alerts_queued == PAGE + 1
    assert world.woken >= 2


async def test_a_tick_queues_what_another_left_owed(world: World) -> None:
    await crowd(world.store, "eu", PAGE + 1)
    world.feed("one", item(1), tags=("eu",))
    await world.poll()
    world.publish("one", item(1) + item(2))
    async with fetcher() as fetch:
        poller = world.poller(fetch)
        finish, world.store.fanouts.finish = world.store.fanouts.finish, nobody  # type: ignore[method-assign]
        await poller.poll_all(["one"])
        world.store.fanouts.finish = finish  # type: ignore[method-assign]
        await poller.tick()
        assert sum((await world.store.outbox.counts()).values()) == 0
        world.now = NOW + OWED_MS
        await poller.tick()
        assert sum((await world.store.outbox.counts()).values()) == PAGE + 1
        await poller.stop()


async def nobody(*_: object) -> int:
    """A process that dies before it has finished."""
    return 0
