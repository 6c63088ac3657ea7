"""What an article's own page states: its tags first of all, from the source nearest to the newsroom."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from bot.core.calendar import reading_minutes
from bot.core.model import PageFacts
from bot.feeds.decode import to_text
from bot.feeds.plain import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.core.model import Fetched

MAX_TAGS, MAX_TAG, MAX_LEAD = 30, 80, 1000
#: "Tags: #peace_plan #nato", as a line of text.
_TAG_LINE = re.compile(r"(?:Tags|Теги|Мітки|Темы)\s*:\s*((?:[#＃][\w'’ʼ-]+[\s,]*)+)", re.IGNORECASE)
_HASHTAG = re.compile(r"[#＃]([\w'’ʼ-]+)")
_MINUTES = re.compile(
    r"\b(\d{1,3})\s*(?:min(?:ute)?s?\s+read|хв(?:илин\w*)?\.?\s+(?:читання|на читання))", re.IGNORECASE
)
_BODIES = ("[itemprop=articleBody]", ".article-content", "article", "main")


def read_page(page: Fetched, tag_selector: str) -> PageFacts:
    """The facts of a page. Never raises on any bytes: a page that says nothing has none."""
    tree = LexborHTMLParser(to_text(page.body, page.content_type))
    data = list(_json_ld(tree))
    body = _body(tree)
    return PageFacts(
        tags=tuple(map(storable, _tags(tree, tag_selector, data, body))),
        section=storable(_meta(tree, "article:section") or _first_text(data, "articleSection"))[:MAX_TAG],
        lead=storable(_meta(tree, "og:description") or _meta(tree, "description"))[:MAX_LEAD],
        image=_address(page.url, storable(_meta(tree, "og:image"))),
        minutes=_minutes(tree),
    )


def _tags(tree: LexborHTMLParser, selector: str, data: list[dict[str, Any]], body: str) -> tuple[str, ...]:
    """The tags of the first source that states any, in an order that trusts the nearest."""
    sources = (
        lambda: _selected(tree, selector) if selector else [],
        lambda: [tag for line in _TAG_LINE.findall(body) for tag in _HASHTAG.findall(line)],
        lambda: [word for block in data for word in _words(block.get("keywords"))],
        lambda: [word for content in _metas(tree, "article:tag") for word in _words(content)],
        lambda: [word for content in _metas(tree, "news_keywords") for word in _words(content)],
        lambda: _selected(tree, "a[rel~=tag]"),
        lambda: [word for content in _metas(tree, "keywords") for word in _words(content)],
    )
    for source in sources:
        found = dict.fromkeys(tag for raw in source() if (tag := " ".join(raw.split()).lstrip("#＃").strip()))
        short = [tag for tag in found if len(tag) <= MAX_TAG]
        if short:
            return tuple(short[:MAX_TAGS])
    return ()


def _selected(tree: LexborHTMLParser, selector: str) -> list[str]:
    try:
        return [node.text() for node in tree.css(selector)]
    except (SelectolaxError, ValueError):
        return []  # a selector that is none finds nothing; the page goes on


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return re.split(r"[,;]", value)
    return [word for one in value for word in _words(one)] if isinstance(value, list) else []


def _metas(tree: LexborHTMLParser, name: str) -> list[str]:
    nodes = [*tree.css(f'meta[property="{name}"]'), *tree.css(f'meta[name="{name}"]')]
    return [content for node in nodes if (content := node.attributes.get("content"))]


def _meta(tree: LexborHTMLParser, name: str) -> str:
    return " ".join(next(iter(_metas(tree, name)), "").split())


def _json_ld(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    for node in tree.css('script[type="application/ld+json"]'):
        try:
            value = json.loads(node.text(), strict=False)
        except (ValueError, RecursionError):
            continue
        waiting = [value]
        while waiting:
            one = waiting.pop(0)
            if isinstance(one, list):
                waiting += one
            elif isinstance(one, dict):
                yield one
                waiting += [one["@graph"]] if isinstance(one.get("@graph"), list) else []


def _first_text(data: list[dict[str, Any]], key: str) -> str:
    values = (word for block in data for word in _words(block.get(key)))
    return next((" ".join(value.split()) for value in values if value.strip()), "")


def _body(tree: LexborHTMLParser) -> str:
    for selector in _BODIES:
        node = tree.css_first(selector)
        if node is not None and (text := " ".join(node.text(separator=" ").split())):
            return text
    return " ".join(tree.body.text(separator=" ").split()) if tree.body else ""


def _minutes(tree: LexborHTMLParser) -> int | None:
    """Reading time as the page states it, else from the words of its paragraphs."""
    shown = tree.body.text(separator=" ") if tree.body else ""
    if stated := _MINUTES.search(shown):
        return max(1, int(stated[1]))
    words = sum(len(node.text().split()) for node in tree.css("article p, [itemprop=articleBody] p, main p"))
    return reading_minutes(words)


def _address(base: str, found: str) -> str:
    try:
        address = urljoin(base, found) if found else ""
    except ValueError:
        return ""
    return address if address.startswith(("http://", "https://")) else ""
