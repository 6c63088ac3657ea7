"""The quick reader against feedparser: the same entries, or a doubt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds import quick
from bot.feeds.parse import _document, _entry, _pace

URL = "https://e.org/rss"
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:x="urn:unknown" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
)


def rss(items: str, channel: str = "<title>T</title>") -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0" {NAMESPACES}><channel>{channel}{items}</channel></rss>'.encode()


def atom(entries: str) -> bytes:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES} xml:lang="uk"><title>T</title><id>urn:f</id>'
        f"<updated>2025-11-21T17:11:00Z</updated>{entries}</feed>"
    ).encode()


def both(body: bytes):
    """What each makes of a document; None for a doubt."""
    read, slow = quick.read(body, URL, 1000), _document(body, URL)
    theirs = [_entry(raw, slow.feed.get("link") or URL) for raw in slow.entries], _pace(slow.feed, body)
    return read and ([_entry(raw, URL) for raw in read.entries], _pace(read.feed, body)), theirs


DATES = (
    "Fri, 21 Nov 2025 17:11:00 +0200", "Fri, 21 Nov 2025 17:11:00 GMT", "2025-11-21T17:11:00+02:00", "21.11.2025 17:11",
    "Fri, 21 Nov 2025 17:11 EET", "2025-11-21T17:11:00.123Z", "1763737860", "soon", "",
)  # fmt: skip
CLEAN = [
    "<item><title>A &amp; B</title><link>https://e.org/1</link><guid>https://e.org/1</guid></item>",
    "<item><title>A</title><link> https://e.org/1 </link><guid isPermaLink='false'>n 1</guid></item>",
    "<item><title>A</title><guid>n-1</guid></item>",
    "<item><title>A</title><link/><guid>https://e.org/1</guid></item>",
    "<item><title><![CDATA[<b>A</b> & B]]></title><description>&lt;p&gt;x&lt;/p&gt;</description></item>",
    "<item><description>D</description><content:encoded><![CDATA[<p>one two</p>]]></content:encoded></item>",
    "<item><title>A</title><category>NATO</category><category domain='d'>a, b</category><category/></item>",
    "<item><title>A</title><dc:creator>B</dc:creator><media:content url='u'/><x:y>z</x:y><author>m</author></item>",
    "<item><title>A</title><enclosure url='https://e.org/a.mp3' length='1' type='audio/mpeg'/></item>",
    "<item><title>Їжак і ґава</title><description>Опис — «текст»</description></item>",
    "<item></item>",
    *[f"<item><title>A</title><pubDate>{date}</pubDate></item>" for date in DATES],
]
DOUBTFUL = [
    "<item><title>A <b>x</b></title></item>",
    "<item><title>A</title><title>B</title></item>",
    "<item><title>A</title><dc:title>B</dc:title></item>",
    "<item><title>A</title><media:group><media:title>B</media:title></media:group></item>",
    "<item><title>A</title><link>/relative</link></item>",
    "<item><title>A</title><atom:link href='https://e.org/1'/></item>",
    "<item><content:encoded>c</content:encoded><description>d</description></item>",
    "<item><title>A</title><dc:date>2025-11-21</dc:date></item>",
    "<item><title>A</title><pubDate>Fri, 31 Nov 2025 17:00:00 GMT</pubDate></item>",
    "<item><title>Ð\u009aÐ¸Ñ\u0097Ð²</title></item>",
]
ENTRIES = [
    "<entry><id>urn:1</id><title>A</title><link href='https://e.org/1'/><updated>2025-11-21T17:11:00Z</updated></entry>",
    (
        "<entry><id>urn:1</id><title type='html'>A &lt;b&gt;x&lt;/b&gt;</title><summary>s</summary>"
        "<content type='html'>&lt;p&gt;one two&lt;/p&gt;</content><link rel='self' href='https://e.org/s'/>"
        "<link rel='alternate' type='text/html' href='https://e.org/1'/><category term='t' label='L'/>"
        "<author><name>N</name></author><published>2025-11-21T17:11:00+02:00</published></entry>"
    ),
    "<entry><id>https://e.org/1</id><title>A</title><content>only</content></entry>",
]


@pytest.mark.parametrize("item", CLEAN)
def test_clean_items_are_read_as_feedparser_reads_them(item: str) -> None:
    ours, theirs = both(rss(item))
    assert ours == theirs


@pytest.mark.parametrize("entry", ENTRIES)
def test_clean_entries_too(entry: str) -> None:
    ours, theirs = both(atom(entry))
    assert ours == theirs


@pytest.mark.parametrize("item", DOUBTFUL)
def test_what_is_not_sure_is_left_to_feedparser(item: str) -> None:
    assert both(rss(item))[0] is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rss",
        b"<html/>",
        b'<rss version="0.91"><channel/></rss>',
        b"<!DOCTYPE rss><rss version='2.0'><channel/></rss>",
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        b"<rss version='2.0'/>",
    ],
)
def test_other_documents_are_left_to_feedparser(body: bytes) -> None:
    assert quick.read(body, URL, 10) is None


def test_the_channels_pace_and_language() -> None:
    channel = "<title>T</title><language>uk</language><ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod>"
    body = rss("<item><title>A</title></item>", channel)
    ours, theirs = both(body)
    assert ours == theirs
    read = quick.read(body, URL, 10)
    assert read is not None
    assert (read.feed["language"], read.feed["ttl"]) == ("uk", "60")


PIECES = st.sampled_from([*CLEAN, *DOUBTFUL]).map(lambda item: item.removeprefix("<item>").removesuffix("</item>"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=3), max_size=4))
def test_whatever_is_put_together_the_two_agree_or_it_is_a_doubt(items: list[list[str]]) -> None:
    ours, theirs = both(rss("".join(f"<item>{''.join(pieces)}</item>" for pieces in items)))
    assert ours in (None, theirs)
