"""Following tags: /sub, /unsub, /list and the buttons that do the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.calendar import when
from bot.core.expressions import parse, render
from bot.core.model import Button, RuleSpec
from bot.core.tags import hashtag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.expressions import Fault
    from bot.core.model import Rule
    from bot.telegram.desk import Desk, Turn

WEEK_MS = 7 * 24 * 60 * 60 * 1000
MUTE_MS = 24 * 60 * 60 * 1000
#: How long the bot remembers that it asked "which tags?".
ASKED_MS = 10 * 60 * 1000
ASKED = "sub"


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["sub", "subscribe", "follow"], desk.bind(sub)),
        CommandHandler(["unsub", "unsubscribe", "unfollow"], desk.bind(unsub)),
        CommandHandler(["list", "tags", "subscriptions"], desk.bind(show_list)),
        CallbackQueryHandler(desk.bind(press_follow), pattern=r"^follow:\d+$"),
        CallbackQueryHandler(desk.bind(press_undo), pattern=r"^undo:[\d+.-]+$"),
        CallbackQueryHandler(desk.bind(press_delete), pattern=r"^del:\d+$"),
        CallbackQueryHandler(desk.bind(press_unfollow_tag), pattern=r"^drop:\d+$"),
        CallbackQueryHandler(desk.bind(press_mute), pattern=r"^mute:\d+$"),
    )


async def sub(turn: Turn) -> None:
    """`/sub #peace_plan #nato`; bare: asks, and offers what is rising now."""
    if not await managed(turn):
        return
    if not turn.args:
        await turn.desk.store.chats.set_pending(turn.chat.id, ASKED, turn.desk.clock())
        await turn.reply(
            turn.texts.text("Which tags would you like to follow? Send them, for example: #peace_plan #nato"),
            await rising(turn),
        )
        return
    await follow_typed(turn, turn.args)


async def follow_typed(turn: Turn, typed: str) -> None:
    """Follow what was typed, and say back in words what was understood."""
    t = turn.texts
    parsed = await understand(turn, typed)
    lines = [_explain(turn, fault) for fault in parsed.faults]
    new = await follow_specs(turn, parsed.rules)
    if new is None:
        lines.append(_too_many(turn))
    else:
        old = [spec for spec in parsed.rules if spec not in new]
        if new:
            lines.append(
                t.text("You follow {rules}. New articles will come here by themselves.", rules=spell(turn, new))
            )
        if old:
            lines.append(t.text("You already follow {rules}.", rules=spell(turn, old)))
    rows = await _after_follow(turn, new or ())
    await turn.reply("\n".join(lines) or t.text("I found no tag in that. Example: /sub #nato"), rows)


async def known_tags(turn: Turn) -> set[str]:
    """Every tag of the thesaurus, of an article or of a reader."""
    return {*turn.desk.thesaurus.slugs, *await turn.desk.store.articles.known_slugs()}


async def understand(turn: Turn, typed: str, known: set[str] | None = None) -> Any:
    """What was typed, as rules and faults; `known` are the known tags, when the caller has them."""
    tags = await known_tags(turn) if known is None else known
    return parse(typed, known=tags.__contains__, canonical=turn.desk.thesaurus.canonical)


async def follow_specs(turn: Turn, specs: Sequence[RuleSpec]) -> list[RuleSpec] | None:
    """Follow; the rules that are new to this chat, or None when it would follow too many."""
    store = turn.desk.store
    if specs and await store.rules.count(turn.chat.id) + len(specs) > turn.desk.max_rules:
        return None
    return list(await store.rules.follow(turn.chat.id, turn.thread_id, specs, turn.desk.clock()))


async def unsub(turn: Turn) -> None:
    """`/unsub #nato`; bare: a picker."""
    if not await managed(turn):
        return
    t = turn.texts
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    if not rules:
        await turn.reply(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
        return
    if not turn.args:
        await turn.reply(t.text("What shall I stop?"), _picker(rules))
        return
    parsed = await understand(turn, turn.args)
    lines = [_explain(turn, fault) for fault in parsed.faults]
    gone = list(await turn.desk.store.rules.unfollow(turn.chat.id, turn.thread_id, parsed.rules))
    missing = [spec for spec in parsed.rules if spec.key not in {removed.key for removed in gone}]
    if gone:
        lines.append(t.text("You no longer follow {rules}.", rules=spell(turn, gone)))
    if missing:
        lines.append(t.text("You did not follow {rules}. What you follow: /list", rules=spell(turn, missing)))
    await turn.reply(
        "\n".join(lines) or t.text("I found no tag in that. What you follow: /list"), await undo(turn, gone)
    )


async def show_list(turn: Turn) -> None:
    """`/list`: what this chat follows, with how often each fires."""
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    rules = await store.rules.of_chat(turn.chat.id, turn.thread_id)
    if not rules:
        await turn.reply(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
        return
    rates = await store.rules.rates(turn.chat.id, turn.thread_id, now - WEEK_MS)
    lines = [t.plural("<b>You follow {n} rule</b>", "<b>You follow {n} rules</b>", len(rules))]
    shown = rules[:50]
    for rule in shown:
        number, last = rates.get(rule.id, (0, None))
        about = t.plural("{n} in 7 days", "{n} in 7 days", number)
        if last:
            about += t.text(", the last at {time}", time=when(last, now, turn.chat.time_zone))
        if rule.muted_until > now:
            about += t.text(", muted until {time}", time=when(rule.muted_until, now, turn.chat.time_zone))
        lines.append(f"{spell(turn, [rule.spec])} — {about}")
    if len(rules) > len(shown):
        lines.append(t.text("… and {n} more", n=len(rules) - len(shown)))
    lines.append(t.text("To stop one: /unsub"))
    await turn.reply("\n".join(lines))


async def press_follow(turn: Turn) -> None:
    """A button that offers a tag."""
    if not await managed(turn):
        return
    slug = await turn.desk.store.articles.tag_slug(int(turn.args))
    if slug is None:
        await turn.toast(turn.texts.text("This button is too old. Try /sub"))
        return
    new = await follow_specs(turn, [RuleSpec((slug,))])
    if new is None:
        await turn.toast(_too_many(turn), alert=True)
        return
    await turn.toast(turn.texts.text("You follow {tag}", tag=hashtag(slug)))
    if new:
        said = turn.texts.text("You follow {rules}. New articles will come here by themselves.", rules=spell(turn, new))
        await turn.reply(said, await _after_follow(turn, new))


async def press_delete(turn: Turn) -> None:
    """A rule of the picker of /unsub."""
    if not await managed(turn):
        return
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    chosen = [rule.spec for rule in rules if rule.id == int(turn.args)]
    await _unfollow_pressed(turn, chosen)


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
    said = turn.texts.text("You no longer follow {rules}.", rules=spell(turn, gone))
    await turn.toast()
    # A card stays a card; a picker becomes its answer.
    await (turn.reply if on_card else turn.edit)(said, await undo(turn, gone))


async def press_undo(turn: Turn) -> None:
    """Undo an unfollowing: `12+15-3,8` in tag ids."""
    if not await managed(turn):
        return
    specs = []
    for rule in turn.args.split("."):
        ids = [(sign, int(number)) for sign, number in re.findall(r"([+-]?)(\d+)", rule)]
        slugs = [(sign, await turn.desk.store.articles.tag_slug(number)) for sign, number in ids]
        wanted = tuple(slug for sign, slug in slugs if slug and sign != "-")
        if wanted:
            specs.append(RuleSpec(wanted, tuple(slug for sign, slug in slugs if slug and sign == "-")))
    new = await follow_specs(turn, specs)
    if new is None:
        await turn.toast(_too_many(turn), alert=True)
        return
    await turn.toast()
    await turn.edit(turn.texts.text("You follow {rules} again.", rules=spell(turn, specs)))


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


async def managed(turn: Turn) -> bool:
    """Whether the asker may change this chat's alerts; tells them when not."""
    if await turn.may_manage():
        return True
    said = turn.texts.text("Only this group's administrators can change what it follows.")
    await (turn.toast(said, alert=True) if turn.query else turn.reply(said))
    return False


async def rising(turn: Turn, limit: int = 6) -> list[list[Button]]:
    """Buttons for the tags of most articles in the last 7 days, two a row."""
    store = turn.desk.store
    found = await store.articles.trending(turn.desk.clock() - WEEK_MS, limit)
    ids = await store.articles.tag_ids([slug for slug, _ in found])
    buttons = [Button(f"{hashtag(slug)} · {count}"[:40], data=f"follow:{ids[slug]}") for slug, count in found]
    return [buttons[at : at + 2] for at in range(0, len(buttons), 2)]


async def undo(turn: Turn, specs: Sequence[RuleSpec]) -> list[list[Button]]:
    """The Undo button of an unfollowing; none when it would not fit Telegram's 64 bytes."""
    ids = await turn.desk.store.articles.tag_ids([slug for spec in specs for slug in (*spec.wanted, *spec.unwanted)])
    rules = (
        "+".join(str(ids[slug]) for slug in spec.wanted) + "".join(f"-{ids[slug]}" for slug in spec.unwanted)
        for spec in specs
    )
    data = "undo:" + ".".join(rules)
    fits = specs and len(data) <= 64
    return [[Button(turn.texts.text("Undo"), data=data)]] if fits else []


def spell(turn: Turn, specs: Sequence[RuleSpec]) -> str:
    """Rules as people read them: `#nato, #eu and #sanctions but not #sport`."""
    t = turn.texts
    said = []
    for spec in specs:
        both = t.text(" and ").join(hashtag(slug) for slug in spec.wanted)
        said.append(both + "".join(t.text(" but not ") + hashtag(slug) for slug in spec.unwanted))
    return ", ".join(said)


async def _after_follow(turn: Turn, specs: Sequence[RuleSpec]) -> list[list[Button]]:
    slugs = [spec.wanted[0] for spec in specs][:1]
    ids = await turn.desk.store.articles.tag_ids(slugs)
    if not ids:
        return []
    latest = Button(turn.texts.text("Latest on {tag}", tag=hashtag(slugs[0])), data=f"latest:{ids[slugs[0]]}")
    forget = [Button(turn.texts.text("Unfollow"), data=f"drop:{ids[slugs[0]]}")] if len(specs) == 1 else []
    return [[latest, *forget]]


def _picker(rules: Sequence[Rule]) -> list[list[Button]]:
    return [[Button(f"✕ {render(rule.spec)}"[:60], data=f"del:{rule.id}")] for rule in rules[:50]]


def _too_many(turn: Turn) -> str:
    return turn.texts.text(
        "This chat can follow {n} rules at most. Stop some with /unsub first.", n=turn.desk.max_rules
    )


def _explain(turn: Turn, fault: Fault) -> str:
    t = turn.texts
    said = {
        "not-a-tag": t.text("“{piece}” cannot be a hashtag: it needs at least one letter.", piece=fault.piece),
        "only-exclusions": t.text(
            "“{piece}” says only what you do not want. Example: /sub #nato -#sport", piece=fault.piece
        ),
        "contradiction": t.text("“{piece}” wants a tag and excludes it at once.", piece=fault.piece),
        "too-long": t.text("“{piece}…” is too long for a tag.", piece=fault.piece[:40]),
        "too-many": t.text("That is too many at once: send up to 20 at a time."),
    }
    return said.get(fault.kind.value, t.text("I do not understand “{piece}”.", piece=fault.piece[:60]))
