"""From a draft to its start: confirm, or have a second person approve; now after a countdown, or at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.broadcast import BroadcastState, Refusal, Step
from bot.core.calendar import moment, when
from bot.core.roles import Role
from bot.telegram.handlers.newsroom.after import look
from bot.telegram.handlers.newsroom.panel import (
    again,
    ask,
    button,
    caption,
    counted,
    done,
    on,
    pressed,
    refuse,
    rows,
    seen,
    show,
    take,
)
from bot.telegram.handlers.newsroom.run import stop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.broadcast import Broadcast
    from bot.core.model import Button, Millis
    from bot.telegram.desk import Desk, Turn

#: Characters of a reason that says something.
SHORTEST_REASON, LONGEST_REASON = 10, 300
#: What can be looked at again before it has begun.
_OPENED = frozenset({BroadcastState.DRAFT, BroadcastState.WAITING, BroadcastState.SCHEDULED})
#: Nothing is scheduled further ahead.
YEAR_MS = 366 * 24 * 3_600_000
#: What is kept of a reason until its last button; not of the newsroom's questions, so no text is taken for an answer.
_REASON, _REASON_MS = "because:", 300_000
#: What a button remembers of objections that were seen.
_SEEN = {"l": Refusal.LIMIT, "r": Refusal.REPEATED}


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (
        on(desk, "send", press_send),
        on(desk, "approve", press_approve),
        on(desk, "ask", press_ask),
        on(desk, "open", press_open),
        on(desk, "return", press_return),
        on(desk, "glass", press_glass),
        on(desk, "shatter", press_shatter),
        on(desk, "when", press_when),
        on(desk, "at", press_at),
        on(desk, "halt", press_halt),
        on(desk, "cancel", press_cancel),
    )


async def press_send(turn: Turn) -> None:
    """Confirm: from here it goes out by itself, unless somebody stops it."""
    await _go(turn, Step.CONFIRM, "send")


async def press_approve(turn: Turn) -> None:
    """The second person says yes."""
    await _go(turn, Step.APPROVE, "approve")


async def _go(turn: Turn, step: Step, action: str) -> None:
    one = pressed(turn)
    anyway = frozenset(_SEEN[letter] for letter in one.more if letter in _SEEN)
    taken = await take(turn, step, one.id, one.seen, anyway=anyway)
    match taken:
        case Refusal.LIMIT | Refusal.REPEATED:
            await turn.toast()
            await _object(turn, one.id, action, anyway | {taken})
        case Refusal():
            await refuse(turn, taken, await turn.desk.store.broadcasts.get(one.id))
        case None:
            pass
        case confirmed:
            await _confirmed(turn, confirmed)


async def _object(turn: Turn, number: int, action: str, known: frozenset[Refusal], at: Millis = 0) -> None:
    """Say what speaks against it; who has read that may go on. The newest objection is the one not said yet."""
    found = await turn.desk.store.broadcasts.get(number)
    if found is None:
        return
    t, limit = turn.texts, turn.desk.newsroom.daily_limit
    said = {
        Refusal.LIMIT: t.plural(
            "There was {n} hot news today already, as many as the newsroom allows itself.",
            "There were {n} hot news today already, as many as the newsroom allows itself.", limit,
        ),
        Refusal.REPEATED: t.text("The same text went out within the last hour."),
    }  # fmt: skip
    letters = "".join(letter for letter, why in _SEEN.items() if why in known)
    more = f"{at}-{letters}" if at else letters
    keys = [button(t.text("Send anyway"), action, found, more), button(t.text("Back"), "open", found)]
    await turn.edit("\n".join(said[why] for why in _SEEN.values() if why in known), [keys])


async def _confirmed(turn: Turn, broadcast: Broadcast) -> None:
    """Say when it goes, and how to stop it; how it goes is told in the same message, by who starts it."""
    t, desk = turn.texts, turn.desk
    now, zone = desk.clock(), desk.newsroom.time_zone
    wait = broadcast.starts_at - now
    if wait <= 0:
        reach = await desk.store.broadcasts.reach(broadcast.content.audience, now)
        await turn.toast(t.plural("On its way to {n} reader.", "On its way to {n} readers.", reach.readers))
        return
    await turn.toast()
    if wait <= max(60_000, desk.newsroom.countdown):
        said = t.plural("Goes out in {n} second.", "Goes out in {n} seconds.", -(-wait // 1000))
    else:
        said = t.text("Goes out at {time} ({zone}).", time=when(broadcast.starts_at, now, zone), zone=zone)
    await turn.edit(said, [_brakes(turn, broadcast)])


def _brakes(turn: Turn, broadcast: Broadcast) -> list[Button]:
    t = turn.texts
    return [button(t.text("STOP"), "halt", broadcast), button(t.text("Cancel"), "cancel", broadcast)]


async def press_ask(turn: Turn) -> None:
    """Hand it to a second person; publishers are told."""
    one = pressed(turn)
    waiting = await done(turn, Step.SUBMIT, one.id, one.seen)
    if waiting is not None:
        await turn.toast()
        await turn.edit(await caption(turn, waiting), await rows(turn, waiting))


async def press_open(turn: Turn) -> None:
    """What a notice speaks of, as it is now, and what may be done with it."""
    if not await turn.admit(Role.AUTHOR):
        return
    found = await turn.desk.store.broadcasts.get(pressed(turn).id)
    if found is None or found.state not in _OPENED:
        await refuse(turn, Refusal.STATE, found)
        return
    if found.corrects:
        await look(turn, found)
        return
    await turn.toast()
    await show(turn, found)


async def press_return(turn: Turn) -> None:
    """Back to the drafts, as it is."""
    await _back(turn, Step.RETURN)


async def press_halt(turn: Turn) -> None:
    """STOP: nothing was sent, and it is a draft again; pressed too late, it stops what goes on."""
    found = await turn.desk.store.broadcasts.get(pressed(turn).id)
    if found is not None and found.state in {BroadcastState.SENDING, BroadcastState.PAUSED}:
        await stop(turn)
        return
    await _back(turn, Step.HALT)


async def _back(turn: Turn, step: Step) -> None:
    one = pressed(turn)
    drafted = await done(turn, step, one.id)
    if drafted is not None:
        await turn.toast(turn.texts.text("Stopped. Nothing was sent.") if step is Step.HALT else "")
        await turn.edit(await caption(turn, drafted), await rows(turn, drafted))


async def press_cancel(turn: Turn) -> None:
    """Throw it away."""
    one = pressed(turn)
    if await done(turn, Step.CANCEL, one.id):
        await turn.toast()
        await turn.edit(turn.texts.text("Cancelled. Nothing was sent."))


# --------------------------------------------------------------------------- break-glass, and at a time


async def press_glass(turn: Turn) -> None:
    """Without a second person: why?"""
    found = await seen(turn, Step.BREAK_GLASS)
    if found is not None:
        said = turn.texts.text("Why can it not wait for a second person? Every admin is told what you write.")
        await ask(turn, "glass", said, found)


async def answered_glass(turn: Turn, given: list[str]) -> None:
    """The reason."""
    reason = " ".join(turn.args.split())
    found = await turn.desk.store.broadcasts.get(int(given[0]))
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        await again(turn, "glass", given)
        await turn.reply(turn.texts.text("A reason has between {n} and {limit} characters. Nothing was sent.",
                                         n=SHORTEST_REASON, limit=LONGEST_REASON))  # fmt: skip
        return
    if found is None or found.content.hash != given[1]:
        await refuse(turn, Refusal.CHANGED if found else Refusal.UNKNOWN, found)
        return
    t, now = turn.texts, turn.desk.clock()
    reach = await turn.desk.store.broadcasts.reach(found.content.audience, now)
    await turn.desk.store.chats.set_pending(turn.place.id, f"{_REASON}{found.id}:{reason}", now)
    said = [
        t.text(
            "Without a second person, and whatever was sent today already. Every admin is told: {reason}", reason=reason
        ),
        *counted(turn, reach),
    ]
    keys = [button(t.text("Break the glass"), "shatter", found), button(t.text("Back"), "open", found)]
    await turn.reply("\n".join(said), [keys])


async def press_shatter(turn: Turn) -> None:
    """The last word; the reason is good for a few minutes, and nothing else may be said in between."""
    one, store = pressed(turn), turn.desk.store
    kept = await store.chats.take_pending(turn.place.id, turn.desk.clock(), _REASON_MS, prefix=_REASON)
    number, _, reason = (kept or "").removeprefix(_REASON).partition(":")
    if number != str(one.id):
        await turn.toast(turn.texts.text("Please give the reason again: Break glass…"), alert=True)
        return
    # Who breaks the glass has a reason that outweighs the day's limit.
    anyway = frozenset({Refusal.LIMIT, Refusal.REPEATED})
    confirmed = await done(turn, Step.BREAK_GLASS, one.id, one.seen, reason=reason, anyway=anyway)
    if confirmed is not None:
        await _confirmed(turn, confirmed)


async def press_when(turn: Turn) -> None:
    """At another time: which?"""
    one = pressed(turn)
    found = await turn.desk.store.broadcasts.get(one.id)
    step = Step.APPROVE if found is not None and found.state is BroadcastState.WAITING else Step.CONFIRM
    allowed = await seen(turn, step)
    if allowed is not None:
        zone = turn.desk.newsroom.time_zone
        said = turn.texts.text("When? Times are those of {zone}: 17:30, or 26.11 08:00", zone=zone)
        await ask(turn, "when", said, allowed)


async def answered_when(turn: Turn, given: list[str]) -> None:
    """The time."""
    number, seen_hash = int(given[0]), given[1]
    at = moment(turn.args, turn.desk.clock(), turn.desk.newsroom.time_zone)
    if at is None or at > turn.desk.clock() + YEAR_MS:
        await again(turn, "when", given)
        await turn.reply(turn.texts.text("I did not understand that as a time to come. For example: 17:30"))
        return
    await _at(turn, number, seen_hash, at, frozenset())


async def press_at(turn: Turn) -> None:
    """The same, whatever speaks against it."""
    one = pressed(turn)
    at, _, letters = one.more.partition("-")
    now = turn.desk.clock()
    if not (at.isascii() and at.isdecimal()) or not now < int(at) < now + YEAR_MS:
        await turn.toast(turn.texts.text("I did not understand that as a time to come. For example: 17:30"), alert=True)
    else:
        await turn.toast()
        await _at(turn, one.id, one.seen, int(at), frozenset(_SEEN[letter] for letter in letters if letter in _SEEN))


async def _at(turn: Turn, number: int, seen_hash: str, at: Millis, anyway: frozenset[Refusal]) -> None:
    found = await turn.desk.store.broadcasts.get(number)
    step = Step.APPROVE if found is not None and found.state is BroadcastState.WAITING else Step.CONFIRM
    taken = await take(turn, step, number, seen_hash, at=at, anyway=anyway)
    match taken:
        case Refusal.LIMIT | Refusal.REPEATED:
            await _object(turn, number, "at", anyway | {taken}, at)
        case Refusal():
            await refuse(turn, taken, found)
        case None:
            pass
        case confirmed:
            await _announce(turn, confirmed)


async def _announce(turn: Turn, broadcast: Broadcast) -> None:
    """The same after a typed answer, which has no message of ours to change: how it goes is told in a new one."""
    t, zone = turn.texts, turn.desk.newsroom.time_zone
    time = when(broadcast.starts_at, turn.desk.clock(), zone)
    said = t.text("Goes out at {time} ({zone}).", time=time, zone=zone)
    message = await turn.reply(said, [_brakes(turn, broadcast)])
    await turn.desk.store.broadcasts.tell(broadcast.id, turn.place.id, message.message_id)
    turn.desk.on_queued()
