"""Which feeds there are."""

from __future__ import annotations

import pytest

from bot.core.model import Feed
from bot.core.roster import NAME, clash, name_for, roster

FILE = (Feed(name="one", url="https://one.example/rss", title="One"),)


def feed(name: str, url: str) -> Feed:
    return Feed(name=name, url=url, title=name)


def test_the_file_stays_the_truth_for_what_it_holds() -> None:
    added = [
        feed("ONE", "https://other.example/rss"),
        feed("same", "http://one.example/rss"),
        feed("two", "https://two.example/rss"),
        feed("Two", "https://three.example/rss"),
    ]
    assert [one.name for one in roster(FILE, added)] == ["one", "two"]
    assert roster((), added[2:3]) == (added[2],)


def test_a_clash_is_of_name_or_address() -> None:
    assert clash("One", "https://x.example", FILE) is FILE[0]
    assert clash("x", "https://ONE.example/rss?utm_source=a", FILE) is FILE[0]
    assert clash("", "https://x.example", FILE) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.example.org/rss", "example-org"),
        ("https://feeds.bbci.co.uk/news/rss.xml", "bbci-co-uk"),
        ("http://127.0.0.1:8080/x", "127-0-0-1"),
        ("https://one/", "one-2"),
        ("https://новини.укр/rss", "новини-укр"),
        ("nonsense", "feed"),
        ("http://[", "feed"),
    ],
)
def test_a_name_is_made_of_the_host(url: str, expected: str) -> None:
    name = name_for(url, ["One"])
    assert name == expected
    assert NAME.fullmatch(name)
