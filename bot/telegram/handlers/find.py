"""Searching: /search, and lists that are kept under a number so that they can be paged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CommandHandler

from bot.core.card import clean, cut, headlines
from bot.core.search import understand
from bot.pipeline.searching import find
from bot.telegram.paging import MOST, View, place, turning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

#: What is remembered of having asked "what shall I look for?".
ASKED = "search"
#: Characters of a query that are said back.
SHOWN = 100


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands of this module."""
    return (CommandHandler(["search", "find"], desk.bind(search)),)


async def search(turn: Turn) -> None:
    """`/search words`; bare, it asks."""
    if turn.args:
        await find_typed(turn, turn.args)
        return
    t = turn.texts
    if turn.private:
        await turn.desk.store.chats.set_pending(turn.place.id, ASKED, turn.desk.clock())
        await turn.reply(t.text("What shall I look for? Send the words; in “quotes” they must stand together."))
    else:
        await turn.reply(t.text("What shall I look for? Example: /search peace plan"))


async def find_typed(turn: Turn, typed: str) -> None:
    """Look for what was typed, and show what was found."""
    t, forms = turn.texts, turn.desk.tagger.lexicon.forms
    query = understand(typed, forms)
    words = cut(clean(typed), SHOWN)
    if not query.words:
        await turn.reply(t.text("There is no word to look for in that. Example: /search peace plan"))
        return
    found = await find(turn.desk.store, query, forms, MOST)
    if found:
        await show(turn, words, found)
        return
    await turn.reply(
        t.text(
            "No article holds all of this: {words}. Try fewer words, or follow them and be told: /sub #peace_plan",
            words=words,
        )
    )


async def show(turn: Turn, words: str, found: Sequence[int]) -> None:
    """Show the first page of these articles, and keep the list for the others."""
    number = await turn.desk.store.search.keep(turn.chat.id, words, found, turn.desk.clock())
    shown = await view(turn, str(number), 1)
    if shown is not None:
        await turn.reply(shown.html, shown.rows)


async def view(turn: Turn, key: str, page: int) -> View | None:
    """`key`: the number of the kept list. None: it is too old."""
    store, now = turn.desk.store, turn.desk.clock()
    kept = await store.search.kept(int(key), turn.chat.id, now) if key.isdigit() and len(key) < 19 else None
    if kept is None:
        return None
    words, found = kept
    at = place(page, len(found))
    articles = await store.articles.load(at.cut(found))
    heading = turn.texts.text("Found: {words}", words=words)
    html = headlines(articles, now=now, time_zone=turn.chat.time_zone, heading=heading)
    return View(html, turning(at, f"list:find:{key}:"))
