"""What every step of hot news needs: its buttons, the step itself, the preview and what is said below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from telegram.ext import CallbackQueryHandler, ExtBot

from bot.core.broadcast import STARTED, Actor, BroadcastState, Refusal, Step, Wish, least, refusal
from bot.core.calendar import when
from bot.core.card import MAX_CAPTION, MAX_TEXT, hot, plain_of
from bot.core.expressions import render
from bot.core.model import Button, Fate
from bot.telegram.handlers.newsroom.links import broken_links
from bot.telegram.sender import Sender
from bot.telegram.texts import LANGUAGES, Texts, words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.broadcast import Audience, Broadcast, Content
    from bot.core.model import Millis, Outcome
    from bot.core.tallies import Reach
    from bot.telegram.desk import Desk, Turn

    Rows = list[list[Button]]

log = structlog.get_logger(__name__)
#: What is kept of a question of the newsroom begins so; the answer must come within an hour.
ASKED, ASKED_MS = "hot:", 3_600_000
#: Under a text that may be corrected there must be room for when.
ROOM_FOR_MARK = 64


def on(desk: Desk, action: str, handler: Callable[[Turn], Awaitable[None]]) -> BaseHandler[Any, Any, Any]:
    """The handler of the buttons `hot-ACTION:number[:hash[:more]]`."""
    pattern = rf"^hot-{action}:\d{{1,18}}(?::[0-9a-f]{{16}}(?::[\w-]{{1,18}})?)?$"
    return CallbackQueryHandler(desk.bind(handler), pattern=pattern)


def button(label: str, action: str, broadcast: Broadcast, more: str = "") -> Button:
    """A button that says which broadcast was seen, and in which wording."""
    data = f"hot-{action}:{broadcast.id}:{broadcast.content.hash}" + (f":{more}" if more else "")
    return Button(label, data=data)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button said."""

    id: int
    seen: str
    more: str


def pressed(turn: Turn) -> Pressed:
    """Of this press."""
    number, _, rest = turn.args.partition(":")
    seen, _, more = rest.partition(":")
    return Pressed(int(number), seen, more)


async def ask(
    turn: Turn, what: str, question: str, broadcast: Broadcast | None = None, more: str = "", rows: Rows | None = None
) -> None:
    """Ask for a message; `answered` finds its way back by what is kept."""
    about = f":{broadcast.id}:{broadcast.content.hash}:{more}" if broadcast else ""
    await turn.desk.store.chats.set_pending(turn.place.id, f"{ASKED}{what}{about}", turn.desk.clock())
    await turn.reply(question, rows or [])


async def again(turn: Turn, what: str, given: list[str]) -> None:
    """The answer would not do: the next message is taken for another."""
    kept = ":".join([what, *given])
    await turn.desk.store.chats.set_pending(turn.place.id, f"{ASKED}{kept}", turn.desk.clock())


async def seen(turn: Turn, step: Step) -> Broadcast | None:
    """The broadcast of a button that begins a step, if its presser may take that now; else they are told why not."""
    if not await turn.admit(least(step)):
        return None
    one = pressed(turn)
    found = await turn.desk.store.broadcasts.get(one.id)
    refused = refusal(step, found, await actor(turn), one.seen, turn.desk.newsroom) if found else Refusal.UNKNOWN
    if found is None or refused:
        await refuse(turn, refused or Refusal.UNKNOWN, found)
        return None
    await turn.toast()
    return found


async def actor(turn: Turn) -> Actor:
    """Who asks, with the role that they have at this moment."""
    role = await turn.role()
    if role is None:
        raise PermissionError(f"user {turn.user_id} has no role")  # `admit` was not asked
    return Actor(turn.user_id, role)


async def take(
    turn: Turn,
    step: Step,
    broadcast_id: int,
    seen_hash: str = "",
    *,
    at: Millis = 0,
    content: Content | None = None,
    reason: str = "",
    anyway: frozenset[Refusal] = frozenset(),
) -> Broadcast | Refusal | None:
    """Take a step for the asker: the broadcast then, or why not; None: they may not, and were told."""
    if not await turn.admit(least(step)):
        return None
    name = (turn.update.effective_user.full_name if turn.update.effective_user else "") or str(turn.user_id)
    wish = Wish(
        step=step, broadcast_id=broadcast_id, by=await actor(turn), seen=seen_hash, at=at, content=content,
        reason=reason, name=name, anyway=anyway, told=_place(turn),
    )  # fmt: skip
    taken = await turn.desk.store.broadcasts.take(wish, turn.desk.newsroom, turn.desk.clock())
    about = {"broadcast": broadcast_id, "step": step.value, "user": turn.user_id}
    if isinstance(taken, Refusal):
        log.warning("broadcast.refused", why=taken.value, **about)
    else:
        log.info("broadcast.step", **about)
        turn.desk.on_queued()
    return taken


async def done(
    turn: Turn,
    step: Step,
    broadcast_id: int,
    seen_hash: str = "",
    *,
    content: Content | None = None,
    reason: str = "",
    anyway: frozenset[Refusal] = frozenset(),
) -> Broadcast | None:
    """`take` a step that nothing but a refusal can stop: the broadcast then; None: not taken, and it was said why."""
    taken = await take(turn, step, broadcast_id, seen_hash, content=content, reason=reason, anyway=anyway)
    if isinstance(taken, Refusal):
        await refuse(turn, taken, await turn.desk.store.broadcasts.get(broadcast_id))
        return None
    return taken


def _place(turn: Turn) -> tuple[int, int]:
    """The message of a button, in which it is told how it goes; a typed answer has none of ours."""
    message = turn.message if turn.query else None
    return (turn.place.id, message.message_id) if message else (0, 0)


async def refuse(turn: Turn, why: Refusal, broadcast: Broadcast | None = None) -> None:
    """Say why a step was not taken."""
    t = turn.texts
    started = broadcast is not None and broadcast.state in STARTED
    said = {
        Refusal.CHANGED: t.text("It was changed after you saw this: nothing was done. Look at the newest preview."),
        Refusal.ROLE: t.text("Your role in the newsroom does not allow this. An admin can change it: /admins"),
        Refusal.SECOND: t.text("In this newsroom a second person approves hot news."),
        Refusal.OWN: t.text("You wrote this: another publisher must approve it."),
    }.get(why)
    if said is None:
        said = t.text("This was sent already.") if started else t.text("This draft is no longer there.")
        said = (broadcast and _now_it_is(t, broadcast.state)) or said
    await (turn.toast(said, alert=True) if turn.query else turn.reply(said))


def _now_it_is(t: Texts, state: BroadcastState) -> str:
    """Why a step comes too late, in words; "" where the state says no more than that."""
    return {
        BroadcastState.DRAFT: t.text("This is a draft: nothing of it goes out."),
        BroadcastState.SCHEDULED: t.text("This is on its way already; it can still be stopped."),
        BroadcastState.PAUSED: t.text("This is paused."),
        BroadcastState.STOPPED: t.text("This was stopped already."),
        BroadcastState.RECALLED: t.text("This was taken back already."),
        BroadcastState.CANCELLED: t.text("This was cancelled: nothing of it went out."),
    }.get(state, "")


# --------------------------------------------------------------------------- what it would be


def fault(t: Texts, content: Content, *, corrected: bool = False) -> str:
    """What is wrong with a text, in words; "" when nothing is."""
    limit = (MAX_CAPTION if content.photo else MAX_TEXT) - (ROOM_FOR_MARK if corrected else 0)
    for html in content.texts.values():
        length = len(plain_of(html))
        if length > limit:
            return t.text("That is {n} characters; Telegram takes {limit}. Please shorten it.", n=length, limit=limit)
        if not plain_of(html).strip():
            return t.text("There is no text in that. Under a picture it is its caption.")
    return ""


async def show(turn: Turn, broadcast: Broadcast) -> None:
    """Exactly what readers will get, in each language, by the same way; then what can be done with it."""
    t = turn.texts
    for language in broadcast.content.texts:
        outcome = await copy_to(turn, turn.place.id, broadcast, language)
        if outcome.fate is not Fate.SENT:
            await turn.reply(t.text("Telegram does not take this: {detail}", detail=outcome.detail))
            return
    said = await caption(turn, broadcast)
    if broken := await broken_links(turn, broadcast.content):
        said += "\n\n" + "\n".join([t.text("Please check these links:"), *broken])
    await turn.reply(said, await rows(turn, broadcast))


async def copy_to(turn: Turn, chat_id: int, broadcast: Broadcast, language: str) -> Outcome:
    """One copy, made and sent as the outbox does it."""
    bot = turn.update.get_bot()
    if not isinstance(bot, ExtBot):
        raise TypeError("the bot of an update is the application's")
    made = hot(broadcast, language=language, time_zone=turn.chat.time_zone, words=words(language))
    return await Sender(bot).send(chat_id, 0, made)


async def caption(turn: Turn, broadcast: Broadcast) -> str:
    """What is said below a preview."""
    t, content = turn.texts, broadcast.content
    lines = [t.text("This is the preview. Nothing has been sent yet.")]
    if broadcast.state is BroadcastState.WAITING:
        lines = [t.text("This waits for a second person. Nothing has been sent yet.")]
    if broadcast.state is BroadcastState.SCHEDULED:
        now, zone = turn.desk.clock(), turn.desk.newsroom.time_zone
        lines = [t.text("Goes out at {time} ({zone}).", time=when(broadcast.starts_at, now, zone), zone=zone)]
    limit = MAX_CAPTION if content.photo else MAX_TEXT
    for language, html in content.texts.items():
        name = LANGUAGES.get(language, language)
        lines.append(t.text("{language}: {n} of {limit} characters", language=name, n=len(plain_of(html)), limit=limit))
    reach = await turn.desk.store.broadcasts.reach(content.audience, turn.desk.clock())
    lines.append(t.text("To: {audience}", audience=spell(t, content.audience)))
    return "\n".join([*lines, *counted(turn, reach)])


def counted(turn: Turn, reach: Reach) -> list[str]:
    """How many they are, how long it takes, and who gets it otherwise."""
    t, minutes = turn.texts, reach.minutes(turn.desk.newsroom.per_second)
    many = grouped(reach.readers)
    lines = [
        t.plural("{many} reader, about {minutes} min", "{many} readers, about {minutes} min", reach.readers,
                 many=many, minutes=minutes)
        if minutes
        else t.plural("{many} reader, in less than a minute", "{many} readers, in less than a minute", reach.readers,
                      many=many)
    ]  # fmt: skip
    if reach.asleep:
        lines.append(
            t.plural("{n} is asleep and gets it on waking", "{n} are asleep and get it on waking", reach.asleep)
        )
    if reach.silent:
        lines.append(t.plural("{n} gets it without a sound", "{n} get it without a sound", reach.silent))
    if reach.off:
        lines.append(t.plural("{n} wants no hot news", "{n} want no hot news", reach.off))
    return lines


def grouped(number: int) -> str:
    """`12 431`, with spaces that do not break."""
    return f"{number:,}".replace(",", "\u202f")


def spell(t: Texts, audience: Audience) -> str:
    """An audience in words."""
    kinds = {"private": t.text("private chats"), "group": t.text("groups"), "channel": t.text("channels")}
    parts = [t.text("followers of {tags}", tags=", ".join(map(render, audience.rules)))] if audience.rules else []
    if audience.language:
        parts.append(t.text("who reads {language}", language=LANGUAGES.get(audience.language, audience.language)))
    if audience.kind:
        parts.append(kinds[audience.kind])
    return "; ".join(parts) or t.text("everyone")


async def rows(turn: Turn, broadcast: Broadcast) -> Rows:
    """The steps that the asker may take now."""
    t, by, now = turn.texts, await actor(turn), turn.desk.clock()
    may = {
        step
        for step in Step
        if refusal(step, broadcast, by, broadcast.content.hash, turn.desk.newsroom) is None
    }  # fmt: skip
    readers = (await turn.desk.store.broadcasts.reach(broadcast.content.audience, now)).readers
    first: list[Button] = []
    if not readers:
        may -= {Step.CONFIRM, Step.APPROVE, Step.BREAK_GLASS}  # there is nobody to send it to
    if Step.HALT in may:
        first.append(button(t.text("STOP"), "halt", broadcast))
    if Step.CONFIRM in may:
        send = t.plural("Send to {n} reader", "Send to {n} readers", readers)
        first.append(button(send, "send", broadcast))
    elif Step.SUBMIT in may:
        first.append(button(t.text("Ask a second person"), "ask", broadcast))
    if Step.APPROVE in may:
        approve = t.plural("Approve for {n} reader", "Approve for {n} readers", readers)
        first.append(button(approve, "approve", broadcast))
    if Step.CANCEL in may:
        first.append(button(t.text("Cancel"), "cancel", broadcast))
    later = [button(t.text("Later…"), "when", broadcast)] if may & {Step.CONFIRM, Step.APPROVE} else []
    if Step.BREAK_GLASS in may and Step.APPROVE not in may:
        later.append(button(t.text("Break glass…"), "glass", broadcast))
    if Step.RETURN in may:
        later.append(button(t.text("Back to draft"), "return", broadcast))
    writing: list[list[Button]] = []
    if broadcast.state is BroadcastState.DRAFT and Step.REVISE in may:
        later += [
            button(t.text("Audience"), "audience", broadcast),
            button(t.text("Test"), "test", broadcast),
        ]
        writing = [[_language(t, broadcast, language) for language in LANGUAGES]]
    return [row for row in (first, later, *writing) if row]


def _language(t: Texts, broadcast: Broadcast, language: str) -> Button:
    there = broadcast.content.texts.get(language)
    name = LANGUAGES[language]
    said = t.text("Change: {language}", language=name) if there else t.text("Add: {language}", language=name)
    return button(said, "text", broadcast, language)
