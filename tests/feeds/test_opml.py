"""Lists of feeds, in and out."""

import pytest

from bot.feeds.opml import OpmlError, OpmlFeed, read, write

FEEDS = [
    OpmlFeed("Interfax & Co", "https://e.org/rss?a=1&b=2", ("Україна", "Агентства")),
    OpmlFeed("Other", "https://o.org/rss", ("Україна",)),
    OpmlFeed("Top", "https://t.org/rss"),
]


def test_what_was_written_is_read_again() -> None:
    assert sorted(read(write(FEEDS)), key=str) == sorted(FEEDS, key=str)


def test_readers_write_text_or_title() -> None:
    text = b'<opml><body><outline text="T" xmlUrl="https://e.org/1"/><outline title="F"><outline xmlUrl="https://e.org/2"/></outline></body></opml>'
    assert read(text) == [OpmlFeed("T", "https://e.org/1"), OpmlFeed("", "https://e.org/2", ("F",))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "not well-formed"),
        (b"<opml>", "not well-formed"),
        (b"<html/>", "not an OPML"),
        (b"<opml/>", "not an OPML"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body/></opml>', "entities"),
        (b"\xff\xfe", "not well-formed"),
    ],
)
def test_what_is_no_opml_says_so(text: bytes, says: str) -> None:
    with pytest.raises(OpmlError, match=says):
        read(text)
