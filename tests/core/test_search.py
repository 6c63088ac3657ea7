"""What a reader's words ask for, and in which order it is shown."""

from __future__ import annotations

import pytest

from bot.core.search import Hit, holds, indexed, ranked, understand
from bot.feeds.morphology import Morphology

FORMS = Morphology()


def found(typed: str, title: str, summary: str = "", language: str = "uk") -> bool:
    """Whether an index of one article has every word of the query, and the article its phrases."""
    kept, query = indexed(title, summary, language, FORMS), understand(typed, FORMS)
    words = {*kept.headline.split(), *kept.lead.split()}
    every = bool(query.words) and all(words.intersection(forms) for forms in query.words)
    return every and holds(title, summary, language, query, FORMS)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("мирного плану", "Мирний план обговорили у Женеві"),
        ("мирний план", "Деталі мирного плану"),
        ("ПЛАНАМИ", "Новий план"),
        ("прем'єр", "Прем’єра обрали"),
        ("здоровя", "Міністерство охорони здоров'я"),
        ("НАТО", "НАТO проведе саміт"),  # a Latin O
        ("attacks", "Attack on the port"),
        ("F16", "F-16 over Kyiv"),
        ("f-16", "F-16 over Kyiv"),
        ("«мирного плану»", "Мирний план"),
        ('"drone attack" port', "Drone attacks hit a port"),
        ("войны", "Война продолжается"),
    ],
)
def test_inflections_and_spellings_are_found(typed: str, title: str) -> None:
    assert found(typed, title)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("мирний план", "Мирний день"),
        ('"план мирний"', "Мирний план"),
        ('"peace plan"', "A plan for peace"),
        ("nato", "Anatomy of a war"),
        ("!!! «»", "Anything"),
        ("", "Anything"),
    ],
)
def test_what_is_not_there_is_not_found(typed: str, title: str) -> None:
    assert not found(typed, title, language="")


def test_a_lone_quote_is_no_quote() -> None:
    assert found('peace" plan', "A plan for peace", language="en")


def test_the_newest_come_first_and_a_headline_counts_as_a_week() -> None:
    day = 24 * 60 * 60 * 1000
    hits = [Hit(1, 20 * day, False), Hit(2, 15 * day, True), Hit(3, 12 * day, True), Hit(4, 20 * day, False)]
    assert ranked(hits) == [2, 4, 1, 3]
