"""Feeds that come and go by chat: /addfeed shows what an address carries before it is added, /delfeed what is lost."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram.constants import ChatAction
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.calendar import when
from bot.core.card import clean, cut, usable_link
from bot.core.model import Button, FetchFailed
from bot.core.roles import Role
from bot.core.roster import NAME, clash, name_for
from bot.core.tags import hashtag, source_term
from bot.telegram.texts import Html, html_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Article, Feed
    from bot.pipeline.scout import Scouted
    from bot.telegram.desk import Desk, Turn

ASKED = "addfeed"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SHOWN, TAGS_SHOWN, LONGEST = 5, 8, 140
MOST_LOST = 12
MOST_BUTTONS = 40


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("addfeed", desk.bind(add_feed)),
        CommandHandler("delfeed", desk.bind(del_feed)),
        CallbackQueryHandler(desk.bind(press_add), pattern=r"^addfeed:\d{1,18}:(?:yes|no)$"),
        CallbackQueryHandler(desk.bind(press_delete), pattern=r"^delfeed:\d{1,18}:(?:ask|yes|no)$"),
    )


async def add_feed(turn: Turn) -> None:
    """`/addfeed URL [name]`: shows what it carries; bare: asks."""
    if not await turn.admit(Role.ADMIN):
        return
    if not turn.args:
        await turn.desk.store.chats.set_pending(turn.user_id, ASKED, turn.desk.clock())
        await turn.reply(
            turn.texts.text(
                "Send the address of a feed, or of a page that offers one. A name may follow it: "
                "https://example.org/rss example"
            )
        )
        return
    await add_typed(turn, turn.args)


async def add_typed(turn: Turn, typed: str) -> None:
    """Look at an address, and ask whether it shall be added."""
    t, desk = turn.texts, turn.desk
    url, _, name = " ".join(typed.split()).partition(" ")
    name = name.lstrip("@")
    url = url if SCHEME.match(url) else f"https://{url}"
    await desk.roster.refresh()
    known = desk.roster.feeds
    if name and not NAME.fullmatch(name):
        await turn.reply(t.text("A name is one word of letters, digits, dots and dashes, for example: example-en"))
        return
    if same := clash(name, url, known.values()):
        await turn.reply(_taken(turn, same, url))
        return
    await turn.update.get_bot().send_chat_action(turn.user_id, ChatAction.TYPING)
    found = await desk.scout.look(url)
    if isinstance(found, FetchFailed):
        await turn.reply(
            t.text("I could not read a feed there. Nothing was added.\n{detail}", detail=found.detail[:500])
        )
        return
    if same := clash("", found.feed.url, known.values()):
        await turn.reply(_taken(turn, same, found.feed.url))
        return
    chosen = name or name_for(found.feed.url, known)
    feed = replace(found.feed, name=chosen, title=found.feed.title or chosen)
    number = await desk.store.added.draft(feed, turn.user_id, desk.clock())
    rows = [
        [Button(t.text("Add"), data=f"addfeed:{number}:yes"), Button(t.text("Cancel"), data=f"addfeed:{number}:no")]
    ]
    await turn.reply(_shown(turn, replace(found, feed=feed)), rows)


async def press_add(turn: Turn) -> None:
    """Add what was shown, or not."""
    if not await turn.admit(Role.ADMIN):
        return
    t, desk = turn.texts, turn.desk
    number, _, answer = turn.args.partition(":")
    draft = await desk.store.added.drafted(int(number))
    await turn.toast()
    if draft is None:
        await turn.edit(t.text("This is there no more. Once again: /addfeed URL"))
        return
    if answer == "no":
        await desk.store.added.drop_draft(int(number))
        await turn.edit(t.text("Cancelled. Nothing was added."))
        return
    await desk.roster.refresh()
    same = clash(draft.name, draft.url, desk.roster.feeds.values())
    added = None if same else await desk.store.added.confirm(int(number), turn.user_id, desk.clock())
    await desk.roster.refresh()
    if added is None:
        same = same or clash(draft.name, draft.url, desk.roster.feeds.values())
        await turn.edit(
            _taken(turn, same, draft.url) if same else t.text("This is there no more. Once again: /addfeed URL")
        )
        return
    await turn.edit(
        t.text(
            "Added: {source}. It is polled within seconds; what stands in it now goes into the archive, and alerts "
            "come from its next article on. How it does: /feeds {name}",
            source=Html(f"<code>{html_of(source_term(added.name))}</code>"),
            name=added.name,
        )
    )


async def del_feed(turn: Turn) -> None:
    """`/delfeed NAME`: says what readers lose, and asks; bare: choose from those added by chat."""
    if not await turn.admit(Role.ADMIN):
        return
    if turn.args:
        await turn.reply(*await asked_to_delete(turn, turn.args.strip().lstrip("@")))
        return
    t, added = turn.texts, [one for one in await turn.desk.store.feedbook.listed() if one.added]
    if not added:
        await turn.reply(
            t.text("No feed was added by chat. Those of feeds.toml are taken out there, or paused: /feeds")
        )
        return
    rows = [[Button(one.name, data=f"delfeed:{one.id}:ask")] for one in added[:MOST_BUTTONS]]
    await turn.reply(t.text("Which one? Or by its name: /delfeed NAME"), rows)


async def press_delete(turn: Turn) -> None:
    """Take it out, or not."""
    if not await turn.admit(Role.ADMIN):
        return
    t, desk = turn.texts, turn.desk
    number, _, answer = turn.args.partition(":")
    one = next((one for one in await desk.store.feedbook.listed() if one.id == int(number)), None)
    name = one.name if one else number
    await turn.toast()
    if answer == "ask":
        await turn.edit(*await asked_to_delete(turn, name))
        return
    if answer == "no":
        await turn.edit(t.text("{name} stays.", name=name))
        return
    gone = await desk.store.added.remove(name, turn.user_id, desk.clock())
    await desk.roster.refresh()
    said = t.text("{name} is polled no more. Its articles stay in the archive.", name=name)
    await turn.edit(said if gone else t.text("There is no feed {name}. All of them: /feeds", name=name))


async def asked_to_delete(turn: Turn, typed: str) -> tuple[str, list[list[Button]]]:
    """What readers lose with a feed, and whether that shall be."""
    t, desk = turn.texts, turn.desk
    found = await desk.store.feedbook.listed()
    one = next((one for one in found if one.name.casefold() == typed.casefold()), None)
    if one is None:
        return t.text("There is no feed {name}. All of them: /feeds", name=typed[:64]), []
    name = one.name
    if not one.added or name in {feed.name for feed in desk.roster.catalogue}:
        return (
            t.text("{name} stands in feeds.toml, and is taken out there. To leave it alone: /feeds {name}", name=name),
            [],
        )
    lost = await desk.store.feedbook.loss(name, desk.clock())
    lines = [
        t.text("<b>Take {name} out?</b> Readers would lose:", name=name),
        t.plural("• {n} chat follows it whole", "• {n} chats follow it whole", lost.followers),
        t.plural("• {n} article in the last 7 days", "• {n} articles in the last 7 days", lost.articles),
    ]
    if lost.only:
        only = Html(" ".join(html_of(hashtag(slug)) for slug in lost.only[:MOST_LOST]))
        lines.append(
            t.plural(
                "• {n} followed tag that only it brought: {tags}",
                "• {n} followed tags that only it brought: {tags}",
                len(lost.only),
                tags=only,
            )
        )
    lines.append(t.text("Its articles stay in the archive."))
    yes = Button(t.text("Yes, take it out"), data=f"delfeed:{one.id}:yes")
    return "\n".join(lines), [[yes, Button(t.text("Keep"), data=f"delfeed:{one.id}:no")]]


def _taken(turn: Turn, same: Feed, url: str) -> str:
    t = turn.texts
    if same.url == url or same.name not in {feed.name for feed in turn.desk.roster.catalogue}:
        return t.text("That is there already: {name}, {url}. How it does: /feeds {name}", name=same.name, url=same.url)
    return t.text(
        "feeds.toml holds that name or address already: {name}, {url}. Another name can follow the address: "
        "/addfeed URL NAME",
        name=same.name,
        url=same.url,
    )


def _shown(turn: Turn, found: Scouted) -> str:
    t, feed = turn.texts, found.feed
    entries = t.plural("{n} entry", "{n} entries", len(found.articles))
    name = Html(f"<code>{html_of(source_term(feed.name))}</code>")
    lines = [
        t.text("<b>{title}</b>: {entries}", title=feed.title, entries=entries),
        html_of(feed.url),
        t.text("Its name here: {source}. Another: /addfeed URL NAME", source=name),
        "",
    ]
    lines += [_entry(turn, one) for one in found.articles[:SHOWN]]
    lines += ["", t.text("Shall it be added? Nothing has been stored yet.")]
    return "\n".join(lines)


def _entry(turn: Turn, one: Article) -> str:
    title, link = html_of(cut(clean(one.title), LONGEST)), usable_link(one.link)
    head = f'<a href="{html_of(link).replace(chr(34), "&quot;")}">{title}</a>' if link else title
    at = when(one.published_at, turn.desk.clock(), turn.chat.time_zone)
    tags = [hashtag(tag.slug) for tag in one.tags if tag.public][:TAGS_SHOWN]
    return f"• {head} · {at}\n   {html_of(' '.join(tags) or turn.texts.text('no tags'))}"
