"""Following: /sub, the buttons that offer a tag, and what they say back."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from html import unescape
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.expressions import Names, loose_tags, parse, render
from bot.core.model import Button, RuleSpec
from bot.core.suggest import near
from bot.core.tags import hashtag, is_source
from bot.telegram.handlers.rising import offered
from bot.telegram.rulecode import CODE, decode, encode
from bot.telegram.spelling import MANY_A_DAY, cut_notes, explain, per_day, rate, spell, spell_terms
from bot.telegram.texts import html_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.expressions import Fault, Parsed
    from bot.core.model import Millis
    from bot.telegram.desk import Desk, Turn

    Previews = dict[RuleSpec, tuple[int, Millis | None]]

WEEK_MS = 7 * 24 * 60 * 60 * 1000
#: How long the bot remembers that it asked "which tags?".
ASKED_MS = 10 * 60 * 1000
ASKED = "sub"
MOST_FAULTS = 6
MOST_SOURCES = 100


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["sub", "subscribe", "follow"], desk.bind(sub)),
        CommandHandler("sources", desk.bind(show_sources)),
        CallbackQueryHandler(desk.bind(press_follow), pattern=r"^follow:\d{1,18}$"),
        CallbackQueryHandler(desk.bind(press_take), pattern=rf"^(?:take|undo):{CODE}$"),
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
    """Follow what was typed, and say back in words what was understood, and how often it will come.

    A rule that would come very often is not taken before its reader has seen how often.
    """
    t = turn.texts
    parsed = await understand(turn, typed)
    lines = explained(turn, typed, parsed.faults)
    if parsed.exclusions:
        await turn.desk.store.rules.exclude(turn.chat.id, parsed.exclusions)
        lines.append(t.text("This chat never gets {terms} from now on.", terms=spell_terms(parsed.exclusions)))
    old = await _followed(turn, parsed.rules)
    previews = await _previews(turn, [spec for spec in parsed.rules if spec not in old])
    offers = await _offers(turn, previews)
    new = await follow_specs(turn, [spec for spec in previews if spec not in offers])
    if new is None:
        lines.append(too_many(turn))
    elif new:
        lines += _announced(turn, new, previews)
    if old:
        lines.append(t.text("You already follow {rules}.", rules=spell(t, old)))
    lines += [_asked(turn, spec, *previews[spec]) for spec in offers]
    near_tags = await did_you_mean(turn, [term for spec in new or () for term in spec.wanted])
    if near_tags:
        lines.append(t.text("No article bears that tag yet. Did you mean one of these?"))
    lines += cut_notes(t, typed, turn.desk.thesaurus.canonical)
    rows = [*await _after_follow(turn, new or ()), *([button] for button in offers.values()), *near_tags]
    await turn.reply("\n".join(lines) or t.text("I found no tag in that. Example: /sub #nato"), rows)


async def _offers(turn: Turn, previews: Previews) -> dict[RuleSpec, Button]:
    """The rules that would come too often to be taken unasked, with the buttons that take them."""
    offers = {}
    for spec, (count, _) in previews.items():
        code = await encode(turn.desk.store, [spec]) if per_day(count) > MANY_A_DAY else ""
        if code:
            said = turn.texts.text("Follow {rules} all the same", rules=render(spec))
            offers[spec] = Button(unescape(said)[:60], data=f"take:{code}")
    return offers


def explained(turn: Turn, typed: str, faults: Sequence[Fault]) -> list[str]:
    """What was not understood, and where; of very many the first few."""
    return explain(turn.texts, typed, faults[:MOST_FAULTS], lambda name: next(iter(_near_sources(turn, name)), ""))


def _near_sources(turn: Turn, name: str) -> list[str]:
    return get_close_matches(name.casefold(), turn.desk.sources, n=1, cutoff=0.5)


def _announced(turn: Turn, specs: Sequence[RuleSpec], previews: Previews) -> list[str]:
    """What is followed from now on, and how often it comes."""
    t, now, zone = turn.texts, turn.desk.clock(), turn.chat.time_zone
    said = t.text("You follow {rules}. New articles will come here by themselves.", rules=spell(t, specs))
    rates = [(spec, rate(t, *previews[spec], now, zone)) for spec in specs]
    if len(specs) == 1:
        return [said, rates[0][1][:1].upper() + rates[0][1][1:] + "."]
    return [said, *(f"{spell(t, [spec])}: {often}" for spec, often in rates)]


def _asked(turn: Turn, spec: RuleSpec, count: int, last: Millis | None) -> str:
    t = turn.texts
    often = rate(t, count, last, turn.desk.clock(), turn.chat.time_zone)
    return t.text(
        "{rules} would come often: {often}. I have not followed it yet. Narrower: add a second tag, as in "
        "/sub #nato + #peace_plan",
        rules=spell(t, [spec]),
        often=often,
    )


async def _followed(turn: Turn, specs: Sequence[RuleSpec]) -> list[RuleSpec]:
    """Those of the rules that this chat follows already."""
    keys = {rule.spec.key for rule in await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)}
    return [spec for spec in specs if spec.key in keys]


async def _previews(turn: Turn, specs: Sequence[RuleSpec]) -> Previews:
    """What each rule would have brought over the last 7 days: how many articles, and when the last was published."""
    now, store = turn.desk.clock(), turn.desk.store
    await turn.desk.tagger.look_back({term for spec in specs for term in (*spec.wanted, *spec.unwanted)}, now)
    never = await store.rules.excluded(turn.chat.id)
    return {spec: await store.rules.preview(spec, never, now - WEEK_MS) for spec in specs}


async def understand(turn: Turn, typed: str) -> Parsed:
    """What was typed, as rules and faults."""
    thesaurus = turn.desk.thesaurus
    loose = loose_tags(typed, thesaurus.canonical)
    known = {slug for slug in loose if slug in thesaurus.slugs} | set(await turn.desk.store.articles.tag_ids(loose))
    return parse(typed, Names(known=known.__contains__, canonical=thesaurus.canonical, source=turn.desk.source))


async def did_you_mean(turn: Turn, terms: Sequence[str]) -> list[list[Button]]:
    """Buttons for tags in use that are near to those which no article bears."""
    store = turn.desk.store
    rows: list[list[Button]] = []
    for term in terms[:3]:
        if is_source(term) or term in turn.desk.thesaurus.slugs or await store.articles.latest(slugs=[term], limit=1):
            continue
        borne = await store.articles.borne(shortest=len(term) - 3, longest=len(term) + 3)
        found = await asyncio.to_thread(near, term, {*borne, *turn.desk.thesaurus.slugs}, OSA.distance)
        ids = await store.articles.ensure_tags(found)
        rows += [[Button(hashtag(slug), data=f"follow:{ids[slug]}") for slug in found]] if found else []
    return rows


async def follow_specs(turn: Turn, specs: Sequence[RuleSpec]) -> list[RuleSpec] | None:
    """Follow; the rules that are new to this chat, or None when it would follow too many."""
    store = turn.desk.store
    if specs and await store.rules.count(turn.chat.id) + len(specs) > turn.desk.max_rules:
        return None
    return list(await store.rules.follow(turn.chat.id, turn.thread_id, specs, turn.desk.clock())) if specs else []


async def show_sources(turn: Turn) -> None:
    """`/sources`: what can be followed whole."""
    t = turn.texts
    lines = [f"<code>@{name}</code> — {html_of(title)}" for name, title in turn.desk.sources.items()]
    await turn.reply("\n".join([t.text("<b>Sources</b>, to follow one whole: /sub @name"), *lines[:MOST_SOURCES]]))


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
        await turn.toast(too_many(turn), alert=True)
        return
    await turn.toast(turn.texts.text("You follow {tag}", tag=hashtag(slug)))
    if new:
        await turn.reply("\n".join(_announced(turn, new, await _previews(turn, new))), await _after_follow(turn, new))


async def press_take(turn: Turn) -> None:
    """Follow rules that a button carries: after an unfollowing, or although they come often."""
    if not await managed(turn):
        return
    specs = await decode(turn.desk.store, turn.args)
    again = turn.query is not None and str(turn.query.data).startswith("undo")
    previews = await _previews(turn, specs)
    if await follow_specs(turn, specs) is None:
        await turn.toast(too_many(turn), alert=True)
        return
    await turn.toast()
    t = turn.texts
    said = [t.text("You follow {rules} again.", rules=spell(t, specs))] if again else _announced(turn, specs, previews)
    await turn.edit("\n".join(said), [] if again else await _after_follow(turn, specs))


async def managed(turn: Turn) -> bool:
    """Whether the asker may change this chat's alerts; tells them when not."""
    if await turn.may_manage():
        return True
    said = turn.texts.text("Only this group's administrators can change what it follows.")
    await (turn.toast(said, alert=True) if turn.query else turn.reply(said))
    return False


async def rising(turn: Turn) -> list[list[Button]]:
    """Buttons for six tags that rise now, with their articles of 7 days, and one for all tags."""
    return await offered(turn)


async def _after_follow(turn: Turn, specs: Sequence[RuleSpec]) -> list[list[Button]]:
    """What one may want next: to read, or to take it back."""
    if not specs:
        return []
    t, term = turn.texts, specs[0].wanted[0]
    ids = await turn.desk.store.articles.ensure_tags([term])
    code = await encode(turn.desk.store, specs)
    undo = [Button(t.text("Undo"), data=f"stop:{code}")] if code else []
    return [[Button(t.text("Latest on {tag}", tag=turn.desk.label(term)), data=f"latest:{ids[term]}"), *undo]]


def too_many(turn: Turn) -> str:
    """What is said to a chat that follows as much as it can."""
    return turn.texts.text(
        "This chat can follow {n} rules at most. Stop some with /unsub first.", n=turn.desk.max_rules
    )
