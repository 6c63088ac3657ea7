"""Did you mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bot.core.suggest import near, skeleton
from bot.core.tags import normalise

USED = ("zelenskyy", "nato", "peace_plan", "sanctions", "київ", "energy", "yermak", "odesa", "drones")


@pytest.mark.parametrize(
    "names",
    [
        ("zelenskyy", "zelensky", "zelenskiy", "зеленський", "зеленский"),
        ("yermak", "єрмак"),
        ("shmyhal", "шмигаль"),
        ("odesa", "одеса", "odessa"),
        ("umerov", "умеров"),
    ],
)
def test_spellings_of_one_name_sound_alike(names: tuple[str, ...]) -> None:
    assert len({skeleton(name) for name in names}) == 1


def test_what_the_skeleton_does_not_join_is_known() -> None:
    assert skeleton("kyiv") != skeleton("kiev")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("зеленский", ("zelenskyy",)),
        ("sanctoins", ("sanctions",)),
        ("peace_plans", ("peace_plan",)),
        ("drone", ("drones",)),
        ("iraq", ()),
        ("nato", ()),
        ("something_else", ()),
    ],
)
def test_near_tags_are_offered(typed: str, meant: tuple[str, ...]) -> None:
    assert near(typed, USED, OSA.distance) == meant


@given(st.text(max_size=30).map(normalise))
def test_a_tag_is_never_offered_for_itself(slug: str) -> None:
    assert slug not in near(slug, [slug, *USED], OSA.distance)
