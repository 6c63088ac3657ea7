"""The little language of /sub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.expressions import FaultKind, parse, render
from bot.core.model import RuleSpec
from bot.core.tags import normalise

KNOWN = {"peace_plan", "nato", "грошова_допомога"}


def understood(text: str):
    return parse(text, known=KNOWN.__contains__, canonical=normalise)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("#peace_plan #nato", ["peace_plan", "nato"]),
        ("nato, peace plan", ["nato", "peace_plan"]),
        ("peace plan", ["peace_plan"]),
        ("war plan", ["war", "plan"]),
        ("PEACE-PLAN", ["peace_plan"]),
        ("#nato + #peace_plan", ["nato+peace_plan"]),
        ("#nato+#peace_plan", ["nato+peace_plan"]),
        ("#nato -#sport", ["nato-sport"]),
        ("#nato - sport", ["nato-sport"]),
        ("#nato −#sport #eu", ["nato-sport", "eu"]),
        ('"грошова допомога"', ["грошова_допомога"]),
        ("«грошова допомога» + #nato", ["nato+грошова_допомога"]),
        ("#nato #NATO", ["nato"]),
        ("#a#b", ["a", "b"]),
        ("ex-president", ["ex_president"]),
        ("", []),
    ],
)
def test_what_is_typed_is_understood(text: str, keys: list[str]) -> None:
    parsed = understood(text)
    assert [spec.key for spec in parsed.rules] == keys
    assert parsed.faults == ()


@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("#2026", FaultKind.NOT_A_TAG, "2026"),
        ("🔥", FaultKind.NOT_A_TAG, "🔥"),
        ("-#sport", FaultKind.ONLY_EXCLUSIONS, "sport"),
        ("#nato -#nato", FaultKind.CONTRADICTION, "#nato -#nato"),
        ("x" * 1001, FaultKind.TOO_LONG, "x" * 40),
        (" ".join(f"#t{chr(97 + n)}" for n in range(21)), FaultKind.TOO_MANY, ""),
    ],
)
def test_what_cannot_be_understood_is_named(text: str, kind: FaultKind, piece: str) -> None:
    (fault,) = understood(text).faults
    assert (fault.kind, fault.piece) == (kind, piece)


def test_a_fault_spoils_only_its_own_piece() -> None:
    parsed = understood("#nato #2026 #eu")
    assert [spec.key for spec in parsed.rules] == ["nato", "eu"]
    assert [fault.position for fault in parsed.faults] == [6]


@given(st.text(max_size=300))
def test_nothing_typed_raises(text: str) -> None:
    understood(text)


SLUGS = st.text("abcабв_", min_size=1, max_size=8).map(normalise).filter(bool)


@given(st.lists(SLUGS, min_size=1, max_size=3, unique=True), st.lists(SLUGS, max_size=3, unique=True))
def test_a_rule_written_out_is_read_back(wanted: list[str], unwanted: list[str]) -> None:
    spec = RuleSpec(tuple(wanted), tuple(slug for slug in unwanted if slug not in wanted))
    assert understood(render(spec)).rules == (spec,)
