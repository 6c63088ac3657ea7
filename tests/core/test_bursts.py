"""Bursts: when an alert waits for the end of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.bursts import Folding, Spate, read, spell

NOW, MINUTE = 1_800_000_000_000, 60_000
THREE = Folding(most=3, window=10 * MINUTE)


def after(number: int, *terms: str, thread: int = 0) -> tuple[Spate, ...]:
    """So many alerts, a second apart."""
    spates: tuple[Spate, ...] = ()
    for second in range(number):
        spates = THREE.count(spates, thread, terms, NOW + 1000 * second)
    return spates


@pytest.mark.parametrize(("sent", "waits"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_first_come_by_themselves_and_the_rest_at_the_end_of_the_window(sent: int, waits: bool) -> None:
    until = THREE.until(after(sent, "nato"), 0, ["nato"], NOW + MINUTE)
    assert until == (NOW + 10 * MINUTE if waits else None)


def test_another_tag_another_topic_and_the_time_after_are_free() -> None:
    spates = after(3, "nato")
    assert THREE.until(spates, 0, ["eu"], NOW + MINUTE) is None
    assert THREE.until(spates, 0, ["nato", "eu"], NOW + MINUTE) is None
    assert THREE.until(spates, 7, ["nato"], NOW + MINUTE) is None
    assert THREE.until(spates, 0, ["nato"], NOW + 10 * MINUTE) is None
    assert THREE.until(spates, 0, ["nato"], NOW - MINUTE) is None  # the clock was set back


def test_while_a_burst_goes_on_one_card_comes_a_window() -> None:
    spates = after(3, "nato")
    later = NOW + 10 * MINUTE
    assert THREE.folds(spates, 0, "nato")
    spates = THREE.count(spates, 0, ["nato"], later, rest=True)
    assert THREE.until(spates, 0, ["nato"], later + MINUTE) == later + 10 * MINUTE
    assert THREE.until(spates, 0, ["nato"], later + 10 * MINUTE) is None


def test_what_is_long_over_is_forgotten() -> None:
    assert THREE.count(after(3, "nato"), 0, ["eu"], NOW + 20 * MINUTE) == (Spate(0, "eu", NOW + 20 * MINUTE, 1),)


def test_switched_off_nothing_waits_and_nothing_is_kept() -> None:
    off = Folding(most=0)
    assert off.count(after(9, "nato"), 0, ["nato"], NOW) == ()
    assert off.until(after(9, "nato"), 0, ["nato"], NOW) is None


TERMS = st.text(st.characters(categories=["L", "N"], include_characters="_@-/"), min_size=1)


@given(st.lists(st.builds(Spate, st.integers(0), TERMS, st.integers(0), st.integers(1))))
def test_what_is_written_is_read(spates: list[Spate]) -> None:
    assert read(spell(spates)) == tuple(spates)
