"""Inflected words and the names they are forms of: a table, with its misses."""

import pytest

from bot.feeds.morphology import LONGEST_WORD, Morphology

#: name: inflected forms, as headlines have them.
UKRAINIAN = {
    "мирний план": "мирного плану, мирному плану, мирним планом, мирні плани, мирних планів, мирними планами",
    "мирні переговори": "мирних переговорів, мирним переговорам, мирними переговорами",
    "перемир'я": "перемир'ям, перемирʼю, перемир’я",
    "здоров'я": "здоров'ям, здоровʼя, здоров’ю",
    "прем'єр": "прем'єра, премʼєром, прем’єри",
    "санкція": "санкції, санкцій, санкціями, санкціях",
    "дрон": "дрони, дронів, дронами, дронах",
    "вибори": "виборів, виборам, виборах",
    "тариф": "тарифи, тарифів, тарифами",
    "Зеленський": "Зеленського, Зеленському, Зеленським",
    "Єрмак": "Єрмака, Єрмаку, Єрмаком",
    "Умєров": "Умєрова, Умєрову, Умєровим",
    "Сибіга": "Сибіги, Сибізі, Сибігу, Сибігою",
    "Путін": "Путіна, Путіну, Путіним",
    "Трамп": "Трампа, Трампу, Трампом",
    "Стармер": "Стармера, Стармером",
    "Київ": "Києва, Києву, Києві, Києвом",
    "Львів": "Львова, Львові",
    "Одеса": "Одеси, Одесі, Одесу",
    "Покровськ": "Покровська, Покровську",
    "Україна": "України, Україні, Україну, Україною",
    "Верховна Рада": "Верховної Ради, Верховній Раді, Верховну Раду",
    "Північноатлантичний альянс": "Північноатлантичного альянсу",
}
UKRAINIAN_MISSES = {"Сибіги", "Сибізі"}  # not in the dictionary, and guessed wrong
RUSSIAN = {
    "мирный план": "мирного плана, мирным планом, мирные планы",
    "санкция": "санкции, санкций, санкциями",
    "беспилотник": "беспилотников, беспилотниками",
    "перемирие": "перемирия, перемирием",
    "самолёт": "самолета, самолетов, самолёты",
    "Зеленский": "Зеленского, Зеленскому, Зеленским",
    "Путин": "Путина, Путиным",
    "Украина": "Украины, Украине, Украину",
    "Мерц": "Мерца, Мерцу, Мерцем",
}
RUSSIAN_MISSES = {"Мерца", "Мерцу", "Мерцем"}  # read as of мерец
ENGLISH = {
    "peace plan": "peace plans, peace plan's, peace plan’s",
    "sanction": "sanctions, sanctioned, sanctioning, sanction's",
    "negotiate": "negotiates, negotiated, negotiating",
    "policy": "policies, policy's",
    "university": "universities",
    "organization": "organizations, organization's",
    "stop": "stops, stopped, stopping",
    "die": "dies, died, dying",
    "seize": "seized, seizing",
    "Ukraine": "Ukraine's, Ukraine’s",
    "ally": "allies, allied",
    "bus": "buses",
    "crisis": "crises",
}
ENGLISH_MISSES = {"buses", "crises"}


@pytest.fixture(scope="module")
def morphology() -> Morphology:
    return Morphology()


def same(morphology: Morphology, one: str, other: str, language: str) -> bool:
    """Whether two phrases are the same, word by word."""
    return all(
        set(morphology(a.casefold(), language)) & set(morphology(b.casefold(), language))
        for a, b in zip(one.split(), other.split(), strict=True)
    )


@pytest.mark.parametrize(
    ("table", "language", "hits", "misses"),
    [(UKRAINIAN, "uk", 70, UKRAINIAN_MISSES), (RUSSIAN, "ru", 21, RUSSIAN_MISSES), (ENGLISH, "en", 27, ENGLISH_MISSES)],
)
def test_inflected_forms_and_those_that_are_missed(
    table: dict[str, str], language: str, hits: int, misses: set[str], morphology: Morphology
) -> None:
    forms = [(name, form) for name, row in table.items() for form in row.split(", ")]
    missed = {form for name, form in forms if not same(morphology, name, form, language)}
    assert missed == misses
    assert len(forms) - len(missed) >= hits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("organization", "organ"),
        ("organizations", "organs"),
        ("university", "universe"),
        ("international", "intern"),
        ("corruption", "corrupt"),
        ("election", "elected"),
        ("national", "nation"),
        ("attacker", "attack"),
        ("security", "secure"),
        ("authority", "author"),
        ("policy", "police"),
        ("treaty", "treat"),
        ("anatomy", "nato"),
    ],
)
def test_english_words_of_other_subjects_stay_apart(one: str, other: str, morphology: Morphology) -> None:
    assert not same(morphology, one, other, "en")


@pytest.mark.parametrize(
    ("one", "other"), [("лев", "львів"), ("вибір", "тариф"), ("нато", "анатомія"), ("газ", "газета")]
)
def test_ukrainian_words_of_other_subjects_stay_apart(one: str, other: str, morphology: Morphology) -> None:
    assert not same(morphology, one, other, "uk")


@pytest.mark.parametrize("written", ["здоров'я", "здоров’я", "здоровʼя", "здоров`я", "здоровя"])
def test_apostrophes_are_for_the_dictionary_and_not_in_the_form(written: str, morphology: Morphology) -> None:
    """`здоровя` is what a hashtag leaves of the word."""
    assert morphology(written, "uk") == ("здоровя",)


@pytest.mark.parametrize(
    ("word", "language", "forms"),
    [
        ("nato", "uk", ("nato",)),
        ("plans", "uk", ("plan",)),  # English names in Ukrainian texts
        ("plans", "de", ("plans",)),
        ("l'otan", "fr", ("otan",)),
        ("самолет", "ru", ("самолет",)),
        ("самолёт", "ru", ("самолет",)),
        ("выборов", "uk", ("выбор", "выборы")),  # no Ukrainian letter: quoted Russian
        ("києва", "ru", ("київ",)),
        ("плану", "en", ("план",)),
        ("28", "en", ("28",)),
        ("東京", "ja", ("東京",)),
        ("f16", "en", ("f16",)),
        ("'", "uk", ("",)),
    ],
)
def test_forms_by_script_and_language(word: str, language: str, forms: tuple[str, ...], morphology: Morphology) -> None:
    assert set(morphology(word, language)) == set(forms)


def test_what_is_remembered_is_bounded(morphology: Morphology) -> None:
    before = morphology.remembered
    long = "я" * (LONGEST_WORD + 1)
    assert morphology(long, "uk") == (long,)
    assert morphology.remembered == before
    assert morphology("новинар", "uk") == morphology("новинар", "uk")
    assert morphology.remembered == before + 1


def test_dictionaries_are_loaded_once_by_preload_or_at_need() -> None:
    fresh = Morphology()
    assert fresh.loaded == set()
    fresh("plans", "en")
    assert fresh.loaded == set()
    fresh.preload()
    assert fresh.loaded == {"uk", "ru"}
