"""What a chat follows: /list, /unsub, and the buttons that mute and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.card import MAX_TEXT, plain_of
from bot.core.expressions import render
from bot.core.frequency import Frequency, days_since
from bot.core.model import Button
from bot.core.tags import hashtag
from bot.telegram.handlers.follow import counted_since, explained, managed, rising, understand
from bot.telegram.handlers.volumes import doors, state_of
from bot.telegram.rulecode import CODE, decode, encode
from bot.telegram.spelling import often, spell, spell_terms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Rule, RuleSpec
    from bot.telegram.desk import Desk, Turn

MUTE_MS = 24 * 60 * 60 * 1000
#: Characters of /list that are kept for its heading and what stands below the rules.
ROOM_FOR_THE_REST = 1000


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["unsub", "unsubscribe", "unfollow"], desk.bind(unsub)),
        CommandHandler(["list", "tags", "subscriptions"], desk.bind(show_list)),
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
            await turn.reply(t.text("What shall I stop?"), _picker(rules))
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
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    rules = await store.rules.of_chat(turn.chat.id, turn.thread_id)
    never = await store.rules.excluded(turn.chat.id)
    if not rules and not never:
        await turn.reply(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
        return
    start = await counted_since(turn, now)
    how_often = await store.rules.frequencies(turn.chat.id, turn.thread_id, start, now)
    nothing = Frequency(0, days_since(start, now))
    lines = [t.plural("<b>You follow {n} rule</b>", "<b>You follow {n} rules</b>", len(rules))]
    room = MAX_TEXT - ROOM_FOR_THE_REST
    for number, rule in enumerate(rules):
        line = f"{spell(t, [rule.spec])} — {often(t, how_often.get(rule.id, nothing), now, turn.chat.time_zone)}"
        line += state_of(t, rule, now, turn.chat.time_zone)
        room -= len(plain_of(line)) + 1
        if room < 0:
            lines.append(t.text("… and {n} more", n=len(rules) - number))
            break
        lines.append(line)
    if never:
        lines.append(t.text("Never: {terms}. To lift one: /unsub -#tag", terms=spell_terms(never[:20])))
    lines.append(t.text("To stop one: /unsub. To change how one comes: tap it."))
    await turn.reply("\n".join(lines), doors(rules))


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
        turn.texts.text("{tag} is muted for 24 hours. To stop it for good: /unsub", tag=hashtag(slug)), alert=True
    )


async def undo(turn: Turn, specs: Sequence[RuleSpec]) -> list[list[Button]]:
    """The Undo button of an unfollowing; none when it would not fit into a button."""
    code = await encode(turn.desk.store, specs)
    return [[Button(turn.texts.text("Undo"), data=f"undo:{code}")]] if code else []


def _picker(rules: Sequence[Rule]) -> list[list[Button]]:
    return [[Button(f"✕ {render(rule.spec)}"[:60], data=f"del:{rule.id}")] for rule in rules[:50]]
