"""Peace of mind: /settings, and /quiet, /digest, /pause, /resume and /tz one by one.

Every button carries the state that is wanted, so that a double tap harms nothing: `set:<screen><what>=<state>`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import KeyboardButton, ReplyKeyboardMarkup, ReplyKeyboardRemove
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.core import hours
from bot.core.attention import DIGESTS, NO_CAP
from bot.core.model import Attention, Hot, Volume
from bot.telegram import zones
from bot.telegram.handlers.follow import managed
from bot.telegram.screens import SCREENS, Screen, lines, screen
from bot.telegram.texts import LANGUAGES, speak

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Chat, Millis
    from bot.telegram.desk import Desk, Turn

#: What is remembered while the bot waits to hear where somebody is.
ASKED = "place"
#: The highest cap that a button asks for, and the longest pause in minutes.
_CAPS = frozenset({0, 3, 8, 20, NO_CAP})


#: Where somebody is by their own word: a forwarded place is somebody else's.
WHERE = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE & filters.LOCATION & ~filters.FORWARDED


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler(["settings", "set"], desk.bind(settings)),
        CommandHandler("quiet", desk.bind(quiet)),
        CommandHandler("digest", desk.bind(digest)),
        CommandHandler("pause", desk.bind(pause)),
        CommandHandler("resume", desk.bind(resume)),
        CommandHandler("tz", desk.bind(time_zone)),
        MessageHandler(WHERE, desk.bind(located)),
        CallbackQueryHandler(desk.bind(press_locate), pattern=r"^locate$"),
        CallbackQueryHandler(desk.bind(press), pattern=r"^set:[a-z][a-z]+=[\w/+.-]{1,48}$"),
    )


async def settings(turn: Turn) -> None:
    """`/settings`: all of it, as buttons."""
    if await managed(turn):
        await _show(turn, turn.chat, Screen.ALL)


async def quiet(turn: Turn) -> None:
    """`/quiet 22:00-07:00`, `/quiet off`; bare: buttons."""
    await _typed(turn, Screen.QUIET, "quiet", lambda typed: _joined(hours.span(typed), "-"))


async def digest(turn: Turn) -> None:
    """`/digest 08:00 18:30`, `/digest off`; bare: buttons."""
    await _typed(turn, Screen.DIGEST, "digest", lambda typed: _joined(hours.clocks(typed), "."))


async def pause(turn: Turn) -> None:
    """`/pause 8h`, `/pause off`; bare: buttons."""
    await _typed(turn, Screen.PAUSE, "pause", lambda typed: str((hours.duration(typed) or 0) // hours.MINUTE_MS))


async def resume(turn: Turn) -> None:
    """`/resume`: what waited comes now."""
    if not await managed(turn):
        return
    t, paused = turn.texts, turn.chat.attention.paused_until > turn.desk.clock()
    if paused:
        await _keep(turn, replace(turn.chat.attention, paused_until=0))
        await turn.reply(t.text("Alerts come again. What waited comes now, as one message."))
    else:
        await turn.reply(t.text("Nothing is paused here. To pause: /pause 8h"))


async def time_zone(turn: Turn) -> None:
    """`/tz Kyiv`, `/tz Europe/Warsaw`, `/tz +2`; bare: buttons that show the time there."""
    await _typed(turn, Screen.ZONE, "tz", zones.find)


async def press_locate(turn: Turn) -> None:
    """By my place, under the time zones: Telegram shows a button that sends it, in private chats only."""
    t = turn.texts
    await turn.toast()
    if not turn.private:
        await turn.reply(_allowed(turn, "tz"))
        return
    await turn.desk.store.chats.set_pending(turn.place.id, ASKED, turn.desk.clock())
    share = KeyboardButton(t.text("Show where I am"), request_location=True)
    await turn.reply(
        t.text("Tap the button below, or write a city. The place only gives the time zone; it is not kept."),
        below=ReplyKeyboardMarkup([[share], [t.text("Cancel")]], resize_keyboard=True, one_time_keyboard=True),
    )


async def located(turn: Turn) -> None:
    """A place that was shown: its time zone is kept, itself it is not."""
    place = turn.message.location if turn.message else None
    if place:
        await _settle(turn, zones.at(place.latitude, place.longitude))


async def placed(turn: Turn, typed: str) -> None:
    """What was written instead: a city, or that nothing is to change."""
    await _settle(turn, zones.find(typed))


async def _settle(turn: Turn, zone: str) -> None:
    """The time zone as it is now; the buttons below the field go."""
    t, now = turn.texts, turn.desk.clock()
    chat = await _apply(turn, "tz", zone)
    said = lines(t, chat or turn.chat, now)[Screen.ZONE]
    if chat is None:
        said = t.text("Nothing was changed.") + "\n" + said
    await turn.reply(said, below=ReplyKeyboardRemove())


async def _typed(turn: Turn, shown: Screen, what: str, read: Any) -> None:
    """Carry out what was typed after a command and show how it is now; or say in a line what can be typed."""
    if not await managed(turn):
        return
    chat: Chat | None = turn.chat
    if turn.args:
        state = "off" if hours.is_off(turn.args) and what != "tz" else read(turn.args)
        chat = await _apply(turn, what, state)
        if chat is None:
            await turn.reply(_allowed(turn, what))
            return
    await _show(turn, chat or turn.chat, shown)


def _joined(minutes: tuple[int, ...] | None, mark: str) -> str:
    return mark.join(map(str, minutes or ()))


def _allowed(turn: Turn, what: str) -> str:
    t = turn.texts
    said = {
        "quiet": t.text("I need two times of day, for example: /quiet 22:00-07:00. Or /quiet off"),
        "digest": t.text("I need one to six times of day, for example: /digest 08:00 18:30. Or /digest off"),
        "pause": t.text("I need a length of time: 30m, 8h, 2d or 1w. For example: /pause 8h. Or /resume"),
        "tz": t.text("I do not know that place. A city, a zone or hours work: /tz Kyiv, /tz Europe/Warsaw, /tz +2"),
    }
    return said[what]


async def press(turn: Turn) -> None:
    """A button: bring about the state that it carries, and show it in the same message."""
    if not await managed(turn):
        return
    what, _, state = turn.args[1:].partition("=")
    shown = SCREENS.get(turn.args[0])
    chat = None if shown is None else turn.chat if what == "show" else await _apply(turn, what, state)
    if chat is None or shown is None:
        await turn.toast(turn.texts.text("This button is too old. What I can do: /help"))
        return
    await turn.toast()
    await _show(turn, chat, shown)


async def _apply(turn: Turn, what: str, state: str) -> Chat | None:
    """The chat with what was wanted; None for a state that cannot be."""
    chat, store, now = turn.chat, turn.desk.store, turn.desk.clock()
    if what == "tz":
        zone = zones.find(state)
        if not zone:
            return None
        await store.chats.set_time_zone(chat.id, zone, now)
        turn.desk.on_queued()
        return replace(chat, time_zone=zone)
    if what == "lang":
        if state not in LANGUAGES:
            return None
        await store.chats.set_language(chat.id, state)
        return replace(chat, language=state)
    if what == "preview":
        if state not in {"0", "1"}:
            return None
        await store.chats.set_previews(chat.id, previews=state == "1")
        return replace(chat, previews=state == "1")
    wanted = changed(chat.attention, what, state, now)
    if wanted is None:
        return None
    if what == "digest" and wanted.digests and not chat.attention.digests:
        # Who asks for a digest and has put no tag into it means everything.
        rules = await store.rules.of_chat(chat.id)
        wanted = replace(wanted, digest_all=all(rule.volume is not Volume.DIGEST for rule in rules))
    await _keep(turn, wanted)
    return replace(chat, attention=wanted)


async def _keep(turn: Turn, wanted: Attention) -> None:
    await turn.desk.store.chats.set_attention(turn.chat.id, wanted, turn.desk.clock())
    turn.desk.on_queued()


def changed(old: Attention, what: str, state: str, now: Millis) -> Attention | None:
    """The wishes with one of them as `state` says; None when it says nothing that can be."""
    minutes = [int(part) for part in state.replace("-", ".").split(".") if part.isdecimal() and len(part) < 7]
    of_day = all(minute < 24 * 60 for minute in minutes)
    match what, state:
        case "quiet", "off":
            return replace(old, quiet=None)
        case "quiet", _ if of_day and len(minutes) == 2 and minutes[0] != minutes[1]:
            return replace(old, quiet=(minutes[0], minutes[1]))
        case "digest", "off":
            return replace(old, digests=(), digest_all=False)
        case "digest", _ if of_day and 1 <= len(minutes) <= hours.MOST_DIGESTS:
            return replace(old, digests=tuple(sorted(set(minutes))))
        case "all", "0" | "1":
            return replace(old, digest_all=state == "1", digests=old.digests or DIGESTS)
        case "pause", "off":
            return replace(old, paused_until=0)
        case "pause", _ if len(minutes) == 1 and 0 < minutes[0] * hours.MINUTE_MS < hours.LONGEST_MS:
            return replace(old, paused_until=now + minutes[0] * hours.MINUTE_MS)
        case "hot", _ if state in set(Hot):
            return replace(old, hot=Hot(state))
        case "cap", _ if state.isdecimal() and int(state) in _CAPS:
            return replace(old, loud_cap=int(state))
        case _:
            return None


async def _show(turn: Turn, chat: Chat, shown: Screen) -> None:
    html, rows = screen(speak(chat.language), chat, shown, turn.desk.clock())
    await (turn.edit if turn.query else turn.reply)(html, rows)
