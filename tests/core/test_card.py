"""Cards hold Telegram's limits whatever a feed sends, and say what CONTRACT.md draws."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.card import (
    MAX_RAW_BYTES,
    MAX_SUMMARY,
    MAX_TEXT,
    Words,
    alert,
    announcement,
    catch_up,
    cut,
    headlines,
    plain_of,
)
from bot.core.model import Article, ArticleTag, TagSource

WORDS = Words(
    read="Read",
    more_about="More about",
    unfollow="Unfollow",
    mute=lambda tag: f"Mute {tag}",
    notice=lambda notice: notice.code.value,
    minutes=lambda n: f"{n} min read",
    catch_up=lambda n: f"{n} alerts waited",
    digest=lambda n: f"Digest: {n}",
    more_on=lambda n, tag: f"{n} more on {tag}",
    not_shown=lambda n: f"and {n} more",
)
AT = 1763737860000  # 17:11 on 21.11.2025 in Kyiv


def article(**changes: object) -> Article:
    values: dict[str, object] = {
        "id": 7,
        "link": "https://example.org/news/1.html?a=1&b=2",
        "title": "NATO not commenting on the peace plan",
        "summary": "The Alliance wants a just and lasting end to the war.",
        "source": "Interfax-Ukraine",
        "language": "en",
        "section": "Facts",
        "published_at": AT,
        "seen_at": AT,
        "minutes": 1,
        "tags": (ArticleTag("peace_plan", TagSource.PAGE), ArticleTag("nato", TagSource.PAGE)),
    }
    return Article(**{**values, **changes})  # type: ignore[arg-type]


def card(story: Article, matched: tuple[str, ...] = ("nato",)) -> object:
    return alert(story, matched=matched, time_zone="Europe/Kyiv", words=WORDS, matched_tag_id=3)


def test_a_tag_that_only_its_followers_know_of_is_on_no_other_card() -> None:
    tags = (ArticleTag("nato", TagSource.TEXT), ArticleTag("a_neighbour", TagSource.FOLLOWED))
    told = {
        matched: alert(
            article(tags=tags), matched=[matched], time_zone="UTC", words=WORDS, matched_tag_id=None
        ).plain.splitlines()
        for matched in ("nato", "a_neighbour")
    }
    assert "#nato" in told["nato"]
    assert "#a_neighbour #nato" in told["a_neighbour"]


def test_an_alert_is_drawn_as_the_contract_says() -> None:
    made = card(article())
    assert made.html == (
        '<b><a href="https://example.org/news/1.html?a=1&amp;b=2">NATO not commenting on the peace plan</a></b>\n'
        "The Alliance wants a just and lasting end to the war.\n"
        "Interfax-Ukraine · 17:11 · 1 min read\n"
        "#nato #peace_plan"
    )
    assert [[button.label for button in row] for row in made.buttons] == [
        ["Read", "More about"],
        ["Mute #nato", "Unfollow"],
    ]


def test_what_is_not_known_is_left_out() -> None:
    made = card(article(minutes=None, summary="", link=""))
    assert made.html == "<b>NATO not commenting on the peace plan</b>\nInterfax-Ukraine · 17:11\n#nato #peace_plan"
    assert made.buttons[0][0].label == "More about"


def test_markup_of_a_feed_is_shown_as_text() -> None:
    made = card(article(title="5 < 6 & <b>bold</b>", summary='"x" <script>'))
    assert "5 &lt; 6 &amp; &lt;b&gt;bold&lt;/b&gt;" in made.html
    assert "5 < 6 & <b>bold</b>" in made.plain


def test_a_headline_cannot_turn_the_reading_direction() -> None:
    assert "\u202e" not in card(article(title="abc\u202edef")).html


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Short.", 280, "Short."),
        ("First sentence is here. Second one is longer than fits.", 30, "First sentence is here."),
        ("President of the U.S. Administration spoke at length today", 30, "President of the U.S.…"),
        ("one two three four five", 12, "one two…"),
        ("x" * 50, 10, "x" * 9 + "…"),
    ],
)
def test_a_cut_keeps_whole_sentences_or_words(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


class Strict(HTMLParser):
    """Fails on a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in {"b", "a"}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@given(
    title=st.text(max_size=6000),
    summary=st.text(max_size=6000),
    source=st.text(max_size=300),
    link=st.one_of(st.text(max_size=50), st.just("https://example.org/?q=" + "ї" * 3000)),
)
def test_any_text_gives_a_card_within_telegrams_limits(title: str, summary: str, source: str, link: str) -> None:
    made = card(article(title=title, summary=summary, source=source, link=link))
    parser = Strict()
    parser.feed(made.html)
    parser.close()
    assert parser.open == []
    assert len(parser.text) <= MAX_TEXT
    assert len(made.html.encode("utf-8", "surrogatepass")) <= 32768


@given(st.text(), st.integers(min_value=2, max_value=400))
def test_a_cut_never_exceeds_its_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit


def test_a_long_summary_is_cut_at_its_limit() -> None:
    made = card(article(summary="Слово " * 200))
    assert len(made.html.split("\n")[1]) <= MAX_SUMMARY


def test_a_list_of_headlines_stays_within_one_message() -> None:
    html = headlines([article(title="Т" * 400)] * 60, now=AT, time_zone="Europe/Kyiv", heading="Latest")
    assert len(plain_of(html)) <= MAX_TEXT


def test_what_is_cut_keeps_to_its_limit_where_a_word_ends_there() -> None:
    assert cut("breaking now or later", len("breaking now")) == "breaking…"


@given(st.integers(1, 60), st.text(min_size=1, max_size=300), st.integers(0, 2000))
def test_a_catch_up_card_keeps_to_every_limit_and_counts_what_it_leaves_out(number: int, title: str, long: int) -> None:
    waited = [article(id=n, title=title, link=f"https://example.org/{n}/{'я' * long}") for n in range(number)]
    made = catch_up(waited, now=AT, time_zone="Europe/Kyiv", words=WORDS)
    assert len(plain_of(made.html)) <= MAX_TEXT
    assert len(made.html.encode()) <= MAX_RAW_BYTES
    assert len(made.plain) <= MAX_TEXT
    heading, *listed = made.html.split("\n\n")
    assert heading == f"<b>{number} alerts waited</b>"
    if listed[-1].startswith("and "):
        assert listed[-1] == f"and {number - len(listed) + 1} more"
    else:
        assert len(listed) == number


def test_a_catch_up_card_shows_the_newest_first() -> None:
    waited = [article(id=n, title=f"Story {n}", published_at=AT - n) for n in range(5)]
    made = catch_up(waited, now=AT, time_zone="Europe/Kyiv", words=WORDS)
    assert [part.partition("</a>")[0][-7:] for part in made.html.split("\n\n")[1:]] == [f"Story {n}" for n in range(5)]


def test_text_to_fall_back_on_fits_too() -> None:
    long = article(title="T" * 700, summary="S. " * 200, link="https://example.org/" + "x" * 2000)
    made = alert(long, matched=("nato",), time_zone="Europe/Kyiv", words=WORDS, matched_tag_id=1)
    assert len(made.plain) <= MAX_TEXT
    assert made.plain.endswith(long.link)


def test_an_announcement_keeps_its_authors_formatting() -> None:
    made = announcement("<b>Now</b> &amp; here")
    assert (made.html, made.plain) == ("<b>Now</b> &amp; here", "Now & here")
