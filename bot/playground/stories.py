"""The sample newsroom's stories, and the words around them. Every text is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

ROOT = "/newsroom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A published story; `tags` are slugs without `#`, `body` holds paragraphs parted by blank lines."""

    title: str
    lead: str
    body: str
    tags: tuple[str, ...]
    published: datetime
    language: str = "en"
    section: str = ""  #: "": the language's usual one
    agency: str = ""  #: one of WORDS; "": the language's own
    id: int = 0  #: 0 until published

    @property
    def words(self) -> Words:
        """Those of its agency."""
        return WORDS[self.agency or self.language]

    @property
    def path(self) -> str:
        """The article's page on this site."""
        return f"{ROOT}/news/general/{self.id}.html"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says around a story, in one language."""

    agency: str
    section: str
    minutes: str
    tags: str
    more: str
    hot: str
    latest: str
    feed: str


WORDS = {
    "en": Words(
        "Sample-Ukraine", "Facts", "min read", "Tags", "MORE ABOUT", "HOT NEWS", "LATEST", f"{ROOT}/rss.xml"
    ),
    "uk": Words(
        "Зразок-Україна", "Факти", "хв читання", "Теги", "БІЛЬШЕ ПРО", "ГАРЯЧІ НОВИНИ", "ОСТАННІ", f"{ROOT}/uk/rss.xml"
    ),
    "wire": Words(
        "Second Sample Wire", "World", "min read", "Tags", "MORE ABOUT", "HOT NEWS", "LATEST", f"{ROOT}/wire/rss.xml"
    ),
}  # fmt: skip
LANGUAGES = ("en", "uk")


SEED = Story(
    title="NATO not commenting on American peace plan for Ukraine, says it wants an end to the war that lasts",
    lead="The Alliance gives no opinion on the American proposal, and repeats that the war must end justly.",
    body="A spokesperson answered the agency's request on Friday.\n\n"
    "Talks should go on, the answer says, and every step towards a settlement has to be taken together with Kyiv.",
    tags=("peace_plan", "nato"),
    published=datetime(2025, 11, 21, 15, 11, tzinfo=UTC),
)
UKRAINIAN = Story(
    title="В Альянсі не коментують мирний план, але чекають на тривалий мир",
    lead="НАТО не дає оцінок запропонованому мирному плану й нагадує: війна має завершитися справедливо.",
    body="Так відповіли на запит агенції.\n\nРозмови тривають, і кожен крок має бути узгоджений із Києвом.",
    tags=("мирний_план", "нато"),
    published=datetime(2025, 11, 21, 15, 40, tzinfo=UTC),
    language="uk",
)
#: One event, told by two agencies in nearly the same words.
SHARED = Story(
    title="NATO and Ukraine agree on a joint centre for training in Poland",
    lead="The centre in Bydgoszcz will open in spring, the two sides announced.",
    body="Instructors of twelve countries will work there.\n\nThe first course is to begin in April.",
    tags=("nato", "training"),
    published=datetime(2025, 11, 21, 16, 5, tzinfo=UTC),
)
SHARED_BY_WIRE = Story(
    title="NATO, Ukraine agree on joint training centre in Poland",
    lead="The centre in Bydgoszcz is to open in spring, both sides announced.",
    body="Instructors from twelve countries will teach there.",
    tags=("nato", "training"),
    published=datetime(2025, 11, 21, 16, 7, tzinfo=UTC),
    agency="wire",
)
ARCHIVE = (
    Story(
        title="Kyiv doubles its fleet of electric buses",
        lead="Forty new buses join the city's routes this month.",
        body="Drivers have been trained, and charging points stand at three depots.",
        tags=("kyiv", "transport"),
        published=datetime(2025, 11, 19, 8, 5, tzinfo=UTC),
    ),
    Story(
        title="Grid operator asks households to spare power in the evening",
        lead="Demand is highest between five and nine in the evening.",
        body="Repairs at two substations should end within the week.",
        tags=("energy",),
        published=datetime(2025, 11, 19, 14, 30, tzinfo=UTC),
        section="Economy",
    ),
    Story(
        title="Енергетики просять ощадливо користуватися світлом увечері",
        lead="Найбільше споживання припадає на час від п'ятої до дев'ятої вечора.",
        body="Ремонт на двох підстанціях має завершитися за тиждень.",
        tags=("енергетика",),
        published=datetime(2025, 11, 19, 14, 45, tzinfo=UTC),
        language="uk",
        section="Економіка",
    ),
    Story(
        title="Defence ministers of NATO to meet in December",
        lead="Air defence is first on the agenda of the two-day meeting.",
        body="Ukraine's minister is invited to the opening session.",
        tags=("nato", "defence"),
        published=datetime(2025, 11, 20, 9, 20, tzinfo=UTC),
    ),
    Story(
        title="Peace plan must have Ukraine's consent, European diplomats say",
        lead="Several capitals want their own remarks heard before any text is agreed.",
        body="A joint note is expected after the weekend.",
        tags=("peace_plan", "eu"),
        published=datetime(2025, 11, 20, 16, 26, tzinfo=UTC),
    ),
    Story(
        title="Мирний план обговорять у столицях ЄС",
        lead="Дипломати готують спільні зауваження до тексту.",
        body="Зустріч запланована після вихідних.",
        tags=("мирний_план", "єс"),
        published=datetime(2025, 11, 20, 17, 10, tzinfo=UTC),
        language="uk",
    ),
    Story(
        title="Grain exports rise for the third month",
        lead="Ports of the Odesa region handled a tenth more than in October.",
        body="Maize makes up over half of the shipments.",
        tags=("economy", "odesa"),
        published=datetime(2025, 11, 21, 7, 50, tzinfo=UTC),
        section="Economy",
    ),
    Story(
        title="Збірна України з футболу назвала склад на вирішальний матч",
        lead="До заявки потрапили двадцять три гравці.",
        body="Гра відбудеться у неділю ввечері.",
        tags=("спорт", "футбол"),
        published=datetime(2025, 11, 21, 10, 15, tzinfo=UTC),
        language="uk",
        section="Спорт",
    ),
)
