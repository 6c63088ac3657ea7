"""Which rules an article satisfies."""

import pytest

from bot.core.matching import reasons, satisfies
from bot.core.model import Rule, RuleSpec


@pytest.mark.parametrize(
    ("wanted", "unwanted", "tags", "expected"),
    [
        (("nato",), (), {"nato", "eu"}, True),
        (("nato",), (), {"eu"}, False),
        (("nato", "eu"), (), {"nato"}, False),
        (("nato", "eu"), (), {"nato", "eu"}, True),
        (("nato",), ("sport",), {"nato", "sport"}, False),
        (("nato",), ("sport",), {"nato"}, True),
    ],
)
def test_every_wanted_tag_and_no_unwanted_one(
    wanted: tuple[str, ...], unwanted: tuple[str, ...], tags: set[str], expected: bool
) -> None:
    assert satisfies(RuleSpec(wanted, unwanted), tags) is expected


def rule(number: int, *wanted: str, muted_until: int = 0) -> Rule:
    return Rule(id=number, chat_id=1, thread_id=0, spec=RuleSpec(wanted), created_at=number, muted_until=muted_until)


def test_reasons_are_named_in_the_order_they_were_followed() -> None:
    assert reasons([rule(2, "nato"), rule(1, "eu")], {"nato", "eu"}, now=10) == ("eu", "nato")


def test_a_muted_rule_gives_no_reason_until_its_time() -> None:
    muted = [rule(1, "nato", muted_until=20)]
    assert reasons(muted, {"nato"}, now=19) == ()
    assert reasons(muted, {"nato"}, now=20) == ("nato",)
