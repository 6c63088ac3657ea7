"""One normal form for tags (the table of sources-and-tags.md 4, and Telegram's hashtag alphabet)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tags import MAX_LENGTH, hashtag, normalise


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
    ],
)
def test_spellings_of_one_tag_have_one_form(typed: str, slug: str) -> None:
    assert normalise(typed) == slug


@given(st.text(max_size=200))
def test_the_form_is_stable_and_clickable(text: str) -> None:
    slug = normalise(text)
    assert normalise(slug) == slug
    assert len(slug) <= MAX_LENGTH
    assert all(char == "_" or unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"} for char in slug)
    assert not slug or hashtag(slug) == f"#{slug}"
