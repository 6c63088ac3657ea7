"""Which entry is which."""

import pytest

from bot.core.identity import canonical_link, content_hash, entry_keys
from bot.core.model import Entry


def entry(guid: str = "", link: str = "", title: str = "T", summary: str = "S") -> Entry:
    return Entry(guid=guid, link=link, title=title, summary=summary, published_at=None, categories=(), words=0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x?utm_source=rss&id=5", "https://a.example/x?id=5"),
        ("http://A.example:80/x#top", "https://a.example/x"),
        ("https://a.example", "https://a.example/"),
        ("https://a.example/x?fbclid=1", "https://a.example/x"),
    ],
)
def test_addresses_of_one_article_have_one_form(one: str, other: str) -> None:
    assert canonical_link(one) == canonical_link(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x?id=5", "https://a.example/x?id=6"),
        ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example:8080/x", "https://a.example/x"),
        ("https://a.example/X", "https://a.example/x"),
    ],
)
def test_addresses_of_two_articles_stay_two(one: str, other: str) -> None:
    assert canonical_link(one) != canonical_link(other)


def test_an_address_that_is_none_is_kept() -> None:
    assert canonical_link("http://[broken") == "http://[broken"


def test_a_guid_identifies_whatever_else_changes() -> None:
    assert entry_keys([entry("g", "https://a.example/1")]) == entry_keys([entry("g", "https://a.example/2", "New")])


def test_a_repeated_guid_is_told_apart_by_the_link() -> None:
    entries = [entry("g", "https://a.example/1"), entry("g", "https://a.example/2"), entry("h")]
    assert len(set(entry_keys(entries))) == 3


def test_one_guid_for_all_is_no_guid() -> None:
    entries = [entry("g", "https://a.example/1"), entry("g", "https://a.example/2")]
    assert entry_keys(entries) == entry_keys([entry("", "https://a.example/1"), entry("", "https://a.example/2")])


def test_without_guid_and_link_the_text_identifies() -> None:
    one, other = entry_keys([entry(title="A"), entry(title="B")])
    assert one != other


def test_the_hash_changes_with_what_readers_see() -> None:
    assert content_hash(entry(title="A")) != content_hash(entry(title="B"))
    assert content_hash(entry("g")) == content_hash(entry("h"))
