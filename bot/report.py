"""What `tagwire explain` found, for people and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.core.expressions import render
from bot.core.tags import hashtag

if TYPE_CHECKING:
    from bot.core.matching import Unmet
    from bot.pipeline.explain import Explained


def as_data(one: Explained) -> dict[str, Any]:
    """As plain data."""
    return {
        "title": one.article.title,
        "link": one.article.link,
        "feed": one.feed,
        "section": one.article.section,
        "known": one.known,
        "tags": [
            {
                "tag": found.tag.slug,
                "source": found.tag.source.value,
                "words": found.tag.words,
                "left_out": found.left_out,
            }
            for found in one.tags
        ],
        "readers": one.readers,
        "named": [{"chat": who.chat_id, "thread": who.thread_id, "terms": list(who.terms)} for who in one.named],
        "rules": [
            {"rule": render(rule.spec), "thread": rule.thread_id, "fires": why.fires, "why_not": why_not(why)}
            for rule, why in one.asked
        ],
    }


def tell(one: Explained, *, asked: int | None) -> None:
    """Print it as tables."""
    console = Console()
    console.print(f"[b]{escape(one.article.title)}[/b]", highlight=False)
    seen = "in the archive" if one.known else "not seen yet"
    where = filter(None, [one.article.link, f"feed {one.feed}", one.article.section, seen])
    console.print(escape(" · ".join(where)), highlight=False)
    tags = Table("tag", "source", "as written", "", box=None, pad_edge=False)
    for found in one.tags:
        tags.add_row(hashtag(found.tag.slug), found.tag.source.value, escape(found.tag.words), found.left_out)
    console.print(tags if one.tags else "no tags", highlight=False)
    console.print(f"readers: {one.readers}", highlight=False)
    for who in one.named:
        place = f"{who.chat_id}/{who.thread_id}" if who.thread_id else str(who.chat_id)
        console.print(f"  {place}: {' '.join(map(hashtag, who.terms))}", highlight=False)
    if one.readers > len(one.named):
        console.print(f"  … and {one.readers - len(one.named)} more", highlight=False)
    if asked is not None:
        console.print(f"chat {asked}: " + ("it follows nothing" if not one.asked else ""), highlight=False)
    for rule, why in one.asked:
        said = "gets it" if why.fires else "does not get it: " + why_not(why)
        console.print(f"  {render(rule.spec)}: {said}", highlight=False)
    console.print()


def why_not(why: Unmet) -> str:
    """What keeps a rule from firing, in words; "" when nothing does."""
    faults = (
        ("it does not bear", why.missing),
        ("the rule excludes", why.refused),
        ("the chat excludes", why.excluded),
    )
    said = [f"{what} {' '.join(map(hashtag, terms))}" for what, terms in faults if terms]
    return "; ".join([*said, "the rule is muted"] if why.muted else said)
