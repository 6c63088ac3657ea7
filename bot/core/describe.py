"""From an entry and its page to an article with its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.calendar import reading_minutes
from bot.core.identity import canonical_link, content_hash
from bot.core.model import Article, ArticleTag, EntryChange, PageFacts, PageMode, TagSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.core.lexicon import Thesaurus
    from bot.core.model import Entry, Feed, Millis

MAX_TAGS = 30


def wants_page(feed: Feed, entry: Entry, thesaurus: Thesaurus) -> bool:
    """Whether the entry's own page is worth a request."""
    if not entry.link or feed.pages is PageMode.NEVER:
        return False
    return feed.pages is PageMode.ALWAYS or not any(thesaurus.canonical(name) for name in entry.categories)


def describe(feed: Feed, entry: Entry, page: PageFacts | None, thesaurus: Thesaurus, now: Millis) -> Article:
    """The article that an entry is. Dates in the future are a mistake of the site and read as now."""
    facts = page or PageFacts()
    summary = " ".join(entry.summary.split())
    if not summary or summary == entry.title:
        summary = " ".join(facts.lead.split())
    return Article(
        link=entry.link,
        title=entry.title,
        summary="" if summary == entry.title else summary,
        source=feed.title,
        language=feed.language,
        section=facts.section,
        published_at=min(entry.published_at or now, now),
        seen_at=now,
        minutes=facts.minutes or reading_minutes(entry.words),
        tags=_tags(feed, entry, facts, thesaurus),
    )


def _tags(feed: Feed, entry: Entry, page: PageFacts, thesaurus: Thesaurus) -> tuple[ArticleTag, ...]:
    """Every tag once, by the source nearest to the newsroom that names it."""
    found: dict[str, TagSource] = {}
    for source, names in _named(feed, entry, page, thesaurus):
        for name in names:
            if slug := thesaurus.canonical(name):
                found.setdefault(slug, source)
    return tuple(ArticleTag(slug, source) for slug, source in list(found.items())[:MAX_TAGS])


def _named(
    feed: Feed, entry: Entry, page: PageFacts, thesaurus: Thesaurus
) -> Iterator[tuple[TagSource, Iterable[str]]]:
    yield TagSource.PAGE, page.tags
    yield TagSource.CATEGORY, entry.categories
    yield TagSource.FEED, feed.tags
    yield TagSource.TEXT, thesaurus.find(f"{entry.title}\n{entry.summary}\n{page.lead}", feed.language)


def entry_changes(
    feed: Feed,
    entries: Sequence[tuple[str, Entry]],
    known: Mapping[str, str],
    pages: Mapping[str, PageFacts],
    thesaurus: Thesaurus,
    now: Millis,
) -> tuple[EntryChange, ...]:
    """What is new or changed, oldest first, so that alerts come in the order of events.

    Args:
        feed: whose entries they are.
        entries: with their keys, in the document's order (newest first, by custom).
        known: content hash by key of those stored already.
        pages: facts of the pages that were read, by key.
        thesaurus: names to tags.
        now: when they were seen.
    """
    changes: dict[str, EntryChange] = {}
    for key, entry in reversed(entries):
        digest = content_hash(entry)
        if known.get(key) == digest or key in changes:
            continue
        changes[key] = EntryChange(
            key=key,
            content_hash=digest,
            canonical=canonical_link(entry.link) if entry.link else f"urn:tagwire:{feed.name}:{key}",
            article=describe(feed, entry, pages.get(key), thesaurus, now),
            new=key not in known,
        )
    return tuple(changes.values())
