"""Writing hot news: from a command, a reply, a forwarded post, a picture or an article; in one language or two."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from telegram import Message, MessageEntity
from telegram.ext import CommandHandler

from bot.core.broadcast import Content, Refusal, Step, language_of
from bot.core.card import clean, plain_of, usable_link
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.panel import again, ask, done, fault, on, pressed, refuse, seen, show
from bot.telegram.handlers.newsroom.run import running
from bot.telegram.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Article
    from bot.telegram.desk import Desk, Turn

COMMANDS = ("broadcast", "hotnews")


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The command and the buttons of this step."""
    return (
        CommandHandler(COMMANDS, desk.bind(broadcast)),
        on(desk, "article", press_article),
        on(desk, "text", press_text),
    )


async def broadcast(turn: Turn) -> None:
    """`/broadcast TEXT`: a draft and its preview; in reply to a message: of that one; bare: asks."""
    if not await turn.admit(Role.AUTHOR):
        return
    html = html_in(turn.message) if turn.message else ""
    answered = turn.message.reply_to_message if turn.message else None
    if html:
        await draft(turn, html)
    elif answered is not None:
        article = await _article_of(turn, answered)
        await draft(turn, _of_article(article) if article else html_in(answered), _photo(answered))
    else:
        t = turn.texts
        said = t.text("Send the text of the hot news. You will see a preview before anything goes out.")
        said += "\n" + t.text("A picture with a caption, or a forwarded post, will do too.")
        await ask(turn, "new", said, rows=await running(turn))


async def answered_new(turn: Turn, _: list[str]) -> None:
    """The text that was asked for, a picture, or somebody's post."""
    if (
        await turn.admit(Role.AUTHOR)
        and turn.message
        and not await draft(turn, html_in(turn.message), _photo(turn.message))
    ):
        await again(turn, "new", [])


async def draft(turn: Turn, html: str, photo: str = "") -> bool:
    """Keep a draft, show exactly what readers will get, and ask; False when it was said what is wrong with it."""
    content = Content(texts={language_of(plain_of(html)): html}, photo=photo)
    if wrong := fault(turn.texts, content):
        await turn.reply(wrong)
        return False
    await show(turn, await turn.desk.store.broadcasts.draft(turn.user_id, content, turn.desk.clock()))
    return True


async def press_article(turn: Turn) -> None:
    """Make hot, under an article."""
    if not await turn.admit(Role.AUTHOR):
        return
    article = await turn.desk.store.articles.get(pressed(turn).id)
    await turn.toast()
    if article is None:
        await turn.reply(turn.texts.text("This article is no longer there."))
        return
    await draft(turn, _of_article(article))


async def press_text(turn: Turn) -> None:
    """Another text, or one in the other language."""
    language = pressed(turn).more
    found = await seen(turn, Step.REVISE)
    if found is not None and language in LANGUAGES:
        said = turn.texts.text(
            "Send the text of the hot news in this language: {language}", language=LANGUAGES[language]
        )
        await ask(turn, "text", said, found, language)


async def answered_text(turn: Turn, given: list[str]) -> None:
    """That text; a picture with it takes the place of the one there was."""
    number, seen_hash, language = int(given[0]), given[1], given[2]
    found = await turn.desk.store.broadcasts.get(number)
    if found is None or turn.message is None:
        await refuse(turn, Refusal.UNKNOWN)
        return
    texts = {**found.content.texts, language: html_in(turn.message)}
    content = replace(found.content, texts=texts, photo=_photo(turn.message) or found.content.photo)
    if fault(turn.texts, content):
        await again(turn, "text", given)
    await revise(turn, number, seen_hash, content)


async def revise(turn: Turn, number: int, seen_hash: str, content: Content) -> None:
    """Put this in its place and show it; whatever was approved is not any more."""
    if wrong := fault(turn.texts, content):
        await turn.reply(wrong)
        return
    changed = await done(turn, Step.REVISE, number, seen_hash, content=content)
    if changed is not None:
        await show(turn, changed)


async def _article_of(turn: Turn, message: Message) -> Article | None:
    """The article of an alert, by its buttons."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    data = (str(button.callback_data) for row in rows for button in row)
    number = next((one[5:] for one in data if one.startswith("more:") and one[5:].isdigit() and len(one) < 24), "")
    return await turn.desk.store.articles.get(int(number)) if number else None


def _of_article(article: Article) -> str:
    title, link = escape(clean(article.title), quote=False), usable_link(article.link)
    lines = [
        f'<b><a href="{escape(link)}">{title}</a></b>' if link else f"<b>{title}</b>",
        escape(clean(article.summary), quote=False),
        escape(clean(article.source), quote=False),
    ]
    return "\n".join(filter(None, lines))


def html_in(message: Message) -> str:
    """What is written in a message, or under its picture, with its formatting and without a command of ours."""
    text, entities = (message.text, message.entities) if message.text else (message.caption, message.caption_entities)
    if not text:
        return ""
    rest = _after_command(text)
    start = len(text.rstrip()) - len(rest)  # what is cut is one unit a character, as Telegram counts
    moved = []
    for entity in entities:
        begin, end = max(entity.offset, start), entity.offset + entity.length
        if begin < end:
            changed = {**entity.to_dict(), "offset": begin - start, "length": end - begin}
            moved.append(MessageEntity.de_json(changed, message.get_bot()))
    plain = Message(message.message_id, message.date, message.chat, text=rest, entities=moved)
    return plain.text_html.strip() if rest else ""


def _photo(message: Message) -> str:
    """Telegram's id of its picture, of the largest size."""
    return message.photo[-1].file_id if message.photo else ""


def _after_command(text: str) -> str:
    """A text without the command at its beginning."""
    text = text.rstrip()
    if not text.startswith(tuple(f"/{name}" for name in COMMANDS)):
        return text.lstrip()
    _, *rest = text.split(maxsplit=1)
    return rest[0] if rest else ""
