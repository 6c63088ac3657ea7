"""What the sample newsroom shows: feeds and pages, in the shape of Interfax-Ukraine's (sources-and-tags.md 1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.playground.stories import LANGUAGES, ROOT, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.playground.stories import Story


def rss(stories: Iterable[Story], agency: str, origin: str, changed: datetime, *, categories: bool = False) -> str:
    """An RSS 2.0 document, the same text for the same stories; `origin` is the site's `http://host:port`."""
    words = WORDS[agency]
    language = agency if agency in LANGUAGES else "en"
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
    words = story.words
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
        + block(words.more, more[:10], times=True)
        + block(words.hot, others[:5])
        + block(words.latest, others[:10])
    )


def block(title: str, stories: list[Story], *, times: bool = False) -> str:
    """A list of stories under a heading; nothing when there are none."""
    rows = "".join(
        '<div class="grid article">'
        + (f'<div class="article-time">{_stamp(story)}</div>' if times else "")
        + f'<a class="article-link" lang="{story.language}" href="{story.path}">{escape(story.title)}</a></div>'
        for story in stories
    )
    return f'<section class="articles-section-view"><h2>{escape(title)}</h2>{rows}</section>' if rows else ""


def html(language: str, title: str, body: str) -> str:
    """A whole page around `body`."""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/newsroom.css"></head><body>'
        f'<nav><a href="{ROOT}/">Sample newsroom</a>: every text is invented</nav><main>{body}</main></body></html>'
    )


def _stamp(story: Story) -> str:
    return story.published.astimezone(ZoneInfo("Europe/Kyiv")).strftime("%H:%M %d.%m.%Y")


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
