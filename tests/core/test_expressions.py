"""The little language of /sub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.expressions import FaultKind, Names, loose_tags, parse, render
from bot.core.model import RuleSpec
from bot.core.tags import normalise

KNOWN = {"peace_plan", "nato", "грошова_допомога"}


SOURCES = {"interfax-en", "bbc.world"}
NAMES = Names(
    known=KNOWN.__contains__, canonical=normalise, source=lambda name: name.lower() if name.lower() in SOURCES else ""
)


def understood(text: str):
    return parse(text, NAMES)


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
        ('#"грошова допомога"', ["грошова_допомога"]),
        ("@interfax-en", ["@interfax-en"]),
        ("@Interfax-EN + #nato -#sport, @bbc.world", ["@interfax-en+nato-sport", "@bbc.world"]),
        ("#nato -@interfax-en", ["nato-@interfax-en"]),
        ("#nato,-#sport", ["nato-sport"]),
        ("#nato-#sport", ["nato-sport"]),
        ("#nato−#sport #eu", ["nato-sport", "eu"]),
        ("#nato\n#eu", ["nato", "eu"]),
        ("#nato #NATO", ["nato"]),
        ("#nato +\n#eu", ["eu+nato"]),
        ("<b>#nato</b> <i>eu</i>", ["nato", "eu"]),
        ("#and #без", ["and", "без"]),
        ('"not"', ["not"]),
        ("#nato! i<b", ["nato", "i", "b"]),
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
        ("@nobody", FaultKind.NO_SOURCE, "@nobody"),
        ("#nato +", FaultKind.DANGLING, "+"),
        ("+ #nato", FaultKind.DANGLING, "+"),
        ("#nato + + #eu", FaultKind.DANGLING, "+"),
        ("#nato -", FaultKind.DANGLING, "-"),
        ("#nato + , #eu", FaultKind.DANGLING, "+"),
        ('#nato "грошова допомога', FaultKind.UNCLOSED, '"грошова допомога'),
        (
            "https://en.interfax.com.ua/news/general/1.html",
            FaultKind.ADDRESS,
            "https://en.interfax.com.ua/news/general/1.html",
        ),
        ("#nato -#nato", FaultKind.CONTRADICTION, "#nato -#nato"),
        ("x" * 1001, FaultKind.TOO_LONG, "x" * 40),
        (" ".join(f"#t{chr(97 + n)}" for n in range(21)), FaultKind.TOO_MANY, ""),
    ],
)
def test_what_cannot_be_understood_is_named(text: str, kind: FaultKind, piece: str) -> None:
    (fault,) = understood(text).faults
    assert (fault.kind, fault.piece) == (kind, piece)


@pytest.mark.parametrize(
    ("text", "keys", "kind", "piece"),
    [
        ("#nato and #eu", ["nato", "eu"], FaultKind.JOINING, "and"),
        ("нато та єс", ["нато", "єс"], FaultKind.JOINING, "та"),
        ("#nato не #sport", ["nato"], FaultKind.REFUSING, "не"),
        ("nato без спорту #eu", ["nato", "eu"], FaultKind.REFUSING, "без"),
        ("#nato !#sport", ["nato"], FaultKind.REFUSING, "!"),
        ("#nato ~#sport", ["nato"], FaultKind.REFUSING, "~"),
        ("#nato not", ["nato"], FaultKind.REFUSING, "not"),
        ("#nato /list", ["nato"], FaultKind.COMMAND, "/list"),
    ],
)
def test_what_joins_or_refuses_in_a_sentence_is_no_tag_and_what_is_refused_is_not_followed(
    text: str, keys: list[str], kind: FaultKind, piece: str
) -> None:
    parsed = understood(text)
    assert [spec.key for spec in parsed.rules] == keys
    assert [(fault.kind, fault.piece) for fault in parsed.faults] == [(kind, piece)]


def test_a_fault_spoils_only_its_own_piece_and_says_where_that_stands() -> None:
    text = "#nato #2026 #eu + @nobody"
    parsed = understood(text)
    assert [spec.key for spec in parsed.rules] == ["nato", "eu"]
    assert [text[fault.position :].startswith(fault.piece) for fault in parsed.faults] == [True, True]


def test_an_exclusion_before_any_rule_is_the_chats_own() -> None:
    parsed = understood("-#sport #nato -#eu")
    assert (parsed.exclusions, [spec.key for spec in parsed.rules], parsed.faults) == (("sport",), ["nato-eu"], ())


def test_loose_words_are_asked_about_together() -> None:
    assert loose_tags("peace plan #nato war", normalise) == {"peace", "peace_plan", "plan", "war"}


@given(st.text(max_size=300) | st.text('#@+-,"«» ab1\n', max_size=60))
def test_nothing_typed_raises_and_every_fault_has_its_place(text: str) -> None:
    for fault in understood(text).faults:
        assert 0 <= fault.position <= len(text)


SLUGS = st.text("abcабв_", min_size=1, max_size=8).map(normalise).filter(bool)


@given(st.lists(SLUGS, min_size=1, max_size=3, unique=True), st.lists(SLUGS, max_size=3, unique=True))
def test_a_rule_written_out_is_read_back(wanted: list[str], unwanted: list[str]) -> None:
    spec = RuleSpec(tuple(wanted), tuple(slug for slug in unwanted if slug not in wanted))
    assert understood(render(spec)).rules == (spec,)
