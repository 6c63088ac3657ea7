"""What a chat follows: /list, /unsub, and the buttons that mute and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.expressions import render
from bot.core.frequency import Frequency, days_since
from bot.core.model import Button
from bot.core.tags import hashtag
from bot.telegram.handlers.follow import counted_since, explained, managed, rising, understand
from bot.telegram.handlers.volumes import doors, state_of, to_mute
from bot.telegram.paging import View, place, turning
from bot.telegram.rulecode import CODE, decode, encode
from bot.telegram.spelling import often, spell, spell_terms, within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Rule, RuleSpec
    from bot.telegram.desk import Desk, Turn

#: Characters in a list, so that ten rules of ten long tags each, and what is never wanted, fit into a message.
LONGEST_RULE, LONGEST_NEVER = 200, 600
MUTE_MS = 24 * 60 * 60 * 1000


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["unsub", "unsubscribe", "unfollow"], desk.bind(unsub)),
        CommandHandler(["list", "tags", "subscriptions"], desk.bind(show_list)),
        CallbackQueryHandler(desk.bind(press_page), pattern=r"^rules:[ldm]:\d{1,4}$"),
        CallbackQueryHandler(desk.bind(press_delete), pattern=r"^del:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_stop), pattern=rf"^stop:{CODE}$"),
        CallbackQueryHandler(desk.bind(press_admit), pattern=rf"^admit:{CODE}$"),
        CallbackQueryHandler(desk.bind(press_unfollow_tag), pattern=r"^drop:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_mute), pattern=r"^mute:\d{1,18}$"),
    )


async def unsub(turn: Turn) -> None:
    """`/unsub #nato`; bare: a picker."""
    if not await managed(turn):
        return
    t = turn.texts
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    if not turn.args:
        if rules:
            view = _to_stop(turn, rules, 1)
            await turn.reply(view.html, view.rows)
        else:
            await turn.reply(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
        return
    parsed = await understand(turn, turn.args)
    lines = explained(turn, turn.args, parsed.faults)
    gone = list(await turn.desk.store.rules.unfollow(turn.chat.id, turn.thread_id, parsed.rules))
    missing = [spec for spec in parsed.rules if spec.key not in {removed.key for removed in gone}]
    admitted = await turn.desk.store.rules.admit(turn.chat.id, parsed.exclusions) if parsed.exclusions else []
    if gone:
        lines.append(t.text("You no longer follow {rules}.", rules=spell(t, gone)))
    if admitted:
        lines.append(t.text("{terms} may come again with what you follow.", terms=spell_terms(admitted)))
    if missing and not rules:
        lines.append(t.text("You follow nothing yet. Start with /sub #nato"))
    elif missing:
        lines.append(t.text("You did not follow {rules}. What you follow: /list", rules=spell(t, missing)))
    await turn.reply(
        "\n".join(lines) or t.text("I found no tag in that. What you follow: /list"), await undo(turn, gone)
    )


async def show_list(turn: Turn) -> None:
    """`/list`: what this chat follows, with how often each fires, and what it never gets."""
    view = await _listed(turn, await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id), 1)
    await turn.reply(view.html, view.rows)


async def press_page(turn: Turn) -> None:
    """Another page of /list, or of what /unsub and /mute ask, in the same message."""
    which, _, page = turn.args.partition(":")
    if which != "l" and not await managed(turn):
        return
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    await turn.toast()
    if which == "l" or not rules:
        view = await _listed(turn, rules, int(page))
    else:
        view = to_mute(turn, rules, int(page)) if which == "m" else _to_stop(turn, rules, int(page))
    await turn.edit(view.html, view.rows)


async def _listed(turn: Turn, rules: Sequence[Rule], page: int) -> View:
    """A page of /list; what the chat never gets stands below each."""
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    never = await store.rules.excluded(turn.chat.id)
    if not rules and not never:
        return View(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
    start = await counted_since(turn, now)
    how_often = await store.rules.frequencies(turn.chat.id, turn.thread_id, start, now)
    nothing = Frequency(0, days_since(start, now))
    lines = [t.plural("<b>You follow {n} rule</b>", "<b>You follow {n} rules</b>", len(rules))]
    at = place(page, len(rules))
    for rule in at.cut(rules):
        said = within(spell(t, [rule.spec]), LONGEST_RULE)
        line = f"{said} — {often(t, how_often.get(rule.id, nothing), now, turn.chat.time_zone)}"
        lines.append(line + state_of(t, rule, now, turn.chat.time_zone))
    if never:
        lines.append(
            t.text("Never: {terms}. To lift one: /unsub -#tag", terms=within(spell_terms(never), LONGEST_NEVER))
        )
    lines.append(t.text("To stop one: /unsub. To change how one comes: tap it."))
    return View("\n".join(lines), [*doors(at.cut(rules)), *turning(at, "rules:l:")])


async def press_delete(turn: Turn) -> None:
    """A rule of the picker of /unsub."""
    if not await managed(turn):
        return
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    chosen = [rule.spec for rule in rules if rule.id == int(turn.args)]
    await _unfollow_pressed(turn, chosen)


async def press_stop(turn: Turn) -> None:
    """Undo, under what was followed just now."""
    if await managed(turn):
        await _unfollow_pressed(turn, await decode(turn.desk.store, turn.args))


async def press_admit(turn: Turn) -> None:
    """Undo, under what was excluded just now."""
    if not await managed(turn):
        return
    terms = [term for spec in await decode(turn.desk.store, turn.args) for term in spec.wanted]
    admitted = await turn.desk.store.rules.admit(turn.chat.id, terms)
    await turn.toast()
    t = turn.texts
    said = t.text("{terms} may come again with what you follow.", terms=spell_terms(admitted)) if admitted else ""
    await turn.reply(said or t.text("That is not excluded any more."))


async def press_unfollow_tag(turn: Turn) -> None:
    """Unfollow, on a card: every rule that wants its first tag."""
    if not await managed(turn):
        return
    slug = await turn.desk.store.articles.tag_slug(int(turn.args))
    rules = await turn.desk.store.rules.with_tag(turn.chat.id, turn.thread_id, [slug] if slug else [])
    await _unfollow_pressed(turn, [rule.spec for rule in rules], on_card=True)


async def _unfollow_pressed(turn: Turn, specs: Sequence[RuleSpec], *, on_card: bool = False) -> None:
    gone = list(await turn.desk.store.rules.unfollow(turn.chat.id, turn.thread_id, specs)) if specs else []
    if not gone:
        await turn.toast(turn.texts.text("You do not follow that any more."))
        return
    said = turn.texts.text("You no longer follow {rules}.", rules=spell(turn.texts, gone))
    await turn.toast()
    # A card stays a card; a picker becomes its answer.
    await (turn.reply if on_card else turn.edit)(said, await undo(turn, gone))


async def press_mute(turn: Turn) -> None:
    """Mute #tag for a day, on a card."""
    if not await managed(turn):
        return
    store, now = turn.desk.store, turn.desk.clock()
    slug = await store.articles.tag_slug(int(turn.args))
    rules = await store.rules.with_tag(turn.chat.id, turn.thread_id, [slug] if slug else [])
    if not rules or slug is None:
        await turn.toast(turn.texts.text("You do not follow that any more."))
        return
    await store.rules.mute([rule.id for rule in rules], now + MUTE_MS)
    await turn.toast(
        turn.texts.plain("{tag} is muted for 24 hours. To stop it for good: /unsub", tag=hashtag(slug)), alert=True
    )


async def undo(turn: Turn, specs: Sequence[RuleSpec]) -> list[list[Button]]:
    """The Undo button of an unfollowing; none when it would not fit into a button."""
    code = await encode(turn.desk.store, specs, turn.address)
    return [[Button(turn.texts.text("Undo"), data=f"undo:{code}")]] if code else []


def _to_stop(turn: Turn, rules: Sequence[Rule], page: int) -> View:
    """What can be stopped, ten a page."""
    at = place(page, len(rules))
    rows = [[Button(f"✕ {render(rule.spec)}"[:60], data=f"del:{rule.id}")] for rule in at.cut(rules)]
    return View(turn.texts.text("What shall I stop?"), [*rows, *turning(at, "rules:d:")])
