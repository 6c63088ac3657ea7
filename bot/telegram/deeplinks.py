"""Deep links: `https://t.me/<bot>?start=tag_<slug>`, and what /start reads out of one.

Telegram takes 1 to 64 of A-Z a-z 0-9 _ - (core.telegram.org/bots/features, deep linking); what a slug or a name cannot
say in them goes by its number: `tag_id17`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.tags import is_source, source_term

if TYPE_CHECKING:
    from bot.telegram.desk import Desk

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BY_NUMBER = re.compile(r"id(\d{1,18})")


async def link(desk: Desk, bot: str, term: str) -> str:
    """The address that opens the bot and follows a tag or a source; the term becomes known by it."""
    kind, name = ("src", term[1:]) if is_source(term) else ("tag", term)
    payload = f"{kind}_{name}"
    if not _PAYLOAD.fullmatch(payload) or _BY_NUMBER.fullmatch(name):
        payload = f"{kind}_id{(await desk.store.articles.ensure_tags([term]))[term]}"
    return f"https://t.me/{bot}?start={payload}"


async def term_of(desk: Desk, payload: str) -> str:
    """The term that a payload names; "" when it names none."""
    kind, _, name = payload.partition("_")
    if kind not in {"tag", "src"}:
        return ""
    if number := _BY_NUMBER.fullmatch(name):
        slug = await desk.store.articles.tag_slug(int(number[1])) or ""
        return slug if is_source(slug) == (kind == "src") else ""
    if kind == "tag":
        return desk.thesaurus.canonical(name)
    feed = desk.source(name)
    return source_term(feed) if feed else ""
