"""Why an article bears its tags, and who gets it: the answer of `tagwire explain`. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.core.describe import MAX_TAGS, describe, evidence, identity, wants_page
from bot.core.identity import entry_keys
from bot.core.lexicon import language_of
from bot.core.matching import reasons, unmet
from bot.core.model import Entry, Feed, Fetched, FetchFailed, PageFacts, PageMode, ParsedFeed, TagSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.matching import Unmet
    from bot.core.model import Article, ArticleTag, Millis, Rule
    from bot.feeds.worker import ParserPool
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store

#: Readers who are named; the others are counted.
NAMED = 20
#: Entries of a feed that are explained.
ENTRIES = 10
#: Why evidence does not count.
NOT_READ = "not read for this feed"
BEYOND = f"beyond the {MAX_TAGS} tags of an article"


class ExplainError(Exception):
    """There is nothing to explain; the text is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A chat (and topic) that gets the article, and the terms for which it does."""

    chat_id: int
    thread_id: int
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A tag and a place that names it."""

    tag: ArticleTag
    left_out: str = ""  #: why nobody gets the article for it; "": it counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One article: every tag with each place that names it, and who gets it.

    Of an article that is in the archive it is what stands there, each tag with its nearest place.
    """

    article: Article
    feed: str
    known: bool  #: it is in the archive
    tags: tuple[Evidence, ...]
    readers: int
    named: tuple[Reader, ...]  #: the first of them
    asked: tuple[tuple[Rule, Unmet], ...] = ()  #: every rule of the chat that was asked about, and what it lacks


class Explainer:
    """Explains pages, feeds, and plain copies of a page.

    Args:
        store: who follows what, and the archive.
        parsers: read documents.
        tagger: finds tags in texts.
        feeds: the catalogue; a page is read as the feed of its site says.
    """

    def __init__(self, *, store: Store, parsers: ParserPool, tagger: Tagger, feeds: Sequence[Feed]) -> None:
        self._store = store
        self._parsers = parsers
        self._tagger = tagger
        self._feeds = feeds

    async def explain(self, document: Fetched, chat_id: int | None, now: Millis) -> list[Explained]:
        """Explain what a document holds: an article, or the first entries of a feed. Raises ExplainError."""
        await self._tagger.refresh()
        if chat_id is not None and await self._store.chats.get(chat_id) is None:
            raise ExplainError(f"chat {chat_id}: the bot has never met it")
        parsed = await self._parsers.parse(document)
        if isinstance(parsed, ParsedFeed):
            feed = self._feed_at(document.url) or _unlisted(document.url, parsed.title, parsed.language)
            entries = list(zip(entry_keys(parsed.entries), parsed.entries, strict=True))[:ENTRIES]
            return [await self._explain(feed, key, entry, PageFacts(), chat_id, now) for key, entry in entries]
        feed, page = await self._read(document)
        if not page.title:
            why = parsed.detail if isinstance(parsed, FetchFailed) else "it holds nothing"
            raise ExplainError(f"{document.url}: neither an article with a headline nor a feed ({why})")
        return [await self._explain(feed, document.url, _entry_of(document.url, page), page, chat_id, now)]

    async def _read(self, document: Fetched) -> tuple[Feed, PageFacts]:
        """A page, read as the feed of its site and language says."""
        listed = [feed for feed in self._feeds if _site(feed.url) == _site(document.url) != ""]
        selector = listed[0].tag_selector if listed else ""
        page = await self._parsers.read_page(document, selector)
        if not listed:
            return _unlisted(document.url, _site(document.url), page.language), page
        spoken = language_of(f"{page.title}\n{page.lead}", page.language)
        feed = next((feed for feed in listed if feed.language.partition("-")[0].lower() == spoken), listed[0])
        if feed.tag_selector != selector:
            page = await self._parsers.read_page(document, feed.tag_selector)
        return feed, page

    async def _explain(
        self, feed: Feed, key: str, entry: Entry, page: PageFacts, chat_id: int | None, now: Millis
    ) -> Explained:
        article = stored = await self._store.articles.by_canonical(identity(feed, key, entry))
        if stored is not None:
            feed = next((one for one in self._feeds if one.name in stored.carriers), feed)
        found = list(evidence(feed, entry, page, self._tagger.lexicon))
        if article is None:
            read = feed not in self._feeds or wants_page(feed, entry)
            article = describe(feed, entry, page if read else None, self._tagger.lexicon, now)
            tags = _weighed(found, article, read=read)
        else:
            words = {(tag.slug, tag.source): tag for tag in reversed(found)}
            tags = [Evidence(words.get((tag.slug, tag.source), tag)) for tag in article.tags]
        terms = {term.slug for term in article.terms}
        count, places = await self._store.fanouts.audience(terms, now, NAMED)
        return Explained(
            article=article,
            feed=feed.name,
            known=stored is not None,
            tags=_distinct(tags),
            readers=count,
            named=tuple([await self._reader(place, terms, now) for place in places]),
            asked=tuple(await self._asked(chat_id, terms, now)) if chat_id is not None else (),
        )

    async def _reader(self, place: tuple[int, int], terms: set[str], now: Millis) -> Reader:
        chat_id, thread_id = place
        rules = await self._store.rules.of_chat(chat_id, thread_id)
        never = await self._store.rules.excluded(chat_id)
        return Reader(chat_id=chat_id, thread_id=thread_id, terms=reasons(rules, terms, now, never))

    async def _asked(self, chat_id: int, terms: set[str], now: Millis) -> list[tuple[Rule, Unmet]]:
        never = await self._store.rules.excluded(chat_id)
        return [(rule, unmet(rule, terms, now, never)) for rule in await self._store.rules.of_chat(chat_id)]

    def _feed_at(self, address: str) -> Feed | None:
        return next((feed for feed in self._feeds if feed.url == address), None)


def _site(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _unlisted(address: str, title: str, language: str) -> Feed:
    """A source that the catalogue does not hold: what it is named by and where."""
    return Feed(name="-", url=address, title=title, language=language, pages=PageMode.ALWAYS)


def _entry_of(address: str, page: PageFacts) -> Entry:
    """The entry that a feed would have of this page, but for its categories."""
    link = address if address.startswith(("http://", "https://")) else ""
    return Entry(
        guid=address, link=link, title=page.title, summary=page.lead, published_at=page.published_at,
        categories=(), words=0,
    )  # fmt: skip


def _weighed(found: Sequence[ArticleTag], article: Article, *, read: bool) -> list[Evidence]:
    """What was found, with why it does not count where the service would not have it."""
    borne = {tag.slug for tag in article.tags}
    return [
        Evidence(tag, NOT_READ if tag.source is TagSource.PAGE and not read else "" if tag.slug in borne else BEYOND)
        for tag in found
    ]


def _distinct(tags: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Each tag with each of its sources once."""
    found: dict[tuple[str, TagSource], Evidence] = {}
    for one in tags:
        found.setdefault((one.tag.slug, one.tag.source), one)
    return tuple(sorted(found.values(), key=lambda one: one.tag.slug))
