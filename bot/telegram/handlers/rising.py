"""What rises now: /trending, and the tags that a newcomer is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CommandHandler

from bot.core.model import Button, RuleSpec
from bot.core.tags import hashtag
from bot.telegram.paging import View, place, turning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.trending import TagCount
    from bot.telegram.desk import Desk, Turn

#: Tags of /trending at most, and of what is offered to somebody who has not said what they want.
MOST_RISING, OFFERED = 30, 6
#: A label longer than this has a row of its own (reader-ux.md 5).
NARROW = 18
LONGEST_LABEL = 40


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands of this module."""
    return (CommandHandler("trending", desk.bind(trending)),)


async def trending(turn: Turn) -> None:
    """`/trending`: the tags that rise against their own usual day."""
    shown = await view(turn, "", 1)
    await turn.reply(shown.html, shown.rows)


async def view(turn: Turn, _: str, page: int) -> View:
    """A page of the tags that rise, with buttons that follow or stop."""
    t, trends = turn.texts, turn.desk.trends
    found = await trends.rising(MOST_RISING)
    if not found:
        return View(
            t.text("No tag rises above its usual now. What is new: /latest"),
            [[Button(t.text("All tags"), data="pick:a:1")]],
        )
    at, mine = place(page, len(found)), await followed(turn)
    lines = [t.text("<b>Rising now</b>: articles of the last 24 hours, against a usual day. Tap to follow or stop.")]
    toggles = []
    for one in at.cut(found):
        lines.append(_line(turn, one, trends.usual(one)))
        toggles.append(toggle(f"t:{at.page}", one.id, hashtag(one.slug), followed=one.slug in mine))
    return View("\n".join(lines), [*in_rows(toggles), *turning(at, "list:rise::")])


def _line(turn: Turn, one: TagCount, usual: float) -> str:
    t = turn.texts
    said = t.plural("{n} article", "{n} articles", one.day)
    return t.text("{tag}: {articles}, usually {usual}", tag=hashtag(one.slug), articles=said, usual=_few(usual))


def _few(number: float) -> str:
    """0, 0.4, 12: as many digits as mean something."""
    return f"{number:.1f}".removesuffix(".0") if number < 10 else str(round(number))


async def offered(turn: Turn) -> list[list[Button]]:
    """Buttons for the tags that rise, filled up with those of most articles, two a row, and one for all tags."""
    found = await turn.desk.trends.offered(OFFERED)
    buttons = [Button(counted(one), data=f"follow:{one.id}") for one in found]
    rest = [[Button(turn.texts.text("All tags"), data="pick:a:1")]] if found else []
    return [*in_rows(buttons), *rest]


async def followed(turn: Turn) -> set[str]:
    """The tags that this chat, or topic, follows by themselves."""
    rules = await turn.desk.store.rules.of_chat(turn.chat.id, turn.thread_id)
    return {rule.spec.wanted[0] for rule in rules if rule.spec == RuleSpec(rule.spec.wanted[:1])}


def toggle(where: str, number: int, label: str, *, followed: bool) -> Button:
    """A button that follows a tag or stops it: it carries what is wanted, so a second tap changes nothing."""
    mark = "✅ " if followed else "➕ "
    return Button(mark + label, data=f"tag:{where}:{number}:{0 if followed else 1}")


def counted(one: TagCount) -> str:
    """`#nato · 31`: a tag with its articles of 7 days."""
    return f"{hashtag(one.slug)[: LONGEST_LABEL - 8]} · {one.week}"


def in_rows(buttons: Sequence[Button]) -> list[list[Button]]:
    """Two a row, or one where a label is long."""
    rows: list[list[Button]] = []
    for button in buttons:
        narrow = len(button.label) <= NARROW + 2
        if rows and narrow and len(rows[-1]) == 1 and len(rows[-1][0].label) <= NARROW + 2:
            rows[-1].append(button)
        else:
            rows.append([button])
    return rows
