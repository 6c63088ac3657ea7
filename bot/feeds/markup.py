"""A page taken apart once: its statements about itself (`meta`, JSON-LD), and the part of it that is the article.

What a hostile page can cost is bounded here: every list has an end, and what is not read cannot hurt.
"""

from __future__ import annotations

import json
import re
from collections import deque
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from bot.feeds.plain import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborNode

#: Building the tree takes the square of its depth: 0.5 s at this many tags, 16 s at 100,000; and the square of a tag's
#: attributes. The largest of 116 recorded pages of news sites has 6,805 tags.
MAX_MARKS, MAX_ATTRIBUTES = 20_000, 1000
MAX_SCRIPTS, MAX_BLOCKS, MAX_HEADED = 30, 2000, 10
MAX_STATED, MAX_TEXT, MAX_ADDRESS = 300, 10_000, 2000
#: Where a heading may stand that is not marked up as one.
HEADINGS = "h2,h3,h4,h5,h6,strong,b,dt,p,span,div"
_ARTICLE = re.compile(r"(?:article|posting|report)$", re.IGNORECASE)
_INSIDE = ("@graph", "mainEntity", "mainEntityOfPage")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Page:
    """The parsed page.

    Attributes:
        url: where it came from, the base of its links.
        tree: its markup without scripts, of which at most `MAX_MARKS` tags are read.
        metas: what its `meta` elements say, by lower-case property or name.
        blocks: its JSON-LD objects, those that say they are an article first.
        root: the part around the headline; None for a page without a body.
        holders: `mem_id` of every element that a headline stands in.
    """

    def __init__(self, html: str, url: str) -> None:
        self.url = url
        self.tree = LexborHTMLParser(_bounded(html))
        self.metas = _metas(self.tree)
        self.blocks = sorted(_blocks(self.tree), key=lambda block: not is_article(block))
        self.tree.strip_tags(["script", "style", "noscript", "template", "svg"])
        around = [up for heading in self.tree.css("h1")[:5] for up in up_from(heading, MAX_MARKS)]
        # Tags stand around an `article` as often as in it.
        self.root = next((up for up in around if up.tag == "main"), self.tree.body)
        self.holders = {up.mem_id for up in around}

    def meta(self, *names: str) -> str:
        """The first text that any of these names states."""
        return next((text for name in names for text in self.metas.get(name, ())), "")

    def stated(self, *path: str) -> list[str]:
        """The texts of the first JSON-LD object that states any there."""
        return next((found for block in self.blocks if (found := list(texts(_at(block, path))))), [])

    def css(self, selector: str) -> list[LexborNode]:
        """The elements of a selector; a selector that is none finds nothing, and the page goes on."""
        try:
            return self.tree.css(selector)
        except (SelectolaxError, ValueError):
            return []

    def address(self, found: str) -> str:
        """A link made absolute; "" for one that is no web address."""
        link = storable(found[: 2 * MAX_ADDRESS]).strip()
        if not link.strip("/"):
            return ""
        try:
            address = urljoin(self.url, link)
            parts = urlsplit(address)
        except ValueError:
            return ""
        safe = parts.scheme in {"http", "https"} and parts.netloc and not any(char.isspace() for char in address)
        return address if safe and len(address) <= MAX_ADDRESS else ""

    def headed(self, pattern: re.Pattern[str]) -> Iterator[LexborNode]:
        """The first elements whose own text is a heading of this pattern, in the page's order."""
        left = MAX_HEADED
        for node in self.root.css(HEADINGS) if self.root is not None else ():
            own = node.text(deep=False)
            if (
                len(own) < 200
                and pattern.fullmatch(line(own))
                and not {"a", "li"} & {up.tag for up in up_from(node, 2)}
            ):
                yield node
                left -= 1
                if not left:
                    return


def line(text: str) -> str:
    """`text` on one line, storable."""
    return " ".join(storable(text).split())


def texts(value: Any, depth: int = 4) -> Iterator[str]:
    """The texts of a JSON-LD value: itself, those of a list, the names of objects."""
    if isinstance(value, str):
        if text := line(unescape(value[:MAX_TEXT])):
            yield text
    elif isinstance(value, list) and depth:
        for one in value[:MAX_STATED]:
            yield from texts(one, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from texts(value.get("name"), depth - 1)


def named(node: LexborNode, pattern: re.Pattern[str]) -> bool:
    """Whether a word of its class or id is this: `articleTags`, `article-tags`, `Tag_tag__x` have it."""
    names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
    return any(pattern.fullmatch(word.lower()) for word in _WORD.findall(names[:500]))


def up_from(node: LexborNode, limit: int) -> Iterator[LexborNode]:
    """The element and those around it, nearest first, at most `limit` and all below the body."""
    up: LexborNode | None = node
    while up is not None and limit and up.tag not in {"body", "html"}:
        yield up
        up, limit = up.parent, limit - 1


def is_article(block: dict[str, Any]) -> bool:
    """Whether a JSON-LD object says that it is an article (NewsArticle, BlogPosting ...)."""
    return any(isinstance(kind, str) and _ARTICLE.search(kind) for kind in _listed(block.get("@type"))[:9])


def _bounded(html: str) -> str:
    parts = html.split("<", MAX_MARKS + 1)[: MAX_MARKS + 1]
    for at, part in enumerate(parts):
        if len(part) > 2 * MAX_ATTRIBUTES and len(part.partition(">")[0].split(None, MAX_ATTRIBUTES)) > MAX_ATTRIBUTES:
            parts[at] = ""
    return "<".join(parts)


def _metas(tree: LexborHTMLParser) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in tree.css("meta[content]"):
        named = node.attributes
        name = (named.get("property") or named.get("name") or named.get("itemprop") or "").strip().lower()
        if name and (content := line((named.get("content") or "")[:MAX_TEXT])):
            found.setdefault(name, []).append(content)
    return found


def _blocks(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """The objects of all JSON-LD, in the page's order; broken, endless and bottomless ones are passed over."""
    left = MAX_BLOCKS
    for node in tree.css('script[type="application/ld+json" i]')[:MAX_SCRIPTS]:
        try:
            # Some hide it from the parsers of long ago: //<![CDATA[ ... //]]>
            written = node.text().replace("<![CDATA[", "").replace("]]>", "").strip(" \t\r\n/*;")
            waiting = deque([json.loads(written, strict=False)])
        except (ValueError, RecursionError):
            continue
        while waiting and (left := left - 1) > 0:
            one = waiting.popleft()
            if isinstance(one, list):
                waiting.extend(one[:MAX_STATED])
            elif isinstance(one, dict):
                yield one
                waiting.extend(one[key] for key in _INSIDE if isinstance(one.get(key), list | dict))


def _at(block: dict[str, Any], path: Iterable[str]) -> Any:
    value: Any = block
    for key in path:
        value = next((one.get(key) for one in _listed(value)[:9] if isinstance(one, dict)), None)
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
