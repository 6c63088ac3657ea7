"""Why an article bears its tags, and who gets it: the answer of `tagwire explain`. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.core.describe import describe, evidence, identity
from bot.core.matching import reasons, unmet
from bot.core.model import Entry, Feed, Fetched, FetchFailed, PageFacts, PageMode, ParsedFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.matching import Unmet
    from bot.core.model import Article, ArticleTag, Millis, Rule
    from bot.feeds.worker import ParserPool
    from bot.pipeline.tagging import Tagger
    from bot.store.store import Store

#: Readers who are named; the others are counted.
NAMED = 20
#: Entries of a feed that are explained.
ENTRIES = 10


class ExplainError(Exception):
    """There is nothing to explain; the text is one line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A chat (and topic) that gets the article, and the terms for which it does."""

    chat_id: int
    thread_id: int
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One article: every tag with each place that names it, and who gets it."""

    article: Article
    feed: str
    known: bool  #: it is in the archive: what it bears is what was stored
    page_left: bool  #: its page tells more than the service knows, for it reads no pages of that feed
    tags: tuple[ArticleTag, ...]
    readers: int
    named: tuple[Reader, ...]  #: the first of them
    asked: tuple[tuple[Rule, Unmet], ...] = ()  #: every rule of the chat that was asked about, and what it lacks

    @property
    def borne(self) -> frozenset[str]:
        """The terms that rules are compared with; of the tags that something names, those left out have no reader."""
        return frozenset(term.slug for term in self.article.terms)


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
            entries = parsed.entries[:ENTRIES]
            return [await self._explain(feed, entry, PageFacts(), chat_id, now) for entry in entries]
        listed = self._feed_of_site(document.url, "")
        page = await self._parsers.read_page(document, listed.tag_selector if listed else "")
        if (other := self._feed_of_site(document.url, page.language)) is not listed and other is not None:
            listed, page = other, await self._parsers.read_page(document, other.tag_selector)
        if not page.title:
            why = parsed.detail if isinstance(parsed, FetchFailed) else "it holds nothing"
            raise ExplainError(f"{document.url}: neither an article with a headline nor a feed ({why})")
        feed = listed or _unlisted(document.url, _site(document.url), page.language)
        return [await self._explain(feed, _entry_of(document.url, page), page, chat_id, now)]

    async def _explain(self, feed: Feed, entry: Entry, page: PageFacts, chat_id: int | None, now: Millis) -> Explained:
        stored = await self._store.articles.by_canonical(identity(feed, entry.guid, entry))
        read = feed.pages is not PageMode.NEVER
        article = stored or describe(feed, entry, page if read else None, self._tagger.lexicon, now)
        tags = [*evidence(feed, entry, page, self._tagger.lexicon), *(stored.tags if stored else ())]
        terms = {term.slug for term in article.terms}
        count, places = await self._store.fanouts.audience(terms, now, NAMED)
        return Explained(
            article=article,
            feed=feed.name,
            known=stored is not None,
            page_left=not read,
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

    def _feed_of_site(self, address: str, language: str) -> Feed | None:
        """The feed of a page's site, of the page's language where several share it."""
        site = _site(address)
        feeds = [feed for feed in self._feeds if site and _site(feed.url) == site]
        spoken = language.partition("-")[0]
        return next((feed for feed in feeds if spoken and feed.language.startswith(spoken)), next(iter(feeds), None))


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


def _distinct(tags: Iterable[ArticleTag]) -> tuple[ArticleTag, ...]:
    """Each tag with each of its sources once; what the archive says only where nothing else does."""
    found: dict[tuple[str, str], ArticleTag] = {}
    for tag in tags:
        found.setdefault((tag.slug, tag.source.value), tag)
    return tuple(sorted(found.values(), key=lambda tag: tag.slug))
