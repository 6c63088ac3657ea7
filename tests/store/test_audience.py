"""Who gets an article: the store's SQL says what the pure rules say, on both engines."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bot.core.cadence import DAY_MS
from bot.core.frequency import Frequency
from bot.core.matching import reasons
from bot.core.model import RuleSpec

from .test_store import NOW, apply, change, reader, ready, update  # noqa: F401 - `ready` is a fixture

if TYPE_CHECKING:
    from bot.store.store import Store

TAGS = ("a", "b", "c", "d", "@one", "@two")


def some(dice: random.Random, most: int, least: int = 0) -> list[str]:
    return dice.sample(TAGS, dice.randint(least, most))


async def queued_for_the_newest(store: Store) -> set[int]:
    """The chats that the newest article is queued for."""
    query = "SELECT chat_id FROM outbox WHERE subject = (SELECT max(id) FROM articles)"
    async with store.database.reading() as connection:
        return {row.chat_id for row in await connection.exec_driver_sql(query)}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_readers_are_those_with_a_true_reason_and_no_others(seed: int, ready: Store) -> None:  # noqa: F811
    """Random rules, exclusions, mutes and articles against a brute-force reading of every rule."""
    dice = random.Random(seed)
    for chat in range(1, 41):
        specs = []
        for _ in range(dice.randint(1, 4)):
            wanted = some(dice, 2, 1)
            specs.append(RuleSpec(tuple(wanted), tuple(term for term in some(dice, 2) if term not in wanted)))
        await reader(ready, chat, *specs)
        if dice.random() < 0.4:
            await ready.rules.exclude(chat, some(dice, 1, 1))
        if dice.random() < 0.2:
            rules = await ready.rules.of_chat(chat)
            await ready.rules.mute([rules[0].id], NOW + 1000)
    for number in range(25):
        borne = [term for term in some(dice, 4) if not term.startswith("@")]
        feed = dice.choice(("one", "two"))
        await apply(ready, update(change(f"{number}", *borne, carriers=(feed,)), feed=feed))
        terms = {*borne, f"@{feed}"}
        expected = {}
        for chat in range(1, 41):
            found = reasons(await ready.rules.of_chat(chat), terms, NOW, await ready.rules.excluded(chat))
            if found:
                assert set(found) <= terms  # every reason is true
                expected[chat] = found
        assert await queued_for_the_newest(ready) == set(expected)


async def test_a_whole_source_can_be_followed_and_refused(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("@one",)))
    await reader(ready, 2, RuleSpec(("nato",), ("@one",)))
    await reader(ready, 3, RuleSpec(("nato", "@two")))
    stored = await apply(ready, update(change("a", "nato", carriers=("one",))))
    assert stored.alerts == 1
    # The same article from a second source concerns those of that source, once.
    again = change("b", "nato", canonical="https://one.example/a", carriers=("two",))
    assert (await apply(ready, update(again, feed="two"))).alerts == 1
    (article,) = await ready.articles.latest(slugs=["@two"])
    assert (article.carriers, [tag.slug for tag in article.tags]) == (("one", "two"), ["nato"])
    counts, _ = await ready.articles.tag_counts(NOW)
    assert [one.slug for one in counts] == ["nato"]


async def test_what_a_chat_excludes_it_never_gets_until_it_lifts_that(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("nato",)))
    await ready.rules.exclude(1, ["sport", "@two"])
    assert await ready.rules.excluded(1) == ["@two", "sport"]
    assert (await apply(ready, update(change("a", "nato", "sport")))).alerts == 0
    nato = RuleSpec(("nato",))
    assert await ready.rules.preview(nato, ["sport"], NOW - DAY_MS, NOW) == Frequency(0, 1)
    assert await ready.rules.preview(nato, [], NOW - DAY_MS, NOW) == Frequency(1, 1, NOW)
    assert await ready.rules.admit(1, ["sport", "eu"]) == ["sport"]
    assert (await apply(ready, update(change("b", "nato", "sport")))).alerts == 1


async def test_what_is_followed_is_learned_once(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1, RuleSpec(("a", "b"), ("c",)))
    newest, terms = await ready.rules.followed(0)
    assert sorted(terms) == ["a", "b", "c"]
    again, terms = await ready.rules.followed(newest)
    # On PostgreSQL a rule may be committed after a younger one, so the newest are looked at again.
    assert (again, set(terms) - {"a", "b", "c"}) == (newest, set())
    await reader(ready, 1, RuleSpec(("d",)))
    assert "d" in (await ready.rules.followed(newest))[1]
    # What a chat excludes is read with all rules.
    await ready.rules.exclude(1, ["e"])
    assert "e" in (await ready.rules.followed(0))[1]


async def test_a_group_that_moves_keeps_what_it_excludes(ready: Store) -> None:  # noqa: F811
    await reader(ready, -5, RuleSpec(("nato",)))
    await ready.rules.exclude(-5, ["sport"])
    await ready.chats.move(-5, -1005, NOW)
    assert (await ready.rules.excluded(-5), await ready.rules.excluded(-1005)) == ([], ["sport"])
    assert (await apply(ready, update(change("a", "nato", "sport")))).alerts == 0
