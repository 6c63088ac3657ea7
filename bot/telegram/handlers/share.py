"""Sharing: /share makes a message that can be forwarded, with a link that follows what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.model import Button
from bot.telegram.deeplinks import link
from bot.telegram.handlers.follow import explained, understand
from bot.telegram.handlers.rising import LONGEST_LABEL, in_rows
from bot.telegram.spelling import spell_term

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn

#: Links in one message, and terms that are offered to somebody who names none.
MOST_LINKS, OFFERED = 6, 12


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("share", desk.bind(share)),
        CallbackQueryHandler(desk.bind(press_share), pattern=r"^share:\d{1,18}$"),
    )


async def share(turn: Turn) -> None:
    """`/share #tag @source`; bare: choose from what one follows, or from what rises."""
    if not turn.args:
        await _choose(turn)
        return
    parsed = await understand(turn, turn.args)
    terms = list(dict.fromkeys(term for spec in parsed.rules for term in spec.wanted))[:MOST_LINKS]
    lines = explained(turn, turn.args, parsed.faults)
    if not terms:
        await turn.reply("\n".join(lines) or turn.texts.text("I found no tag in that. Example: /share #nato"))
        return
    await _send(turn, terms)


async def press_share(turn: Turn) -> None:
    """A tag of the bare /share."""
    term = await turn.desk.store.articles.tag_slug(int(turn.args))
    if term is None:
        await turn.toast(turn.texts.text("This button is too old. What I can do: /help"))
        return
    await turn.toast()
    await _send(turn, [term])


async def _choose(turn: Turn) -> None:
    store = turn.desk.store
    rules = await store.rules.of_chat(turn.chat.id, turn.thread_id)
    mine = list(dict.fromkeys(term for rule in rules for term in rule.spec.wanted))[:OFFERED]
    terms = mine or [one.slug for one in await turn.desk.trends.offered(OFFERED)]
    ids = await store.articles.tag_ids(terms)
    buttons = [
        Button(turn.desk.label(term)[:LONGEST_LABEL], data=f"share:{ids[term]}") for term in terms if term in ids
    ]
    await turn.reply(turn.texts.text("What would you like to share? Or name it: /share #nato"), in_rows(buttons))


async def _send(turn: Turn, terms: Sequence[str]) -> None:
    """Nothing but what somebody else may read: it is made to be forwarded."""
    t, bot = turn.texts, turn.update.get_bot().username
    lines, rows = [t.text("<b>News by hashtag, as it comes</b>")], []
    for term in terms:
        address = await link(turn.desk, bot, term)
        lines.append(t.text("{tag}: {link}", tag=spell_term(term), link=address))
        rows.append([Button(t.plain("Follow {tag}", tag=turn.desk.label(term))[:60], url=address)])
    await turn.reply("\n".join(lines), rows)
