"""What `tagwire explain` says is what the service would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.describe import MAX_TAGS
from bot.core.model import Fetched, PageMode, RuleSpec, Validators
from bot.pipeline.explain import BEYOND, NOT_READ, Explained, Explainer

from .conftest import NOW, READER, item

if TYPE_CHECKING:
    from .conftest import World

TAGS = '<meta name="keywords" content="peace plan, Talks">'


def page(url: str, title: str = "NATO meets", *, head: str = TAGS, language: str = "en") -> Fetched:
    body = f"<html lang={language}><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1></article></body></html>"
    return Fetched(url=url, body=body.encode(), content_type="text/html; charset=utf-8", validators=Validators())


async def explained(world: World, document: Fetched) -> Explained:
    explainer = Explainer(
        store=world.store, parsers=world.parsers, tagger=world.tagger, feeds=list(world.feeds.values())
    )
    (one,) = await explainer.explain(document, READER, NOW)
    return one


def told(one: Explained) -> dict[tuple[str, str], str]:
    return {(found.tag.slug, found.tag.source.value): found.left_out for found in one.tags}


@pytest.mark.parametrize(
    ("mode", "left_out", "readers"),
    [
        (PageMode.NEVER, NOT_READ, 0),
        (PageMode.WHEN_UNTAGGED, "", 1),
        (PageMode.ALWAYS, "", 1),
    ],
)
async def test_a_page_counts_where_the_service_would_read_it(
    world: World, mode: PageMode, left_out: str, readers: int
) -> None:
    await world.store.rules.unfollow(READER, 0, [RuleSpec(("nato",))])
    await world.store.rules.follow(READER, 0, [RuleSpec(("peace_plan",))], NOW)
    world.feed("a", pages=mode)
    one = await explained(world, page(f"{world.site.url}/1"))
    assert told(one) == {("nato", "text"): "", ("peace_plan", "page"): left_out, ("talks", "page"): left_out}
    assert one.readers == readers
    ((_, why),) = one.asked
    assert why.fires is bool(readers)


async def test_an_article_of_the_archive_is_told_by_what_is_stored(world: World) -> None:
    world.feed("a")
    link = f"{world.site.url}/1"
    world.publish("a", item(1, "NATO meets").replace("https://e.org/1", link))
    await world.poll()
    world.feed("a", pages=PageMode.ALWAYS)  # since then
    one = await explained(world, page(link))
    assert (one.known, told(one), one.readers) == (True, {("nato", "text"): ""}, 1)
    assert [found.tag.words for found in one.tags] == ["NATO"]


async def test_tags_beyond_those_of_an_article_do_not_count(world: World) -> None:
    world.feed("a", pages=PageMode.ALWAYS)
    many = ", ".join(f"subject {number}" for number in range(MAX_TAGS))
    one = await explained(world, page(f"{world.site.url}/1", head=f'<meta name="keywords" content="{many}">'))
    assert len(one.article.tags) == MAX_TAGS
    assert [found.tag.slug for found in one.tags if found.left_out == BEYOND] == ["nato"]
    assert one.readers == 0


@pytest.mark.parametrize(
    ("title", "declared", "feed"),
    [
        ("NATO meets", "en-GB", "english"),
        ("Засідання НАТО в Києві", "uk", "ukrainian"),
        ("Заседание НАТО и быстрый ответ", "", "russian"),
    ],
)
async def test_of_the_feeds_of_a_site_the_one_of_the_pages_language_is_asked(
    world: World, title: str, declared: str, feed: str
) -> None:
    for name, language in (("ukrainian", "uk"), ("russian", "ru"), ("english", "en")):
        world.feed(name, language=language, pages=PageMode.ALWAYS, tag_selector=f".{name}")
    shown = "".join(f"<p class={name}>Of {name}</p>" for name in world.feeds)
    one = await explained(world, page(f"{world.site.url}/1", title, head=f"</head>{shown}", language=declared))
    assert one.feed == feed
    assert (f"of_{feed}", "page") in told(one)


async def test_an_entry_without_a_link_is_found_in_the_archive(world: World) -> None:
    world.feed("a", "<item><guid>1</guid><title>NATO</title></item>")
    await world.poll()
    feed = world.feeds["a"]
    body = b'<rss version="2.0"><channel><title>a</title><item><guid>1</guid><title>NATO</title></item></channel></rss>'
    document = Fetched(url=feed.url, body=body, content_type="text/xml", validators=Validators())
    assert (await explained(world, document)).known
