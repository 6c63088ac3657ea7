"""How the alerts of one rule come: the buttons under /list, and /mute.

`rule:<id>` shows a rule, `rule:<id>=<state>` brings about a state: a volume, `mute` for a day, or `unmute`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core import hours
from bot.core.attention import DIGESTS
from bot.core.calendar import when
from bot.core.expressions import render
from bot.core.model import Button, Volume
from bot.telegram.handlers.follow import explained, managed, rising, understand
from bot.telegram.paging import PAGE, View, place, turning
from bot.telegram.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.model import Millis, Rule
    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

DAY_MS = 24 * 60 * hours.MINUTE_MS


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("mute", desk.bind(mute)),
        CallbackQueryHandler(desk.bind(press), pattern=r"^rule:\d{1,18}(?:=[a-z]{1,8})?$"),
    )


def state_of(t: Texts, rule: Rule, now: Millis, time_zone: str) -> str:
    """What a list says of a rule that is not simply loud: `, silent, muted until 17:11`."""
    said = {
        Volume.LOUD: "",
        Volume.SILENT: t.text(", without a sound"),
        Volume.DIGEST: t.text(", in the digest"),
    }[rule.volume]
    if rule.muted_until > now:
        said += t.text(", muted until {time}", time=when(rule.muted_until, now, time_zone))
    return said


def doors(rules: Sequence[Rule], state: str = "") -> list[list[Button]]:
    """A button for each rule, two a row: to its own screen, or at once to a state."""
    wanted = f"={state}" if state else ""
    buttons = [Button(render(rule.spec)[:24], data=f"rule:{rule.id}{wanted}") for rule in rules]
    return [buttons[at : at + 2] for at in range(0, len(buttons), 2)]


def to_mute(turn: Turn, rules: Sequence[Rule], page: int) -> View:
    """What can be muted, ten a page."""
    at = place(page, len(rules))
    rows = [*doors(at.cut(rules), "mute"), *turning(at, "rules:m:")]
    return View(turn.texts.text("What shall I mute for 24 hours?"), rows)


async def mute(turn: Turn) -> None:
    """`/mute #nato 24h`, `/mute #nato off`; bare: buttons."""
    if not await managed(turn):
        return
    t, store = turn.texts, turn.desk.store
    rules = await store.rules.of_chat(turn.chat.id, turn.thread_id)
    if not rules:
        await turn.reply(t.text("You follow nothing yet. Start with /sub #nato"), await rising(turn))
        return
    typed, length_typed = hours.split_duration(turn.args)
    words = typed.split()
    lifted = bool(words) and hours.is_off(words[-1])
    typed = " ".join(words[:-1]) if lifted else typed
    length = 0 if lifted else hours.duration(length_typed) if length_typed else DAY_MS
    if not turn.args:
        view = to_mute(turn, rules, 1)
        await turn.reply(view.html, view.rows)
        return
    # "5x" is no tag here but a length that nobody can read; the tag would be #5x.
    unreadable = len(words) > 1 and not (lifted or length_typed) and words[-1][0].isdigit()
    if not typed or length is None or unreadable:
        await turn.reply(
            t.text("I need a tag and a length of time: 30m, 8h, 2d or 1w. For example: /mute #nato 24h. All: /pause 8h")
        )
        return
    parsed = await understand(turn, typed)
    terms = {term for spec in parsed.rules for term in spec.wanted}
    found = [rule for rule in rules if terms & set(rule.spec.wanted)]
    lines = explained(turn, typed, parsed.faults)
    if found:
        await _mute(turn, found, length)
        lines.append(_muted(turn, found, length))
    elif parsed.rules:
        lines.append(t.text("You did not follow {rules}. What you follow: /list", rules=spell(t, parsed.rules)))
    await turn.reply("\n".join(lines) or t.text("I found no tag in that. What you follow: /list"))


async def _mute(turn: Turn, rules: Sequence[Rule], length: Millis) -> None:
    now = turn.desk.clock()
    await turn.desk.store.rules.mute([rule.id for rule in rules], now + length if length else 0)


def _muted(turn: Turn, rules: Sequence[Rule], length: Millis) -> str:
    t, now = turn.texts, turn.desk.clock()
    said = spell(t, [rule.spec for rule in rules])
    if not length:
        return t.text("{rules}: not muted any more.", rules=said)
    return t.text(
        "{rules}: muted until {time}. What comes till then is not kept for later.",
        rules=said,
        time=when(now + length, now, turn.chat.time_zone),
    )


async def press(turn: Turn) -> None:
    """A rule's button: bring about what it carries, and show the rule in the same message."""
    if not await managed(turn):
        return
    number, _, state = turn.args.partition("=")
    store = turn.desk.store
    rules = await store.rules.of_chat(turn.chat.id, turn.thread_id)
    at, rule = _found(rules, int(number))
    if rule is None:
        await turn.toast(turn.texts.text("You do not follow that any more."))
        return
    if state in {"mute", "unmute"}:
        await _mute(turn, [rule], DAY_MS if state == "mute" else 0)
    elif state in set(Volume):
        if state == Volume.DIGEST and not turn.chat.attention.digests:
            wishes = replace(turn.chat.attention, digests=DIGESTS)
            await store.chats.set_attention(turn.chat.id, wishes, turn.desk.clock())
        await store.rules.set_volume(turn.chat.id, rule.id, Volume(state), turn.desk.clock())
        turn.desk.on_queued()
    elif state:
        await turn.toast(turn.texts.text("This button is too old. What I can do: /help"))
        return
    await turn.toast()
    _, shown = _found(await store.rules.of_chat(turn.chat.id, turn.thread_id), rule.id)
    if shown:
        await turn.edit(_about(turn, shown), [*_buttons(turn, shown), _back(turn, at)])


def _found(rules: Sequence[Rule], number: int) -> tuple[int, Rule | None]:
    """A rule of these and where it stands among them."""
    return next(((at, rule) for at, rule in enumerate(rules) if rule.id == number), (0, None))


def _back(turn: Turn, at: int) -> list[Button]:
    """To the page of the list that the rule at this place stands on."""
    return [Button(turn.texts.text("‹ What you follow"), data=f"rules:l:{at // PAGE + 1}")]


def _about(turn: Turn, rule: Rule) -> str:
    t, now = turn.texts, turn.desk.clock()
    comes = {
        Volume.LOUD: t.text("comes with a sound"),
        Volume.SILENT: t.text("comes without a sound"),
        Volume.DIGEST: t.text("comes in the digest; when: /digest"),
    }[rule.volume]
    said = f"{spell(t, [rule.spec])} — {comes}"
    if rule.muted_until > now:
        said += t.text(", muted until {time}", time=when(rule.muted_until, now, turn.chat.time_zone))
    return said


def _buttons(turn: Turn, rule: Rule) -> list[list[Button]]:
    t = turn.texts
    labels = {
        Volume.LOUD: t.text("With a sound"),
        Volume.SILENT: t.text("Without"),
        Volume.DIGEST: t.text("In the digest"),
    }
    volumes = [
        Button(f"✓ {label}" if volume is rule.volume else label, data=f"rule:{rule.id}={volume}")
        for volume, label in labels.items()
    ]
    muted = rule.muted_until > turn.desk.clock()
    silence = (
        Button(t.text("Unmute"), data=f"rule:{rule.id}=unmute")
        if muted
        else Button(t.text("Mute for 24 hours"), data=f"rule:{rule.id}=mute")
    )
    return [volumes, [silence, Button(t.text("Unfollow"), data=f"del:{rule.id}")]]
