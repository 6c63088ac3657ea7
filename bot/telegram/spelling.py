"""Rules in people's words: what is followed, what was not understood and where, how often it comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.calendar import when
from bot.core.card import cut, plain_of
from bot.core.expressions import FaultKind
from bot.core.tags import cut_at, hashtag, is_source
from bot.telegram.texts import Html, html_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.expressions import Fault
    from bot.core.frequency import Frequency
    from bot.core.model import Millis, RuleSpec
    from bot.telegram.texts import Texts

#: So much of a long message is shown around what was not understood.
AROUND = 30
_HASHTAG = re.compile(r"[#＃][^\s#＃,;+\"“”«»]+")


def spell(texts: Texts, specs: Sequence[RuleSpec]) -> Html:
    """Rules as people read them: `#nato, #eu and #sanctions but not #sport`."""
    said = []
    for spec in specs:
        both = texts.text(" and ").join(map(spell_term, spec.wanted))
        said.append(both + "".join(texts.text(" but not ") + spell_term(term) for term in spec.unwanted))
    return Html(", ".join(said))


def spell_term(term: str) -> Html:
    """A tag as a hashtag; a source as code, because Telegram would link `@name` to a stranger of that name."""
    return _code(term) if is_source(term) else Html(html_of(hashtag(term)))


def _code(text: str) -> Html:
    return Html(f"<code>{html_of(text)}</code>")


def within(html: Html, limit: int) -> Html:
    """At most so many characters of it; without its markup where it is cut."""
    plain = plain_of(html)
    return html if len(plain) <= limit else Html(html_of(cut(plain, limit)))


def spell_terms(terms: Sequence[str]) -> Html:
    """Terms, one after the other."""
    return Html(", ".join(map(spell_term, terms)))


def often(texts: Texts, one: Frequency, now: Millis, time_zone: str) -> str:
    """How often a rule fires: `about 6 a day; the last was at 17:11`."""
    days = round(one.days)
    of = texts.text("the last 24 hours") if days == 1 else texts.plural("the last {n} day", "the last {n} days", days)
    if one.last is None:
        return texts.text("nothing in {period}", period=of)
    at = when(one.last, now, time_zone)
    if one.at_least:
        return texts.text("over {n} a day; the last was at {time}", n=one.count, time=at)
    if one.per_day < 1 or days == 1:
        return texts.text("{n} in {period}; the last was at {time}", n=one.count, period=of, time=at)
    return texts.text("about {n} a day; the last was at {time}", n=round(one.per_day), time=at)


def explain(texts: Texts, typed: str, faults: Sequence[Fault], near_source: Callable[[str], str]) -> list[str]:
    """One line for each fault, then what was typed with the places marked; as HTML."""
    lines = [_said(texts, fault, near_source) for fault in faults]
    placed = [fault for fault in faults if fault.piece and typed[fault.position :].startswith(fault.piece)]
    if placed and len(placed[0].piece) < len(typed.strip()):
        lines.append(marked(typed, placed))
    return lines


def marked(typed: str, faults: Sequence[Fault]) -> str:
    """What was typed, the pieces of `faults` underlined; of a long message only what is around them. HTML."""
    first, last = faults[0], faults[-1]
    start, stop = max(0, first.position - AROUND), min(len(typed), last.position + len(last.piece) + AROUND)
    parts, at = ["…" if start else ""], start
    for fault in faults:
        if fault.position < at:
            continue
        end = fault.position + len(fault.piece)
        parts += [html_of(typed[at : fault.position]), f"<u><b>{html_of(typed[fault.position : end])}</b></u>"]
        at = end
    parts += [html_of(typed[at:stop]), "…" if stop < len(typed) else ""]
    return "".join(parts)


def cut_notes(texts: Texts, typed: str, canonical: Callable[[str], str]) -> list[str]:
    """Why a hashtag that was typed is written otherwise here: Telegram would end it too soon. HTML."""
    notes = []
    for found in _HASHTAG.findall(typed):
        ends, slug = cut_at(found), canonical(found)
        if ends and slug:
            notes.append(
                texts.text(
                    "Telegram ends a hashtag at “{char}”, so {typed} is written {tag} here.",
                    char=ends,
                    typed=found[1:],
                    tag=hashtag(slug),
                )
            )
    return notes[:3]


def _said(t: Texts, fault: Fault, near_source: Callable[[str], str]) -> str:
    piece = fault.piece[:60]
    match fault.kind:
        case FaultKind.NOT_A_TAG:
            return t.text("“{piece}” cannot be a hashtag: it needs at least one letter.", piece=piece)
        case FaultKind.NO_SOURCE if near := near_source(piece[1:]):
            return t.text(
                "There is no source {piece}. Did you mean {source}?",
                piece=_code(piece),
                source=_code(f"@{near}"),
            )
        case FaultKind.NO_SOURCE:
            return t.text("There is no source {piece}. To see them: /sources", piece=_code(piece))
        case FaultKind.ADDRESS:
            return t.text("A link is no tag. What it is about, for example: /sub #nato")
        case FaultKind.CONTRADICTION:
            return t.text("“{piece}” wants a tag and excludes it at once.", piece=piece)
        case FaultKind.DANGLING:
            return t.text("“{piece}” needs a tag on both sides. Example: /sub #nato + #peace_plan", piece=piece)
        case FaultKind.UNCLOSED:
            return t.text("A quote is not closed: {piece}", piece=piece)
        case FaultKind.JOINING:
            return t.text(
                "“{piece}” joins nothing here. Only articles with both: /sub #nato + #peace_plan", piece=piece
            )
        case FaultKind.REFUSING:
            return t.text(
                "What you do not want is written with a minus, not with “{piece}”: /sub #nato -#sport", piece=piece
            )
        case FaultKind.COMMAND:
            return t.text("{piece} is a command of its own: send it alone.", piece=piece)
        case FaultKind.TOO_LONG:
            return t.text("“{piece}…” is too long for a tag.", piece=fault.piece[:40])
        case FaultKind.TOO_MANY:
            return t.text("That is too many at once: send up to 20 at a time.")
