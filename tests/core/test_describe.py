"""From an entry to an article with its tags; and the catalogue that ships."""

import tomllib
from pathlib import Path

import pytest

from bot.core.describe import describe, entry_changes, evidence, late_tags, nearest, wants_page
from bot.core.lexicon import Lexicon
from bot.core.model import Entry, Feed, PageFacts, PageMode, TagSource
from bot.core.thesaurus import Thesaurus, ThesaurusEntry, ThesaurusError
from bot.feeds.morphology import Morphology
from tests.thesaurus import shipped

NOW = 1_800_000_000_000
CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def thesaurus() -> Thesaurus:
    """The thesaurus that ships."""
    return shipped()


FEED = Feed(name="f", url="https://f.example/rss", title="F", language="en", pages=PageMode.WHEN_UNTAGGED)


def entry(title: str = "Headline", summary: str = "", categories: tuple[str, ...] = (), **more: object) -> Entry:
    values = {"guid": "g", "link": "https://f.example/1", "published_at": NOW - 5, "words": 0, **more}
    return Entry(title=title, summary=summary, categories=categories, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lexicon(thesaurus: Thesaurus) -> Lexicon:
    """With the dictionaries that ship."""
    return Lexicon(thesaurus, Morphology())


def tags(feed: Feed, one: Entry, page: PageFacts | None, lexicon: Lexicon) -> dict[str, str]:
    return {tag.slug: tag.source.value for tag in describe(feed, one, page, lexicon, NOW).tags}


def test_the_seed_article_gets_its_tags_each_way(lexicon: Lexicon) -> None:
    wanted = {"peace_plan", "nato"}
    assert set(tags(FEED, entry(), PageFacts(tags=("peace_plan", "nato")), lexicon)) == wanted
    assert set(tags(FEED, entry(categories=("Peace plan", "NATO")), None, lexicon)) == wanted
    assert wanted <= set(tags(FEED, entry("NATO on ‘American peace plan for Ukraine’"), None, lexicon))


def test_the_nearest_source_names_a_tag(lexicon: Lexicon) -> None:
    feed = Feed(name="f", url="", title="F", language="en", tags=("economy",))
    found = tags(feed, entry("NATO and the EU", categories=("nato", "eu")), PageFacts(tags=("nato",)), lexicon)
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


def test_dates_in_the_future_and_none_read_as_now(lexicon: Lexicon) -> None:
    assert describe(FEED, entry(published_at=NOW + 10**9), None, lexicon, NOW).published_at == NOW
    assert describe(FEED, entry(published_at=None), None, lexicon, NOW).published_at == NOW


def test_a_summary_that_repeats_the_headline_is_the_pages_lead(lexicon: Lexicon) -> None:
    article = describe(FEED, entry("Same", "Same"), PageFacts(lead="A lead.", minutes=3), lexicon, NOW)
    assert (article.summary, article.minutes) == ("A lead.", 3)
    assert describe(FEED, entry("Same", "Same"), PageFacts(lead="Same"), lexicon, NOW).summary == ""


def test_reading_time_is_computed_only_from_a_text(lexicon: Lexicon) -> None:
    assert describe(FEED, entry(words=401), None, lexicon, NOW).minutes == 3
    assert describe(FEED, entry(), None, lexicon, NOW).minutes is None


@pytest.mark.parametrize(
    ("mode", "categories", "link", "wanted"),
    [
        (PageMode.NEVER, (), "https://f.example/1", False),
        (PageMode.ALWAYS, ("nato",), "https://f.example/1", True),
        (PageMode.ALWAYS, (), "", False),
        (PageMode.WHEN_UNTAGGED, (), "https://f.example/1", True),
        (PageMode.WHEN_UNTAGGED, ("nato",), "https://f.example/1", False),
        (PageMode.WHEN_UNTAGGED, ("!",), "https://f.example/1", True),
        (PageMode.WHEN_UNTAGGED, ("Facts",), "https://f.example/1", True),  # a section says nothing of its tags
        (PageMode.WHEN_UNTAGGED, ("FACTS", "nato"), "https://f.example/1", False),
        (PageMode.WHEN_UNTAGGED, ("World",), "https://f.example/1", True),  # a section that the catalogue does not name
        (PageMode.WHEN_UNTAGGED, ("Політика",), "https://f.example/1", True),
        (PageMode.WHEN_UNTAGGED, ("World", "NATO"), "https://f.example/1", False),
        (PageMode.WHEN_UNTAGGED, ("FACTS", "NATO"), "https://f.example/1", False),
        (PageMode.NEVER, ("World",), "https://f.example/1", False),
    ],
)
def test_a_page_is_read_when_it_can_tell_more(
    mode: PageMode, categories: tuple[str, ...], link: str, wanted: bool
) -> None:
    feed = Feed(name="f", url="", title="F", pages=mode, sections=("Facts",))
    assert wants_page(feed, entry(categories=categories, link=link)) is wanted


def test_the_pages_of_interfax_are_read_whatever_its_categories_are() -> None:
    catalogue = tomllib.loads((CONFIG / "feeds.toml").read_text(encoding="utf-8"))["feed"]
    own = [one for one in catalogue if one["name"].startswith("interfax")]
    assert len(own) == 4
    for one in own:
        feed = Feed(name="f", url="", title="F", pages=PageMode(one["pages"]), sections=tuple(one["sections"]))
        assert wants_page(feed, entry(categories=("Defence", "Ukraine"), link="https://f.example/1"))


def test_a_section_is_no_tag_where_the_catalogue_says_so(lexicon: Lexicon) -> None:
    feed = Feed(name="f", url="", title="F", sections=("Facts",))
    article = describe(feed, entry(categories=("Facts", "NATO")), None, lexicon, NOW)
    assert ([tag.slug for tag in article.tags], article.section) == (["nato"], "Facts")
    every = Feed(name="f", url="", title="F", sections=("*",))
    assert describe(every, entry(categories=("Facts", "NATO")), None, lexicon, NOW).tags == ()


def test_every_place_that_names_a_tag_is_kept_apart_and_the_nearest_counts(lexicon: Lexicon) -> None:
    feed = Feed(name="f", url="", title="F", language="uk", tags=("nato",))
    named = entry("НАТО і мирний план", categories=("НАТО",))
    found = list(evidence(feed, named, PageFacts(tags=("nato",)), lexicon))
    assert [(tag.slug, tag.source.value, tag.words) for tag in found] == [
        ("nato", "page", "nato"),
        ("nato", "category", "НАТО"),
        ("nato", "feed", "nato"),
        ("nato", "text", "НАТО"),
        ("peace_plan", "text", "мирний план"),
    ]
    assert [(tag.slug, tag.source.value) for tag in nearest(iter(found))] == [("nato", "page"), ("peace_plan", "text")]


def test_an_article_bears_its_source(lexicon: Lexicon) -> None:
    article = describe(FEED, entry(categories=("nato",)), None, lexicon, NOW)
    assert [term.slug for term in article.terms] == ["nato", "@f"]


def test_the_beginning_of_a_feeds_full_text_is_looked_at_too(lexicon: Lexicon) -> None:
    assert "nato" in tags(FEED, entry("Talks", text="Then ministers of NATO met."), None, lexicon)


def test_a_late_page_adds_its_tags_and_those_of_its_lead(lexicon: Lexicon) -> None:
    article = describe(FEED, entry("Talks"), None, lexicon, NOW)
    late = late_tags(article, PageFacts(tags=("Peace Plan",), lead="Ministers of NATO met."), lexicon)
    assert [(tag.slug, tag.source.value) for tag in late] == [("peace_plan", "page"), ("nato", "text")]


def test_changes_are_what_is_new_or_edited_oldest_first(lexicon: Lexicon) -> None:
    old, edited, new = entry("Old"), entry("Edited", link=""), entry("New")
    known = {"a": entry_changes(FEED, [("a", old)], {}, {}, lexicon, NOW)[0].content_hash, "b": "other"}
    changes = entry_changes(FEED, [("c", new), ("b", edited), ("a", old)], known, {}, lexicon, NOW)
    assert [(change.key, change.new) for change in changes] == [("b", False), ("c", True)]
    assert changes[0].canonical == "urn:tagwire:f:b"
