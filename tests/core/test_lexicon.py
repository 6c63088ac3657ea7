"""Which tags stand in a text, and the words that say so."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lexicon import BODY_WORDS, Found, Lexicon, language_of
from bot.core.tags import normalise
from bot.core.thesaurus import Thesaurus, ThesaurusEntry, ThesaurusError
from bot.feeds.morphology import Morphology
from tests import thesaurus


@pytest.fixture(scope="module")
def morphology() -> Morphology:
    return Morphology()


@pytest.fixture(scope="module")
def shipped() -> Thesaurus:
    return thesaurus.shipped()


@pytest.fixture(scope="module")
def lexicon(shipped: Thesaurus, morphology: Morphology) -> Lexicon:
    return Lexicon(shipped, morphology)


@pytest.fixture
def following(morphology: Morphology) -> Lexicon:
    """Nothing but what a test follows."""
    return Lexicon(Thesaurus.build([]), morphology)


def slugs(found: tuple[Found, ...]) -> list[str]:
    return [tag.slug for tag in found]


@pytest.mark.parametrize(
    ("headline", "language", "found"),
    [
        ("Деталі мирного плану", "uk", ["peace_plan"]),
        ("Ознайомилися з мирним планом", "uk", ["peace_plan"]),
        ("Мирні плани сторін", "uk", ["peace_plan"]),
        ("Two peace plans", "en", ["peace_plan"]),
        ("Детали мирного плана", "ru", ["peace_plan"]),
        ("Зустріч Зеленського", "uk", ["zelenskyy"]),
        ("Подякували Зеленському", "uk", ["zelenskyy"]),
        ("Заява Володимира Зеленського", "uk", ["zelenskyy"]),
        ("Заявление Зеленского", "ru", ["zelenskyy"]),
        ("Zelenskyy’s letter, Zelensky's reply", "en", ["zelenskyy"]),
        ("До Києва їде Стармер", "uk", ["kyiv", "starmer"]),
        ("Перемирʼя? Умови перемир’я", "uk", ["ceasefire"]),
        ("Звернення Сибіги", "uk", ["sybiha"]),
        ("Визит Мерца", "ru", ["merz"]),
        ("Нато", "uk", ["nato"]),
        ("İstanbul: NATO meets", "en", ["nato"]),
    ],
)
def test_every_inflection_finds_its_tag(headline: str, language: str, found: list[str], lexicon: Lexicon) -> None:
    assert slugs(lexicon.find(headline, "", language)) == found


@pytest.mark.parametrize(
    ("headline", "language"),
    [
        ("A lesson in anatomy", "en"),
        ("Give us the news on it", "en"),
        ("Un homme et une femme", "fr"),
        ("Де є вода", "uk"),
        ("Facts trump opinions", "en"),
        ("У зоопарку народилося четверо левів", "uk"),
        ("Значні суми боргів", "uk"),
        ("Газу вистачить усім", "uk"),
        ("Зробили свій вибір", "uk"),
        ("Мирна угода, план забудови", "uk"),
        ("Peace. Plan your day", "en"),
        ("A plan for peace", "en"),
    ],
)
def test_words_that_only_look_like_a_name_find_nothing(headline: str, language: str, lexicon: Lexicon) -> None:
    assert lexicon.find(headline, "", language) == ()


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("The US, the EU and the UN", "en", ["usa", "eu", "un"]),
        ("U.S. and U.K. officials", "en", ["usa", "uk"]),
        ("US's answer to POWs", "en", ["usa", "prisoners"]),
        ("Вступ до ЄС", "uk", ["european_integration", "eu"]),
        ("Санкции ЕС", "ru", ["sanctions", "eu"]),
        ("JOIN US FOR THE BIG DAY", "en", []),  # all in capitals: they say nothing
    ],
)
def test_an_acronym_is_found_in_capitals_only(text: str, language: str, found: list[str], lexicon: Lexicon) -> None:
    assert slugs(lexicon.find(text, "", language)) == found
    assert not {"usa", "eu", "un", "uk"} & set(slugs(lexicon.find(text.lower(), "", language)))


@pytest.mark.parametrize(
    ("body", "language", "found"),
    [
        ("Ми говорили про санкції та дрони.", "uk", []),
        ("Санкції діють. Дрони літають.", "uk", []),  # a capital where a sentence begins
        ("Так звані Санкції", "uk", ["sanctions"]),
        ("Обговорили САНКЦІЇ проти всіх", "uk", ["sanctions"]),
        ("Йшлося про мирний план.", "uk", ["peace_plan"]),  # several words count anywhere
        ("Зеленський прибув.", "uk", ["zelenskyy"]),  # the thesaurus says that it is a name
    ],
)
def test_a_single_common_noun_needs_the_headline(body: str, language: str, found: list[str], lexicon: Lexicon) -> None:
    assert slugs(lexicon.find("Новини", body, language)) == found


def test_a_common_noun_counts_in_its_own_language_only(lexicon: Lexicon) -> None:
    assert slugs(lexicon.find("New drones", "", "en")) == ["drones"]
    assert lexicon.find("drones", "", "uk") == ()
    assert lexicon.find("Drones neufs", "", "fr") == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The peace-plan talks", "peace_plan"),
        ("A cease-fire", "ceasefire"),
        ("A cease fire", "ceasefire"),
        ("Cease‑fire deal", "ceasefire"),  # a hyphen that does not break
        ("НАТO", "nato"),  # a Latin O
        ("Зеле\u0301нський", "zelenskyy"),
        ("Зе\u00adленський", "zelenskyy"),
        (unicodedata.normalize("NFD", "Київ"), "kyiv"),
        ("Ｎ\u200bATO", "nato"),
        ("Пʼятий обмін полоненими", "prisoners"),
    ],
)
def test_spelling_does_not_prevent_a_match(text: str, found: str, lexicon: Lexicon) -> None:
    language = language_of(text, "")
    assert slugs(lexicon.find(text, "", language)) == [found]


@pytest.mark.parametrize("headline", ["Ceasefire", "Cease-fire", "Cease fire"])
def test_a_name_with_a_hyphen_is_found_with_and_without(headline: str, morphology: Morphology) -> None:
    lexicon = Lexicon(Thesaurus.build([ThesaurusEntry("truce", {}, {"en": ("cease-fire",)})]), morphology)
    assert slugs(lexicon.find(headline, "", "en")) == ["truce"]


def test_hashtags_in_the_text_are_tags_wherever_they_stand(lexicon: Lexicon) -> None:
    body = "слово " * (BODY_WORDS + 50) + "#nato #Мирний_План #28 C#us &#39; #нове_слово"
    assert lexicon.find("#otan", body, "uk") == (
        Found("nato", "#otan"),
        Found("peace_plan", "#Мирний_План"),
        Found("нове_слово", "#нове_слово"),
    )


def test_found_words_are_those_of_the_text_in_order_and_each_tag_once(lexicon: Lexicon) -> None:
    found = lexicon.find("Деталі мирного плану Володимира Зеленського", "Сполучені Штати й НАТО. Мирний план", "uk")
    assert found == (
        Found("peace_plan", "мирного плану"),
        Found("zelenskyy", "Зеленського"),
        Found("usa", "Сполучені Штати"),
        Found("nato", "НАТО"),
    )


def test_the_body_is_read_so_far(lexicon: Lexicon) -> None:
    far = "слово " * BODY_WORDS
    assert slugs(lexicon.find("", f"мирний план {far}", "uk")) == ["peace_plan"]
    assert lexicon.find("", f"{far} мирний план", "uk") == ()


# ------------------------------------------------------------------ tags that people follow


def test_a_followed_tag_is_found_by_its_words_until_nobody_follows(following: Lexicon) -> None:
    headline = "Новий мирний план оприлюднили", "", "uk"
    assert following.find(*headline) == ()
    following.follow("мирний_план")
    following.follow("мирний_план")
    assert following.find(*headline) == (Found("мирний_план", "мирний план"),)
    assert slugs(following.find("За мирним планом", "", "uk")) == ["мирний_план"]
    following.unfollow("мирний_план")
    assert following.find(*headline) == ()


def test_a_followed_tag_is_ukrainian_and_russian(following: Lexicon) -> None:
    following.follow("тариф")
    assert slugs(following.find("Повышение тарифов", "", "ru")) == ["тариф"]
    assert slugs(following.find("Підвищення тарифів", "", "uk")) == ["тариф"]


@pytest.mark.parametrize(
    ("slug", "headline", "found"),
    [
        ("премєр_міністр", "Звільнили прем'єр-міністра", True),  # a hashtag holds no apostrophe
        ("здоровя", "Питання здоров’я", True),
        ("gas", "Gas prices rise", True),
        ("gas", "New gas deal", True),
        ("aid", "More aid arrives", True),
        ("who", "Who won", False),
        ("who", "WHO warns", True),
        ("g7", "G7 meets", True),
        ("f_16", "Нові F-16 прибули", True),
        ("national", "The nation mourns", False),
    ],
)
def test_words_of_followed_tags(slug: str, headline: str, found: bool, following: Lexicon) -> None:
    following.follow(slug)
    assert slugs(following.find(headline, "", language_of(headline, ""))) == [slug] * found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Про компанію «Нафтогаз» розповіли", True),
        ("Голова Нафтогазу сказав", True),
        ("Про нафтогаз", False),
        ("Нафтогаз мовчить. Нафтогаз чекає", False),
        ("Він сказав: «Нафтогаз чекає»", False),
    ],
)
def test_a_followed_word_in_the_body_must_be_written_as_a_name(body: str, found: bool, following: Lexicon) -> None:
    following.follow("нафтогаз")
    assert slugs(following.find("", body, "uk")) == ["нафтогаз"] * found


def test_a_tag_of_the_thesaurus_keeps_its_names(lexicon: Lexicon) -> None:
    for slug in ("turkey", "us", "peace_plan"):
        lexicon.follow(slug)
    assert slugs(lexicon.find("Turkey for us", "", "en")) == ["turkey"]
    assert lexicon.find("No turkey for us", "", "en") == ()
    for slug in ("turkey", "us", "peace_plan"):
        lexicon.unfollow(slug)
    assert slugs(lexicon.find("A peace plan of the US", "", "en")) == ["peace_plan", "usa"]


def test_a_tag_of_very_many_words_is_no_phrase(following: Lexicon) -> None:
    slug = "a_b_c_d_e_f_g_h_i"
    following.follow(slug)
    assert following.find(slug.replace("_", " "), "", "en") == ()
    following.unfollow(slug)


# None is short enough to be the ending of an acronym.
WORDS = st.sampled_from(["peace", "plan", "abc", "мир", "План", "peaceplan", "ЄС", "US"])
GAPS = st.sampled_from([" ", "-", ". ", ", ", "\n", " — ", "_", " #", "'"])


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=3), max_size=5),
    st.lists(st.tuples(WORDS, GAPS), max_size=12),
    st.lists(st.tuples(WORDS, GAPS), max_size=12),
)
def test_no_phrase_is_found_whose_words_are_not_all_there(tags: list, headline: list, body: list) -> None:
    """And the words that are shown are in the text: the normal form stands on both sides."""
    lexicon = Lexicon(Thesaurus.build([]), lambda word, _: (word.replace("'", ""),))
    followed = {normalise("_".join(words)) for words in tags}
    for slug in followed:
        lexicon.follow(slug)
    texts = ["".join(word + gap for word, gap in pairs) for pairs in (headline, body)]
    found = lexicon.find(*texts, "uk")
    assert len(set(slugs(found))) == len(found)
    for tag in found:
        assert tag.slug in followed or tag.words.startswith("#")
        assert normalise(tag.words).replace("_", "") == tag.slug.replace("_", "")
        assert any(tag.words in text for text in texts)


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from(["uk", "ru", "en", "fr", ""]))
def test_any_text_can_be_read(headline: str, body: str, language: str) -> None:
    lexicon = Lexicon(Thesaurus.build([ThesaurusEntry("nato", {}, {"en": ("NATO",)})]), lambda word, _: (word,))
    for tag in lexicon.find(headline, body, language):
        assert tag.slug


# ------------------------------------------------------------------ language, and the catalogue


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        ("Peace plan", "uk", "en"),
        ("Peace plan", "", "en"),
        ("Plan de paix", "fr-FR", "fr"),
        ("Їжа і ґрунт", "ru", "uk"),
        ("Объявлены выборы", "uk", "ru"),
        ("НАТО", "uk-UA", "uk"),
        ("НАТО", "ru", "ru"),
        ("Угода для США", "", "uk"),
        ("Договор с США", "en", "ru"),
        ("США та НАТО", "", "uk"),
        ("28", "uk", "uk"),
        ("28", "", "en"),
    ],
)
def test_the_language_is_declared_and_checked_by_the_letters(text: str, declared: str, language: str) -> None:
    assert language_of(text, declared) == language


def test_every_shipped_name_and_sign_finds_its_tag(shipped: Thesaurus, lexicon: Lexicon) -> None:
    missed = [
        (entry.slug, name)
        for entry in shipped.entries
        for language, names in (*entry.names.items(), *entry.signs.items())
        for name in names
        if entry.slug not in slugs(lexicon.find(f"28 {name.lstrip('…')}", "", language))
    ]
    assert missed == []


#: Own words of a tag that do not find it in a headline, and why.
NOT_FOUND_BY = {
    ("armed_forces", "armed forces"): "of any country",
    ("prisoners", "prisoners"): "any, not those of war",
    ("fedorov", "fedorov"): "a common surname: the governor of Zaporizhzhia, sportsmen",
    ("costa", "costa"): "a common name: Costa Rica, coffee",
}


def test_whoever_follows_a_tag_gets_the_headlines_with_its_own_word(shipped: Thesaurus, lexicon: Lexicon) -> None:
    """The slug spelled out, as a name is written, and the titles; a followed tag of the thesaurus adds no words."""
    missed = set()
    for entry in shipped.entries:
        spelled = entry.slug.replace("_", " ")
        for language, written in [
            ("en", {spelled, spelled.title(), spelled.upper()}),
            *[(k, {v}) for k, v in entry.titles.items()],
        ]:
            if not any(entry.slug in slugs(lexicon.find(f"28 {one}", "", language)) for one in written):
                missed.add((entry.slug, spelled if language == "en" and spelled in written else entry.titles[language]))
    assert missed == set(NOT_FOUND_BY)


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("eurovision", "eurovision"),
        ("Olympics", "olympics"),
        ("IAEA", "iaea"),
        ("магате", "магате"),
        ("purl", "purl"),
        ("ТЦК", "тцк"),
        ("AI", "ai"),
        ("мирна угода", "мирна_угода"),
        ("Zelensky", "zelenskyy"),
        ("US", "usa"),
        ("ЗСУ", "armed_forces"),
        ("otan", "nato"),
        ("бюджет", "budget"),
    ],
)
def test_what_only_tells_of_a_tag_stays_a_tag_of_its_own(typed: str, slug: str, shipped: Thesaurus) -> None:
    assert shipped.canonical(typed) == slug


@pytest.mark.parametrize(
    ("headline", "language", "found"),
    [
        # Shouted: an acronym is found unless it is a word as well.
        ("САМІТ ЄС ПРО ДОПОМОГУ КИЄВУ", "uk", ["eu", "kyiv"]),
        ("РФ ЗНОВУ АТАКУВАЛА ЕНЕРГЕТИКУ", "uk", ["russia", "energy"]),
        ("EU LEADERS MEET IN THE UK", "en", ["eu", "uk"]),
        ("TELL US MORE ABOUT IT", "en", []),
        # Other languages have words like our names.
        ("È nato un cucciolo", "it", []),
        ("Nato a Roma", "it", []),
        ("La NATO a Roma", "it", ["nato"]),
        ("UN PAESE NATO PER CASO", "it", []),
        ("O sapo e a rã", "pt", []),
        ("Nato chief speaks", "en", ["nato"]),
        ("гур людей на майдані", "uk", []),
        ("ГУР повідомило", "uk", ["hur"]),
        # Another person, or no person at all.
        ("Олена Зеленська відкрила школу", "uk", []),
        ("Подякували Зеленській", "uk", []),
        ("Зустріч із Зеленською", "uk", []),
        ("Встреча с Зеленской", "ru", []),
        ("Зеленский встретил Зеленскую", "ru", ["zelenskyy"]),
        ("Марта Навроцька приїхала", "uk", []),
        ("Зустріч із Навроцьким", "uk", ["nawrocki"]),
        ("Мерці серед нас", "uk", []),
        ("Зустріч із Мерцом", "uk", ["merz"]),
        ("Зустріч із Мерцем", "uk", ["merz"]),
        ("Танець мерців", "uk", []),
        ("Мерців багато", "uk", []),
        ("Заява Мерца", "uk", ["merz"]),
        ("Путину закрили до осені", "uk", []),
        ("Путину доложили", "ru", ["putin"]),
        ("Відповіли Путіну", "uk", ["putin"]),
        # Names that begin a sentence as other words.
        ("Газу вистачить на зиму", "uk", []),
        ("Перемир'я в Газі", "uk", ["ceasefire", "gaza"]),
        ("Суми збитків зросли", "uk", []),
        ("Удар по Сумах", "uk", ["sumy"]),
        ("Пожежа у Дніпрі", "uk", ["dnipro"]),
        ("Пожар в Днепре", "ru", ["dnipro"]),
        ("Лівий берег Дніпра", "uk", []),
        ("Передали Віткоффу", "uk", ["witkoff"]),
        ("Суд щодо Тимошенко", "uk", ["tymoshenko"]),
        # Signs.
        ("Хто поїде на Євробачення", "uk", ["culture"]),
        ("IAEA inspects the plant", "en", ["nuclear"]),
    ],
)
def test_what_a_capital_says_and_what_it_does_not(
    headline: str, language: str, found: list[str], lexicon: Lexicon
) -> None:
    assert slugs(lexicon.find(headline, "", language)) == found


@pytest.mark.parametrize("headline", ["F-16s arrive", "F16 fleet", "Нові F-16 прибули", "Перші F16 в небі"])
def test_what_bears_a_number_is_found_however_it_is_tied(headline: str, following: Lexicon) -> None:
    following.follow("f_16")
    assert slugs(following.find(headline, "", language_of(headline, ""))) == ["f_16"]
    following.unfollow("f_16")
    assert following.find(headline, "", language_of(headline, "")) == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("зеленського", ("zelenskyy",)),
        ("санкцій", ("sanctions",)),
        ("peace plans", ("peace_plan",)),
        ("мирного плану", ("peace_plan",)),
        ("мирных планов", ("peace_plan",)),
        ("києву", ("kyiv",)),
        ("olympics", ("sport",)),
        ("#Зеленському", ("zelenskyy",)),
        ("зеленської", ()),
        ("plans", ()),
        ("a peace plan", ()),
        ("", ()),
        ("one two three four five six seven eight nine ten", ()),
    ],
)
def test_what_is_typed_in_another_form_names_a_tag(typed: str, meant: tuple[str, ...], lexicon: Lexicon) -> None:
    assert lexicon.named(typed) == meant


def test_a_name_of_too_many_words_is_a_fault() -> None:
    with pytest.raises(ThesaurusError, match="no word, or more than 8"):
        Thesaurus.build([ThesaurusEntry("x", {}, {"en": ("one two three four five six seven eight nine",)})])
