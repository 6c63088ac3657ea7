"""From an entry and its page to an article with its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.calendar import reading_minutes
from bot.core.identity import canonical_link, content_hash
from bot.core.lexicon import language_of
from bot.core.model import Article, ArticleTag, EntryChange, PageFacts, PageMode, TagSource
from bot.core.search import indexed
from bot.core.tags import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from bot.core.lexicon import Lexicon
    from bot.core.model import Entry, Feed, Millis

#: Of one article; of the words that people follow more, for each has its readers.
MAX_TAGS, MAX_FOLLOWED = 30, 500


def sections_and_tags(feed: Feed, categories: Sequence[str]) -> tuple[list[str], list[str]]:
    """An entry's categories, parted into sections of the paper and tags, as the catalogue says."""
    if "*" in feed.sections:
        return list(categories), []
    sections = {normalise(name) for name in feed.sections}
    return (
        [name for name in categories if normalise(name) in sections],
        [name for name in categories if normalise(name) not in sections],
    )


def wants_page(feed: Feed, entry: Entry) -> bool:
    """Whether the entry's own page is worth a request.

    A lone category with a capital is no evidence of tags: of 228 such entries in recorded news feeds it names a section
    in 226 (DW, Al Jazeera, The Week, WSJ); feeds that give tags give several (NYT 9, El País and AllAfrica 5).
    """
    if not entry.link or feed.pages is PageMode.NEVER:
        return False
    named = [name for name in sections_and_tags(feed, entry.categories)[1] if normalise(name)]
    lone_section = len(entry.categories) == 1 and entry.categories[0][:1].isupper()
    return feed.pages is PageMode.ALWAYS or not named or lone_section


def describe(feed: Feed, entry: Entry, page: PageFacts | None, lexicon: Lexicon, now: Millis) -> Article:
    """The article that an entry is. Dates in the future are a mistake of the site and read as now."""
    facts = page or PageFacts()
    sections, _ = sections_and_tags(feed, entry.categories)
    return Article(
        link=entry.link,
        title=entry.title,
        summary=below(entry.title, entry.summary) or below(entry.title, facts.lead),
        source=feed.title,
        language=feed.language,
        section=facts.section or next(iter(sections), ""),
        published_at=min(entry.published_at or now, now),
        seen_at=now,
        minutes=facts.minutes or reading_minutes(entry.words),
        tags=nearest(evidence(feed, entry, facts, lexicon)),
        carriers=(feed.name,),
        author=facts.author,
        image=facts.image,
    )


def below(title: str, text: str) -> str:
    """A text as it stands under a headline, on one line; "" when it only says the headline again."""
    said = " ".join(text.split())
    return "" if said == title else said


def evidence(feed: Feed, entry: Entry, page: PageFacts, lexicon: Lexicon) -> Iterator[ArticleTag]:
    """Every tag of an article with each place that names it, the place nearest to the newsroom first."""
    _, categories = sections_and_tags(feed, entry.categories)
    named = ((TagSource.PAGE, page.tags), (TagSource.CATEGORY, categories), (TagSource.FEED, feed.tags))
    for source, names in named:
        for name in names:
            if slug := lexicon.thesaurus.canonical(name):
                yield ArticleTag(slug, source, name)
    text = f"{entry.summary}\n{page.lead}\n{entry.text}"
    yield from text_tags(entry.title, text, feed.language, lexicon)


def text_tags(title: str, text: str, declared: str, lexicon: Lexicon) -> Iterator[ArticleTag]:
    """The tags whose words stand in a headline and in the text below it, of a feed that declares its language."""
    for found in lexicon.find(title, text, language_of(f"{title}\n{text}", declared)):
        public = found.slug in lexicon.thesaurus or found.words.startswith("#")
        yield ArticleTag(found.slug, TagSource.TEXT if public else TagSource.FOLLOWED, found.words)


def nearest(tags: Iterable[ArticleTag]) -> tuple[ArticleTag, ...]:
    """Each tag once, by the first place that names it; what only its followers are told of comes last."""
    found: dict[str, ArticleTag] = {}
    for tag in tags:
        found.setdefault(tag.slug, tag)
    public = [tag for tag in found.values() if tag.public]
    followed = [tag for tag in found.values() if not tag.public]
    return (*public[:MAX_TAGS], *followed[:MAX_FOLLOWED])


def late_tags(article: Article, page: PageFacts, lexicon: Lexicon) -> tuple[ArticleTag, ...]:
    """What an article's page adds to it, when that is read after the article went out."""
    named = (
        ArticleTag(slug, TagSource.PAGE, name) for name in page.tags if (slug := lexicon.thesaurus.canonical(name))
    )
    return nearest([*named, *text_tags(article.title, f"{article.summary}\n{page.lead}", article.language, lexicon)])


def identity(feed: Feed, key: str, entry: Entry) -> str:
    """The article that an entry is, over all feeds: its link, else its place in its feed."""
    return canonical_link(entry.link) if entry.link else f"urn:tagwire:{feed.name}:{key}"


def entry_changes(
    feed: Feed,
    entries: Sequence[tuple[str, Entry]],
    known: Mapping[str, str],
    pages: Mapping[str, PageFacts],
    lexicon: Lexicon,
    now: Millis,
    *,
    due: Collection[str] = (),
) -> tuple[EntryChange, ...]:
    """What is new or changed, oldest first, so that alerts come in the order of events.

    Args:
        feed: whose entries they are.
        entries: with their keys, in the document's order (newest first, by custom).
        known: content hash by key of those stored already.
        pages: facts of the pages that were read, by key.
        lexicon: words to tags.
        now: when they were seen.
        due: keys of those whose page is still to be read.
    """
    changes: dict[str, EntryChange] = {}
    for key, entry in reversed(entries):
        digest = content_hash(entry)
        if known.get(key) == digest or key in changes:
            continue
        page = pages.get(key)
        article = describe(feed, entry, page, lexicon, now)
        changes[key] = EntryChange(
            key=key,
            content_hash=digest,
            canonical=identity(feed, key, entry),
            article=article,
            new=key not in known,
            page=page,
            page_due=key in due,
            indexed=indexed(article.title, article.summary, article.language, lexicon.forms),
        )
    return tuple(changes.values())
