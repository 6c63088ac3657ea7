"""The catalogues: every word in both languages."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import bot
from bot.telegram.texts import LOCALES, choose, named, speak

ROOT = Path(bot.__file__).parent / "telegram"


def said() -> dict[str, tuple[str, ...]]:
    """Every message that the code says, by its id."""
    found: dict[str, tuple[str, ...]] = {}
    keywords = {"text": None, "plain": None, "plural": (1, 2), "_": None}
    for _, _, message, _, _ in extract_from_dir(str(ROOT), keywords=keywords, method_map=[("**.py", "python")]):
        forms = message if isinstance(message, tuple) else (message,)
        found[forms[0]] = forms
    return found


def catalogue():
    with (LOCALES / "uk" / "LC_MESSAGES" / "tagwire.po").open("rb") as source:
        return read_po(source, locale="uk")


def names(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


def test_everything_the_code_says_has_a_ukrainian_translation() -> None:
    ukrainian = catalogue()
    missing = [message for message in said() if not (found := ukrainian.get(message)) or not found.string]
    assert said()
    assert missing == []


def test_placeholders_and_markup_are_the_same_in_both_languages() -> None:
    for message in catalogue():
        if not message.id:
            continue
        source = message.id[-1] if message.pluralizable else message.id
        for translation in message.string if message.pluralizable else (message.string,):
            assert names(translation) == names(source), translation
            assert re.findall(r"</?\w+>", translation) == re.findall(r"</?\w+>", source)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "Надіслати 1 читачеві"),
        (2, "Надіслати 2 читачам"),
        (5, "Надіслати 5 читачам"),
        (21, "Надіслати 21 читачеві"),
    ],
)
def test_ukrainian_plurals_follow_their_rule(number: int, expected: str) -> None:
    assert speak("uk").plural("Send to {n} reader", "Send to {n} readers", number) == expected


@pytest.mark.parametrize(
    ("code", "language"), [("uk", "uk"), ("uk-UA", "uk"), ("en-GB", "en"), ("de", "en"), (None, "en"), ("", "en")]
)
def test_the_language_is_telegrams_when_we_speak_it(code: str | None, language: str) -> None:
    assert choose(code) == language


def test_what_is_filled_in_cannot_be_markup() -> None:
    assert speak("en").text("Follow {tag}", tag="<b>&") == "Follow &lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("UK", "uk"), ("en", "en"), ("українська", "uk"), ("English", "en"), ("Англійська", "en"), ("fr", ""), ("", "")],
)
def test_a_language_is_chosen_by_its_code_or_its_name(typed: str, code: str) -> None:
    assert named(typed) == code
