"""The screens of /settings: what is chosen, in words, and the buttons that choose."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core import hours
from bot.core.attention import NIGHTS, NO_CAP
from bot.core.calendar import clock_time, when
from bot.core.model import Button, ChatKind, Hot
from bot.telegram.texts import LANGUAGES
from bot.telegram.zones import OFFERED, city

if TYPE_CHECKING:
    from bot.core.model import Chat, Millis
    from bot.telegram.texts import Texts

    Rows = list[list[Button]]


class Screen(StrEnum):
    """What a message of settings shows."""

    ALL = "a"
    QUIET = "q"
    DIGEST = "d"
    PAUSE = "p"
    ZONE = "z"
    HOT = "h"
    CAP = "c"
    PREVIEW = "v"


SCREENS = {one.value: one for one in Screen}
_DIGESTS = ((8 * 60,), (18 * 60 + 30,), (8 * 60, 18 * 60 + 30))
_CAPS = (3, 8, 20, NO_CAP)


def screen(texts: Texts, chat: Chat, shown: Screen, now: Millis) -> tuple[str, Rows]:
    """A screen as HTML, and its buttons."""
    said = lines(texts, chat, now)
    if shown is Screen.ALL:
        return "\n".join([texts.text("<b>Settings</b>"), *said.values()]), _overview(texts, chat)
    html = f"<b>{said[shown]}</b>\n{_about(texts, shown)}"
    back = Button(texts.text("‹ All settings"), data="set:ashow=a")
    return html, [*_choices(texts, chat, shown, now), [back]]


def lines(t: Texts, chat: Chat, now: Millis) -> dict[Screen, str]:
    """What is chosen now, a line for each screen."""
    wishes, zone = chat.attention, chat.time_zone
    quiet = "–".join(map(hours.spell, wishes.quiet)) if wishes.quiet else t.text("off")
    times = ", ".join(map(hours.spell, wishes.digests))
    if not times:
        digest = t.text("off")
    elif wishes.digest_all:
        digest = t.text("{times}, everything", times=times)
    else:
        digest = t.text("{times}, only tags set to digest", times=times)
    paused = wishes.paused_until > now
    cap = t.text("no limit") if wishes.loud_cap >= NO_CAP else str(wishes.loud_cap)
    return {
        Screen.QUIET: t.text("Quiet hours: {hours}", hours=quiet),
        Screen.DIGEST: t.text("Digest: {times}", times=digest),
        Screen.HOT: t.text("Hot news: {how}", how=_hot(t)[wishes.hot]),
        Screen.CAP: t.text("Alerts with a sound in a day: {n}", n=cap),
        Screen.PAUSE: t.text("Paused until {time}", time=when(wishes.paused_until, now, zone))
        if paused
        else t.text("Pause: off"),
        Screen.ZONE: t.text(
            "Time zone: {place}, it is {time}", place=city(zone, t.language), time=clock_time(now, zone)
        ),
        Screen.PREVIEW: t.text("Previews of articles: {on}", on=t.text("on") if chat.previews else t.text("off")),
    }


def _hot(t: Texts) -> dict[Hot, str]:
    return {
        Hot.OFF: t.text("off"),
        Hot.SILENT: t.text("without a sound"),
        Hot.DAY: t.text("with a sound, but not in quiet hours"),
        Hot.LOUD: t.text("with a sound, in quiet hours too"),
    }


def _about(t: Texts, shown: Screen) -> str:
    said = {
        Screen.QUIET: t.text(
            "Nothing comes in quiet hours. What waited comes when they end, as one message. "
            "Your own: /quiet 22:30-06:45"
        ),
        Screen.DIGEST: t.text(
            "A digest is one message with a line for each article, grouped by tag. Which tags: /list. "
            "Your own times: /digest 08:00 18:30"
        ),
        Screen.PAUSE: t.text(
            "While it is paused nothing comes, hot news neither. Then what waited comes as one message. "
            "Your own: /pause 3d"
        ),
        Screen.ZONE: t.text("Your own by name or hours: /tz Kyiv, /tz Europe/Warsaw, /tz +5:30"),
        Screen.HOT: t.text("Hot news is what an editor sends to everyone. Only the last choice may wake you."),
        Screen.PREVIEW: t.text("A preview is the picture and the first words of an article, under its card."),
        Screen.CAP: t.text("When it is reached, the day's other alerts come without a sound."),
    }
    return said[shown]


def _overview(t: Texts, chat: Chat) -> Rows:
    doors = {
        Screen.QUIET: t.text("Quiet hours"),
        Screen.DIGEST: t.text("Digest"),
        Screen.HOT: t.text("Hot news"),
        Screen.CAP: t.text("Sounds in a day"),
        Screen.PAUSE: t.text("Pause"),
        Screen.ZONE: t.text("Time zone"),
        Screen.PREVIEW: t.text("Previews"),
    }
    buttons = [Button(label, data=f"set:{shown}show={shown}") for shown, label in doors.items()]
    rows = [buttons[at : at + 2] for at in range(0, len(buttons), 2)]
    return [*rows, [_choice(Screen.ALL, "lang", code, name, code == chat.language) for code, name in LANGUAGES.items()]]


def _choices(t: Texts, chat: Chat, shown: Screen, now: Millis) -> Rows:
    wishes, off = chat.attention, t.text("Off")
    match shown:
        case Screen.QUIET:
            nights = [
                _choice(shown, "quiet", f"{a}-{b}", f"{hours.spell(a)}–{hours.spell(b)}", wishes.quiet == (a, b))
                for a, b in NIGHTS
            ]
            return [nights, [_choice(shown, "quiet", "off", off, wishes.quiet is None)]]
        case Screen.DIGEST:
            return _digests(t, chat)
        case Screen.PAUSE:
            lengths = {60: t.text("1 hour"), 480: t.text("8 hours"), 1440: t.text("1 day"), 10080: t.text("1 week")}
            buttons = [Button(label, data=f"set:ppause={minutes}") for minutes, label in lengths.items()]
            end = [[Button(t.text("Resume"), data="set:ppause=off")]] if wishes.paused_until > now else []
            return [buttons[:2], buttons[2:], *end]
        case Screen.ZONE:
            here = [
                _choice(shown, "tz", zone, f"{clock_time(now, zone)} {city(zone, t.language)}", zone == chat.time_zone)
                for zone in OFFERED
            ]
            rows = [here[at : at + 2] for at in range(0, len(here), 2)]
            # Telegram lets nobody be asked where they are but in a private chat.
            return [*rows, [Button(t.text("By where I am"), data="locate")]] if chat.kind is ChatKind.PRIVATE else rows
        case Screen.PREVIEW:
            return [
                [
                    _choice(shown, "preview", "1", t.text("On"), chat.previews),
                    _choice(shown, "preview", "0", off, not chat.previews),
                ]
            ]
        case Screen.HOT:
            return [[_choice(shown, "hot", hot, label, hot is wishes.hot)] for hot, label in _hot(t).items()]
        case _:
            labels = [(cap, t.text("no limit") if cap == NO_CAP else str(cap)) for cap in _CAPS]
            return [[_choice(shown, "cap", str(cap), label, cap == wishes.loud_cap) for cap, label in labels]]


def _digests(t: Texts, chat: Chat) -> Rows:
    wishes, shown = chat.attention, Screen.DIGEST
    times = [
        _choice(shown, "digest", ".".join(map(str, one)), " ".join(map(hours.spell, one)), wishes.digests == one)
        for one in _DIGESTS
    ]
    rows = [times, [_choice(shown, "digest", "off", t.text("Off"), not wishes.digests)]]
    if wishes.digests:
        rows.insert(
            1,
            [
                _choice(shown, "all", "1", t.text("Everything"), wishes.digest_all),
                _choice(shown, "all", "0", t.text("Only chosen tags"), not wishes.digest_all),
            ],
        )
    return rows


def _choice(shown: Screen, what: str, state: str, label: str, chosen: bool) -> Button:
    return Button(f"✓ {label}" if chosen else label, data=f"set:{shown}{what}={state}")
