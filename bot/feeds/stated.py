"""What a page says of its article besides the tags: headline, lead, section, author, picture, time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

from bot.core.calendar import reading_minutes
from bot.feeds.markup import is_article, line
from bot.feeds.plain import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.core.model import Millis
    from bot.feeds.markup import Page

MAX_NAME, MAX_TITLE, MAX_LEAD, MAX_AUTHORS = 80, 300, 1000, 3
_UNIT = r"(?:min(?:ute)?s?|хв(?:илин\w{0,2})?|мин(?:ут\w{0,2})?)"
#: "1 min read", "3 хв читання", "Час читання: 3 хв", "Reading time: 2 minutes".
_MINUTES = re.compile(
    rf"\b(\d{{1,3}})[\s-]{{0,3}}{_UNIT}\.?\s{{0,3}}(?:read\b|(?:на\s|для\s)?(?:читання|чтени[яе]|прочтени[яе]))"
    r"|(?:reading time|read time|час (?:на |для )?читання|время (?:на |для )?(?:чтения|прочтения))"
    rf"\W{{0,5}}(\d{{1,3}})\s?{_UNIT}\b",
    re.IGNORECASE,
)
_DURATION = re.compile(r"P(?:T(?:(\d{1,2})H)?(?:(\d{1,3})M)?(?:\d+S)?)", re.IGNORECASE)
_BODIES = (
    "[itemprop=articleBody]",
    ".article-content",
    "[class*=article-body i],[class*=article__body i],[class*=article_body i],[class*=articleBody i]",
    "article",
    "main",
)
_MORE = re.compile(
    r"(?<=[.!?…»”] )(?:continue reading|read more|read the full (?:story|article)|"
    r"читати далі|читати більше|читайте далі|"
    r"детальніше|докладніше|читать далее|читать дальше|подробнее)\b[^.!?]{0,40}[\s.…>»→)\]]*$",
    re.IGNORECASE,
)
_BY = re.compile(r"^(?:by|author|автор|автори|авторы|von|par)\b[\s:]*", re.IGNORECASE)
#: An address, a note, a number: no name of a person.
_NO_NAME = re.compile(r"[/@<(]|\d{3}|^\S+\.\w{2,3}$")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")


def headline(page: Page) -> str:
    """The article's own headline, without the site's name behind it."""
    shown = [text for node in page.css("h1")[:1] if (text := line(node.text(separator=" ")))]
    whole = [line(node.text()) for node in page.css("title")[:1]]
    stated = [*_article(page, "headline"), page.meta("og:title"), *shown, *whole]
    return next(filter(None, stated), "")


def lead(page: Page, title: str, site: str) -> str:
    """What the article says in short: the page's own description, else its first paragraph."""
    described = (page.meta("og:description"), page.meta("description"), *_article(page, "description"))
    shown = (text for text in paragraphs(page) if len(text) >= 60)
    for raw in (*described, *shown):
        text = text_of(raw)
        if site and text.endswith(site):
            text = text.removesuffix(site).rstrip(" |—–-")
        if (found := _without_more(text)) and found != title:
            return found[:MAX_LEAD]
    return ""


def _without_more(text: str) -> str:
    """A lead without the "Read more" that ends it."""
    found = _MORE.search(text, max(0, len(text) - 100))
    return text[: found.start()].rstrip(" [(") if found else text


def section(page: Page, title: str) -> str:
    """The part of the site that the article stands in: as it says, else the last step of the way to it."""
    steps = [step for block in page.blocks if block.get("@type") == "BreadcrumbList" for step in _steps(block)]
    # In two steps: a selector of one thing within another costs the square of a page's depth.
    ways = page.css("[class*=breadcrumb i]")[:1]
    shown = [line(node.text()) for way in ways for node in way.css("a")[:10]]
    stated = (page.meta("article:section"), *_article(page, "articleSection"))
    for text in (*stated, *reversed(steps[1:]), *reversed(shown[1:])):
        name = line(unescape(text))
        if name and name != title and len(name) <= MAX_NAME and "://" not in name:
            return name
    return ""


def author(page: Page, site: str) -> str:
    """Who wrote it, at most three names; an agency's address and the site itself are no author."""
    shown = [node.text() for node in page.css("a[rel~=author],[itemprop=author]")[:5]]
    sources = (_article(page, "author"), page.metas.get("author", []), page.metas.get("article:author", []), shown)
    for stated in sources:
        names = dict.fromkeys(_BY.sub("", line(unescape(name))) for name in stated)
        people = [name for name in names if 1 < len(name) <= MAX_NAME and not _NO_NAME.search(name)]
        if found := [name for name in people if name.casefold() != site.casefold()]:
            return ", ".join(found[:MAX_AUTHORS])
    return ""


def image(page: Page) -> str:
    """The address of its picture."""
    stated = (page.meta("og:image:secure_url", "og:image", "og:image:url", "twitter:image"), *_images(page))
    return next((address for text in stated if text and (address := page.address(text))), "")


def minutes(page: Page, text: str) -> int | None:
    """Reading time in whole minutes: as the page shows or states it, else computed from the body's words."""
    if shown := minutes_in(text):
        return shown
    for stated in _article(page, "timeRequired"):
        if (found := _DURATION.fullmatch(stated)) and (found[1] or found[2]):
            return max(1, 60 * int(found[1] or 0) + int(found[2] or 0))
    return reading_minutes(sum(len(paragraph.split()) for paragraph in paragraphs(page)))


def minutes_in(text: str) -> int | None:
    """The reading time that a text states; None when it states none."""
    found = _MINUTES.search(text)
    return max(1, int(found[1] or found[2])) if found else None


def published(page: Page) -> Millis | None:
    """When it was published; None without a zone, for whose clock it is nobody could say."""
    metas = (page.meta("article:published_time", "og:article:published_time", "datepublished"),)
    for text in (*_article(page, "datePublished"), *metas):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            continue
        if at.tzinfo is not None and at.year >= 1990:
            return int(at.astimezone(UTC).timestamp() * 1000)
    return None


def language(page: Page) -> str:
    """BCP 47, as the page says."""
    stated = [node.attributes.get("lang") or "" for node in page.css("html[lang]")] + _article(page, "inLanguage")
    found = next((text.strip() for text in stated if _LANGUAGE.fullmatch(text.strip())), "")
    return found.replace("_", "-")


def paragraphs(page: Page) -> list[str]:
    """The article's paragraphs, from the place that is nearest to nothing but them."""
    for selector in _BODIES:
        for node in page.css(selector)[:1]:
            if found := [text for one in node.css("p")[:2000] if (text := line(one.text(separator=" ")))]:
                return found
            if selector in _BODIES[:3] and (whole := line(node.text(separator=" "))):
                return [whole]
    return _article(page, "articleBody")


def _article(page: Page, key: str) -> list[str]:
    """What JSON-LD states of an article, and of nothing else."""
    return page.stated(key) if page.blocks and is_article(page.blocks[0]) else []


def _steps(block: dict[str, object]) -> Iterator[str]:
    items = block.get("itemListElement")
    for one in items[:20] if isinstance(items, list) else ():
        step = one if isinstance(one, dict) else {}
        item = step.get("item")
        name = step.get("name") or (item.get("name") if isinstance(item, dict) else "")
        if isinstance(name, str):
            yield name


def _images(page: Page) -> Iterable[str]:
    for block in page.blocks[:1]:
        found = block.get("image")
        for one in (found if isinstance(found, list) else [found])[:3]:
            address = one.get("url") if isinstance(one, dict) else one
            if isinstance(address, str):
                yield address
