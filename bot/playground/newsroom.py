"""A sample newsroom: a local site with feeds, article pages and tag pages, whose stories are published on request.

It knows nothing of Tagwire. Its pages have the shape of Interfax-Ukraine's (sources-and-tags.md 1); every text is
invented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = "/newsroom"
FEED_LENGTH = 25  #: items in a feed; about what the real one carries
#: What XML 1.0 cannot carry (and lone surrogates, which UTF-8 cannot): it comes with a careless paste.
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NewsroomError(Exception):
    """A story that cannot be published or edited; the message is one line for people."""


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
    id: int = 0  #: 0 until published

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
}  # fmt: skip


class Newsroom:
    """Stories and the site that shows them.

    `clock` gives the current time, with a zone; `on_publish` is called after every story published or edited, so that
    a poller need not wait for its turn; with `categories` the feeds name each story's tags too, not its page alone.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_publish: Callable[[], None] | None = None,
        categories: bool = False,
    ) -> None:
        self._clock = clock
        self._categories = categories
        self._stories: dict[int, Story] = {}
        self._next_id = 1100001  # near the real site's counter in November 2025
        self._seeded = False
        self._on_publish: Callable[[], None] | None = None  # the archive is no news
        self._changed = dict.fromkeys(WORDS, clock())
        for story in ARCHIVE:
            self._add(story)
        self._on_publish = on_publish

    @property
    def stories(self) -> tuple[Story, ...]:
        """Every story, the last published first."""
        return tuple(reversed(self._stories.values()))

    def publish_seed(self) -> Story:
        """The seed article: at its own time, 17:11 21.11.2025 in Kyiv; again, as a new story of the current time."""
        published = self._clock() if self._seeded else SEED.published
        self._seeded = True
        return self._add(replace(SEED, published=published))

    def publish_ukrainian(self) -> Story:
        """A Ukrainian story of the current time; again, a new one."""
        return self._add(replace(UKRAINIAN, published=self._clock()))

    def publish(
        self,
        *,
        title: str,
        lead: str = "",
        tags: Iterable[str] = (),
        language: str = "en",
        body: str = "",
        section: str = "",
        published: datetime | None = None,
    ) -> Story:
        """A story of one's own; `published` (with a zone) is now unless given. Raises NewsroomError."""
        if language not in WORDS:
            raise NewsroomError(f"language: {language!r} is none of {', '.join(WORDS)}")
        if published is not None and published.tzinfo is None:
            raise NewsroomError("published: a time needs its zone, as in 2025-11-21T17:11:00+02:00")
        if published is not None and not 1970 <= published.year < 9999:  # beyond, other zones have no such time
            raise NewsroomError("published: the year is out of range")
        story = Story(
            title=_title(title),
            lead=_clean(lead),
            body=_clean(body),
            tags=tuple(dict.fromkeys(filter(None, map(_slug, tags)))),
            published=published or self._clock(),
            language=language,
            section=_clean(section),
        )
        return self._add(story)

    def edit(self, story_id: int, *, title: str) -> Story:
        """Correct a headline; link and guid stay. Raises NewsroomError."""
        if story_id not in self._stories:
            raise NewsroomError(f"id: no story {story_id}")
        return self._keep(replace(self._stories[story_id], title=_title(title)))

    def _add(self, story: Story) -> Story:
        story = replace(story, id=self._next_id)
        self._next_id += 1
        return self._keep(story)

    def _keep(self, story: Story) -> Story:
        self._stories[story.id] = story
        self._changed[story.language] = self._clock()
        if self._on_publish:
            self._on_publish()
        return story

    # ----------------------------------------------------------------------- the site

    def mount(self, app: web.Application) -> None:
        """Add the site's routes to `app`, all under `/newsroom/`."""
        app.router.add_get(f"{ROOT}/", self._index_page)
        app.router.add_get(WORDS["en"].feed, self._english_feed)
        app.router.add_get(WORDS["uk"].feed, self._ukrainian_feed)
        app.router.add_get(ROOT + r"/news/general/{id:\d{1,12}}.html", self._article_page)
        app.router.add_get(ROOT + "/news/tag/{slug}.html", self._tag_page)
        app.router.add_post(f"{ROOT}/publish", self._post_publish)
        app.router.add_post(f"{ROOT}/edit", self._post_edit)

    async def _english_feed(self, request: web.Request) -> web.Response:
        return self._feed(request, "en")

    async def _ukrainian_feed(self, request: web.Request) -> web.Response:
        return self._feed(request, "uk")

    def _feed(self, request: web.Request, language: str) -> web.Response:
        stories = [story for story in self.stories if story.language == language][:FEED_LENGTH]
        changed = self._changed[language].replace(microsecond=0)
        text = rss(stories, language, str(request.url.origin()), changed, categories=self._categories)
        tag = sha256(text.encode()).hexdigest()[:16]
        response = web.Response(text=text, content_type="application/rss+xml", charset="utf-8")
        if _unchanged(request, tag, changed):
            response = web.Response(status=304)
        response.etag = tag
        response.last_modified = changed
        return response

    async def _index_page(self, _: web.Request) -> web.Response:
        blocks = "".join(
            f'<section lang="{language}"><h1>{words.agency}</h1><p><a href="{words.feed}">RSS</a></p>'
            + _block(words.latest, [story for story in self.stories if story.language == language], times=True)
            + "</section>"
            for language, words in WORDS.items()
        )
        return _html("en", "Sample newsroom", blocks)

    async def _article_page(self, request: web.Request) -> web.Response:
        story = self._stories.get(int(request.match_info["id"]))
        if story is None:
            raise web.HTTPNotFound(text="no such story")
        others = [other for other in self.stories if other.language == story.language and other.id != story.id]
        return _html(story.language, story.title, article(story, others))

    async def _tag_page(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        stories = [story for story in self.stories if slug in story.tags]
        if not stories:
            raise web.HTTPNotFound(text="no story bears this tag")
        return _html(stories[0].language, f"#{slug}", _block(f"#{slug}", stories, times=True))

    async def _post_publish(self, request: web.Request) -> web.Response:
        return await self._answer(request, self._publish_from)

    async def _post_edit(self, request: web.Request) -> web.Response:
        return await self._answer(request, self._edit_from)

    async def _answer(self, request: web.Request, act: Callable[[dict[str, Any]], Story]) -> web.Response:
        # A form of a foreign site cannot send this type without asking first, so no page elsewhere can publish.
        if request.content_type != "application/json":
            return _refusal("content-type must be application/json", status=415)
        try:
            fields = await request.json() if (await request.read()).strip() else {}
        except (ValueError, LookupError, RecursionError):
            return _refusal("the body is not JSON")
        if not isinstance(fields, dict):
            return _refusal("the body is not a JSON object")
        try:
            story = act(fields)
        except NewsroomError as error:
            return _refusal(str(error))
        link = f"{request.url.origin()}{story.path}"
        return web.json_response({"ok": True, "id": story.id, "title": story.title, "link": link})

    def _publish_from(self, fields: dict[str, Any]) -> Story:
        if fields in ({}, {"story": "seed"}):
            return self.publish_seed()
        if fields == {"story": "uk"}:
            return self.publish_ukrainian()
        return self.publish(**_checked(fields, {"title", "lead", "tags", "language", "body", "section", "published"}))

    def _edit_from(self, fields: dict[str, Any]) -> Story:
        story_id = fields.get("id")
        if not isinstance(story_id, int):
            raise NewsroomError("id: the story's number is needed")
        return self.edit(story_id, **_checked({key: fields[key] for key in fields if key != "id"}, {"title"}))


# --------------------------------------------------------------------------- what comes in


def _checked(fields: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """The fields of a request with the types `publish` and `edit` promise to take. Raises NewsroomError."""
    if unknown := sorted(fields.keys() - known):
        raise NewsroomError(f"{unknown[0]}: unknown; known are {', '.join(sorted(known))}")
    checked = {"title": "", **fields}
    for key, value in checked.items():
        if key == "tags":
            if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
                raise NewsroomError("tags: a list of strings is needed")
        elif not isinstance(value, str):
            raise NewsroomError(f"{key}: a string is needed")
    if "published" in checked:
        try:
            checked["published"] = datetime.fromisoformat(checked["published"])
        except ValueError as error:
            raise NewsroomError("published: a time like 2025-11-21T17:11:00+02:00 is needed") from error
    return checked


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text).strip()


def _title(text: str) -> str:
    title = " ".join(_clean(text).split())
    if not title:
        raise NewsroomError("title: a headline is needed")
    return title


def _slug(tag: str) -> str:
    """A tag as it stands in an address: lower case, words joined by `_` (sources-and-tags.md 1)."""
    return re.sub(r"\W+", "_", tag.lower()).strip("_")


def _unchanged(request: web.Request, tag: str, changed: datetime) -> bool:
    """RFC 9110 13.2.2: If-None-Match decides alone when it is there."""
    if request.if_none_match is not None:
        return any(asked.value in {tag, "*"} for asked in request.if_none_match)
    return request.if_modified_since is not None and changed <= request.if_modified_since


def _refusal(error: str, *, status: int = 400) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)


# --------------------------------------------------------------------------- what goes out


def rss(stories: Iterable[Story], language: str, origin: str, changed: datetime, *, categories: bool = False) -> str:
    """An RSS 2.0 document, the same text for the same stories; `origin` is the site's `http://host:port`."""
    words = WORDS[language]
    items = "".join(
        f"<item><title>{escape(story.title)}</title><link>{escape(origin + story.path)}</link>"
        f'<guid isPermaLink="true">{escape(origin + story.path)}</guid>'
        f"<description>{escape(story.lead)}</description><pubDate>{_rfc822(story.published)}</pubDate>"
        + "".join(f"<category>{escape(tag)}</category>" for tag in (story.tags if categories else ()))
        + "</item>\n"
        for story in stories
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{words.agency}</title><link>{escape(origin)}{ROOT}/</link><description>{words.latest}</description>"
        f"<language>{language}</language><lastBuildDate>{_rfc822(changed)}</lastBuildDate>\n{items}</channel></rss>\n"
    )


def article(story: Story, others: list[Story]) -> str:
    """The body of an article's page; `others` (newest first) fill the blocks below it."""
    words = WORDS[story.language]
    text = "\n\n".join(filter(None, (story.lead, story.body)))
    minutes = max(1, -(-len(text.split()) // 200))  # 200 words a minute, rounded up
    title = f"<h1>{escape(story.title)}</h1>"
    more = [other for other in others if set(other.tags) & set(story.tags)]
    tags = " ".join(f'<a href="{ROOT}/news/tag/{quote(tag)}.html">#{escape(tag)}</a>' for tag in story.tags)
    return (
        '<article class="article article-content-view"><div class="grid article-content-secondary-header">'
        f'<p class="agency">{words.agency}</p><p class="section">{escape(story.section or words.section)}</p>'
        f'<p class="article-time">{_stamp(story)}</p></div>{title}<p class="reading-time">{minutes} {words.minutes}</p>'
        f'{title}<div class="article-content">'
        + "".join(f"<p>{escape(paragraph.strip())}</p>" for paragraph in re.split(r"\n\s*\n", text) if paragraph)
        + "</div>"
        + (f'<div class="article-tags">{words.tags}: {tags}</div>' if tags else "")
        + "</article>"
        + _block(words.more, more[:10], times=True)
        + _block(words.hot, others[:5])
        + _block(words.latest, others[:10])
    )


def _block(title: str, stories: list[Story], *, times: bool = False) -> str:
    rows = "".join(
        '<div class="grid article">'
        + (f'<div class="article-time">{_stamp(story)}</div>' if times else "")
        + f'<a class="article-link" lang="{story.language}" href="{story.path}">{escape(story.title)}</a></div>'
        for story in stories
    )
    return f'<section class="articles-section-view"><h2>{escape(title)}</h2>{rows}</section>' if rows else ""


def _html(language: str, title: str, body: str) -> web.Response:
    text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/newsroom.css"></head><body>'
        f'<nav><a href="{ROOT}/">Sample newsroom</a>: every text is invented</nav><main>{body}</main></body></html>'
    )
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def _stamp(story: Story) -> str:
    return story.published.astimezone(ZoneInfo("Europe/Kyiv")).strftime("%H:%M %d.%m.%Y")


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


# --------------------------------------------------------------------------- the sample stories


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
