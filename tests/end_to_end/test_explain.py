"""`tagwire explain`: every tag of an article with its source, who would get it, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.app import opened
from bot.core.model import Chat, ChatKind, RuleSpec

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000_000
PLAIN = """Sample-Ukraine
Facts
17:11 21.11.2025

NATO says nothing of a peace plan

1 min read
NATO says nothing of a peace plan

The Alliance keeps silent.

Tags: #peace_plan #nato

MORE ABOUT

20:53 21.11.2025
Another story of that day

Another story of that day
"""


async def followers(world, *rules: tuple[int, RuleSpec]) -> None:
    async with opened(world.config) as store:
        for chat, spec in rules:
            await store.chats.upsert(Chat(id=chat, kind=ChatKind.PRIVATE), NOW)
            await store.rules.follow(chat, 0, [spec], NOW)


async def explained(world, *words: str) -> list[dict]:
    command = await world.command("explain", *words, "--json")
    said, complaint = await command.communicate()
    assert command.returncode == 0, complaint.decode()
    return json.loads(said)["articles"]


def named(one: dict) -> dict[str, set[str]]:
    """Each tag with the places that name it."""
    places: dict[str, set[str]] = {}
    for tag in one["tags"]:
        places.setdefault(tag["tag"], set()).add(tag["source"])
    return places


async def test_the_seed_article_has_its_tags_from_page_category_and_text(world) -> None:
    story = world.newsroom.publish_seed()
    link = world.playground.url + story.path
    await followers(
        world, (11, RuleSpec(("nato",))), (12, RuleSpec(("sport",))), (13, RuleSpec(("nato",), ("peace_plan",)))
    )
    (page,) = await explained(world, link, "--chat", "13")
    assert {"page", "text"} <= named(page)["nato"] & named(page)["peace_plan"]
    assert (page["feed"], page["known"], page["readers"]) == ("sample", False, 1)
    assert page["named"] == [{"chat": 11, "thread": 0, "terms": ["nato"]}]
    assert page["rules"] == [
        {"rule": "#nato -#peace_plan", "thread": 0, "fires": False, "why_not": "the rule excludes #peace_plan"}
    ]
    feed = (
        '<rss version="2.0"><channel><title>F</title><item><title>Talks</title><link>https://e.org/1</link>'
        "<category>Peace Plan</category><category>NATO</category></item></channel></rss>"
    )
    (world.folder / "feed.xml").write_text(feed)
    (entry,) = await explained(world, str(world.folder / "feed.xml"))
    assert named(entry) == {"nato": {"category"}, "peace_plan": {"category"}}


async def test_a_plain_copy_of_a_page_is_read_too(world) -> None:
    (world.folder / "copy.txt").write_text(PLAIN)
    (copy,) = await explained(world, str(world.folder / "copy.txt"))
    assert {"page", "text"} <= named(copy)["nato"] & named(copy)["peace_plan"]
    assert (copy["title"], copy["section"]) == ("NATO says nothing of a peace plan", "Facts")


async def test_an_article_of_the_archive_is_told_with_what_is_known_of_it(world) -> None:
    await followers(world, (11, RuleSpec(("@sample",))))
    await world.poll()
    world.newsroom.publish_seed()
    await world.poll()
    link = world.playground.url + world.newsroom.stories[0].path
    (page,) = await explained(world, link)
    assert page["known"]
    assert page["named"] == [{"chat": 11, "thread": 0, "terms": ["@sample"]}]


async def test_a_page_that_the_service_would_not_read_counts_for_nobody(world) -> None:
    (world.written_config() / "feeds.toml").write_text(
        f'[[feed]]\nname = "en"\nurl = "{world.playground.url}/en.xml"\nlanguage = "en"\npages = "never"\n'
        f'[[feed]]\nname = "uk"\nurl = "{world.playground.url}/uk.xml"\nlanguage = "uk"\npages = "always"\n'
    )
    await followers(world, (11, RuleSpec(("transport",))), (12, RuleSpec(("транспорт",))))
    english = world.newsroom.publish(title="Buses arrive", tags=["transport"])
    (page,) = await explained(world, world.playground.url + english.path)
    assert (page["feed"], page["readers"]) == ("en", 0)
    assert [(tag["tag"], tag["source"], tag["left_out"]) for tag in page["tags"]] == [
        ("transport", "page", "not read for this feed")
    ]
    command = await world.command("explain", world.playground.url + english.path)
    assert "not read for this feed" in (await command.communicate())[0].decode()
    ukrainian = world.newsroom.publish(title="Автобуси прибули", tags=["транспорт"], language="uk")
    (page,) = await explained(world, world.playground.url + ukrainian.path)
    assert (page["feed"], page["readers"]) == ("uk", 1)


async def test_of_an_article_of_the_archive_what_was_stored_counts(world) -> None:
    world.newsroom.publish_seed()
    await world.poll()  # without a reader: its page is not read, and it bears what its text says
    story = world.newsroom.stories[0]
    await followers(world, (11, RuleSpec(("solar_panels",))))
    (page,) = await explained(world, world.playground.url + story.path, "--chat", "11")
    assert page["known"]
    assert page["readers"] == 0


async def test_people_get_tables(world) -> None:
    story = world.newsroom.publish_seed()
    await followers(world, (11, RuleSpec(("nato", "eu"))))
    command = await world.command("explain", world.playground.url + story.path, "--chat", "11")
    said, _ = await command.communicate()
    lines = said.decode().splitlines()
    assert any(line.split()[:2] == ["#nato", "page"] for line in lines)
    assert "readers: 0" in lines
    assert "  #nato + #eu: does not get it: it does not bear #eu" in lines


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("no/such/file", "no/such/file: No such file or directory"),
        ("{url}/newsroom/news/general/1.html", "HTTP 404"),
        ("http://127.0.0.1:1/", "no connection"),
        ("{folder}/empty", "neither an article with a headline nor a feed"),
    ],
)
async def test_what_is_no_article_is_said_in_one_line(target: str, says: str, world, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    command = await world.command("explain", target.format(url=world.playground.url, folder=tmp_path))
    _, complaint = await command.communicate()
    (line,) = complaint.decode().splitlines()
    assert command.returncode == 1
    assert says in line


async def test_a_chat_that_nobody_knows_is_said_in_one_line(world) -> None:
    story = world.newsroom.publish_seed()
    command = await world.command("explain", world.playground.url + story.path, "--chat", "999")
    _, complaint = await command.communicate()
    assert command.returncode == 1
    assert "chat 999: the bot has never met it" in complaint.decode()
