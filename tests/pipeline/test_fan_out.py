"""Articles of many readers: a poll reports every alert, and what a crash left owed is queued by others."""

from __future__ import annotations

from bot.core.model import DeliveryState
from bot.pipeline.poll import OWED_MS
from bot.store.fanouts import LONGEST, PAGE
from tests.crowd import crowd, news
from tests.pipeline.conftest import NOW, World, item
from tests.site import fetcher


async def test_a_poll_counts_every_alert_and_wakes_the_deliverer_page_by_page(world: World) -> None:
    await crowd(world.store, "eu", LONGEST + 1)
    world.feed("one", item(1), tags=("eu",))
    await world.poll()
    world.publish("one", item(1) + item(2))
    assert (await world.poll()).alerts_queued == LONGEST + 1
    assert world.woken >= 2


async def test_a_tick_queues_what_a_process_that_died_left_owed(world: World) -> None:
    await crowd(world.store, "eu", PAGE + 1)
    world.feed("one", "")
    await world.store.feeds.sync_catalogue(list(world.feeds.values()))
    (stored,) = await world.store.feeds.apply([news("1", "eu")], NOW)
    assert stored.owed
    async with fetcher() as fetch:
        poller = world.poller(fetch)
        await poller.tick()
        assert await world.store.outbox.counts() == {}
        world.now = NOW + OWED_MS
        await poller.tick()
        assert await world.store.outbox.counts() == {DeliveryState.QUEUED: PAGE + 1}
        await poller.stop()
