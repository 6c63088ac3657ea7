"""Who did what in the newsroom: /audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.calendar import when
from bot.core.roles import Role
from bot.telegram.paging import PAGE, View, place, turning
from bot.telegram.texts import Html, html_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.store.audit import Recorded
    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

#: Of what an act was about, as shown; the whole stands in the database.
LONGEST = 200


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The command and buttons of this module."""
    return (
        CommandHandler("audit", desk.bind(show)),
        CallbackQueryHandler(desk.bind(press_page), pattern=r"^audit:\d{1,9}$"),
    )


async def show(turn: Turn) -> None:
    """`/audit`: every administrative act, the newest first, and whether the chain holds."""
    if await turn.admit(Role.ADMIN):
        shown = await _view(turn, 1)
        await turn.reply(shown.html, shown.rows)


async def press_page(turn: Turn) -> None:
    """Another page."""
    if await turn.admit(Role.ADMIN):
        await turn.toast()
        shown = await _view(turn, int(turn.args))
        await turn.edit(shown.html, shown.rows)


async def _view(turn: Turn, page: int) -> View:
    t, store = turn.texts, turn.desk.store
    at = place(page, await store.audit.count())
    acts = await store.audit.newest((at.page - 1) * PAGE, PAGE)
    lines = [t.text("<b>Who did what</b>"), *(_line(turn, one) for one in acts)]
    if not acts:
        lines.append(t.text("Nothing yet."))
    if at.page == 1:
        found = await store.audit.verify()
        if found.broken is None:
            lines += ["", t.text("The chain holds: every act follows from the one before.")]
        else:
            lines += [
                "",
                t.text(
                    "⚠️ The chain is broken at row {id}: it was changed, or one before it is missing.", id=found.broken
                ),
            ]
    return View("\n".join(lines), turning(at, "audit:"))


def _line(turn: Turn, one: Recorded) -> str:
    t = turn.texts
    at = when(one.act.at, turn.desk.clock(), turn.chat.time_zone)
    who = _person(t, one.actor, one.actor_id)
    line = f"• {at} {who}: {html_of(spell_act(t, one.act.action))}"
    if one.act.about:
        line += f" → {_person(t, one.about, one.about_id)}"
    detail = one.act.detail[:LONGEST]
    return f"{line} · <code>{html_of(detail)}</code>" if detail else line


def _person(t: Texts, name: str, user_id: int) -> Html:
    if not user_id:
        return Html(t.text("somebody forgotten"))
    return Html(html_of(f"{name} ({user_id})" if name else str(user_id)))


def spell_act(t: Texts, action: str) -> str:
    """An act in words; one that has none yet by its name."""
    said = {
        "staff.put": t.text("changed a role"),
        "staff.remove": t.text("took a role away"),
        "staff.invite": t.text("made an invitation"),
        "staff.withdraw": t.text("withdrew invitations"),
        "staff.join": t.text("came by an invitation"),
        "feed.add": t.text("added a feed"),
        "feed.delete": t.text("took a feed out"),
        "feed.tags": t.text("changed a feed's tags"),
        "feed.pause": t.text("paused a feed"),
        "feed.resume": t.text("resumed a feed"),
        "feed.poll": t.text("had a feed polled"),
        "alarm.mute": t.text("muted an alarm"),
        "alarm.unmute": t.text("unmuted an alarm"),
        "broadcast.confirm": t.text("sent hot news"),
        "broadcast.cancel": t.text("threw a draft away"),
        "broadcast.revise": t.text("changed a draft"),
        "broadcast.submit": t.text("asked a second person"),
        "broadcast.approve": t.text("approved hot news"),
        "broadcast.break-glass": t.text("sent hot news without a second person"),
        "broadcast.return": t.text("gave a draft back"),
        "broadcast.halt": t.text("stopped the countdown"),
        "broadcast.pause": t.text("paused hot news"),
        "broadcast.resume": t.text("resumed hot news"),
        "broadcast.stop": t.text("stopped hot news"),
        "broadcast.correct": t.text("corrected hot news"),
        "broadcast.recall": t.text("took hot news back"),
    }
    return said.get(action, action)
