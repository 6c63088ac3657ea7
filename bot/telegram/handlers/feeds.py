"""The feeds, and how they do: /feeds, with pause, resume, poll now, and the tags of those added by chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.feedstate import Health, health, since_yesterday
from bot.core.model import Button
from bot.core.roles import Role
from bot.core.roster import MOST_TAGS
from bot.core.tags import hashtag
from bot.telegram.handlers.newfeeds import asked_to_delete
from bot.telegram.paging import place, turning
from bot.telegram.texts import Html, html_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Millis
    from bot.store.feedbook import Listed
    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

#: Feeds on a page: one button each, and what stands above them is read in one glance.
PAGE = 8
#: What is asked for: `feedtags:12`.
ASKED = "feedtags:"
MARKS = {
    Health.HEALTHY: "✅", Health.FAILING: "⚠️", Health.FROZEN: "💤", Health.GONE: "⛔", Health.NEW: "🆕",
    Health.PAUSED: "⏸", Health.MERGED: "↪️",
}  # fmt: skip


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("feeds", desk.bind(show_feeds)),
        CallbackQueryHandler(desk.bind(press_page), pattern=r"^feeds:\d{1,4}$"),
        CallbackQueryHandler(desk.bind(press_feed), pattern=r"^feed:\d{1,18}:(?:show|pause|resume|poll|tags|drop)$"),
    )


async def show_feeds(turn: Turn) -> None:
    """`/feeds`: every feed, the troubled first; `/feeds NAME`: one."""
    if not await turn.admit(Role.ADMIN):
        return
    if turn.args:
        named = await _named(turn, turn.args.lstrip("@"))
        await turn.reply(*(await _card(turn, named) if named else _unknown(turn)))
        return
    await turn.reply(*await _page(turn, 1))


async def press_page(turn: Turn) -> None:
    """Another page, or back to one."""
    if await turn.admit(Role.ADMIN):
        await turn.toast()
        await turn.edit(*await _page(turn, int(turn.args)))


async def press_feed(turn: Turn) -> None:
    """One feed, and what is done about it."""
    if not await turn.admit(Role.ADMIN):
        return
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    number, _, act = turn.args.partition(":")
    one = await _numbered(turn, int(number))
    if one is None:
        await turn.toast(t.text("This feed is polled no more."), alert=True)
        return
    said = ""
    if act in {"pause", "resume"}:
        await store.feedbook.pause(one.name, turn.user_id, now, paused=act == "pause")
    elif act == "poll":
        await store.feedbook.poll_now(one.name, turn.user_id, now)
        said = t.text("It is polled within seconds, unless its site has asked to wait.")
    await turn.toast(said)
    if act == "tags":
        await _ask_tags(turn, one)
    elif act == "drop":
        await turn.edit(*await asked_to_delete(turn, one.name))
    else:
        again = await _numbered(turn, one.id)
        await turn.edit(*await _card(turn, again or one))


async def tags_typed(turn: Turn, asked: str) -> None:
    """The answer to "which tags?": the tags that every article of the feed gets, none for `-`."""
    t, one = turn.texts, await _numbered(turn, int(asked.removeprefix(ASKED)))
    if one is None or not one.added:
        await turn.reply(t.text("This feed is polled no more."))
        return
    words = turn.args.replace("#", " #").replace(",", " ").split()
    slugs = list(dict.fromkeys(filter(None, map(turn.desk.thesaurus.canonical, words))))[:MOST_TAGS]
    if not slugs and turn.args.strip() != "-":
        await turn.reply(t.text("I found no tag in that. Its tags stay as they were: /feeds"))
        return
    await turn.desk.store.added.set_tags(one.name, slugs, turn.user_id, turn.desk.clock())
    await turn.desk.roster.refresh()
    await turn.reply(*await _card(turn, one))


async def _ask_tags(turn: Turn, one: Listed) -> None:
    t = turn.texts
    if not one.added:
        await turn.reply(t.text("{name} stands in feeds.toml, and its tags stand there.", name=one.name))
        return
    await turn.desk.store.chats.set_pending(turn.user_id, f"{ASKED}{one.id}", turn.desk.clock())
    await turn.reply(
        t.text(
            "Which tags shall every article of {name} have from now on? Send them, for example: #energy #ukraine. "
            "None: send -",
            name=one.name,
        )
    )


async def _page(turn: Turn, page: int) -> tuple[str, list[list[Button]]]:
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    order = list(Health)
    found = sorted(await store.feedbook.listed(), key=lambda one: (order.index(health(one.state, now)), one.name))
    at = place(page, len(found), PAGE)
    shown = at.cut(found)
    newest = await store.feedbook.newest([one.id for one in shown])
    lines = [t.plural("<b>{n} feed</b>", "<b>{n} feeds</b>", len(found))]
    lines += [_line(t, one, newest.get(one.id), now) for one in shown]
    lines.append(t.text("To add one: /addfeed URL. To take one out: /delfeed NAME"))
    labels = [Button(f"{MARKS[health(one.state, now)]} {one.name}"[:40], data=f"feed:{one.id}:show") for one in shown]
    pairs = [labels[number : number + 2] for number in range(0, len(labels), 2)]
    return "\n".join(lines), [*pairs, *turning(at, "feeds:")]


def _line(t: Texts, one: Listed, newest_at: Millis | None, now: Millis) -> str:
    state = health(one.state, now)
    parts = [spell_health(t, state), _age(t, newest_at, now), _failures(t, one, now)]
    return f"{MARKS[state]} <b>{html_of(one.name)}</b>: " + " · ".join(filter(None, parts))


async def _card(turn: Turn, one: Listed) -> tuple[str, list[list[Button]]]:
    t, now = turn.texts, turn.desk.clock()
    newest = await turn.desk.store.feedbook.newest([one.id])
    feed, state = turn.desk.roster.feeds.get(one.name), health(one.state, now)
    lines = [_line(t, one, newest.get(one.id), now), html_of(one.title), html_of(one.state.address or one.url)]
    if feed and feed.tags:
        tags = Html(" ".join(html_of(hashtag(slug)) for slug in feed.tags))
        lines.append(t.text("On every article: {tags}", tags=tags))
    if one.state.last_error and one.state.failures:
        lines.append(t.text("Last fault: {detail}", detail=one.state.last_error[:300]))
    if one.state.merged_into:
        lines.append(t.text("It has the address of {name} now; only that one is asked.", name=one.state.merged_into))
    if one.state.wait_until > now:
        minutes = -(-(one.state.wait_until - now) // 60_000)
        lines.append(t.plural("Its site has asked to wait {n} min.", "Its site has asked to wait {n} min.", minutes))
    lines.append(t.text("Added by chat.") if one.added else t.text("It stands in feeds.toml."))

    def button(label: str, act: str) -> Button:
        return Button(label, data=f"feed:{one.id}:{act}")

    if state is Health.PAUSED:
        first = [button(t.text("Resume"), "resume")]
    else:
        first = [button(t.text("Pause"), "pause"), button(t.text("Poll now"), "poll")]
    second = [button(t.text("Edit tags"), "tags"), button(t.text("Delete"), "drop")] if one.added else []
    third = [button(t.text("Refresh"), "show"), Button(t.text("All feeds"), data="feeds:1")]
    return "\n".join(filter(None, lines)), [row for row in (first, second, third) if row]


def spell_health(t: Texts, state: Health) -> str:
    """How a feed does, in words."""
    said = {
        Health.HEALTHY: t.text("works"),
        Health.FAILING: t.text("fails"),
        Health.FROZEN: t.text("silent for weeks"),
        Health.GONE: t.text("gone for good"),
        Health.NEW: t.text("not read yet"),
        Health.PAUSED: t.text("paused"),
        Health.MERGED: t.text("merged with another"),
    }
    return said[state]


def _age(t: Texts, newest_at: Millis | None, now: Millis) -> str:
    if newest_at is None:
        return ""
    minutes = max(0, now - newest_at) // 60_000
    if minutes < 60:
        return t.plural("newest {n} min ago", "newest {n} min ago", minutes)
    if minutes < 48 * 60:
        return t.plural("newest {n} h ago", "newest {n} h ago", minutes // 60)
    return t.plural("newest {n} day ago", "newest {n} days ago", minutes // (24 * 60))


def _failures(t: Texts, one: Listed, now: Millis) -> str:
    polls, failed = since_yesterday(one.state.tally, now)
    if not polls:
        return ""
    percent = round(100 * failed / polls)
    return t.text("{percent} % of {polls} polls failed since yesterday", percent=percent, polls=polls)


def _unknown(turn: Turn) -> tuple[str, list[list[Button]]]:
    return turn.texts.text("There is no feed {name}. All of them: /feeds", name=turn.args[:64]), []


async def _named(turn: Turn, name: str) -> Listed | None:
    found = await turn.desk.store.feedbook.listed()
    return next((one for one in found if one.name.casefold() == name.casefold()), None)


async def _numbered(turn: Turn, number: int) -> Listed | None:
    return next((one for one in await turn.desk.store.feedbook.listed() if one.id == number), None)
