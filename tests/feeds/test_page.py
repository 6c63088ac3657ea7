"""What an article's page states, from the nearest source."""

from __future__ import annotations

import pytest

from bot.core.model import Fetched, PageFacts, Validators
from bot.feeds.page import read_page


def facts(html: str, selector: str = "") -> PageFacts:
    page = Fetched(url="https://e.org/1", body=html.encode(), content_type="text/html", validators=Validators())
    return read_page(page, selector)


LINE = "<article><p>One two.</p><p>Tags: #peace_plan #nato</p></article>"
JSON_LD = (
    '<script type="application/ld+json">{"@graph": [{"keywords": ["json", "ld"], "articleSection": "Facts"}]}</script>'
)
METAS = '<meta property="article:tag" content="a, b"><meta name="news_keywords" content="c"><meta name="keywords" content="d">'


@pytest.mark.parametrize(
    ("html", "selector", "tags"),
    [
        (
            LINE + JSON_LD + '<div class="t"><a>#Chosen</a> <a> By  Selector</a></div>',
            ".t a",
            ("Chosen", "By Selector"),
        ),
        (LINE + JSON_LD, ".nothing a", ("peace_plan", "nato")),
        (LINE + JSON_LD + METAS, "", ("peace_plan", "nato")),
        ("<p>Теги: #мирний_план, #нато</p>", "", ("мирний_план", "нато")),
        (JSON_LD + METAS, "", ("json", "ld")),
        ('<script type="application/ld+json">{"keywords": "x, y; z"}</script>', "", ("x", "y", "z")),
        (METAS, "", ("a", "b")),
        ('<meta name="news_keywords" content="c">', "", ("c",)),
        ('<a rel="nofollow tag" href="/t">T</a>', "", ("T",)),
        ('<meta name="keywords" content="d">', "", ("d",)),
        ("<p>No tags: none</p>", "", ()),
        (LINE, "a[[[", ("peace_plan", "nato")),  # a selector that is none finds nothing
        (f"<p>Tags: {'#t ' * 5}</p>", "", ("t",)),
        (f'<meta name="keywords" content="{"w" * 200}, ok">', "", ("ok",)),
        ('<script type="application/ld+json">[[[{</script>' + LINE, "", ("peace_plan", "nato")),
        ('<script type="application/ld+json">{"keywords": ["a\\ud800\\u0000b"]}</script>', "", ("ab",)),
    ],
)
def test_tags(html: str, selector: str, tags: tuple[str, ...]) -> None:
    assert facts(f"<html><body>{html}</body></html>", selector).tags == tags


def test_the_other_facts() -> None:
    found = facts(
        JSON_LD + '<meta property="og:description" content=" The\n lead "><meta property="og:image" content="/i.jpg">'
        "<body><span>2 min read</span><article><p>word</p></article></body>"
    )
    assert (found.section, found.lead, found.image, found.minutes) == ("Facts", "The lead", "https://e.org/i.jpg", 2)


@pytest.mark.parametrize(
    ("html", "minutes"),
    [
        ("<p>3 хв читання</p>", 3),
        ("<p>12 хвилин на читання</p>", 12),
        ("<article><p>" + "word " * 201 + "</p></article>", 2),
        ("<p>0 min read</p>", 1),
        ("<p>nothing to read</p>", None),
        ("", None),
    ],
)
def test_reading_time(html: str, minutes: int | None) -> None:
    assert facts(f"<html><body>{html}</body></html>").minutes == minutes


@pytest.mark.parametrize("image", ["http://[bad", "javascript:alert(1)", "data:image/png;base64,x"])
def test_only_a_web_address_is_an_image(image: str) -> None:
    assert facts(f'<meta property="og:image" content="{image}">').image == ""
