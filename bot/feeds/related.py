"""The articles that a page offers as MORE ABOUT the same; not what is hot, latest or most read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.model import Link
from bot.feeds.markup import HEADINGS, line, up_from
from bot.feeds.stated import MAX_TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborNode

    from bot.feeds.markup import Page

MAX_LINKS = 10
MORE = re.compile(
    r"(?:more about|more on(?: this| the topic)?|read also|see also|also read|"
    r"related(?: articles| news| stories| posts)?|"
    r"читайте також|читати також|дивіться також|більше про|більше на тему|за темою|схожі (?:новини|матеріали)|"
    r"пов['’ʼ]язані (?:новини|матеріали)|матеріали за темою|новини за темою|читайте также|читать также|смотрите также|"
    r"по теме|больше о|материалы по теме|новости по теме|похожие (?:новости|материалы))[\s:.…>»]*",
    re.IGNORECASE,
)
OTHER = re.compile(
    r"(?:hot(?: news)?|latest(?: news)?|breaking(?: news)?|most (?:read|popular|viewed)|popular|"
    r"trending|top (?:news|stories)|comments|"
    r"гарячі новини|гаряче|останні новини|останнє|найпопулярніше|популярне|"
    r"популярні новини|"
    r"стрічка новин|горячие новости|последние новости|последнее|популярное|самое читаемое|"
    r"лента новостей)[\s:.…>»]*",
    re.IGNORECASE,
)
#: "20:53 21.11.2025", as lists of articles put it before a headline.
TIME = re.compile(r"(?:\d{1,2}:\d{2}(?:\s+\d{1,2}\.\d{1,2}\.\d{4})?|\d{1,2}\.\d{1,2}\.\d{4}(?:\s+\d{1,2}:\d{2})?)\s*")
_MAX_STEPS = 300


def related_links(page: Page) -> tuple[Link, ...]:
    """Headline and absolute address of each, in the page's order, at most ten."""
    for heading in page.headed(MORE):
        if found := _distinct(page, _after(heading)):
            return found
    return ()


def _after(heading: LexborNode) -> Iterator[LexborNode]:
    """The links that follow a heading, beside it or beside what holds it, as far as the next heading of a list."""
    for up in up_from(heading, 4):
        links: list[LexborNode] = []
        node, steps = up.next, 0
        while node is not None and steps < _MAX_STEPS and not _ends(node):
            links += ([node] if node.tag == "a" else node.css("a[href]")[:100]) if node.is_element_node else []
            node, steps = node.next, steps + 1
        if links:
            yield from links
            return


def _ends(node: LexborNode) -> bool:
    """Whether another list begins here."""
    if not node.is_element_node:
        return False
    inside = [node, *node.css(HEADINGS)[:_MAX_STEPS]]
    return any(
        OTHER.fullmatch(own) or MORE.fullmatch(own) for one in inside if (own := line(one.text(deep=False)[:200]))
    )


def _distinct(page: Page, links: Iterable[LexborNode]) -> tuple[Link, ...]:
    """Every address once, with the first text that is a headline: a picture and a headline often lead there both."""
    found: dict[str, str] = {}
    for node in links:
        title = TIME.sub("", line(node.text(separator=" ")), count=1)
        address = page.address(node.attributes.get("href") or "")
        if (
            address
            and len(title.split()) > 2
            and not _in_a_sentence(node, title)
            and address not in found
            and title not in found.values()
        ):
            found[address] = title[:MAX_TITLE]
        if len(found) == MAX_LINKS:
            break
    return tuple(Link(title, address) for address, title in found.items())


def _in_a_sentence(link: LexborNode, title: str) -> bool:
    around = link.parent
    return around is not None and around.tag == "p" and len(line(around.text()[:2000])) > 2 * len(title) + 30
