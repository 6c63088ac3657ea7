"""A sample newsroom: a local site with feeds, article pages and tag pages, whose stories are published on request.

It knows nothing of Tagwire. Its pages have the shape of Interfax-Ukraine's (sources-and-tags.md 1); every text is
invented.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.pages import article, block, html, rss
from bot.playground.stories import ARCHIVE, LANGUAGES, ROOT, SEED, SHARED, SHARED_BY_WIRE, UKRAINIAN, WORDS, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FEED_LENGTH = 25  #: items in a feed; about what the real one carries
#: What XML 1.0 cannot carry (and lone surrogates, which UTF-8 cannot): it comes with a careless paste.
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


#: What `edit_newest` puts behind a headline.
_EDITED = {"en": " (updated", "uk": " (оновлено"}


class NewsroomError(Exception):
    """A story that cannot be published or edited; the message is one line for people."""


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
        for story in ARCHIVE:  # all of the last day, in their order: what is counted by days is seen at work
            self._add(replace(story, published=clock() - (SEED.published - story.published) / 3))
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

    def publish_shared(self) -> Story:
        """One event by two agencies, both now; the second one's story. Again, new ones."""
        self._add(replace(SHARED, published=self._clock()))
        return self._add(replace(SHARED_BY_WIRE, published=self._clock()))

    def edit_newest(self) -> Story:
        """Another headline for the story that came last."""
        story = next(reversed(self._stories.values()))
        mark = _EDITED[story.language]
        head, found, number = story.title.partition(mark)
        count = int(number.strip(" )") or 1) + 1 if found else 1
        return self.edit(story.id, title=f"{head}{mark}{f' {count}' if count > 1 else ''})")

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
        if language not in LANGUAGES:
            raise NewsroomError(f"language: {language!r} is none of {', '.join(LANGUAGES)}")
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
        self._changed[story.agency or story.language] = self._clock()
        if self._on_publish:
            self._on_publish()
        return story

    def preview(self, path: str) -> dict[str, str] | None:
        """What a link preview shows of an article's page; None for any other path."""
        story = next((one for one in self._stories.values() if one.path == path), None)
        return {"site": story.words.agency, "title": story.title, "description": story.lead} if story else None

    def saved(self) -> Any:
        """Everything published, as JSON."""
        stories = [asdict(story) | {"published": story.published.isoformat()} for story in self._stories.values()]
        changed = {agency: moment.isoformat() for agency, moment in self._changed.items()}
        return {"stories": stories, "changed": changed, "seeded": self._seeded, "next_id": self._next_id}

    def restore(self, saved: Any) -> None:
        """Go on from `saved`."""
        for one in saved["stories"]:
            more = {"tags": tuple(one["tags"]), "published": datetime.fromisoformat(one["published"])}
            self._stories[one["id"]] = Story(**{**one, **more})
        self._changed |= {agency: datetime.fromisoformat(text) for agency, text in saved["changed"].items()}
        self._seeded, self._next_id = saved["seeded"], saved["next_id"]

    # ----------------------------------------------------------------------- the site

    def mount(self, app: web.Application) -> None:
        """Add the site's routes to `app`, all under `/newsroom/`."""
        app.router.add_get(f"{ROOT}/", self._index_page)
        for agency, words in WORDS.items():
            app.router.add_get(words.feed, partial(self._feed, agency))
        app.router.add_get(ROOT + r"/news/general/{id:\d{1,12}}.html", self._article_page)
        app.router.add_get(ROOT + "/news/tag/{slug}.html", self._tag_page)
        app.router.add_post(f"{ROOT}/publish", self._post_publish)
        app.router.add_post(f"{ROOT}/edit", self._post_edit)

    async def _feed(self, agency: str, request: web.Request) -> web.Response:
        stories = [story for story in self.stories if (story.agency or story.language) == agency][:FEED_LENGTH]
        changed = self._changed[agency].replace(microsecond=0)
        text = rss(stories, agency, str(request.url.origin()), changed, categories=self._categories)
        tag = sha256(text.encode()).hexdigest()[:16]
        response = web.Response(text=text, content_type="application/rss+xml", charset="utf-8")
        if _unchanged(request, tag, changed):
            response = web.Response(status=304)
        response.etag = tag
        response.last_modified = changed
        return response

    async def _index_page(self, _: web.Request) -> web.Response:
        blocks = "".join(
            f'<section><h1>{words.agency}</h1><p><a href="{words.feed}">RSS</a></p>'
            + block(words.latest, [story for story in self.stories if story.words is words], times=True)
            + "</section>"
            for words in WORDS.values()
        )
        return _page("en", "Sample newsroom", blocks)

    async def _article_page(self, request: web.Request) -> web.Response:
        story = self._stories.get(int(request.match_info["id"]))
        if story is None:
            raise web.HTTPNotFound(text="no such story")
        others = [other for other in self.stories if other.language == story.language and other.id != story.id]
        return _page(story.language, story.title, article(story, others))

    async def _tag_page(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        stories = [story for story in self.stories if slug in story.tags]
        if not stories:
            raise web.HTTPNotFound(text="no story bears this tag")
        return _page(stories[0].language, f"#{slug}", block(f"#{slug}", stories, times=True))

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
        known = {"uk": self.publish_ukrainian, "shared": self.publish_shared, "edit": self.edit_newest}
        if fields.keys() == {"story"} and fields["story"] in known:
            return known[fields["story"]]()
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


def _page(language: str, title: str, body: str) -> web.Response:
    return web.Response(text=html(language, title, body), content_type="text/html", charset="utf-8")
