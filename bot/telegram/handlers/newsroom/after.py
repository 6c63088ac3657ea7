"""What went out: corrected, taken back, reported on."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from bot.charts import Chart, Series, draw
from bot.core.broadcast import BroadcastState, Refusal, Step
from bot.core.calendar import clock_time, local
from bot.core.model import Fate, Kind
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.compose import html_in
from bot.telegram.handlers.newsroom.panel import ask, button, copy_to, done, fault, on, pressed, refuse, seen
from bot.telegram.hot import others
from bot.telegram.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.broadcast import Broadcast
    from bot.store.runs import Report
    from bot.telegram.desk import Desk, Turn


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (
        on(desk, "correct", press_correct),
        on(desk, "propose", press_propose),
        on(desk, "fix", press_fix),
        on(desk, "recall", press_recall),
        on(desk, "recalled", press_recalled),
        on(desk, "report", press_report),
        on(desk, "csv", press_csv),
    )


# --------------------------------------------------------------------------- correct


async def press_correct(turn: Turn) -> None:
    """Ask for the right text; of two languages first, in which."""
    one = pressed(turn)
    found = await seen(turn, Step.CORRECT)
    if found is None:
        return
    t, languages = turn.texts, list(found.content.texts)
    if one.more not in languages and len(languages) > 1:
        keys = [button(LANGUAGES.get(code, code), "correct", found, code) for code in languages]
        await turn.reply(t.text("Which text shall be corrected?"), [keys])
        return
    language = one.more if one.more in languages else languages[0]
    await ask(turn, "fix", t.text("Send the whole text as it should be. You will see it before anybody else."), found,
              language)  # fmt: skip


async def answered_fix(turn: Turn, given: list[str]) -> None:
    """That text: kept as a correction, and shown as readers will see it."""
    number, seen_hash, language = int(given[0]), given[1], given[2]
    if not await turn.admit(Role.PUBLISHER):
        return
    store, t = turn.desk.store, turn.texts
    found = await store.broadcasts.get(number)
    if found is None or found.content.hash != seen_hash or turn.message is None:
        await refuse(turn, Refusal.CHANGED, found)
        return
    content = replace(found.content, texts={**found.content.texts, language: html_in(turn.message)})
    if wrong := fault(t, content, corrected=True):
        await turn.reply(wrong)
        return
    if turn.message.photo:
        await turn.reply(t.text("A correction changes the text only: the picture stays as it was."))
    await _offer(turn, found, await store.broadcasts.draft(turn.user_id, content, turn.desk.clock(), corrects=found))


async def look(turn: Turn, kept: Broadcast) -> None:
    """A correction that waits for a second person."""
    if not await turn.admit(Role.PUBLISHER):
        return
    found = await turn.desk.store.broadcasts.get(kept.corrects)
    if found is None or kept.state is not BroadcastState.WAITING:
        await refuse(turn, Refusal.UNKNOWN)
    elif found.content.hash != kept.replaces:
        await refuse(turn, Refusal.CHANGED)
    else:
        await turn.toast()
        await _offer(turn, found, kept)


async def _offer(turn: Turn, found: Broadcast, kept: Broadcast) -> None:
    """Show the texts that a correction changes, as readers will see them, and what can be done with it."""
    t, changed = turn.texts, kept.content.changed(found.content)
    if not changed:
        await turn.reply(t.text("It says so already."))
        return
    shown = replace(found, content=kept.content, corrected=dict.fromkeys(changed, turn.desk.clock()))
    said = [t.text("A correction of hot news {number}.", number=found.id)]
    for language in sorted(changed):
        outcome = await copy_to(turn, turn.place.id, shown, language)
        if outcome.fate is not Fate.SENT:
            await turn.reply(t.text("Telegram does not take this: {detail}", detail=outcome.detail))
            return
        name = LANGUAGES.get(language, language)
        said.append(t.text("{language}: every copy becomes this, without a sound.", language=name))
    waits = kept.state is BroadcastState.WAITING
    said.append(t.text("Nothing has been changed yet."))
    keys = [button(t.text("Cancel"), "cancel", kept)]
    if turn.desk.newsroom.second_person and not waits:
        keys.insert(0, button(t.text("Ask a second person"), "propose", kept))
    elif not waits or turn.user_id != kept.author_id or not turn.desk.newsroom.second_person:
        copies = await turn.desk.store.broadcasts.copies(kept, changed)
        label = (
            t.plural("Approve for {n} copy", "Approve for {n} copies", copies)
            if waits
            else t.plural("Correct {n} copy", "Correct {n} copies", copies)
        )
        keys.insert(0, button(label, "fix", kept))
    await turn.reply("\n".join(said), [keys])


async def press_propose(turn: Turn) -> None:
    """Hand a correction to a second person; publishers are told."""
    one = pressed(turn)
    kept = await done(turn, Step.SUBMIT, one.id, one.seen)
    if kept is not None:
        await turn.toast()
        said = turn.texts.text("This correction waits for a second person. Nothing has been changed yet.")
        await turn.edit(said, [[button(turn.texts.text("Cancel"), "cancel", kept)]])


async def press_fix(turn: Turn) -> None:
    """What was seen takes the place of what was sent, in every copy and in what waits."""
    one = pressed(turn)
    if await done(turn, Step.CORRECT, one.id, one.seen):
        await turn.toast()
        await turn.edit(turn.texts.text("The correction is on its way."))


# --------------------------------------------------------------------------- recall


async def press_recall(turn: Turn) -> None:
    """Ask once more."""
    found = await seen(turn, Step.RECALL)
    if found is None:
        return
    t = turn.texts
    tally, _ = await turn.desk.store.runs.tally(found.id, turn.desk.clock())
    label = t.plural("Take {n} copy back", "Take {n} copies back", tally.sent)
    said = t.text(
        "Copies of the last 48 hours are deleted; in older ones a notice takes the place of the text. "
        "What waits is not sent. This cannot be undone."
    )
    await turn.reply(said, [[button(label, "recalled", found)]])


async def press_recalled(turn: Turn) -> None:
    """Take it back."""
    one = pressed(turn)
    if await done(turn, Step.RECALL, one.id):
        await turn.toast()
        await turn.edit(turn.texts.text("Every copy is being taken back."))


# --------------------------------------------------------------------------- report


async def press_report(turn: Turn) -> None:
    """What became of it, as text with a picture of the deliveries over time."""
    if not await turn.admit(Role.EDITOR):
        return
    store, t, now = turn.desk.store, turn.texts, turn.desk.clock()
    found = await store.broadcasts.get(pressed(turn).id)
    if found is None:
        await refuse(turn, Refusal.UNKNOWN)
        return
    await turn.toast()
    report = await store.runs.report(found.id, now)
    await turn.reply(_told(turn, found, report), [[button(t.text("As a table (CSV)"), "csv", found)]])
    if report.delivered:
        await turn.update.get_bot().send_photo(turn.place.id, await draw(_chart(turn, report)))


def _told(turn: Turn, broadcast: Broadcast, report: Report) -> str:
    t, tally = turn.texts, report.tally
    lines = [
        t.text("<b>Report</b>"),
        t.text("delivered {sent} · gone {retired} · failed {failed} · left {left}",
               sent=tally.sent, retired=tally.retired, failed=tally.failed, left=tally.open),
    ]  # fmt: skip
    if report.median_s is not None and report.p95_s is not None:
        lines.append(
            t.text("to a reader: {median} s in the middle, {p95} s for 95 of 100",
                   median=f"{report.median_s:.1f}", p95=f"{report.p95_s:.1f}")
        )  # fmt: skip
    lines += others(t, tally)
    if report.change is not None:
        kind, changed = report.change
        zone = turn.desk.newsroom.time_zone
        at = broadcast.recalled_at if kind is Kind.RECALL else broadcast.corrected_at
        said = t.text("Taken back") if kind is Kind.RECALL else t.text("Corrected {time}", time=clock_time(at, zone))
        lines.append(f"{said}: {changed.sent} / {changed.total}")
        lines += others(t, changed)
    return "\n".join(lines)


def _chart(turn: Turn, report: Report) -> Chart:
    t, zone = turn.texts, turn.desk.newsroom.time_zone
    shape = "%H:%M:%S" if report.every < 60_000 else "%H:%M" if report.every < 86_400_000 else "%d.%m"
    seconds = report.every // 1000
    return Chart(
        title=t.text("Hot news: copies delivered"),
        labels=tuple(f"{local(at, zone):{shape}}" for at, _ in report.delivered),
        series=(Series(values=tuple(float(number) for _, number in report.delivered)),),
        kind="bars",
        unit=t.plural("in {n} second", "in {n} seconds", seconds),
    )


async def press_csv(turn: Turn) -> None:
    """Every row, without whose it is."""
    if not await turn.admit(Role.EDITOR):
        return
    number, written = pressed(turn).id, StringIO()
    table = csv.writer(written)
    table.writerow(("due_ms", "settled_ms", "seconds", "state", "reason"))
    async for due, settled, took, state, reason in turn.desk.store.runs.rows(number):
        table.writerow((due, settled or "", "" if took is None else took / 1000, state, _harmless(reason)))
    await turn.toast()
    document = written.getvalue().encode()
    await turn.update.get_bot().send_document(turn.place.id, document, filename=f"hot-news-{number}.csv")


def _harmless(cell: str) -> str:
    """A cell that begins so would be a formula to a spreadsheet."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
