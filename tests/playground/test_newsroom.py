"""The sample newsroom, as a poller and a browser see it."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.playground.newsroom import FEED_LENGTH, Newsroom, NewsroomError
from bot.playground.pages import article, rss

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2025, 11, 22, 9, 30, 15, tzinfo=UTC)


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: int) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def newsroom(clock: Clock) -> Newsroom:
    return Newsroom(clock=clock)


@asynccontextmanager
async def site(newsroom: Newsroom) -> AsyncIterator[TestClient]:
    app = web.Application()
    newsroom.mount(app)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def client(newsroom: Newsroom) -> AsyncIterator[TestClient]:
    async with site(newsroom) as opened:
        yield opened


async def items(client: TestClient, path: str = "/newsroom/rss.xml") -> list[dict[str, str]]:
    async with client.get(path) as response:
        document = ET.fromstring(await response.read())
    return [{part.tag: part.text or "" for part in item} for item in document.iter("item")]


async def page(client: TestClient, path: str) -> str:
    async with client.get(path) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        return await response.text()


# ---------------------------------------------------------------- feeds


async def test_an_archive_in_two_languages_and_several_tags_is_there_at_once(newsroom, client):
    assert len(await items(client)) >= 3
    assert len(await items(client, "/newsroom/uk/rss.xml")) >= 3
    assert len({tag for story in newsroom.stories for tag in story.tags}) >= 6


async def test_the_seed_is_no_part_of_the_archive_and_leads_the_feed_once_published(newsroom, client):
    before = await items(client)
    seed = newsroom.publish_seed()
    after = await items(client)
    assert [item["title"] for item in after] == [seed.title, *(item["title"] for item in before)]
    assert after[0]["description"] == seed.lead


async def test_every_item_has_its_own_guid_an_absolute_link_that_opens_and_a_date_with_its_zone(newsroom, client):
    newsroom.publish_seed()
    listed = await items(client) + await items(client, "/newsroom/uk/rss.xml")
    assert len({item["guid"] for item in listed}) == len(listed) == len(newsroom.stories)
    by_title = {story.title: story for story in newsroom.stories}
    for item in listed:
        assert item["link"].startswith(str(client.make_url("/newsroom/news/general/")))
        assert item["title"] in unescape(await page(client, URL(item["link"]).path))
        assert parsedate_to_datetime(item["pubDate"]) == by_title[item["title"]].published


async def test_the_seeds_date_in_the_feed_is_the_rfc_822_form_of_1711_in_kyiv(newsroom, client):
    newsroom.publish_seed()
    assert (await items(client))[0]["pubDate"] == "Fri, 21 Nov 2025 15:11:00 GMT"


async def test_each_language_has_its_own_feed(newsroom, client):
    story = newsroom.publish_ukrainian()
    assert story.title == (await items(client, "/newsroom/uk/rss.xml"))[0]["title"]
    assert story.title not in [item["title"] for item in await items(client)]


async def test_a_feed_names_tags_only_when_asked_to(clock):
    for categories, expected in ((False, []), (True, ["peace_plan", "nato"])):
        newsroom = Newsroom(clock=clock, categories=categories)
        document = ET.fromstring(rss([newsroom.publish_seed()], "en", "http://h", NOW, categories=categories))
        assert [one.text for one in document.iter("category")] == expected
        async with site(newsroom) as client, client.get("/newsroom/rss.xml") as response:
            assert ("<category>" in await response.text()) is categories


async def test_a_long_feed_is_cut_to_its_newest_items(newsroom, client):
    for number in range(FEED_LENGTH + 1):
        newsroom.publish(title=f"Story {number}")
    assert [item["title"] for item in await items(client)] == [f"Story {n}" for n in range(FEED_LENGTH, 0, -1)]


@pytest.mark.parametrize(("sent", "given"), [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")])
async def test_either_validator_alone_brings_304_until_something_is_published(newsroom, client, clock, sent, given):
    async with client.get("/newsroom/rss.xml") as first:
        validator = {sent: first.headers[given]}
    async with client.get("/newsroom/rss.xml", headers=validator) as second:
        assert second.status == 304
        assert await second.read() == b""
        assert second.headers[given] == validator[sent]
    clock.move(seconds=1)
    newsroom.publish_seed()
    async with client.get("/newsroom/rss.xml", headers=validator) as third:
        assert third.status == 200


async def test_the_entity_tag_decides_alone_when_both_validators_are_sent(newsroom, client):
    async with client.get("/newsroom/rss.xml") as first:
        both = {"If-None-Match": first.headers["ETag"], "If-Modified-Since": first.headers["Last-Modified"]}
    newsroom.publish_seed()  # within the same second, which Last-Modified cannot tell
    async with client.get("/newsroom/rss.xml", headers=both) as response:
        assert response.status == 200


async def test_news_in_one_language_leaves_the_other_feed_unmodified(newsroom, client, clock):
    async with client.get("/newsroom/uk/rss.xml") as first:
        tag = first.headers["ETag"]
    clock.move(minutes=1)
    newsroom.publish_seed()
    async with client.get("/newsroom/uk/rss.xml", headers={"If-None-Match": f'"other", W/{tag}'}) as second:
        assert second.status == 304


# ---------------------------------------------------------------- pages


async def test_the_article_page_shows_its_parts_in_the_order_of_the_real_site(newsroom, client):
    story = newsroom.publish_seed()
    text = re.sub(r"<[^>]+>", "\n", (await page(client, story.path)).split("<main>")[1])
    parts = ["Sample-Ukraine", "Facts", "17:11 21.11.2025", story.title, "1 min read", story.title, story.lead,
             "Tags:", "#peace_plan", "#nato", "MORE ABOUT", "HOT NEWS", "LATEST"]  # fmt: skip
    at = 0
    for part in parts:
        at = text.index(part, at) + len(part)


async def test_the_tags_stand_as_links_in_their_block_and_each_leads_to_a_list_with_the_story(newsroom, client):
    story = newsroom.publish_seed()
    block = re.search(r'<div class="article-tags">(.*?)</div>', await page(client, story.path))
    links = re.findall(r'<a href="([^"]+)">#(\w+)</a>', block[1])
    assert [slug for _, slug in links] == ["peace_plan", "nato"]
    assert links[0][0] == "/newsroom/news/tag/peace_plan.html"
    for path, _ in links:
        assert story.title in await page(client, path)


async def test_a_ukrainian_page_speaks_ukrainian_and_its_cyrillic_tags_lead_somewhere(newsroom, client):
    story = newsroom.publish_ukrainian()
    text = await page(client, story.path)
    assert '<html lang="uk">' in text
    assert "1 хв читання" in text
    path = re.search(r'href="(/newsroom/news/tag/%[^"]+)"', text)[1]
    assert story.title in await page(client, path)


def test_more_about_lists_only_stories_sharing_a_tag(newsroom):
    seed = newsroom.publish_seed()
    others = [story for story in newsroom.stories if story.language == "en" and story.id != seed.id]
    more = article(seed, others).split("MORE ABOUT")[1].split("HOT NEWS")[0]
    assert {other.title for other in others if other.title in unescape(more)} == {
        other.title for other in others if {"nato", "peace_plan"} & set(other.tags)
    }


def test_reading_time_is_counted_in_started_two_hundreds_of_words(newsroom):
    for words, minutes in ((0, 1), (200, 1), (201, 2)):
        story = newsroom.publish(title="T", body="word " * words)
        assert f">{minutes} min read<" in article(story, [])


async def test_the_index_links_every_story_and_both_feeds(newsroom, client):
    text = await page(client, "/newsroom/")
    for path in ("/newsroom/rss.xml", "/newsroom/uk/rss.xml", *(story.path for story in newsroom.stories)):
        assert f'href="{path}"' in text


@pytest.mark.parametrize("path", ["/newsroom/news/general/1.html", "/newsroom/news/tag/unheard_of.html"])
async def test_what_is_not_there_is_404(client, path):
    async with client.get(path) as response:
        assert response.status == 404


async def test_markup_in_a_story_is_shown_never_obeyed(newsroom, client):
    evil = "<script>alert(1)</script>&\"'<b>"
    story = newsroom.publish(title=evil, lead=evil, body=evil, section=evil, tags=[evil])
    newsroom.publish(title="Another", tags=[evil])
    for path in (story.path, newsroom.stories[0].path, "/newsroom/", f"/newsroom/news/tag/{story.tags[0]}.html"):
        text = await page(client, path)
        assert "<script" not in text
        assert "<b>" not in text
        assert "&lt;script&gt;" in text
    listed = {item["title"]: item for item in await items(client)}
    assert listed[evil]["description"] == evil


@given(st.text().filter(str.strip), st.text())
def test_any_text_makes_a_well_formed_feed(title, lead):
    newsroom = Newsroom(clock=Clock())
    try:
        story = newsroom.publish(title=title, lead=lead)
    except NewsroomError:
        return  # nothing printable in the headline
    document = ET.fromstring(rss([story], "en", "http://h", NOW).encode())
    assert document.findtext("channel/item/title") == story.title


# ---------------------------------------------------------------- publishing


def test_the_seed_bears_its_own_time_first_and_is_a_fresh_story_of_now_again(newsroom, clock):
    first = newsroom.publish_seed()
    clock.move(minutes=5)
    again = newsroom.publish_seed()
    assert first.published == datetime(2025, 11, 21, 15, 11, tzinfo=UTC)
    assert again.published == NOW + timedelta(minutes=5)
    assert again.id > first.id
    assert again.title == first.title


def test_tags_are_told_in_the_form_of_addresses_each_once(newsroom):
    story = newsroom.publish(title="T", tags=["#Peace Plan", "peace_plan", "Мирний план", "#", " "])
    assert story.tags == ("peace_plan", "мирний_план")


def test_a_story_of_ones_own_keeps_what_it_was_given(newsroom):
    published = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
    story = newsroom.publish(title=" A \n title ", language="uk", section="Спорт", published=published)
    assert (story.title, story.language, story.section, story.published) == ("A title", "uk", "Спорт", published)
    assert newsroom.publish(title="T").published == NOW


async def test_an_edit_changes_the_headline_and_neither_link_nor_guid_nor_date(newsroom, client, clock):
    newsroom.publish_seed()
    before = (await items(client))[0]
    clock.move(minutes=1)
    newsroom.edit(newsroom.stories[0].id, title="Corrected")
    assert (await items(client))[0] == {**before, "title": "Corrected"}


def test_the_poller_is_called_for_what_is_published_or_edited_but_not_for_the_archive(clock):
    calls: list[str] = []
    newsroom = Newsroom(clock=clock, on_publish=lambda: calls.append(newsroom.stories[0].title))
    assert calls == []
    story = newsroom.publish_seed()
    newsroom.edit(story.id, title="Corrected")
    assert calls == [story.title, "Corrected"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"title": " \x00"}, "title"),
        ({"title": "T", "language": "xx"}, "language"),
        ({"title": "T", "published": datetime(2025, 1, 1)}, "published"),  # noqa: DTZ001 - the very fault
    ],
)
def test_a_story_that_cannot_be_is_refused_by_the_name_of_the_field(newsroom, fields, fault):
    count = len(newsroom.stories)
    with pytest.raises(NewsroomError, match=f"^{fault}: "):
        newsroom.publish(**fields)
    assert len(newsroom.stories) == count


# ---------------------------------------------------------------- publishing over HTTP


async def post(client: TestClient, path: str, data: str, content_type: str = "application/json") -> tuple[int, dict]:
    async with client.post(path, data=data, headers={"Content-Type": content_type}) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("body", "language", "tags"),
    [
        ("", "en", ("peace_plan", "nato")),
        ("{}", "en", ("peace_plan", "nato")),
        ('{"story": "seed"}', "en", ("peace_plan", "nato")),
        ('{"story": "uk"}', "uk", ("мирний_план", "нато")),
        ('{"title": "T", "tags": ["#x"], "published": "2025-11-21T17:11:00+02:00"}', "en", ("x",)),
    ],
)
async def test_publishing_answers_the_link_of_the_new_story(newsroom, client, body, language, tags):
    status, answer = await post(client, "/newsroom/publish", body)
    story = newsroom.stories[0]
    assert (status, answer["ok"], answer["link"]) == (200, True, str(client.make_url(story.path)))
    assert (story.language, story.tags) == (language, tags)


async def test_editing_over_http_answers_the_same_link(newsroom, client):
    story = newsroom.publish_seed()
    status, answer = await post(client, "/newsroom/edit", f'{{"id": {story.id}, "title": "New"}}')
    assert (status, answer["title"], answer["link"]) == (200, "New", str(client.make_url(story.path)))


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("publish", "{", "the body is not JSON"),
        ("publish", "[" * 100_000, "the body is not JSON"),
        ("publish", "[]", "the body is not a JSON object"),
        ("publish", '{"story": "other"}', "story: "),
        ("publish", '{"lead": "no headline"}', "title: "),
        ("publish", '{"title": 1}', "title: "),
        ("publish", '{"title": "T", "tags": "nato"}', "tags: "),
        ("publish", '{"title": "T", "published": "today"}', "published: "),
        ("publish", '{"title": "T", "published": "2025-11-21T17:11:00"}', "published: "),
        ("publish", '{"title": "T", "published": "0001-01-01T00:00:00+14:00"}', "published: "),
        ("edit", '{"title": "T"}', "id: "),
        ("edit", '{"id": 1, "title": "T"}', "id: "),
        ("edit", '{"id": 1100001}', "title: "),
    ],
)
async def test_a_bad_request_is_refused_in_one_line_and_changes_nothing(newsroom, client, path, body, error):
    before = newsroom.stories
    status, answer = await post(client, f"/newsroom/{path}", body)
    assert (status, answer["ok"]) == (400, False)
    assert answer["error"].startswith(error)
    assert newsroom.stories == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_form_of_another_site_cannot_publish(newsroom, client, content_type):
    before = newsroom.stories
    assert (await post(client, "/newsroom/publish", "{}", content_type))[0] == 415
    assert newsroom.stories == before
