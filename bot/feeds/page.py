"""What an article's own page states: its tags first of all, from the source nearest to the newsroom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.model import PageFacts
from bot.feeds import stated
from bot.feeds.copied import read_copy
from bot.feeds.decode import to_text
from bot.feeds.keywords import page_tags
from bot.feeds.markup import Page, line
from bot.feeds.related import related_links

if TYPE_CHECKING:
    from bot.core.model import Fetched

MAX_SHOWN = 300_000


def read_page(page: Fetched, tag_selector: str) -> PageFacts:
    """The facts of a page, or of what a reader copied from one (text/plain).

    Never raises on any bytes: a page that says nothing has none. All of its text can be stored.
    """
    text = to_text(page.body, page.content_type)
    if page.content_type.partition(";")[0].strip().lower() == "text/plain":
        return read_copy(text)
    found = Page(text, page.url)
    shown = line(found.root.text(separator=" ")[:MAX_SHOWN]) if found.root is not None else ""
    title = stated.headline(found)[: stated.MAX_TITLE]
    site = found.meta("og:site_name", "application-name")
    return PageFacts(
        tags=tuple(page_tags(found, tag_selector, shown)),
        title=title,
        section=stated.section(found, title),
        author=stated.author(found, site),
        lead=stated.lead(found, title, site),
        image=stated.image(found),
        minutes=stated.minutes(found, shown),
        language=stated.language(found),
        published_at=stated.published(found),
        related=related_links(found),
    )
