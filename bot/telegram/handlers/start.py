"""The first steps: /start and its deep links, /help, /lang, and answers to what is no command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import MessageEntity
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.core.model import Button
from bot.core.roles import Role
from bot.core.tags import is_source
from bot.telegram.deeplinks import term_of
from bot.telegram.handlers import channels, feeds, find, follow, newfeeds, newsroom, people, picker, settings
from bot.telegram.texts import LANGUAGES, named, speak

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("start", desk.bind(start)),
        CommandHandler("help", desk.bind(show_help)),
        CommandHandler("lang", desk.bind(lang)),
        CallbackQueryHandler(desk.bind(press_language), pattern=r"^lang:[a-z]{2}$"),
    )


def last_resort(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """What answers everything that no other handler took; to be added last."""
    return (
        MessageHandler(filters.ChatType.PRIVATE & filters.COMMAND, desk.bind(unknown_command)),
        MessageHandler(filters.ChatType.PRIVATE & filters.TEXT & filters.UpdateType.MESSAGE, desk.bind(plain_text)),
        MessageHandler(
            filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE & ~filters.StatusUpdate.ALL, desk.bind(not_text)
        ),
        CallbackQueryHandler(desk.bind(unknown_button)),
    )


async def start(turn: Turn) -> None:
    """`/start`: what this is, in one message, with tags to tap; a deep link follows what it names."""
    if turn.args.startswith(people.JOIN):
        await people.join(turn, turn.args.strip())
        return
    followed = await term_of(turn.desk, turn.args.strip())
    if followed and await turn.may_manage():
        newcomer = turn.private and not turn.managing and not await turn.desk.store.rules.count(turn.chat.id)
        more = (_about(turn), [_languages()]) if newcomer else ()
        await follow.follow_by_link(turn, followed, *more)
        return
    rows = await follow.rising(turn)
    if turn.private:
        rows.append(_languages())
    await turn.reply(_welcome(turn), rows)


def _welcome(turn: Turn) -> str:
    t = turn.texts
    return t.text(
        "<b>News by hashtag.</b> Follow a tag, and every new article that bears it comes here as one short card, "
        "once.\n\nTap a tag below, or send /sub #peace_plan #nato. Everything else: /help"
    )


def _about(turn: Turn) -> str:
    """What this is, to somebody whom a link has brought here."""
    return turn.texts.text(
        "<b>News by hashtag.</b> Every new article that bears a tag you follow comes here as one short card, once. "
        "Everything else: /help"
    )


async def show_help(turn: Turn) -> None:
    """`/help`: every command, by what one wants to do."""
    t = turn.texts
    lines = [
        t.text("<b>Follow</b>"),
        t.text("/sub #peace_plan #nato — follow tags"),
        t.text("/sub #nato + #peace_plan — only articles with both"),
        t.text("/sub #nato -#sport — but not sport"),
        t.text("/sub -#sport — never sport in this chat, whatever it follows"),
        t.text("/sub @interfax-en — a whole source; which there are: /sources"),
        t.text("/unsub #nato — stop; without a tag: choose from a list"),
        t.text("/list — what you follow, and how often it comes"),
        "",
        t.text("<b>Read</b>"),
        t.text("/latest — the newest articles; /latest #nato — on a tag"),
        t.text("/search peace plan — search in headlines and leads, whatever the endings"),
        t.text("/trending — what rises now"),
        t.text("/hot — hot news from the editors"),
        t.text("/more — as a reply to an alert: more about it"),
        t.text("/share #nato — a link for others; in any chat: {bot} nato", bot=f"@{turn.update.get_bot().username}"),
        "",
        t.text("<b>Settings</b>"),
        t.text("/settings — all of them, as buttons"),
        t.text("/quiet 22:00-07:00 — quiet hours: nothing comes, and what waited comes after them"),
        t.text("/digest 08:00 18:30 — many articles in one message, at your times"),
        t.text("/mute #nato 24h — silence a tag; /pause 8h — silence everything; /resume"),
        t.text("/tz Kyiv — time zone"),
        t.text("/lang — language: English or Ukrainian"),
        t.text("/channels — the news of a channel of yours, chosen here"),
        t.text("/privacy — what I keep; /mydata — all of it as a file; /forgetme — erase it"),
    ]
    role = await turn.role() if turn.private else None
    if role:
        lines += ["", t.text("<b>Newsroom</b>"), *_newsroom(t, role)]
    await turn.reply("\n".join(lines))


def _newsroom(t: Texts, role: Role) -> list[str]:
    """What somebody of this role may do beside readers."""
    lines = (
        (Role.AUTHOR, t.text("/broadcast TEXT — hot news to everyone, after a preview")),
        (Role.EDITOR, t.text("/stats — the service in numbers and pictures")),
        (Role.ADMIN, t.text("/feeds — the feeds and how they do: pause, resume, poll now, tags")),
        (Role.ADMIN, t.text("/addfeed URL — add a feed, after a look at it; /delfeed NAME — take one out")),
        (Role.ADMIN, t.text("/admins — who is who; /admins add publisher — an invitation")),
        (Role.ADMIN, t.text("/audit — who did what")),
    )
    return [line for needed, line in lines if role.covers(needed)]


async def lang(turn: Turn) -> None:
    """`/lang`: choose a language, or `/lang uk`."""
    if not await follow.managed(turn):
        return
    language = named(turn.args)
    if language:
        await _speak(turn, language)
        return
    t = turn.texts
    asked = t.text("I speak two languages. Which one shall it be?") if turn.args else None
    await turn.reply(asked or t.text("Which language shall I speak?"), [_languages()])


async def press_language(turn: Turn) -> None:
    """A language button."""
    if await follow.managed(turn) and turn.args in LANGUAGES:
        await turn.toast()
        await _speak(turn, turn.args)


async def _speak(turn: Turn, language: str) -> None:
    await turn.desk.store.chats.set_language(turn.chat.id, language)
    await turn.reply(speak(language).text("I speak English now. What you follow stays as it is."))


def _languages() -> list[Button]:
    return [Button(name, data=f"lang:{code}") for code, name in LANGUAGES.items()]


async def unknown_command(turn: Turn) -> None:
    """A command that does not exist. In a group it may be meant for another bot: there it is not even counted."""
    await turn.reply(turn.texts.text("I do not know that command. What I can do: /help"))


async def plain_text(turn: Turn) -> None:
    """Text without a command: the answer to a question of ours, or a tag that somebody would like to follow."""
    if await newsroom.answered(turn):
        return
    if turn.message and turn.message.forward_origin:
        await _offer(turn)  # somebody else's words are no answer to a question of ours
        return
    asked = await turn.desk.store.chats.take_pending(turn.place.id, turn.desk.clock(), follow.ASKED_MS)
    if asked == follow.ASKED:
        await follow.follow_typed(turn, turn.args)
        return
    if asked == settings.ASKED:
        await settings.placed(turn, turn.args)
        return
    if asked == find.ASKED:
        await find.find_typed(turn, turn.args)
        return
    if asked == picker.ASKED:
        await picker.found_typed(turn, turn.args)
        return
    if await _answered_desk(turn.own, asked or ""):
        return
    await _offer(turn)


async def _answered_desk(turn: Turn, asked: str) -> bool:
    """Whether the text was an answer to a question about feeds; who asks may have lost the right since."""
    if asked == newfeeds.ASKED:
        if await turn.admit(Role.ADMIN):
            await newfeeds.add_typed(turn, turn.args)
        return True
    if asked.startswith(feeds.ASKED):
        if await turn.admit(Role.ADMIN):
            await feeds.tags_typed(turn, asked)
        return True
    return False


async def _offer(turn: Turn) -> None:
    """Offer to follow the tags of a message: what was typed to us, or a forwarded post's hashtags, often at its end."""
    forwarded = turn.message is not None and turn.message.forward_origin is not None
    named, tagged = await _named(turn, turn.args[:500]), _hashtags(turn)
    slugs = ((tagged or named) if forwarded else (named or tagged))[:6]
    channel = await channels.offer(turn)
    if channel and not slugs:
        await turn.reply(turn.texts.text("This is a post of a channel of yours."), [channel], addressed=False)
        return
    if not slugs:
        await turn.reply(turn.texts.text("I answer to commands. To follow a tag: /sub #nato. Everything else: /help"))
        return
    ids = await turn.desk.store.articles.ensure_tags(slugs)
    labels = {slug: turn.texts.plain("Follow {tag}", tag=turn.desk.label(slug))[:60] for slug in slugs}
    rows = [[Button(label, data=f"follow:{ids[slug]}")] for slug, label in labels.items()]
    await turn.reply(turn.texts.text("Would you like to follow this?"), [*rows, *([channel] if channel else [])])


async def _named(turn: Turn, typed: str) -> list[str]:
    """The tags and sources that somebody wrote: known ones, and new ones if with a `#`."""
    canonical = turn.desk.thesaurus.canonical
    parsed = await follow.understand(turn, typed)
    named = list(dict.fromkeys(term for spec in parsed.rules for term in spec.wanted))
    known = {*turn.desk.thesaurus.slugs, *await turn.desk.store.articles.tag_ids(named)}
    meant = {canonical(word) for word in typed.replace("#", " #").split() if word.startswith("#")}
    return [term for term in named if term in known or term in meant or is_source(term)]


def _hashtags(turn: Turn) -> list[str]:
    """The tags that Telegram found in the message's text, or under its picture."""
    message, kinds = turn.message, list[str | None]([MessageEntity.HASHTAG])
    if message is None:
        return []
    found = [*message.parse_entities(kinds).values(), *message.parse_caption_entities(kinds).values()]
    return list(dict.fromkeys(filter(None, map(turn.desk.thesaurus.canonical, found))))


async def not_text(turn: Turn) -> None:
    """A picture, a voice message, a sticker; the hashtags under a picture are offered."""
    if await newsroom.answered(turn):
        return
    if _hashtags(turn):
        await _offer(turn)
        return
    await turn.reply(turn.texts.text("I can only read text. To follow a tag: /sub #nato. Everything else: /help"))


async def unknown_button(turn: Turn) -> None:
    """A button of an older version, or a forged one: nothing is changed."""
    await turn.toast(turn.texts.text("This button is too old. What I can do: /help"))
