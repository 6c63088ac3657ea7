"""The audit's chain."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest

from bot.core.chain import NOTHING, Act, broken, seal

ACTS = [Act(at=1000 + n, actor=n % 3, action="feed.add", detail=f"стрічка {n}", about=n % 2) for n in range(6)]


def sealed(acts: list[Act]) -> list[tuple[int, Act, str]]:
    rows, last = [], NOTHING
    for number, act in enumerate(acts, 1):
        last = seal(last, act)
        rows.append((number, act, last))
    return rows


def test_a_chain_holds_and_its_seals_all_differ() -> None:
    rows = sealed(ACTS)
    assert broken(NOTHING, rows) is None
    assert broken(NOTHING, []) is None
    assert len({found for _, _, found in rows}) == len(rows)
    assert broken(rows[2][2], rows[3:]) is None


@pytest.mark.parametrize("field", ["at", "actor", "about", "action", "detail"])
def test_a_changed_field_breaks_it_there(field: str) -> None:
    rows = sealed(ACTS)
    number, act, found = rows[3]
    other = getattr(act, field) + (1 if isinstance(getattr(act, field), int) else "x")
    rows[3] = number, replace(act, **{field: other}), found
    assert broken(NOTHING, rows) == 4


def test_a_row_taken_out_put_in_or_moved_breaks_it() -> None:
    rows = sealed(ACTS)
    assert broken(NOTHING, rows[:2] + rows[3:]) == 4
    assert broken(NOTHING, [*rows[:2], rows[3], rows[2], *rows[4:]]) == 4
    assert broken(NOTHING, [rows[0], (7, ACTS[0], seal(rows[0][2], ACTS[0])), *rows[1:]]) == 2
    assert broken(NOTHING, rows[1:]) == 2


def test_the_seal_is_of_fixed_bytes() -> None:
    """Rows are sealed for good: another spelling of the same act would break every chain there is."""
    written = rb'{"about":0,"action":"a","actor":2,"at":1,"detail":"\u0457"}'
    assert seal("5e", Act(at=1, actor=2, action="a", detail="ї")) == sha256(b"5e" + written).hexdigest()
    assert all(one[2] != two[2] for one, two in pairwise(sealed(ACTS)))
