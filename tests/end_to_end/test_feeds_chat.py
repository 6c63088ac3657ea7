"""Feeds by chat: looked at, added, polled without a restart, paused, tagged, taken out; the file stays the truth."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.app import added_feeds, opened, poll_once, statistics
from bot.service import Service

from .conftest import TOKEN, buttons

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
def quick(world) -> None:
    """Feeds are looked for often, and nobody waits for Telegram's pace."""
    world.settings |= {
        "TAGWIRE_POLL__TICK": "0.1",
        "TAGWIRE_TELEGRAM__PER_SECOND": "0",
        "TAGWIRE_FETCH__PAUSE": "0",
        "TAGWIRE_POLL__FLOOR": "10",
    }


def rss(*numbers: int, title: str = "City News") -> bytes:
    items = "".join(
        f"<item><guid>{n}</guid><title>Council meets &amp; votes {n}</title><link>https://city.example/{n}</link>"
        f"<category>city council</category><category>budget {n}</category></item>"
        for n in numbers
    )
    return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode()


def serve(site, *numbers: int) -> str:
    return site.serve("/rss.xml", body=rss(*numbers), Content_Type="application/rss+xml")


async def added(world, url: str, name: str = "city") -> None:
    """Add a feed, as an admin does."""
    asked = await world.says(world.admin, f"/addfeed {url} {name}")
    await world.press(world.admin, asked, "addfeed:")
    await world.wait_until(lambda: asked["text"].startswith("Added: @"))


async def polled(world, name: str) -> None:
    """Wait until a feed was read; nothing outside tells of it."""
    async with asyncio.timeout(20), opened(world.config) as store:
        while not (await store.feeds.states([name]))[name].primed:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_page_is_looked_at_shown_added_and_polled_without_a_restart(world, site) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    serve(site, 1, 2, 3, 4, 5, 6)
    page = site.serve(
        "/home",
        body=b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head></html>',
        Content_Type="text/html",
    )
    async with world.running():
        await world.says(reader, "/sub #city_council")
        asked = await world.says(world.admin, f"/addfeed {page}")
        assert asked["text"].startswith("City News: 6 entries")
        assert f"{site.url}/rss.xml" in asked["text"]
        assert asked["text"].count("Council meets & votes") == 5
        assert "#city_council" in asked["text"]
        assert [button["text"] for button in buttons(asked)] == ["Add", "Cancel"]
        held = buttons(asked)[0]["callback_data"]
        assert "127-0-0-1" not in (await world.says(reader, "/sources"))["text"]  # nothing is stored yet
        await world.press(world.admin, asked, held)
        await world.wait_until(lambda: asked["text"].startswith("Added: @127-0-0-1"))
        await world.press(world.admin, asked, held)  # an old button adds nothing twice
        await world.wait_until(lambda: "no more" in asked["text"])
        await polled(world, "127-0-0-1")
        assert world.cards(reader) == []  # the archive alerts nobody
        assert "127-0-0-1" in (await world.says(reader, "/sources"))["text"]
        assert "You follow" in (await world.says(reader, "/sub @127-0-0-1"))["text"]
        serve(site, 7, 1, 2, 3, 4, 5, 6)
        card = await world.next_message(reader, _poll_now(world, "127-0-0-1"))
        assert card["text"].startswith("Council meets & votes 7")
    # It is there after a restart, and for the commands too.
    assert [feed.name for feed in await added_feeds(world.config)] == ["127-0-0-1"]
    assert sum((await statistics(world.config))["feeds"].values()) == 2
    assert (await poll_once(world.config, ["127-0-0-1"])).feeds == 1
    async with world.running():
        assert "City News" in (await world.says(reader, "/sources"))["text"]


async def _poll_now(world, name: str) -> None:
    shown = await world.says(world.admin, f"/feeds {name}")
    answer = await world.press(
        world.admin, shown, next(b["callback_data"] for b in buttons(shown) if "poll" in b["callback_data"])
    )
    assert "within seconds" in answer["text"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_one_worker_is_told_another_polls_pauses_and_forgets(world, site, database_url: str) -> None:
    world.settings["TAGWIRE_DATABASE"] = database_url
    url = serve(site, 1)
    async with _worker(world, "poll"), _worker(world, "chat") as chat:
        await chat.listening.wait()
        await added(world, url)
        await polled(world, "city")
        shown = await world.says(world.admin, "/feeds city")
        pause = next(b["callback_data"] for b in buttons(shown) if b["text"] == "Pause")
        await world.press(world.admin, shown, pause)
        await world.wait_until(lambda: "city: paused" in shown["text"])
        asked = await world.says(world.admin, "/delfeed city")
        await world.press(world.admin, asked, buttons(asked)[0]["callback_data"])
        await world.wait_until(lambda: "polled no more" in asked["text"])
        asked_before = len(site.asked)
        await added(world, url, "again")
        await polled(world, "again")
        assert len(site.asked) > asked_before + 1  # by who answers, and by who polls


@asynccontextmanager
async def _worker(world, role: str) -> AsyncIterator[Service]:
    """A worker that does one thing."""
    service = Service(world.config, TOKEN, roles=[role])
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.stop()
        await task


async def test_export_knows_it(world, site) -> None:
    url = serve(site, 1)
    async with world.running():
        await added(world, url)
    target = world.folder / "out.opml"
    process = await world.command("feeds", "export", str(target))
    out, _ = await process.communicate()
    assert out.decode().strip() == f"{target}: 2 feeds"
    assert url in target.read_text()


async def test_what_is_there_already_is_refused_with_the_reason(world, site) -> None:
    url = serve(site, 1)
    async with world.running():
        await added(world, url)
        again = await world.says(world.admin, f"/addfeed {url} other")
        assert "there already: city" in again["text"]
        named = await world.says(world.admin, f"/addfeed {site.url}/else.xml SAMPLE")
        assert "feeds.toml holds that name" in named["text"]
        held = await world.says(world.admin, f"/addfeed {world.playground.url}/newsroom/rss.xml mine")
        assert "there already: sample" in held["text"]
        refused = await world.says(world.admin, "/delfeed sample")
        assert "stands in feeds.toml" in refused["text"]
        assert "There is no feed nowhere" in (await world.says(world.admin, "/delfeed @nowhere"))["text"]


async def test_two_drafts_of_one_address_become_one_feed(world, site) -> None:
    url = serve(site, 1)
    async with world.running():
        one = await world.says(world.admin, f"/addfeed {url} one")
        two = await world.says(world.admin, f"/addfeed {url} two")
        await world.press(world.admin, one, "addfeed:")
        await world.wait_until(lambda: one["text"].startswith("Added: @one"))
        await world.press(world.admin, two, "addfeed:")
        await world.wait_until(lambda: "there already: one" in two["text"])
        three = await world.says(world.admin, f"/addfeed {site.url}/rss.xml?x=1 three")
        await world.press(world.admin, three, buttons(three)[1]["callback_data"])
        await world.wait_until(lambda: "Nothing was added" in three["text"])
    assert [feed.name for feed in await added_feeds(world.config)] == ["one"]


async def test_what_cannot_be_read_is_said_and_adds_nothing(world, site) -> None:
    site.serve("/text", body=b"hello", Content_Type="text/plain")
    async with world.running():
        assert "Send the address" in (await world.says(world.admin, "/addfeed"))["text"]
        nothing = await world.says(world.admin, f"{site.url}/text")
        assert "could not read a feed" in nothing["text"]
        assert "404" in (await world.says(world.admin, f"/addfeed {site.url}/none"))["text"]
        assert "only http and https" in (await world.says(world.admin, "/addfeed file:///etc/passwd"))["text"]
        assert "one word" in (await world.says(world.admin, f"/addfeed {site.url}/text two words"))["text"]
    assert await added_feeds(world.config) == ()


async def test_private_addresses_are_refused_as_in_a_poll(world, site) -> None:
    world.settings["TAGWIRE_FETCH__ALLOW_PRIVATE"] = "false"
    url = serve(site, 1)
    async with world.running():
        assert "private address" in (await world.says(world.admin, f"/addfeed {url}"))["text"]
    assert site.asked == []


async def test_a_feed_is_paused_for_good_and_resumed(world, site) -> None:
    url = serve(site, 1)
    async with world.running():
        await added(world, url)
        await polled(world, "city")
        listed = await world.says(world.admin, "/feeds")
        assert "2 feeds" in listed["text"]
        assert "city: works" in listed["text"]
        assert "0 % of" in listed["text"]
        shown = await world.says(world.admin, "/feeds CITY")
        pause = next(b["callback_data"] for b in buttons(shown) if b["text"] == "Pause")
        await world.press(world.admin, shown, pause)
        await world.wait_until(lambda: "city: paused" in shown["text"])
        assert "Poll now" not in [b["text"] for b in buttons(shown)]
    asked = len(site.asked)
    assert (await poll_once(world.config, ["city"])).left_alone == 1
    async with world.running():
        assert "city: paused" in (await world.says(world.admin, "/feeds"))["text"]
        assert len(site.asked) == asked
        await world.press(world.admin, shown, pause.replace("pause", "resume"))
        await world.wait_until(lambda: "city: works" in shown["text"])
        async with asyncio.timeout(20):
            while len(site.asked) == asked:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_the_tags_of_an_added_feed_are_edited_and_count_from_the_next_article_on(world, site) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    url = serve(site, 1)
    async with world.running():
        await world.says(reader, "/sub #town_hall")
        await added(world, url)
        await polled(world, "city")
        shown = await world.says(world.admin, "/feeds city")
        tags = next(b["callback_data"] for b in buttons(shown) if b["text"] == "Edit tags")
        asked = await world.next_message(world.admin, world.press(world.admin, shown, tags))
        assert "Which tags shall every article of city" in asked["text"]
        assert "I found no tag" in (await world.says(world.admin, "!!"))["text"]
        await world.next_message(world.admin, world.press(world.admin, shown, tags))
        assert "On every article: #town_hall" in (await world.says(world.admin, "#town_hall"))["text"]
        serve(site, 2, 1)
        card = await world.next_message(reader, _poll_now(world, "city"))
        assert "#town_hall" in card["text"]
        await world.next_message(world.admin, world.press(world.admin, shown, tags))
        assert "On every article" not in (await world.says(world.admin, "-"))["text"]
        of_file = await world.says(world.admin, "/feeds sample")
        assert "Edit tags" not in [b["text"] for b in buttons(of_file)]
        number = buttons(of_file)[0]["callback_data"].split(":")[1]
        forged = await world.next_message(world.admin, world.press(world.admin, of_file, f"feed:{number}:tags"))
        assert "stands in feeds.toml" in forged["text"]


async def test_taking_a_feed_out_says_what_is_lost_and_keeps_its_articles(world, site) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    url = serve(site, 1, 2)
    async with world.running():
        assert "No feed was added" in (await world.says(world.admin, "/delfeed"))["text"]
        await added(world, url)
        await polled(world, "city")
        await world.says(reader, "/sub @city #city_council")
        picker = await world.says(world.admin, "/delfeed")
        asked = await world.next_message(world.admin, _press_reply(world, picker))
        assert "1 chat follows it whole" in asked["text"]
        assert "2 articles in the last 7 days" in asked["text"]
        assert "1 followed tag that only it brought: #city_council" in asked["text"]
        yes, keep = (button["callback_data"] for button in buttons(asked))
        await world.press(world.admin, asked, keep)
        await world.wait_until(lambda: asked["text"] == "city stays.")
        asked = await world.says(world.admin, "/delfeed city")
        await world.press(world.admin, asked, yes)
        await world.wait_until(lambda: "polled no more" in asked["text"])
        await world.press(world.admin, asked, yes)
        await world.wait_until(lambda: "There is no feed" in asked["text"])
        assert "city" not in (await world.says(reader, "/sources"))["text"]
        assert "Council" in (await world.says(reader, "/latest #city_council"))["text"]
        assert "city:" not in (await world.says(world.admin, "/feeds"))["text"]
        await added(world, url)  # and again: what it has shown is no news
    assert world.cards(reader) == []


async def _press_reply(world, picker: dict) -> None:
    """The picker becomes the question; this asks once more by name."""
    await world.press(world.admin, picker, "delfeed:")
    await world.wait_until(lambda: "Readers would lose" in picker["text"])
    world.telegram.say(world.admin, "/delfeed @City")
