"""Parsing feeds from bytes that we decoded ourselves: the quick reader first, then feedparser, in a worker process.

A document is judged by what it holds, not by `bozo`: a bare `&` sets that and spoils nothing (feeds.md 3.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from bot.core.model import Entry, Failure, FetchFailed, Pace, ParsedFeed, Push
from bot.feeds import quick
from bot.feeds.dates import moment
from bot.feeds.decode import to_utf8
from bot.feeds.plain import storable, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.core.model import Fetched, Millis

MAX_ENTRIES = 1000
#: Bytes that the quick reader needs at most some 40 ms for, whatever they are (nested, repeated, referenced: measured).
SMALL = 128 * 1024
MAX_TITLE, MAX_SUMMARY, MAX_CATEGORY = 1000, 2000, 100
#: Of an entry's full text: what a story is about stands in its first paragraphs, what it mentions in the rest.
MAX_BODY = 1000
MAX_HEAD, MAX_OFFERED = 100_000, 5
FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})
PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*</hour>", re.IGNORECASE)
_DAY = re.compile(rb"<day>\s*([A-Za-z]+)\s*</day>", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
#: RSS's own elements under a prefix that the document never declared: seen in the wild, and clear to any person.
_STRAY_PREFIX = re.compile(rb"<(/?)rss:", re.IGNORECASE)
#: References to half a character (`&#55296;`), on which feedparser stops.
_HALF = re.compile(
    rb"&#(?:x0*d[89a-f][0-9a-f]{2}|0*(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]));",
    re.IGNORECASE,
)
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?/[^\s?#\\]*(?:\?[^\s#]+)?(?:#\S+)?", re.ASCII)
_TEXT_TAG = re.compile(r"[^,;]+")


def parse_small(fetched: Fetched) -> ParsedFeed | None:
    """The feed in a small and clean body, in milliseconds whatever it holds; None for one that `parse` must read."""
    if len(fetched.body) > SMALL:
        return None
    body = to_utf8(fetched.body, fetched.content_type)
    document = None if _ENTITY.search(body) else quick.read(_HALF.sub(b"", body), fetched.url, MAX_ENTRIES)
    return _feed(document, body, fetched.url) if document is not None else None


def parse(fetched: Fetched) -> ParsedFeed | FetchFailed:
    """The feed in a body; FetchFailed with the reason where there is none. Never raises on any bytes."""
    body = to_utf8(fetched.body, fetched.content_type)
    # Entities expand to any size before a parser can stop them; no feed needs its own (feeds.md 3.1).
    if _ENTITY.search(body[:100_000]):
        return FetchFailed(failure=Failure.UNSAFE, detail=f"{fetched.url}: the document declares XML entities")
    body = _HALF.sub(b"", body)
    document = quick.read(body, fetched.url, MAX_ENTRIES) or _document(body, fetched.url)
    if not document.entries and b"<rss:item" in body:
        document = _document(_STRAY_PREFIX.sub(rb"<\1", body), fetched.url)
    if not document.get("version") and not document.entries:
        offered = _offered(body, fetched.url)
        instead = _instead(body) + (f", which offers {' '.join(offered)}" if offered else "")
        return FetchFailed(failure=Failure.NOT_A_FEED, detail=f"{fetched.url}: not a feed: {instead}", feeds=offered)
    return _feed(document, body, fetched.url)


def _feed(document: Any, body: bytes, url: str) -> ParsedFeed:
    base = document.feed.get("link") or url
    entries = tuple(_entry(raw, base if _is_web(base) else url) for raw in document.entries[:MAX_ENTRIES])
    return ParsedFeed(
        title=text_of(document.feed.get("title", ""))[:MAX_TITLE],
        language=storable(str(document.feed.get("language", "")))[:20],
        entries=tuple(entry for entry in entries if entry.title),
        pace=_pace(document.feed, body),
        push=_push(document.feed, url),
    )


def _document(body: bytes, url: str) -> Any:
    import feedparser  # noqa: PLC0415 - most rounds never need it

    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    return feedparser.parse(body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)


def _instead(body: bytes) -> str:
    head = body[:2000].lstrip().lower()
    if not head:
        return "the answer is empty"
    if head.startswith((b"{", b"[")):
        return "it is JSON"
    if b"<html" in head or b"<!doctype html" in head:
        return "it is a web page"
    return "it holds neither RSS nor Atom"


def _offered(body: bytes, url: str) -> tuple[str, ...]:
    """The feeds that a web page names in its head (feed autodiscovery), in its order."""
    if b"<link" not in body[:MAX_HEAD].lower():
        return ()
    tree = LexborHTMLParser(body[:MAX_HEAD])
    found = []
    for node in tree.css("link[rel~=alternate][href]"):
        kind = (node.attributes.get("type") or "").split(";")[0].strip().lower()
        address = _joined(url, node.attributes.get("href") or "")
        if kind in FEED_TYPES and address:
            found.append(address)
    return tuple(dict.fromkeys(found))[:MAX_OFFERED]


def _pace(feed: Any, body: bytes) -> Pace:
    """What the channel asks of pollers: RSS 2.0's ttl, skipHours and skipDays, and RSS 1.0's syndication module."""
    asked = _number(feed.get("ttl")) * 60
    if period := PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower()):
        asked = max(asked, period // max(1, _number(feed.get("sy_updatefrequency")) or 1))
    channel = body.partition(b"<item")[0][-MAX_HEAD:]
    hours = sum({1 << int(hour) % 24 for hour in _HOUR.findall(_section(channel, b"skipHours"))})
    named = {day.strip().lower().decode("ascii", "replace") for day in _DAY.findall(_section(channel, b"skipDays"))}
    days = sum(1 << number for number, day in enumerate(WEEKDAYS) if day in named)
    return Pace(asked_s=asked, skip_hours=hours, skip_days=days)


def _push(feed: Any, url: str) -> Push | None:
    """The hub that pushes this feed, and the feed's own name for itself (WebSub 4)."""
    named = {str(link.get("rel", "")).lower(): str(link.get("href", "")) for link in reversed(feed.get("links", []))}
    hub, topic = _joined(url, named.get("hub", "")), _joined(url, named.get("self", ""))
    return Push(hub, topic) if named.get("hub") and named.get("self") and hub and topic else None


def _section(channel: bytes, name: bytes) -> bytes:
    return channel.partition(b"<" + name)[2].partition(b"</" + name)[0]


def _number(value: Any) -> int:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _entry(raw: Any, base: str) -> Entry:
    link = _link(raw, base)
    content = " ".join(part.get("value", "") for part in raw.get("content", []))
    full = text_of(content) if content else ""
    summary = text_of(raw.get("summary", "")) or full
    title = text_of(raw.get("title", "")) or summary
    return Entry(
        guid=storable(str(raw.get("id") or ""))[:2000],
        link=link,
        title=title[:MAX_TITLE],
        summary=summary[:MAX_SUMMARY],
        published_at=_published(raw),
        categories=_categories(raw.get("tags", [])),
        words=len(full.split()),
        text="" if full == summary else full[:MAX_BODY],
    )


def _link(raw: Any, base: str) -> str:
    """The entry's web address; a guid that is one serves where there is no link, any other scheme never does."""
    for found in (raw.get("link"), raw.get("id") if raw.get("guidislink", True) else None):
        if found and (address := _joined(base, str(found))):
            return address
    return ""


def _joined(base: str, address: str) -> str:
    """An address made absolute; "" for one that is no web address."""
    address = storable(address).strip()
    if _PLAIN_ADDRESS.fullmatch(address):
        return address  # nearly all are: joined to any base it is itself
    try:
        absolute = urljoin(base, address)
    except ValueError:
        return ""
    return absolute if _is_web(absolute) else ""


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not any(c.isspace() for c in address)


def _published(raw: Any) -> Millis | None:
    for name in ("published", "updated", "created"):
        written = dict.get(raw, name)  # not its own `get`, which gives `published` for a missing `updated`
        if written and (at := moment(raw.get(f"{name}_parsed"), str(written))) is not None:
            return at
    return None


def _categories(tags: Iterable[Any]) -> tuple[str, ...]:
    """Every category once; one that is a comma list is the list (feeds.md 3.1)."""
    terms = (str(tag.get("label") or tag.get("term") or "") for tag in tags)
    names = (text_of(part).strip() for term in terms for part in _TEXT_TAG.findall(term))
    return tuple(dict.fromkeys(name for name in names if name and len(name) <= MAX_CATEGORY))
