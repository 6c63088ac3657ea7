"""The tag picker: eight tags a page with their articles of 7 days; one tap follows or stops, in the same message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler

from bot.core.model import Button, RuleSpec
from bot.core.suggest import skeleton
from bot.core.tags import is_source
from bot.core.trending import TagCount
from bot.telegram.handlers import follow, rising
from bot.telegram.paging import MOST, View, place, turning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

PAGE = 8
#: What is remembered of having asked for a part of a tag.
ASKED = "pick"
#: What is shown: all tags, one's own, or a kept search by its number; and in the list of what rises.
_WHERE = r"(?:a|m|s\d{1,18})"


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this module."""
    return (
        CallbackQueryHandler(desk.bind(press_page), pattern=rf"^pick:{_WHERE}:\d{{1,4}}$"),
        CallbackQueryHandler(desk.bind(press_search), pattern=r"^pick:search$"),
        CallbackQueryHandler(desk.bind(press_done), pattern=r"^pick:done$"),
        CallbackQueryHandler(desk.bind(press_tag), pattern=rf"^tag:(?:t|{_WHERE}):\d{{1,4}}:\d{{1,18}}:[01]$"),
    )


async def press_page(turn: Turn) -> None:
    """A page of the picker."""
    if not await follow.managed(turn):
        return
    where, page = turn.args.split(":")
    view = await _view(turn, where, int(page))
    if view is None:
        await _too_old(turn)
        return
    await turn.toast()
    await turn.edit(view.html, view.rows)


async def press_tag(turn: Turn) -> None:
    """Follow a tag, or stop it, as the button says; then the page with what is followed now."""
    if not await follow.managed(turn):
        return
    where, page, number, wanted = turn.args.split(":")
    slug = await turn.desk.store.articles.tag_slug(int(number))
    if slug is None:
        await _too_old(turn)
        return
    spec = RuleSpec((slug,))
    if wanted == "0":
        await turn.desk.store.rules.unfollow(turn.chat.id, turn.thread_id, [spec])
        await turn.toast(_said(turn, slug, wanted=False))
    else:
        taken = await follow.take(turn, [spec], sure=True)
        said = _said(turn, slug, wanted=True)
        if taken.refused:
            await turn.toast()
            await follow.answer(turn, taken)
        elif taken.new and taken.how_often[spec].many:
            await turn.toast(f"{said}. {follow.much(turn.texts)}", alert=True)
        else:
            await turn.toast(said)
    view = await (rising.view(turn, "", int(page)) if where == "t" else _view(turn, where, int(page)))
    if view is not None:
        await turn.edit(view.html, view.rows)


def _said(turn: Turn, slug: str, *, wanted: bool) -> str:
    """What has happened, as plain text."""
    t, tag = turn.texts, turn.desk.label(slug)
    return t.plain("You follow {tag}", tag=tag) if wanted else t.plain("You no longer follow {rules}.", rules=tag)


async def _too_old(turn: Turn) -> None:
    await turn.toast(turn.texts.text("This list is too old. Please ask again."), alert=True)


async def press_search(turn: Turn) -> None:
    """Search, under the picker: the next message is a part of a tag."""
    if not await follow.managed(turn):
        return
    await turn.toast()
    t = turn.texts
    if turn.private:
        await turn.desk.store.chats.set_pending(turn.place.id, ASKED, turn.desk.clock())
        await turn.reply(t.text("Send a tag or the beginning of one, for example: peace"))
    else:
        await turn.reply(t.text("Send the tag with the command: /sub #peace_plan"))


async def press_done(turn: Turn) -> None:
    """Done: the picker becomes one line."""
    if not await follow.managed(turn):
        return
    await turn.toast()
    count = await turn.desk.store.rules.count(turn.chat.id)
    t = turn.texts
    said = t.plural("<b>You follow {n} rule</b>", "<b>You follow {n} rules</b>", count)
    await turn.edit(f"{said}\n{t.text('What you follow: /list')}")


async def found_typed(turn: Turn, typed: str) -> None:
    """The picker with the tags that what was typed may mean."""
    t, store = turn.texts, turn.desk.store
    wanted = turn.desk.thesaurus.canonical(typed)
    found = [one.id for one in await turn.desk.trends.of_week() if wanted and _means(one.slug, wanted)]
    if wanted in turn.desk.thesaurus.slugs:
        found = list(dict.fromkeys([*(await store.articles.ensure_tags([wanted])).values(), *found]))
    if not found:
        await turn.reply(
            t.text("No tag of the last 7 days is like that. You can follow any word all the same: /sub #peace_plan"),
            [[Button(t.text("All tags"), data="pick:a:1")]],
        )
        return
    number = await store.search.keep(turn.chat.id, wanted, found[:MOST], turn.desk.clock())
    view = await _view(turn, f"s{number}", 1)
    if view is not None:
        await turn.reply(view.html, view.rows)


def _means(slug: str, wanted: str) -> bool:
    """A tag that holds what was typed at the beginning of one of its words, or sounds so."""
    sound = skeleton(wanted)
    return f"_{wanted}" in f"_{slug}" or (len(sound) > 2 and f"_{sound}" in f"_{skeleton(slug)}")


async def _view(turn: Turn, where: str, page: int) -> View | None:
    """A page of the picker; None when it shows a search that is too old."""
    t, mine = turn.texts, await rising.followed(turn)
    tags = await _tags(turn, where, mine)
    if tags is None:
        return None
    at = place(page, len(tags), PAGE)
    here = f"{where}:{at.page}"
    buttons = [rising.toggle(here, one.id, _label(turn, one), followed=one.slug in mine) for one in at.cut(tags)]
    said = {
        "a": t.text("Tags of the last 7 days, with their articles. ✅ is what you follow; a tap follows or stops."),
        "m": t.text("What you follow, with the articles of the last 7 days. A tap stops."),
    }
    html = said.get(where) or t.text("Tags that were found. ✅ is what you follow; a tap follows or stops.")
    if not tags:
        html = {
            "a": t.text("No articles yet: the feeds are being read. Try again in a minute."),
            "m": t.text("You follow nothing yet. Start with /sub #nato"),
        }.get(where, html)
    return View(html, [*rising.in_rows(buttons), *turning(at, f"pick:{where}:"), _below(turn, where, len(mine))])


async def _tags(turn: Turn, where: str, mine: set[str]) -> list[TagCount] | None:
    """What a picker shows, in its order."""
    store, known = turn.desk.store, {one.id: one for one in await turn.desk.trends.of_week()}
    if where == "a":
        return list(known.values())
    if where == "m":
        ids = await store.articles.tag_ids(mine)
    else:
        kept = await store.search.kept(int(where[1:]), turn.chat.id, turn.desk.clock())
        if kept is None:
            return None
        slugs = await store.articles.slugs_of(kept[1])
        ids = {slugs[number]: number for number in kept[1] if number in slugs}
    return [known.get(number) or TagCount(number, slug, 0, 0, 0) for slug, number in ids.items()]


def _label(turn: Turn, one: TagCount) -> str:
    return f"{turn.desk.label(one.slug)[:32]} · {one.week}" if is_source(one.slug) else rising.counted(one)


def _below(turn: Turn, where: str, mine: int) -> list[Button]:
    t = turn.texts
    other = (
        Button(t.text("All tags"), data="pick:a:1")
        if where != "a"
        else Button(t.text("Mine ({n})", n=mine), data="pick:m:1")
    )
    return [Button(t.text("Find a tag"), data="pick:search"), other, Button(t.text("Done"), data="pick:done")]
