"""What an article's page states, from the nearest source."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Fetched, Link, PageFacts, Validators
from bot.feeds.page import read_page

URL = "https://news.e.org/world/peace-plan-signed-in-city-hall-today-1.html"


def facts(html: str | bytes, selector: str = "", content_type: str = "text/html; charset=utf-8") -> PageFacts:
    body = html if isinstance(html, bytes) else html.encode()
    return read_page(Fetched(url=URL, body=body, content_type=content_type, validators=Validators()), selector)


def ld(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'


def meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


LINE = "<article><h1>T</h1><p>One two.</p><p>Tags: #peace_plan #nato</p></article>"
JSON_LD = ld('{"@graph": [{"@type": "NewsArticle", "keywords": ["json", "ld"], "articleSection": "Facts"}]}')
METAS = (
    '<meta name="news_keywords" content="news_a, news_b"><meta property="article:tag" content="tag one, tag two">'
    '<meta name="keywords" content="key"><meta name="parsely-tags" content="other">'
)
BOX = '<div class="article-tags"><a href="/x/1">Boxed</a> <a href="/x/2">Second</a></div>'


@pytest.mark.parametrize(
    ("html", "selector", "tags"),
    [
        (LINE + JSON_LD + '<b class="t"><a>#Chosen</a> <a> By  Selector</a></b>', ".t a", ("Chosen", "By Selector")),
        (LINE + JSON_LD, ".nothing a", ("peace_plan", "nato")),
        (LINE, "a[[[", ("peace_plan", "nato")),
        (LINE + JSON_LD + METAS + BOX, "", ("peace_plan", "nato")),
        ("<p>Теги: #мирний_план, #нато</p>", "", ("мирний_план", "нато")),
        ("<p>Темы: #НАТО</p>", "", ("НАТО",)),
        (JSON_LD + METAS + BOX, "", ("json", "ld")),
        (METAS + BOX, "", ("news_a", "news_b")),
        (METAS[METAS.index("<meta prop") :] + BOX, "", ("tag one", "tag two")),
        (METAS[METAS.index('<meta name="key') :] + BOX, "", ("key",)),
        (METAS[METAS.index('<meta name="par') :] + BOX, "", ("other",)),
        ('<a rel="nofollow tag" href="/t">Rel</a>' + BOX, "", ("Rel",)),
        (BOX, "", ("Boxed", "Second")),
        ("<p>No tags: none</p>", "", ()),
    ],
)
def test_the_nearest_source_wins(html: str, selector: str, tags: tuple[str, ...]) -> None:
    assert facts(f"<html><body>{html}</body></html>", selector).tags == tags


@pytest.mark.parametrize(
    ("json", "tags"),
    [
        ('{"keywords": "x1, y1; z1"}', ("x1", "y1", "z1")),
        ('{"keywords": ["x1, y1", "z1"]}', ("x1", "y1", "z1")),
        ('{"keywords": [{"@type": "DefinedTerm", "name": "Peace plan"}]}', ("Peace plan",)),
        ('[{"@type": "WebPage", "keywords": "page"}, {"@type": ["NewsArticle"], "keywords": "own"}]', ("own",)),
        ('{"@type": "WebPage", "mainEntity": {"@type": "Article", "keywords": "inner"}}', ("inner",)),
        ('//<![CDATA[\n{"keywords": "hidden"}\n//]]>', ("hidden",)),
        ('{"keywords": "Mobile Endger&auml;te, Fran&#231;ois"}', ("Mobile Endgeräte", "François")),
        ('{"keywords": ["a1\\ud800\\u0000b"]}', ("a1b",)),
        ('{"keywords": {"no": "name"}}', ()),
        ("[[[{", ()),
        ('{"keywords": 7}', ()),
    ],
)
def test_json_ld_keywords_in_every_shape(json: str, tags: tuple[str, ...]) -> None:
    assert facts(ld(json)).tags == tags


@pytest.mark.parametrize(
    ("html", "tags"),
    [
        ('<p>Теги: <a href="/t/1">НАТО</a>, <a href="/t/2">мирний план</a></p>', ("НАТО", "мирний план")),
        (
            "<section><div><h4>Mehr lesen über</h4></div><ul><li><a>Hamas</a></li><li><a>Israel</a></li></ul></section>",
            ("Hamas", "Israel"),
        ),
        (
            '<p><a href="/news/tag/peace_plan.html">Peace plan</a> <a href="/news/tag/nato.html">NATO</a></p>',
            ("Peace plan", "NATO"),
        ),
        ('<p><a href="/thema/ukraine">Ukraine</a></p>', ("Ukraine",)),
        ('<div class="Tag_tag__U1"><a href="/sport/">Sport</a></div>', ("Sport",)),
        ('<ul class="singleTagList"><li><a>Venezuela</a></li></ul>', ("Venezuela",)),
        ('<div class="content-tags"><span>Deutsche Bank</span></div>', ("Deutsche Bank",)),
        ('<nav class="article-tags"><a>#One1</a><a>#Two2</a></nav>', ("One1", "Two2")),
        # A link within a sentence, a menu, another article, a video's own tags: none of them the article's.
        ('<p>The long text of a paragraph says what <a href="/tag/nato">NATO</a> did in the city today.</p>', ()),
        ('<nav><div class="topics"><a href="/topic/war">War</a></div></nav>', ()),
        ('<div class="trending-topics"><a href="/topic/war">War</a></div>', ()),
        ('<article class="teaser"><div class="tags"><a>Other</a></div></article>', ()),
        ('<footer><p class="tags"><a>Foot</a></p></footer>', ()),
        ('<article class="post tag-ukraine"><h1>T</h1><p>Text, and nothing but text.</p></article>', ()),
    ],
)
def test_links_that_look_like_tags(html: str, tags: tuple[str, ...]) -> None:
    assert facts(f"<main><h1>Headline</h1>{html}</main>").tags == tags


@pytest.mark.parametrize(
    ("keywords", "tags"),
    [
        ("NATO, nato, Nato", ("NATO",)),
        ("Rock &amp; roll, U.S.", ("Rock & roll", "U.S")),
        (f"{'w' * 200}, ok1", ("ok1",)),
        ("one two three four five six seven eight nine ten eleven, ok1", ("ok1",)),
        ("The Example, news.e.org, Jane Doe, ok1", ("ok1",)),  # the site, its host, the author
        ("sars, budget, Breaking news, general, politics, sport", ("sars", "budget")),
        ("новини, НАТО, мирний план", ("НАТО", "мирний план")),
        ("Category: News, source:tagname:Wire, 8f507083-bac4-423a-9015-2eb31e1bce50, p, ?, 12, ok1", ("ok1",)),
        ("AER, AERO, CCOS, CIV, DIP, GEN, INDG08, NEWS1", ()),  # an agency's subject codes
        ("NATO, EU, UN", ("NATO", "EU", "UN")),
        ("AZ State Wire, GA State Wire, General news, U.S. news, Joe Biden", ("Joe Biden",)),
        ("Business, Finance, &amp; Economics", ()),  # the name of one category
        ("peace, plan, signed, city, hall, today", ()),  # the words of the page's address
        (", ".join(f"tag{number}" for number in range(99)), tuple(f"tag{number}" for number in range(30))),
        ("", ()),
    ],
)
def test_junk_is_no_tag(keywords: str, tags: tuple[str, ...]) -> None:
    head = meta("author", "Jane Doe") + '<meta property="og:site_name" content="The Example">'
    assert facts(head + meta("keywords", keywords)).tags == tags


def test_a_list_run_together_gives_way_to_the_list() -> None:
    page = ld('{"keywords": "Cannes Messen Duisburg"}') + meta("news_keywords", "Messen, Duisburg, Cannes")
    assert facts(page).tags == ("Messen", "Duisburg", "Cannes")
    assert facts(ld('{"keywords": "Cannes Messen Duisburg"}')).tags == ("Cannes Messen Duisburg",)


def test_a_list_for_machines_gives_way_to_one_for_readers() -> None:
    mixed = ld('{"keywords": ["Articles", "Bitcoin", "source:tagname:CN"]}')
    assert facts(mixed + meta("news_keywords", "Bitcoin")).tags == ("Bitcoin",)
    assert facts(mixed).tags == ("Articles", "Bitcoin")


INTERFAX = """<html lang="en"><head><title>NATO not commenting on plan</title></head><body>
<article class="article article-content-view">
<div class="grid article-content-secondary-header"><span>17:11 21.11.2025</span></div>
<h1>NATO not commenting on plan</h1><span>1 min read</span><h2>NATO not commenting on plan</h2>
<div class="article-content"><p>NATO is not commenting on the American 28-point peace plan for Ukraine, said an official.</p><p>More.</p></div>
<div class="article-tags">Tags: <a href="/news/tag/peace_plan.html">#peace_plan</a> <a href="/news/tag/nato.html">#nato</a></div>
</article>
<div><div><h3>MORE ABOUT</h3></div>
<div><span>20:53 21.11.2025</span><a href="/news/general/1.html"><img alt=""></a><a href="/news/general/1.html">Zelenskyy discusses plan with Rutte</a><a href="/news/general/1.html">Zelenskyy discusses plan with Rutte</a></div>
<div><a href="/news/general/2.html">11:58 21.11.2025 US-proposed plan surprises Europe</a></div></div>
<div><h3>HOT NEWS</h3><a href="/news/general/3.html">Political games must stop now</a></div>
<div><h3>LATEST</h3><a href="/news/general/4.html">Meloni backs the need for guarantees</a></div>
</body></html>"""


def test_an_agency_s_page() -> None:
    assert facts(INTERFAX) == PageFacts(
        tags=("peace_plan", "nato"),
        title="NATO not commenting on plan",
        lead="NATO is not commenting on the American 28-point peace plan for Ukraine, said an official.",
        minutes=1,
        language="en",
        related=(
            Link("Zelenskyy discusses plan with Rutte", "https://news.e.org/news/general/1.html"),
            Link("US-proposed plan surprises Europe", "https://news.e.org/news/general/2.html"),
        ),
    )


COPY = """Interfax-Ukraine
Facts
17:11 21.11.2025

NATO not commenting on plan

1 min read
NATO not commenting on plan

The Alliance is not commenting on the plan.

An official said so on Friday.

Tags: #peace_plan #nato

MORE ABOUT

20:53 21.11.2025
Zelenskyy discusses plan with Rutte

Zelenskyy discusses plan with Rutte

HOT NEWS

Political games must stop now
"""


def test_a_copy_of_a_page() -> None:
    assert facts(COPY, content_type="text/plain; charset=utf-8") == PageFacts(
        tags=("peace_plan", "nato"),
        title="NATO not commenting on plan",
        section="Facts",
        lead="The Alliance is not commenting on the plan.",
        minutes=1,
        related=(Link("Zelenskyy discusses plan with Rutte", ""),),
    )
    assert facts("", content_type="text/plain") == PageFacts()
    plain = facts("Заголовок новини\nПерший абзац.\nТеги: #нато", content_type="text/plain")
    assert (plain.title, plain.lead, plain.tags, plain.section) == ("Заголовок новини", "Перший абзац.", ("нато",), "")


@pytest.mark.parametrize(
    "heading", ["MORE ABOUT", "Read also:", "ЧИТАЙТЕ ТАКОЖ", "За темою", "Читайте также", "По теме"]
)
def test_related_links_by_their_heading(heading: str) -> None:
    items = "".join(f'<li><a href="/{number}">Headline of number {number}</a></li>' for number in range(20))
    found = facts(f"<h1>T</h1><h4>{heading}</h4><ul>{items}</ul>").related
    assert found == tuple(Link(f"Headline of number {number}", f"https://news.e.org/{number}") for number in range(10))


@pytest.mark.parametrize(
    "html",
    [
        '<h4>HOT NEWS</h4><a href="/1">A headline of words</a>',
        '<h4>MORE ABOUT</h4><h4>LATEST</h4><a href="/1">A headline of words</a>',
        '<h4>MORE ABOUT</h4><a href="javascript:alert(1)">A headline of words</a><a href="/2">Share</a>',
        '<h4>MORE ABOUT</h4><p>A long paragraph of the text itself goes on here, with <a href="/1">a link of words</a> in it.</p>',
        '<a href="/more"><b>MORE ABOUT</b></a><a href="/1">A headline of words</a>',
    ],
)
def test_nothing_else_is_related(html: str) -> None:
    assert facts(f"<h1>T</h1><div>{html}</div>").related == ()


ARTICLE = (
    '{"@type": "NewsArticle", "headline": "Signed", "description": "What was signed.", "articleSection": ["World"],'
    '"author": [{"name": "By Jane Doe"}, {"name": "John Roe"}], "datePublished": "2025-11-21T17:11:00+02:00",'
    '"image": {"url": "/i.jpg"}, "timeRequired": "PT3M"}'
)


def test_the_other_facts_of_json_ld() -> None:
    found = facts(ld(ARTICLE))
    assert (found.title, found.lead, found.section, found.author) == (
        "Signed",
        "What was signed.",
        "World",
        "Jane Doe, John Roe",
    )
    assert (found.image, found.minutes, found.published_at) == ("https://news.e.org/i.jpg", 3, 1_763_737_860_000)


def test_the_other_facts_of_metas() -> None:
    found = facts(
        '<html lang="uk_UA"><title>Signed</title><meta property="article:section" content="Факти">'
        '<meta property="og:description" content=" The\n lead. Read more &gt;&gt;"><meta property="og:image" content="/i.jpg">'
        '<meta property="article:author" content="https://facebook.com/agency"><a rel="author">Автор: Олена Квітка</a>'
        '<meta property="article:published_time" content="2025-11-21T17:11:00">'
    )
    assert (found.title, found.section, found.author, found.lead) == ("Signed", "Факти", "Олена Квітка", "The lead.")
    assert (found.image, found.language) == ("https://news.e.org/i.jpg", "uk-UA")
    assert found.published_at is None  # no zone: nobody could say


def test_a_section_from_the_way_to_the_article() -> None:
    steps = (
        '{"@type": "BreadcrumbList", "itemListElement": [{"name": "Home"}, {"item": {"name": "World"}}, {"name": "T"}]}'
    )
    assert facts(ld(steps) + "<h1>T</h1>").section == "World"
    assert facts('<ul class="breadcrumbs"><a>Home</a><a>Світ</a></ul><h1>T</h1>').section == "Світ"


def test_a_lead_without_boilerplate() -> None:
    site = '<meta property="og:site_name" content="The Agency">'
    assert facts(site + meta("description", "What happened. - The Agency")).lead == "What happened."
    assert facts(meta("description", "Що сталося. Читати далі…")).lead == "Що сталося."
    assert facts(meta("description", "Read more books, says the minister")).lead == "Read more books, says the minister"


@pytest.mark.parametrize(
    ("html", "minutes"),
    [
        ("<p>3 хв читання</p>", 3),
        ("<p>12 хвилин на читання</p>", 12),
        ("<p>Час читання: 4 хв</p>", 4),
        ("<p>5 минут чтения</p>", 5),
        ("<p>Reading time: 2 minutes</p>", 2),
        ("<p>7-min read</p>", 7),
        ("<article><p>" + "word " * 201 + "</p></article>", 2),
        ("<div itemprop=articleBody>" + "word " * 401 + "</div>", 3),
        ("<p>0 min read</p>", 1),
        ("<p>nothing to read</p>", None),
        ("", None),
    ],
)
def test_reading_time(html: str, minutes: int | None) -> None:
    assert facts(f"<html><body>{html}</body></html>").minutes == minutes


@pytest.mark.parametrize(
    "image", ["http://[bad", "javascript:alert(1)", "data:image/png;base64,x", "//", "http://a b/"]
)
def test_only_a_web_address_is_an_image(image: str) -> None:
    assert facts(f'<meta property="og:image" content="{image}">').image == ""


@pytest.mark.parametrize(
    "html",
    [
        LINE + "<div>" * 60_000,
        LINE + '<a href="/tag/x">link about something</a>' * 100_000,
        LINE + "<p " + " ".join(f"a{number}=1" for number in range(60_000)) + ">",
        LINE + ld("[" * 100_000) + ld('{"@graph":[' * 100_000) + ld('{"keywords":"' + "a," * 500_000),
        LINE + "<h3>MORE ABOUT</h3><p>Tags:</p>" * 20_000,
    ],
    ids=["nested", "links", "attributes", "json", "headings"],
)
def test_a_hostile_page_costs_its_own_end_only(html: str) -> None:
    assert facts(html).tags == ("peace_plan", "nato")


PIECES = st.sampled_from(
    ["<div class=tags>", "<a href=/tag/x>", "</a>", "</div>", "<h1>", "<main>", "<p>", "MORE ABOUT", "Tags: #a", "HOT NEWS", "\0", "&#55296;",
     '<script type="application/ld+json">', '{"@type":"Article","keywords":', "[", "{", "</script>", "<meta name=keywords content=", '"', "x, y",
     "<frameset>", "<template>", "<table>", "<html lang=uk>", "17:11 21.11.2025\n", "3 min read\n"]
)  # fmt: skip


@given(
    st.one_of(st.binary(max_size=500), st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode())),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_facts_that_can_be_stored(body: bytes, plain: bool) -> None:
    found = facts(body, "a.b", "text/plain" if plain else "text/html")
    shown = [*found.tags, found.title, found.section, found.author, found.lead, found.image, found.language]
    for text in shown + [part for link in found.related for part in (link.title, link.url)]:
        text.encode()
        assert "\0" not in text
