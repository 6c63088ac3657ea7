"""What went out: corrected, taken back, reported on."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from bot.charts import Chart, Series, draw
from bot.core.broadcast import Refusal, Step
from bot.core.calendar import clock_time, local
from bot.core.model import Fate, Kind
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.compose import html_in
from bot.telegram.handlers.newsroom.panel import (
    ask,
    button,
    copy_to,
    fault,
    on,
    pressed,
    refuse,
    seen,
    take,
)
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
    """That text: shown as readers will see it; it is kept as a draft until it is confirmed."""
    number, seen_hash, language = int(given[0]), given[1], given[2]
    if not await turn.admit(Role.PUBLISHER):
        return
    store, t, now = turn.desk.store, turn.texts, turn.desk.clock()
    found = await store.broadcasts.get(number)
    if found is None or found.content.hash != seen_hash or turn.message is None:
        await refuse(turn, Refusal.CHANGED, found)
        return
    content = replace(found.content, texts={**found.content.texts, language: html_in(turn.message)})
    if wrong := fault(t, content, corrected=True):
        await turn.reply(wrong)
        return
    kept = await store.broadcasts.draft(turn.user_id, content, now)
    shown = replace(found, content=content, corrected_at=now)
    outcome = await copy_to(turn, turn.place.id, shown, language)
    if outcome.fate is not Fate.SENT:
        await turn.reply(t.text("Telegram does not take this: {detail}", detail=outcome.detail))
        return
    tally, _ = await store.runs.tally(number, now)
    label = t.plural("Correct {n} copy", "Correct {n} copies", tally.sent)
    keys = [button(label, "fix", found, str(kept.id)), button(t.text("Cancel"), "cancel", kept)]
    await turn.reply(t.text("Every copy becomes this, without a sound. Nothing has been changed yet."), [keys])


async def press_fix(turn: Turn) -> None:
    """Every copy becomes the kept draft, and what waits goes out so."""
    one, store = pressed(turn), turn.desk.store
    kept = await store.broadcasts.get(int(one.more)) if one.more.isdigit() else None
    if kept is None:
        await refuse(turn, Refusal.UNKNOWN)
        return
    match await take(turn, Step.CORRECT, one.id, one.seen, content=kept.content):
        case Refusal() as why:
            await refuse(turn, why, await store.broadcasts.get(one.id))
        case None:
            pass
        case _:
            await turn.toast()
            await turn.edit(turn.texts.text("The correction is on its way to every copy."))


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
    match await take(turn, Step.RECALL, one.id):
        case Refusal() as why:
            await refuse(turn, why, await turn.desk.store.broadcasts.get(one.id))
        case None:
            pass
        case _:
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
