"""Inline mode: `@bot nato` in any chat offers up to ten articles as cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from telegram import (
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ContextTypes, InlineQueryHandler

from bot.core.calendar import when
from bot.core.card import alert, clean, cut
from bot.core.expressions import Names, loose_tags, parse
from bot.core.search import understand
from bot.pipeline.searching import find
from bot.telegram.sender import keyboard
from bot.telegram.texts import choose, speak

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram import User
    from telegram.ext import BaseHandler

    from bot.core.model import Article
    from bot.telegram.desk import Desk
    from bot.telegram.texts import Texts

log = structlog.get_logger(__name__)
MOST = 10
#: How long Telegram may show the same answer again; news comes faster than its own five minutes.
CACHE_S = 30


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The updates of this module."""

    async def callback(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await answer(desk, update)

    return (InlineQueryHandler(callback),)


async def answer(desk: Desk, update: Update) -> None:
    """Answer one query; one that Telegram does not wait for any more is no fault."""
    query = update.inline_query
    if query is None:
        return
    texts, zone = await _reader(desk, query.from_user)
    found = await desk.store.articles.load(await _found(desk, query.query))
    said = texts.text("Nothing found. Open the bot") if not found else texts.text("Follow news by hashtag")
    try:
        await query.answer(
            [_result(desk, article, texts, zone) for article in found],
            cache_time=CACHE_S,
            is_personal=True,  # the language and the time zone are the asker's
            button=InlineQueryResultsButton(said, start_parameter="inline"),
        )
    except BadRequest as error:
        log.info("inline.not_answered", detail=error.message)


async def _reader(desk: Desk, user: User) -> tuple[Texts, str]:
    """The language and the time zone of somebody who may never have met us."""
    chat = await desk.store.chats.get(user.id)
    if chat is not None:
        return speak(chat.language), chat.time_zone
    return speak(choose(user.language_code) if user.language_code else desk.language), desk.time_zone


async def _found(desk: Desk, typed: str) -> list[int]:
    """The newest articles of the tag or source that was typed, else those that hold the words; bare, the newest."""
    store, thesaurus = desk.store, desk.thesaurus
    if not typed.strip():
        return await store.articles.latest_ids([], MOST)
    known = set(await store.articles.tag_ids(loose_tags(typed, thesaurus.canonical)))
    parsed = parse(typed, Names(known=known.__contains__, canonical=thesaurus.canonical, source=desk.source))
    slugs = [term for spec in parsed.rules for term in spec.wanted]
    borne = await store.articles.latest_ids(slugs, MOST) if len(slugs) == 1 else []
    if borne:
        return borne
    forms = desk.tagger.lexicon.forms
    return await find(store, understand(typed, forms), forms, MOST)


def _result(desk: Desk, article: Article, texts: Texts, zone: str) -> InlineQueryResultArticle:
    card = alert(article, matched=(), time_zone=zone, words=texts.words(), matched_tag_id=None)
    # A button that asks us something would come from a chat that we do not know: only addresses.
    rows = [[button for button in row if button.url] for row in card.buttons]
    about = f"{article.source} · {when(article.published_at, desk.clock(), zone)}"
    return InlineQueryResultArticle(
        id=str(article.id),
        title=cut(clean(article.title), 120) or "…",
        description=cut(clean(about), 120),
        input_message_content=InputTextMessageContent(
            card.html, parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)
        ),
        reply_markup=keyboard([row for row in rows if row]),
    )
