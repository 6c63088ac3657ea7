"""The index of phrases against a search that looks at everything."""

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.phrases import LONGEST, MOST_KEYS, PhraseIndex, combinations

#: Few words, so that phrases overlap, nest and share words; a form of one word is a form of others.
FORMS = st.sampled_from("abcd")
WORD = st.lists(FORMS, min_size=1, max_size=2, unique=True)
PHRASES = st.lists(WORD, min_size=1, max_size=LONGEST).filter(lambda words: _ways(words) <= MOST_KEYS)
LABELS = st.sampled_from(["x", "y", "z"])
#: True to add, False to take away.
CHANGES = st.lists(st.tuples(st.booleans(), PHRASES, LABELS), max_size=12)
TEXTS = st.lists(st.lists(st.sampled_from("abcde"), max_size=2, unique=True), max_size=14)


def _ways(words: Sequence[Collection[str]]) -> int:
    ways = 1
    for word in words:
        ways *= len(word)
    return ways


def brute(kept: set[tuple[tuple[str, ...], str]], tokens: Sequence[Collection[str]]) -> set[tuple[int, int, str]]:
    """Every phrase at every place, word by word."""
    return {
        (at, len(phrase), label)
        for phrase, label in kept
        for at in range(len(tokens) - len(phrase) + 1)
        if all(form in token for form, token in zip(phrase, tokens[at:], strict=False))
    }


@settings(max_examples=400)
@given(CHANGES, TEXTS, TEXTS)
def test_it_finds_what_a_search_of_everything_finds_after_every_change(changes: list, one: list, other: list) -> None:
    index, kept = PhraseIndex(), set()
    for adding, words, label in changes:
        ways = {(forms, label) for forms in combinations(words)}
        if adding:
            index.add(words, label)
            kept |= ways
        else:
            index.discard(words, label)
            kept -= ways
        for text in (one, other, [token[:1] or ["e"] for token in one]):
            hits = list(index.find(text))
            assert set(hits) == brute(kept, text)
            assert len(hits) == len(set(hits))
            assert [at for at, _, _ in hits] == sorted(at for at, _, _ in hits)
        assert len(index) == len({forms for forms, _ in kept})


@given(CHANGES)
def test_nothing_is_left_of_what_was_discarded(changes: list) -> None:
    index = PhraseIndex()
    for _, words, label in changes:
        index.add(words, label)
    for _, words, label in changes:
        index.discard(words, label)
    assert len(index) == 0
    assert not any(form in index for form in "abcd")


def test_overlapping_and_nested_phrases_are_all_found() -> None:
    index = PhraseIndex()
    for phrase, label in (("a b", "x"), ("b c", "y"), ("a b c", "z"), ("b", "w"), ("b", "v")):
        index.add([[word] for word in phrase.split()], label)
    text = [["a"], ["b"], ["c"]]
    assert set(index.find(text)) == {(0, 2, "x"), (0, 3, "z"), (1, 2, "y"), (1, 1, "w"), (1, 1, "v")}


def test_one_shared_form_a_word_is_enough_and_gives_one_hit() -> None:
    index = PhraseIndex()
    index.add([["мирний", "мирне"], ["план"]], "peace_plan")
    assert list(index.find([["мирне", "мирний"], ["план", "плана"]])) == [(0, 2, "peace_plan")]
    assert list(index.find([["мирне"], ["план"]])) == [(0, 2, "peace_plan")]
    assert list(index.find([["воєнний"], ["план"]])) == []


def test_a_new_phrase_is_found_at_once_and_a_discarded_one_no_more() -> None:
    index, text = PhraseIndex(), [["new"], ["word"]]
    assert list(index.find(text)) == []
    index.add(text, "tag")
    assert list(index.find(text)) == [(0, 2, "tag")]
    index.discard(text, "other")
    index.discard([["never"], ["added"]], "tag")
    assert list(index.find(text)) == [(0, 2, "tag")]
    index.discard(text, "tag")
    assert list(index.find(text)) == []


def test_the_combinations_of_a_phrase_are_bounded_and_the_likeliest_stay() -> None:
    words = [["1", "2", "3"]] * LONGEST
    ways = list(combinations(words))
    assert 1 < len(ways) <= MOST_KEYS
    assert ("1",) * LONGEST in ways


@pytest.mark.parametrize("words", [[], [["a"]] * (LONGEST + 1)])
def test_a_phrase_has_a_bounded_number_of_words(words: list) -> None:
    with pytest.raises(ValueError, match="words"):
        PhraseIndex().add(words, "x")


def test_a_token_without_forms_ends_every_phrase() -> None:
    index = PhraseIndex()
    index.add([["a"], ["b"]], "x")
    assert list(index.find([["a"], [], ["b"]])) == []
    assert list(index.find([])) == []
