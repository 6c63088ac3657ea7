"""Alarms to admins: told, muted, and fixed in the message that told of them."""

from __future__ import annotations

import pytest

from bot.app import now_ms, opened, watch_of
from bot.core.feedstate import FAILURES_NOTICED
from bot.core.model import Chat, ChatKind, Feed
from bot.pipeline.watch import Watch

from .conftest import buttons
from .test_admins import invited


@pytest.fixture(autouse=True)
def quick(world) -> None:
    world.settings |= {"TAGWIRE_TELEGRAM__PER_SECOND": "0", "TAGWIRE_FETCH__PAUSE": "0"}


RSS = b'<rss version="2.0"><channel><title>T</title><item><title>One</title><link>https://e.org/1</link></item></channel></rss>'


async def test_a_feed_that_fails_is_told_muted_and_fixed(world, site) -> None:
    url = site.serve("/rss", status=500)
    reader = world.telegram.add_user("Reader", "en")
    async with world.running((Feed(name="dead", url=url, title="Dead"),)) as service, opened(world.config) as store:
        other = await invited(world, "admin", "Олена", "uk")
        editor = await invited(world, "editor", "Ed")
        await world.says(reader, "/start")
        watch = watch_of(world.config, store)
        for _ in range(FAILURES_NOTICED):
            await service.poll(["dead"])
        await watch.look()
        await watch.look()
        for chat in (world.admin, other):
            await world.playground.wait_for(chat, predicate=lambda m: "dead" in m["text"] and m["from"]["is_bot"])
        told = world.from_bot(world.admin)[-1]
        assert "The feed dead does not answer as it should" in told["text"]
        assert [button["text"] for button in buttons(told)] == ["Mute 8 h", "Mute 1 week"]
        assert (
            "Only the newsroom"
            in (await world.press(reader, told_to(world, reader), buttons(told)[0]["callback_data"]))["text"]
        )
        assert "role" in (await world.press(editor, told_to(world, editor), buttons(told)[0]["callback_data"]))["text"]
        assert "Muted for all admins" in (await world.press(world.admin, told, "alarm:"))["text"]
        await world.wait_until(lambda: [button["text"] for button in buttons(told)] == ["Unmute"])
        await world.press(world.admin, told, "alarm:")
        await world.wait_until(lambda: len(buttons(told)) == 2)
        site.serve("/rss", body=RSS, Content_Type="application/rss+xml")
        await service.poll(["dead"])
        await watch.look()
        await world.wait_until(lambda: told["text"].startswith("[Fixed ") and buttons(told) == [])
        theirs = next(m for m in world.from_bot(other) if "dead" in m["text"])
        await world.wait_until(lambda: theirs["text"].startswith("[Усунено "))
        assert sum("dead" in m["text"] for m in world.from_bot(world.admin)) == 1
        acts = [one.act.action for one in await store.audit.newest(0, 2)]
    assert acts == ["alarm.unmute", "alarm.mute"]
    assert all("dead" not in m["text"] for chat in (reader, editor) for m in world.from_bot(chat))


def told_to(world, chat: int) -> dict:
    return world.from_bot(chat)[-1]


async def test_a_refused_token_is_told_when_there_is_one_again(world) -> None:
    async with world.running():
        await world.says(world.admin, "/start")
    async with opened(world.config) as store:
        watch = watch_of(world.config, store)
        await watch.token(refused=True)
        await watch.token(refused=True)
    async with world.running():
        (told,) = await world.playground.wait_for(
            world.admin, predicate=lambda m: "refused" in m["text"] and m["from"]["is_bot"]
        )
        await world.wait_until(lambda: told["text"].startswith("[Fixed "))
    assert sum("refused" in m["text"] for m in world.from_bot(world.admin)) == 1


async def test_a_disk_nearly_full_is_told_and_what_is_over_before_it_was_told_says_so(world) -> None:
    free = [10, 1000]
    async with opened(world.config) as store:
        await store.chats.upsert(Chat(id=world.admin, kind=ChatKind.PRIVATE), now_ms())
        watch = Watch(store=store, clock=now_ms, admins=[world.admin], disk=lambda: (free[0], free[1]))
        await watch.look()
        free[0] = 900
        await watch.look()
    await world.deliver()
    (told,) = world.from_bot(world.admin)
    assert told["text"].startswith("[Fixed ")
    assert "nearly full" in told["text"]
    assert told["silent"]
    assert buttons(told) == []
