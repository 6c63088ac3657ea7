"""From an entry to an article with its tags; and the catalogue that ships."""

import tomllib
from pathlib import Path

import pytest

from bot.core.describe import describe, entry_changes, wants_page
from bot.core.lexicon import Thesaurus, ThesaurusEntry, ThesaurusError
from bot.core.model import Entry, Feed, PageFacts, PageMode, TagSource

NOW = 1_800_000_000_000
CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def thesaurus() -> Thesaurus:
    """The thesaurus that ships."""
    table = tomllib.loads((CONFIG / "tags.toml").read_text(encoding="utf-8"))
    return Thesaurus.build(
        [
            ThesaurusEntry(
                slug, tag["title"], {k: tuple(v) for k, v in tag["names"].items()}, tuple(tag.get("aliases", ()))
            )
            for slug, tag in table.items()
        ]
    )


FEED = Feed(name="f", url="https://f.example/rss", title="F", language="en", pages=PageMode.WHEN_UNTAGGED)


def entry(title: str = "Headline", summary: str = "", categories: tuple[str, ...] = (), **more: object) -> Entry:
    values = {"guid": "g", "link": "https://f.example/1", "published_at": NOW - 5, "words": 0, **more}
    return Entry(title=title, summary=summary, categories=categories, **values)  # type: ignore[arg-type]


def tags(feed: Feed, one: Entry, page: PageFacts | None, thesaurus: Thesaurus) -> dict[str, str]:
    return {tag.slug: tag.source.value for tag in describe(feed, one, page, thesaurus, NOW).tags}


def test_the_seed_article_gets_its_tags_each_way(thesaurus: Thesaurus) -> None:
    wanted = {"peace_plan", "nato"}
    assert set(tags(FEED, entry(), PageFacts(tags=("peace_plan", "nato")), thesaurus)) == wanted
    assert set(tags(FEED, entry(categories=("Peace plan", "NATO")), None, thesaurus)) == wanted
    assert wanted <= set(tags(FEED, entry("NATO on ‘American peace plan for Ukraine’"), None, thesaurus))


def test_the_nearest_source_names_a_tag(thesaurus: Thesaurus) -> None:
    feed = Feed(name="f", url="", title="F", language="en", tags=("economy",))
    found = tags(feed, entry("NATO and the EU", categories=("nato", "eu")), PageFacts(tags=("nato",)), thesaurus)
    assert found == {
        "nato": TagSource.PAGE.value,
        "eu": TagSource.CATEGORY.value,
        "economy": TagSource.FEED.value,
    }


def test_spellings_and_languages_are_one_tag(thesaurus: Thesaurus) -> None:
    assert {thesaurus.canonical(text) for text in ("НАТО", "otan", "#nato", "Nato")} == {"nato"}
    assert thesaurus.canonical("Something New") == "something_new"
    assert thesaurus.title("nato", "uk") == "НАТО"
    assert thesaurus.title("none", "uk") is None
    assert len(thesaurus.slugs) >= 60


def test_a_thesaurus_that_contradicts_itself_names_every_fault() -> None:
    entries = [ThesaurusEntry("Nato"), ThesaurusEntry("eu", aliases=("!",)), ThesaurusEntry("x", aliases=("eu",))]
    with pytest.raises(ThesaurusError) as caught:
        Thesaurus.build(entries)
    assert len(caught.value.faults) == 3


def test_dates_in_the_future_and_none_read_as_now(thesaurus: Thesaurus) -> None:
    assert describe(FEED, entry(published_at=NOW + 10**9), None, thesaurus, NOW).published_at == NOW
    assert describe(FEED, entry(published_at=None), None, thesaurus, NOW).published_at == NOW


def test_a_summary_that_repeats_the_headline_is_the_pages_lead(thesaurus: Thesaurus) -> None:
    article = describe(FEED, entry("Same", "Same"), PageFacts(lead="A lead.", minutes=3), thesaurus, NOW)
    assert (article.summary, article.minutes) == ("A lead.", 3)
    assert describe(FEED, entry("Same", "Same"), PageFacts(lead="Same"), thesaurus, NOW).summary == ""


def test_reading_time_is_computed_only_from_a_text(thesaurus: Thesaurus) -> None:
    assert describe(FEED, entry(words=401), None, thesaurus, NOW).minutes == 3
    assert describe(FEED, entry(), None, thesaurus, NOW).minutes is None


@pytest.mark.parametrize(
    ("mode", "categories", "link", "wanted"),
    [
        (PageMode.NEVER, (), "https://f.example/1", False),
        (PageMode.ALWAYS, ("nato",), "https://f.example/1", True),
        (PageMode.ALWAYS, (), "", False),
        (PageMode.WHEN_UNTAGGED, (), "https://f.example/1", True),
        (PageMode.WHEN_UNTAGGED, ("nato",), "https://f.example/1", False),
        (PageMode.WHEN_UNTAGGED, ("!",), "https://f.example/1", True),
    ],
)
def test_a_page_is_read_when_it_can_tell_more(
    mode: PageMode, categories: tuple[str, ...], link: str, wanted: bool, thesaurus: Thesaurus
) -> None:
    feed = Feed(name="f", url="", title="F", pages=mode)
    assert wants_page(feed, entry(categories=categories, link=link), thesaurus) is wanted


def test_changes_are_what_is_new_or_edited_oldest_first(thesaurus: Thesaurus) -> None:
    old, edited, new = entry("Old"), entry("Edited", link=""), entry("New")
    known = {"a": entry_changes(FEED, [("a", old)], {}, {}, thesaurus, NOW)[0].content_hash, "b": "other"}
    changes = entry_changes(FEED, [("c", new), ("b", edited), ("a", old)], known, {}, thesaurus, NOW)
    assert [(change.key, change.new) for change in changes] == [("b", False), ("c", True)]
    assert changes[0].canonical == "urn:tagwire:f:b"
