"""One normal form for tags (the table of sources-and-tags.md 4, and Telegram's hashtag alphabet)."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tags import MAX_LENGTH, cut_at, hashtag, is_source, normalise, source_term


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("peace_plan", "peace_plan"),
        ("Peace Plan", "peace_plan"),
        ("#peace-plan", "peace_plan"),
        ("＃PEACE PLAN", "peace_plan"),
        ("НАТО", "нато"),
        ("НАТO", "нато"),  # a Latin O
        ("здоров'я", "здоровя"),
        ("здоров’я", "здоровя"),
        ("здоровʼя", "здоровя"),
        (unicodedata.normalize("NFD", "Київ"), "київ"),
        ("за́мок", "замок"),
        ("covid\u00ad-19", "covid_19"),
        ("F-16", "f_16"),
        ("U.S.", "u_s"),
        ("#2026", ""),
        ("28", ""),
        ("🔥", ""),
        ("", ""),
        ("NATO", "nato"),
        ("NATО", "nato"),  # one Cyrillic letter among Latin ones
        ("NAТО", "naто"),  # two and two, and N has no twin: left as it is
        ("Peace.Plan", "peace_plan"),
        ("peace—plan", "peace_plan"),
        ("здоров`я", "здоровя"),
        ("zero\u200bwidth\u2060joiner", "zerowidthjoiner"),
        ("ﬁne", "fine"),
        ("Ａｂｃ", "abc"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("#C++", "c"),
        ("@interfax", "interfax"),
    ],
)
def test_spellings_of_one_tag_have_one_form(typed: str, slug: str) -> None:
    assert normalise(typed) == slug


#: Telegram's rule for hashtags, in our alphabet (telegram.md 1.3).
TELEGRAM = re.compile(r"(?<!\w)#(\w{1,256})(?!\w*#)")


@pytest.mark.parametrize(
    ("typed", "ends"),
    [("#nato", ""), ("nato", ""), ("#F-16", "-"), ("#U.S.", "."), ("#здоров'я", "'"), ("#здоровʼя", ""), ("#C++", "+")],
)
def test_where_telegram_would_end_a_hashtag(typed: str, ends: str) -> None:
    assert cut_at(typed) == ends


@given(st.text(max_size=200))
def test_what_is_shown_is_a_hashtag_that_telegram_takes_whole(text: str) -> None:
    slug = normalise(text)
    if slug:
        found = TELEGRAM.search(f"a {hashtag(slug)} b")
        assert found
        assert found[1] == slug


def test_no_tag_looks_like_a_source() -> None:
    assert is_source(source_term("interfax-en"))
    assert hashtag(source_term("interfax-en")) == "@interfax-en"
    assert not is_source(normalise("@interfax-en"))


@given(st.text(max_size=200))
def test_the_form_is_stable_and_clickable(text: str) -> None:
    slug = normalise(text)
    assert normalise(slug) == slug
    assert len(slug) <= MAX_LENGTH
    assert all(char == "_" or unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"} for char in slug)
    assert not slug or hashtag(slug) == f"#{slug}"
