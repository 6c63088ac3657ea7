"""Feeds as they are really written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Entry, Failure, Fetched, FetchFailed, ParsedFeed, Validators
from bot.feeds.parse import MAX_ENTRIES, parse


def document(body: bytes | str, content_type: str = "") -> Fetched:
    raw = body.encode() if isinstance(body, str) else body
    return Fetched(url="https://e.org/rss", body=raw, content_type=content_type, validators=Validators())


def rss(items: str | bytes) -> bytes:
    inner = items.encode() if isinstance(items, str) else items
    return b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>' + inner + b"</channel></rss>"


def read(items: str | bytes) -> list[Entry]:
    parsed = parse(document(rss(items)))
    assert isinstance(parsed, ParsedFeed)
    return list(parsed.entries)


def test_an_item_as_the_model_source_writes_it() -> None:
    (entry,) = read(
        "<item><title>NATO &amp; the <![CDATA[<i>plan</i>]]></title><link>/news/facts/1.html?a=1&amp;b=2</link>"
        "<guid isPermaLink='false'>1</guid><pubDate>Fri, 21 Nov 2025 17:11:00 +0200</pubDate>"
        "<description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two &lt;b&gt;three&lt;/b&gt;.&lt;/p&gt;</description>"
        "<category>Peace plan, NATO</category><category>NATO</category></item>"
    )
    assert entry == Entry(
        guid="1",
        link="https://e.org/news/facts/1.html?a=1&b=2",
        title="NATO & the plan",
        summary="One. Two three.",
        published_at=1_763_737_860_000,
        categories=("Peace plan", "NATO"),
        words=0,
    )


def test_atom_with_full_text() -> None:
    parsed = parse(
        document(
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="uk"><title>Т</title><entry><id>tag:e.org,1</id>'
            '<title type="html">Угода &amp;laquo;про мир&amp;raquo;</title><link href="https://e.org/1"/>'
            '<updated>2025-11-21T17:11:00+02:00</updated><category term="мир"/>'
            '<content type="html">&lt;p&gt;Перше друге третє&lt;/p&gt;</content></entry></feed>'
        )
    )
    assert isinstance(parsed, ParsedFeed)
    (entry,) = parsed.entries
    assert (entry.title, entry.summary, entry.words) == ("Угода «про мир»", "Перше друге третє", 3)
    assert entry.categories == ("мир",)


def test_rdf() -> None:
    parsed = parse(
        document(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
            '<item rdf:about="https://e.org/1"><title>A</title><link>https://e.org/1</link></item></rdf:RDF>'
        )
    )
    assert isinstance(parsed, ParsedFeed)
    assert [entry.link for entry in parsed.entries] == ["https://e.org/1"]


@pytest.mark.parametrize(
    ("items", "titles"),
    [
        ("<item><title>a &#55296; b</title></item>", ["a b"]),
        ("<item><title>a</title><guid>x&#xDBFF;&#xdfff;</guid></item>", ["a"]),
        (b"<item><title>a\0b\x01</title></item>", ["ab\x01"]),
        ("<item><title>a & b</title></item>", ["a & b"]),
        ("<item><title>one</title></item><item><ti", ["one"]),
        ("<item><description>only text</description></item>", ["only text"]),
        ("<item><link>https://e.org/1</link></item>", []),  # nothing to show to anybody
        ("<item><title>" + "<b>" * 20_000 + "</title></item>", []),
        ("<item><title>" + "x" * 2_000_000 + "</title></item>", ["x" * 1000]),
    ],
)
def test_damaged_items(items: str | bytes, titles: list[str]) -> None:
    assert [entry.title for entry in read(items)] == titles


def test_a_prefix_nobody_declared_is_read_all_the_same() -> None:
    parsed = parse(
        document("<rss:rss><rss:channel><rss:item><rss:title>A</rss:title></rss:item></rss:channel></rss:rss>")
    )
    assert isinstance(parsed, ParsedFeed)
    assert [entry.title for entry in parsed.entries] == ["A"]


def test_no_feed_is_endless() -> None:
    assert len(read("<item><title>x</title></item>" * (MAX_ENTRIES + 50))) == MAX_ENTRIES


@pytest.mark.parametrize(
    "written",
    ["javascript:alert(1)", "data:text/html,x", "mailto:a@e.org", "http://[::1", "https://e.org/a b"],
)
def test_a_link_that_is_no_web_address_never_gets_through(written: str) -> None:
    (entry,) = read(f"<item><title>x</title><link>{written}</link></item>")
    assert entry.link.startswith("https://e.org/") or entry.link == ""
    assert " " not in entry.link


def test_a_guid_that_is_an_address_serves_as_the_link() -> None:
    permanent, opaque = read(
        "<item><title>x</title><guid>https://e.org/1</guid></item>"
        "<item><title>y</title><guid isPermaLink='false'>https://e.org/2</guid></item>"
    )
    assert (permanent.link, opaque.link) == ("https://e.org/1", "")


@pytest.mark.parametrize(
    ("body", "failure", "says"),
    [
        (b"", Failure.NOT_A_FEED, "empty"),
        (b"<!doctype html><html><body>404</body></html>", Failure.NOT_A_FEED, "web page"),
        (b'{"version": "https://jsonfeed.org/version/1"}', Failure.NOT_A_FEED, "JSON"),
        (b"news", Failure.NOT_A_FEED, "neither RSS nor Atom"),
        (b"<a>" * 1000, Failure.NOT_A_FEED, "neither"),
        (b'<!DOCTYPE r [<!entity a "b">]>' + rss("<item><title>&a;</title></item>")[21:], Failure.UNSAFE, "entities"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body: bytes, failure: Failure, says: str) -> None:
    failed = parse(document(body))
    assert isinstance(failed, FetchFailed)
    assert failed.failure is failure
    assert says in failed.detail
    assert "https://e.org/rss" in failed.detail


def test_an_empty_feed_is_a_feed() -> None:
    assert parse(document(rss(""))) == ParsedFeed(title="T", language="", entries=())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["title", "link", "guid", "pubDate", "description", "category"]))
def test_no_bytes_raise_and_everything_can_be_stored(noise: bytes, element: str) -> None:
    name = element.encode()
    parsed = parse(document(rss(b"<item><title>x</title><%b>%b</%b></item>" % (name, noise, name))))
    if isinstance(parsed, ParsedFeed):
        for entry in parsed.entries:
            texts = (entry.title, entry.link, entry.guid, entry.summary, *entry.categories)
            assert all("\0" not in text and text.encode("utf-8") is not None for text in texts)
