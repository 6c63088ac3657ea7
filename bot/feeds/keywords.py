"""The tags that a page states: every place that may hold them, in the order of trust, without the usual junk.

The order and the guards are what measured best on recorded pages of 81 publishers (tests/bench/pages.py): a list that
the newsroom's system wrote is right more often than links whose look alone says that they are tags.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bot.core.tags import normalise
from bot.feeds.markup import line, named, up_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborNode

    from bot.feeds.markup import Page

MAX_TAGS, MAX_TAG, MAX_WORDS = 30, 80, 10
#: Of a list that a page states, of places that look like tags, of links in one such place.
MAX_STATED, MAX_PLACES, MAX_LINKS, MAX_STEPS = 300, 20, 40, 50
_NAMES = r"tags|topics|related topics|теги|мітки|ключові слова|теми|сюжети|темы|метки|ключевые слова|сюжеты"
#: "Tags: #peace_plan #nato", as a line of text.
_TAG_LINE = re.compile(rf"\b(?:{_NAMES})\s*:\s*((?:[#＃][\w'’ʼ-]{{1,80}}[\s,]*){{1,50}})", re.IGNORECASE)
_HASHTAG = re.compile(r"[#＃]([\w'’ʼ-]+)")
_LABEL = re.compile(
    rf"(?:{_NAMES}|temas|themen(?: des artikels)?|mehr zum thema|mehr lesen über|schlagwörter|関連キーワード)[\s:,;|]*",
    re.IGNORECASE,
)
#: What a box of tags calls itself, and what the menus and lists of the site call themselves.
_BOX = re.compile(r"tags?|taglist|hashtags?|topics?|keywords?|thema|themen|schlagworte?|temas")
_BOX_SELECTOR = ",".join(
    f"[{name}*={word} i]"
    for name in ("class", "id")
    for word in ("tag", "topic", "keyword", "thema", "theme", "schlagw", "temas")
)
_ELSEWHERE = re.compile(
    r"(?:mega)?menu|nav|navigation|navbar|breadcrumbs?|trending|popular|teaser|sidebar|footer|card|manager"
)
_TAG_PATH = re.compile(
    r"/(?:tags?|hashtags?|topics?|keywords?|thema|themen|temas?|stichwort|schlagwort)/[^/?#]", re.IGNORECASE
)
_TAG_META = re.compile(r"(?:tags|keywords)$")
#: "Category: News", "source:tagname:Wire": what machines write for machines; UUIDs and what has no letter.
_MACHINE = re.compile(
    r"(?:.*\s)?(?:category|tokens?|type|source|section|channel|author|id)\s*:.*|\S+:\S+|[0-9a-f]{8}-[0-9a-f-]{20,}|[\W\d_]*",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Z0-9:_-]{2,}")
_WIRE = re.compile(r"\b(?:news|wire|новини|новости)\b", re.IGNORECASE)
#: What sites put on every page.
_STANDING = re.compile(
    r"(?:breaking_|latest_|top_)?news|headlines|новини|останні_новини|новини_україни|новости|последние_новости|"
    r"haber|haberler|son_dakika|nachrichten|noticias|ニュース|速報"
)


def page_tags(page: Page, selector: str, text: str) -> list[str]:
    """The tags of the first place that holds any, as written, without `#`, each once.

    Args:
        page: the page.
        selector: CSS of the place, when the catalogue knows it; it is trusted above all.
        text: what the article shows.
    """
    own = _own_names(page)
    nearest = (
        [node.text() for node in page.css(selector)] if selector else [],
        tags_of_line(text),
    )
    for stated in nearest:
        if tags := _clean(stated, own):
            return tags[:MAX_TAGS]
    lists = [tags for stated in _lists(page) if (tags := _clean(_split(stated), own)) and not _slugged(tags, page.url)]
    for at, tags in enumerate(lists):
        if not any(_unsplit(tags, other) for other in lists[at + 1 :]):
            return tags[:MAX_TAGS]
    return next((tags for stated in _shown(page) if (tags := _clean(stated, own))), [])[:MAX_TAGS]


def tags_of_line(text: str) -> list[str]:
    """The hashtags of "Tags: #a #b"."""
    return [tag for found in _TAG_LINE.findall(text) for tag in _HASHTAG.findall(found)]


def _lists(page: Page) -> Iterator[list[str]]:
    """The lists that the newsroom's system wrote; one for machines, by what stands in it, is trusted least."""
    keywords = page.stated("keywords")
    technical = any(_MACHINE.fullmatch(word) for word in _split(keywords) if word)
    yield [] if technical else keywords
    for name in ("news_keywords", "article:tag", "keywords"):
        yield page.metas.get(name, [])
    yield next((stated for name, stated in page.metas.items() if _TAG_META.search(name)), [])
    yield keywords


def _shown(page: Page) -> Iterator[list[str]]:
    """The links that look like tags: by `rel`, by a heading, by the name of their box, by where they lead."""
    yield [node.text() for node in page.css("a[rel~=tag]")]
    if page.root is None:
        return
    labelled = (_headed_block(node) for node in page.headed(_LABEL))
    yield _first(page, [block for block in labelled if block is not None], climb=1)
    boxes = [node for node in page.root.css(_BOX_SELECTOR)[:1000] if named(node, _BOX)]
    paths = [node for node in page.root.css("a[href]") if _TAG_PATH.search(node.attributes.get("href") or "")]
    yield _first(page, boxes[:MAX_PLACES] + paths[:MAX_PLACES])


def _first(page: Page, places: list[LexborNode], climb: int = 5) -> list[str]:
    """The tags of the first place that holds several, else of the first that holds one."""
    found = [tags for node in places if _of_the_article(node, page) and (tags := _group(node, page, climb))]
    return next((tags for tags in found if len(tags) > 1), found[0] if found else [])


def _of_the_article(place: LexborNode, page: Page) -> bool:
    """Whether nothing around it is a menu, or another article: whatever holds the headline is neither."""
    for up in up_from(place, 40):
        if page.root is not None and up.mem_id == page.root.mem_id:
            break
        other = up.tag in {"aside", "footer", "article"} or (up.tag in {"nav", "header"} and up.mem_id != place.mem_id)
        if (other or named(up, _ELSEWHERE)) and up.mem_id not in page.holders:
            return False
    return True


def _group(place: LexborNode, page: Page, climb: int) -> list[str]:
    """The texts of the largest element around a place that shows hardly anything but short links."""
    best: list[str] = []
    # A link alone always shows nothing but a link; what stands around it tells a tag from a word of a sentence.
    start = place.parent if place.tag == "a" else place
    for up in up_from(start, climb) if start is not None else ():
        if page.root is not None and up.mem_id == page.root.mem_id:
            break
        nodes = next((nodes for name in ("a", "li", "span") if (nodes := up.css(name)[: MAX_LINKS + 1])), [])
        items = [text for node in nodes if (text := line(node.text(separator=" ")))]
        share = _length("".join(items)) / max(1, _length(up.text()))
        if items and len(nodes) <= MAX_LINKS and share >= 0.6 and all(len(item) <= 60 for item in items):
            best = items
        elif best:
            break
    return best


def _headed_block(label: LexborNode) -> LexborNode | None:
    """The element with the links of a label: itself, or the next one after it or after what is around it."""
    if label.css_first("a") is not None:
        return label
    for up in up_from(label, 5):
        after, steps = up.next, 0
        while after is not None and steps < MAX_STEPS:
            if after.is_element_node and after.css_first("a") is not None:
                return after
            after, steps = after.next, steps + 1
    return None


def _split(stated: Iterable[str]) -> list[str]:
    """The parts of comma lists. "Business, Finance, & Economics" names one category, and is no list of tags."""
    lists = (re.split(r"[,;]\s*", unescape(text)) for text in stated)
    return [part for parts in lists if not any(part.startswith(("& ", "and ")) for part in parts) for part in parts]


def _clean(stated: Iterable[str], own: frozenset[str]) -> list[str]:
    """Each tag once, in the first of its spellings; none that is boilerplate, a code, a sentence or the site's name."""
    found: dict[str, str] = {}
    for raw in list(stated)[:MAX_STATED]:
        tag = line(unescape(raw[:1000])).lstrip("#＃").strip(" .,;|")
        slug = normalise(tag[: MAX_TAG + 1])
        if _STANDING.fullmatch(slug):
            if len(found) > 1:
                break  # what follows "breaking news" is on every page of the site
            continue
        long = len(tag) > MAX_TAG or len(tag.split()) > MAX_WORDS
        if slug and not long and not _MACHINE.fullmatch(tag) and len(tag) > tag.isascii() and _bare(tag) not in own:
            found.setdefault(slug, tag)
    tags = list(found.values())
    if len(tags) >= 8 and sum(bool(_CODE.fullmatch(tag)) for tag in tags) > 0.7 * len(tags):
        return []  # an agency's subject codes
    wires = [tag for tag in tags if _WIRE.search(tag)]
    return [tag for tag in tags if tag not in wires] if len(wires) >= 4 else tags  # whom it was sent to


def _slugged(tags: list[str], url: str) -> bool:
    """Whether a list is but the words of the page's address: "patrimonio, logra, punto, vital"."""
    inside = set(re.split(r"[\W_]+", unquote(urlsplit(url).path).casefold()))
    return len(tags) > 5 and all(tag.casefold() in inside for tag in tags)


def _unsplit(tags: list[str], other: list[str]) -> bool:
    """Whether a single tag is another list run together: "Cannes Messen Duisburg"."""
    return len(tags) == 1 and len(other) > 1 and all(tag.casefold() in tags[0].casefold() for tag in other)


def _own_names(page: Page) -> frozenset[str]:
    """What the site and the author are called: on no page a subject."""
    host = (urlsplit(page.url).hostname or "").removeprefix("www.")
    names = [page.meta("og:site_name"), page.meta("application-name"), page.meta("author"), host, host.split(".")[0]]
    names += [*page.stated("publisher"), *page.stated("isPartOf"), *page.stated("author")]
    return frozenset(bare for name in names[:50] if (bare := _bare(name)))


def _bare(name: str) -> str:
    return normalise(name[:200]).replace("_", "")


def _length(text: str) -> int:
    return len("".join(text.split()))
