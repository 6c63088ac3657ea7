"""Following: /sub, the buttons that offer a tag, and what they say back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.cadence import DAY_MS
from bot.core.card import alert
from bot.core.expressions import Names, loose_tags, parse, render
from bot.core.frequency import Frequency, window
from bot.core.model import Button, RuleSpec
from bot.core.suggest import near
from bot.core.tags import hashtag, is_source
from bot.telegram.handlers.rising import offered
from bot.telegram.rulecode import CODE, decode, encode
from bot.telegram.spelling import cut_notes, explain, often, spell, spell_terms
from bot.telegram.texts import html_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.expressions import Fault, Parsed
    from bot.core.model import Millis
    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

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
        t = turn.texts
        if turn.private:
            await turn.desk.store.chats.set_pending(turn.place.id, ASKED, turn.desk.clock())
            asked = t.text("Which tags would you like to follow? Send them, for example: #peace_plan #nato")
        else:  # there the bot reads commands only
            asked = t.text("Which tags shall come here? Tap one, or name them with the command: /sub #peace_plan #nato")
        await turn.reply(asked, await rising(turn))
        return
    await follow_typed(turn, turn.args)


async def follow_by_link(turn: Turn, term: str, about: str = "", below: Sequence[Sequence[Button]] = ()) -> None:
    """Follow what a link names; with what is said after that, and the buttons below it."""
    taken = await take(turn, [RuleSpec((term,))], sure=True)
    lines, rows = await told(turn, taken)
    await turn.reply("\n\n".join(filter(None, ["\n".join(lines), about])), [*rows, *below])
    await _show_newest(turn, taken.new)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the wish to follow some rules."""

    new: tuple[RuleSpec, ...] = ()
    old: tuple[RuleSpec, ...] = ()  #: followed already
    asked: Mapping[RuleSpec, str] = field(default_factory=dict)  #: would come too often to be taken unasked; by code
    refused: bool = False  #: the new ones are more than a chat can follow
    how_often: Mapping[RuleSpec, Frequency] = field(default_factory=dict)


async def take(turn: Turn, specs: Sequence[RuleSpec], *, sure: bool = False) -> Taken:
    """Follow; what comes very often only if `sure`, as with a tap on what was offered, for it names one thing."""
    store = turn.desk.store
    keys = {rule.spec.key for rule in await store.rules.of_chat(turn.chat.id, turn.thread_id)}
    old = tuple(spec for spec in specs if spec.key in keys)
    previews = await _previews(turn, [spec for spec in specs if spec.key not in keys])
    many = [spec for spec, one in previews.items() if one.many and not sure]
    asked = {spec: code for spec in many if (code := await encode(store, [spec], turn.address))}
    new = await follow_specs(turn, [spec for spec in previews if spec not in asked])
    return Taken(tuple(new or ()), old, asked, new is None, previews)


async def told(turn: Turn, taken: Taken) -> tuple[list[str], list[list[Button]]]:
    """The lines that say so, and the buttons below them."""
    t, lines = turn.texts, []
    if taken.refused:
        lines.append(too_many(turn))
    elif taken.new:
        lines += _announced(turn, taken.new, taken.how_often)
        if any(taken.how_often[spec].many for spec in taken.new):
            lines.append(much(t))
    if taken.old:
        lines.append(t.text("You already follow {rules}.", rules=spell(t, taken.old)))
    rows = await _after_follow(turn, taken.new)
    for spec, code in taken.asked.items():
        lines.append(_asked(turn, spec, taken.how_often[spec]))
        label = t.plain("Follow {rules} all the same", rules=render(spec))
        rows.append([Button(label[:60], data=f"take:{code}")])
    return lines, rows


async def answer(turn: Turn, taken: Taken) -> None:
    """Say so."""
    lines, rows = await told(turn, taken)
    await turn.reply("\n".join(lines), rows)


def much(t: Texts) -> str:
    """What is said of a rule that was followed although it comes very often; the same as HTML and plain."""
    return t.text(
        "It comes often. Narrower: add a second tag, as in /sub #nato + #peace_plan. All in one message: /digest"
    )


async def follow_typed(turn: Turn, typed: str) -> None:
    """Follow what was typed, and say back in words what was understood, and how often it will come."""
    t, desk = turn.texts, turn.desk
    parsed = await understand(turn, typed)
    lines, lifting = explained(turn, typed, parsed.faults), ""
    if parsed.exclusions:
        await desk.store.rules.exclude(turn.chat.id, parsed.exclusions)
        desk.tagger.learn(parsed.exclusions)
        lines.append(t.text("This chat never gets {terms} from now on.", terms=spell_terms(parsed.exclusions)))
        lifting = await encode(desk.store, [RuleSpec((term,)) for term in parsed.exclusions], turn.address)
    taken = await take(turn, parsed.rules)
    said, rows = await told(turn, taken)
    lines += said
    near_tags = await did_you_mean(turn, [term for spec in taken.new for term in spec.wanted])
    if near_tags:
        lines.append(t.text("Did you mean one of these?"))
    lines += cut_notes(t, typed, desk.thesaurus.canonical)
    rows += [*near_tags, *([[Button(t.text("Undo"), data=f"admit:{lifting}")]] if lifting else [])]
    await turn.reply("\n".join(lines) or t.text("I found no tag in that. Example: /sub #nato"), rows)


def explained(turn: Turn, typed: str, faults: Sequence[Fault]) -> list[str]:
    """What was not understood, and where; of very many the first few."""
    return explain(turn.texts, typed, faults[:MOST_FAULTS], lambda name: next(iter(_near_sources(turn, name)), ""))


def _near_sources(turn: Turn, name: str) -> list[str]:
    return get_close_matches(name.casefold(), turn.desk.sources, n=1, cutoff=0.5)


def _announced(turn: Turn, specs: Sequence[RuleSpec], how_often: Mapping[RuleSpec, Frequency]) -> list[str]:
    """What is followed from now on, and how often it comes."""
    t, now, zone = turn.texts, turn.desk.clock(), turn.chat.time_zone
    said = t.text("You follow {rules}. New articles will come here by themselves.", rules=spell(t, specs))
    rates = [(spec, often(t, how_often[spec], now, zone)) for spec in specs]
    if len(specs) == 1:
        return [said, rates[0][1][:1].upper() + rates[0][1][1:] + "."]
    return [said, *(f"{spell(t, [spec])}: {rate}" for spec, rate in rates)]


def _asked(turn: Turn, spec: RuleSpec, one: Frequency) -> str:
    t = turn.texts
    return t.text(
        "{rules} would come often: {often}. I have not followed it yet. Narrower: add a second tag, as in "
        "/sub #nato + #peace_plan",
        rules=spell(t, [spec]),
        often=often(t, one, turn.desk.clock(), turn.chat.time_zone),
    )


async def counted_since(turn: Turn, now: Millis) -> Millis:
    """Since when articles tell how often a rule fires."""
    return window(await turn.desk.store.articles.first_seen(), now)


async def _previews(turn: Turn, specs: Sequence[RuleSpec]) -> dict[RuleSpec, Frequency]:
    """What each rule would have brought over the last 7 days, or as far back as is known."""
    now, store = turn.desk.clock(), turn.desk.store
    start = await counted_since(turn, now)
    known = await turn.desk.tagger.look_back({term for spec in specs for term in spec.terms}, start)
    never = await store.rules.excluded(turn.chat.id)
    return {
        spec: await store.rules.preview(spec, never, max(known[term] for term in spec.terms), now) for spec in specs
    }


async def understand(turn: Turn, typed: str) -> Parsed:
    """What was typed, as rules and faults. Loose words are one tag where newsrooms, or this chat, know it as one."""
    thesaurus, store = turn.desk.thesaurus, turn.desk.store
    loose = loose_tags(typed, thesaurus.canonical)
    known = {slug for slug in loose if slug in thesaurus} | await store.articles.borne_of(sorted(loose))
    if loose - known:
        mine = await store.rules.of_chat(turn.chat.id)
        known |= {term for rule in mine for term in rule.spec.terms} | set(await store.rules.excluded(turn.chat.id))
    return parse(typed, Names(known=known.__contains__, canonical=thesaurus.canonical, source=turn.desk.source))


async def did_you_mean(turn: Turn, terms: Sequence[str]) -> list[list[Button]]:
    """Buttons for the tags that somebody may have meant; never taken unasked.

    Those whose name is another form of what was typed; and of what no article bears, those in use that are near to it.
    """
    desk, store = turn.desk, turn.desk.store
    strange = [term for term in terms if not is_source(term) and term not in desk.thesaurus][:3]
    rows: list[list[Button]] = []
    for term in strange:
        found = list(desk.tagger.lexicon.named(term.replace("_", " ")))
        if not found and not await store.articles.latest_ids([term], 1):
            borne = await store.articles.borne(shortest=len(term) - 3, longest=len(term) + 3)
            found = [*await asyncio.to_thread(near, term, {*borne, *desk.thesaurus.slugs}, OSA.distance)]
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
    taken = await take(turn, [RuleSpec((slug,))], sure=True)
    await turn.toast(turn.texts.plain("You follow {tag}", tag=turn.desk.label(slug)) if taken.new or taken.old else "")
    if not taken.old:
        await answer(turn, taken)
    await _show_newest(turn, taken.new)


async def _show_newest(turn: Turn, specs: Sequence[RuleSpec]) -> None:
    """Show a reader at once what comes: the newest article of the last day, labelled, for it is not new."""
    if not specs or len(specs[0].terms) > 1 or not turn.private or turn.managing:
        return
    slug = specs[0].wanted[0]
    newest = await turn.desk.store.articles.latest(slugs=[slug], limit=1)
    if not newest or turn.desk.clock() - newest[0].published_at > DAY_MS:
        return
    t, ids = turn.texts, await turn.desk.store.articles.tag_ids([slug])
    made = alert(
        newest[0],
        matched=(slug,),
        time_zone=turn.chat.time_zone,
        words=t.words(),
        matched_tag_id=ids.get(slug),
        label=t.plain("Latest on {tag}", tag=turn.desk.label(slug)),
    )
    await turn.reply(made.html, made.buttons, preview=turn.chat.previews)


async def press_take(turn: Turn) -> None:
    """Follow rules that a button carries: after an unfollowing, or although they come often."""
    if not await managed(turn):
        return
    specs = await decode(turn.desk.store, turn.args)
    if not specs:
        await turn.toast(turn.texts.text("This button is too old. Try /sub"))
        return
    again = turn.query is not None and str(turn.query.data).startswith("undo")
    how_often = await _previews(turn, specs)
    if await follow_specs(turn, specs) is None:
        await turn.toast(too_many(turn), alert=True)
        return
    await turn.toast()
    t = turn.texts
    said = [t.text("You follow {rules} again.", rules=spell(t, specs))] if again else _announced(turn, specs, how_often)
    await turn.edit("\n".join(said), [] if again else await _after_follow(turn, specs))
    if not again:
        await _show_newest(turn, specs)


async def managed(turn: Turn) -> bool:
    """Whether the asker may change this chat's alerts; tells them when not."""
    if await turn.may_manage():
        return True
    said = turn.texts.text("Only administrators of this chat can change what it follows.")
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
    code = await encode(turn.desk.store, specs, turn.address)
    undo = [Button(t.text("Undo"), data=f"stop:{code}")] if code else []
    label = t.plain("Latest on {tag}", tag=turn.desk.label(term))[:60]
    return [[Button(label, data=f"latest:{ids[term]}"), *undo]]


def too_many(turn: Turn) -> str:
    """What is said to a chat that follows as much as it can."""
    return turn.texts.text(
        "This chat can follow {n} rules at most. Stop some with /unsub first.", n=turn.desk.max_rules
    )
