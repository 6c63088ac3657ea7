"""The quick reader: clean RSS 2.0 and Atom 1.0 in a tenth of feedparser's time, and a doubt about everything else.

What it gives is what feedparser 6.0.14 gives for the fields that we use, and it gives nothing where it cannot know
that: elements that feedparser would let speak for ours, repeated ones, markup inside text, relative addresses, text in
a second encoding. `tests/feeds/test_quick.py` holds the two against each other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
SY = "{http://purl.org/rss/1.0/modules/syndication/}"
#: Namespaces some of whose elements feedparser gives a meaning, by its prefix; it compares them in lower case.
NAMESPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
}
#: Names of elements that feedparser gives a meaning in no namespace, and in those it takes for none.
MEANINGFUL = frozenset(
    """
    rss channel feed image textinput author managingeditor contributor name width height url homepage uri email
    subtitle tagline rights copyright item entry language webmaster published issued pubdate updated modified
    lastbuilddate created expirationdate category keywords cloud link guid id title description abstract info generator
    summary enclosure source content body fullitem prodlink newlocation where
    """.split()  # noqa: SIM905 - a table reads better
)
#: And in the namespaces above.
MEANINGFUL_IN = frozenset(
    """
    dc:author dc:contributor dc:date dc:description dc:language dc:publisher dc:rights dc:subject dc:title
    dcterms:created dcterms:issued dcterms:modified dcterms:valid
    media:category media:title media:group media:description media:license media:restriction media:keywords
    itunes:name itunes:email itunes:subtitle itunes:summary itunes:owner itunes:category itunes:keywords itunes:link
    itunes:title content:encoded content:items xhtml:body xhtml:div feedburner:browserfriendly feedburner:origlink
    """.split()  # noqa: SIM905 - a table reads better
)
#: Of the meaningful, those that say nothing about our fields. Without a prefix: RSS 2.0's own.
HARMLESS = frozenset({"author", "comments", "enclosure", "managingEditor", "itunes:author", "dc:creator"})
ATOM_HARMLESS = frozenset({"author", "contributor", "rights", "name", "email", "uri"})
_CHANNEL = re.compile(rb"<(?:item|entry)[\s>]")
_SECOND_ENCODING = re.compile("[\x80-\xff]{2}")
#: An address that every base leaves as it is.
_ABSOLUTE = re.compile(r"https?://[^/].*[^?#]")
#: A relative one that every reader joins to its base in the same way.
_PATH = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9_.=&-]*(?:/[A-Za-z0-9][A-Za-z0-9_.=&-]*)*")
_BASE = re.compile(rb"""\s(?:xml:)?base\s*=""", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*[^?#]")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_RFC822 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ((?:19|20)\d\d) "
    r"([0-2]\d):([0-5]\d):([0-5]\d) (?:GMT|Z|([+-])([01]\d)([0-5]\d))",
    re.ASCII,
)
_ISO = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-][01]\d:[0-5]\d)")


class Doubt(Exception):  # noqa: N818 - no error: the other parser reads it
    """Something that the quick reader does not know feedparser's reading of."""


class Document:
    """What feedparser's result is to us: `feed` and `entries` with its keys."""

    def __init__(self, feed: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        self.feed = feed
        self.entries = entries

    def get(self, name: str) -> str:
        """A document that was read has a version."""
        return "known" if name == "version" else ""


def read(body: bytes, url: str, most: int) -> Document | None:
    """The first `most` entries of a clean document in UTF-8 that stands at `url`; None where there is any doubt."""
    if b"<!DOCTYPE" in body[:2000]:
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - no DTD, so no entities
        if root.tag == "rss" and root.get("version") == "2.0":
            return _rss(root, "" if _BASE.search(body) else url, most)
        if root.tag == f"{ATOM}feed":
            return _atom(root, most)
    except (ET.ParseError, Doubt, ValueError, RecursionError):
        return None
    return None


# --------------------------------------------------------------------------- RSS 2.0


def _rss(root: ET.Element, base: str, most: int) -> Document:
    channel = root.find("channel")
    if channel is None or len(root) != 1:
        raise Doubt
    # A channel may be repeated, or an image or a text input may hold names of ours: only what is plain is read.
    feed: dict[str, Any] = {
        name: (channel.findtext(tag) or "").strip()
        for name, tag in (
            ("title", "title"), ("language", "language"), ("ttl", "ttl"),
            ("sy_updateperiod", f"{SY}updatePeriod"), ("sy_updatefrequency", f"{SY}updateFrequency"),
        )
    }  # fmt: skip
    found = Document(feed, [_rss_item(item, base) for item in channel.findall("item")[:most]])
    found.feed["links"] = _links(channel)
    return found


def _rss_item(item: ET.Element, base: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tags: list[dict[str, str]] = []
    for element in item:
        tag = element.tag
        if tag == "category":
            if term := _text(element):
                tags.append({"term": term})
        elif tag in {"title", "link", "guid", "description", "pubDate", CONTENT}:
            if tag in found:
                raise Doubt
            found[tag] = _text(element)
            if tag == "guid":
                found["permanent"] = element.get("isPermaLink", "true") == "true"
            elif tag == CONTENT and "description" not in found and item.find("description") is not None:
                raise Doubt  # feedparser takes the first of the two for the summary
        elif not all(_harmless(inner.tag) for inner in element.iter()):
            raise Doubt
    link, guid = found.get("link", ""), found.get("guid", "")
    if found.get("permanent") and guid:
        if base and _PATH.fullmatch(guid):
            guid = urljoin(base, guid)  # it says that it is an address
        _absolute(guid)
        link = found.get("link", guid)  # an empty link is one, too
    _absolute(link)
    entry: dict[str, Any] = {"id": guid, "link": link, "title": found.get("title", ""), "tags": tags}
    entry["guidislink"] = found.get("permanent", False) and "link" not in found
    if CONTENT in found:
        entry["content"] = [{"value": found[CONTENT]}]
    entry["summary"] = found["description"] if "description" in found else found.get(CONTENT, "")
    if date := found.get("pubDate"):
        entry |= {"published": date, "published_parsed": _moment(date)}
    return entry


# --------------------------------------------------------------------------- Atom 1.0


def _atom(root: ET.Element, most: int) -> Document:
    feed: dict[str, Any] = {"title": _plain(root.find(f"{ATOM}title")), "language": root.get(_LANG, "")}
    feed["links"] = _links(root)
    return Document(feed, [_atom_entry(entry) for entry in root.findall(f"{ATOM}entry")[:most]])


_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def _atom_entry(entry: ET.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tags: list[dict[str, str]] = []
    for element in entry:
        name = element.tag.removeprefix(ATOM)
        if name == "category":
            tags.append({"term": element.get("term", ""), "label": element.get("label", "")})
        elif name == "link":
            kind = element.get("type", "text/html").lower()
            if element.get("rel", "alternate").lower() == "alternate" and kind in {
                "text/html",
                "application/xhtml+xml",
            }:
                _once(found, name, element.get("href", "").strip())
        elif name in {"title", "summary", "content"}:
            _once(found, name, _plain(element))
        elif name in {"id", "published", "updated"}:
            _once(found, name, _text(element))
        elif not all(inner.tag.removeprefix(ATOM) in ATOM_HARMLESS or _harmless(inner.tag) for inner in element.iter()):
            raise Doubt
    _absolute(found.get("link", ""))
    # An id serves as the link where there is none, as in RSS.
    made: dict[str, Any] = {"id": found.get("id", ""), "link": found.get("link", found.get("id", "")), "tags": tags}
    made |= {
        "title": found.get("title", ""),
        "summary": found.get("summary", found.get("content", "")),
        "guidislink": False,
    }
    if made["id"] and not _SCHEME.fullmatch(made["id"]):
        raise Doubt  # a relative id is made absolute
    if "content" in found:
        made["content"] = [{"value": found["content"]}]
    for name in ("published", "updated"):
        if date := found.get(name):
            made |= {name: date, f"{name}_parsed": _moment(date)}
    return made


def _links(parent: ET.Element) -> list[dict[str, str]]:
    return [{"rel": link.get("rel", ""), "href": link.get("href", "")} for link in parent.findall(f"{ATOM}link")]


def _once(found: dict[str, Any], name: str, value: str) -> None:
    if name in found:
        raise Doubt
    found[name] = value


def _plain(element: ET.Element | None) -> str:
    """The text of an Atom text construct that is no XHTML and stands in the document itself."""
    if element is None:
        return ""
    if element.get("type", "text").lower() not in {"text", "html", "text/plain", "text/html"} or element.get("src"):
        raise Doubt
    return _text(element)


# --------------------------------------------------------------------------- both


def _text(element: ET.Element) -> str:
    if len(element):
        raise Doubt  # markup that nobody escaped
    text = (element.text or "").strip()
    if not text.isascii() and _SECOND_ENCODING.search(text):
        raise Doubt  # feedparser mends text that was encoded twice
    return text


def _absolute(address: str) -> None:
    if address and not _ABSOLUTE.fullmatch(address):
        raise Doubt


def _moment(written: str) -> Any:
    """The date as feedparser's struct_time in UTC, for the spellings that can mean only one."""
    if stated := _RFC822.fullmatch(written):
        day, month, year, hour, minute, second, sign, hours, minutes = stated.groups()
        there = datetime(
            int(year), _MONTHS.index(month) // 3 + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        east = int(f"{sign}1") * timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        return (there - east).timetuple()
    if _ISO.fullmatch(written):
        at_moment = datetime.fromisoformat(written).astimezone(UTC)
        return (at_moment - timedelta(microseconds=at_moment.microsecond)).timetuple()
    from feedparser.datetimes import _parse_date  # noqa: PLC0415 - the other spellings, as feedparser reads them

    return _parse_date(written)


@cache
def _harmless(tag: str) -> bool:
    """Whether an element beside ours leaves feedparser's reading of ours alone."""
    namespace, _, name = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
    prefix = NAMESPACES.get(namespace.lower(), "")
    named = f"{prefix}:{name}" if prefix else name
    if named in HARMLESS and (prefix or not namespace):
        return True
    if prefix:
        return named not in MEANINGFUL_IN
    return name.lower() not in MEANINGFUL
