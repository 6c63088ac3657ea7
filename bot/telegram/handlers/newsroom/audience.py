"""To whom: everyone, or followers of tags, readers of a language, chats of a kind; and a test to a colleague first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.broadcast import KINDS, Audience, Refusal, Step
from bot.core.model import Button, Fate
from bot.core.roles import Role
from bot.telegram.handlers.follow import understand
from bot.telegram.handlers.newsroom.compose import revise
from bot.telegram.handlers.newsroom.panel import again, ask, button, copy_to, on, pressed, refuse, seen
from bot.telegram.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.core.broadcast import Broadcast
    from bot.telegram.desk import Desk, Turn

MOST_COLLEAGUES = 20


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The buttons of this step."""
    return (
        on(desk, "audience", press_audience),
        on(desk, "to", press_to),
        on(desk, "test", press_test),
        on(desk, "try", press_try),
    )


async def press_audience(turn: Turn) -> None:
    """Offer audiences."""
    found = await seen(turn, Step.REVISE)
    if found is None:
        return
    t = turn.texts
    kinds = {"private": t.text("Private chats"), "group": t.text("Groups"), "channel": t.text("Channels")}
    rows = [
        [button(t.text("Everyone"), "to", found, "all"), button(t.text("Followers of tags…"), "to", found, "tags")],
        [button(name, "to", found, code) for code, name in LANGUAGES.items()],
        [button(label, "to", found, kind) for kind, label in kinds.items()],
    ]
    await turn.reply(t.text("To whom shall it go? A language and a kind of chats narrow what is chosen already."), rows)


async def press_to(turn: Turn) -> None:
    """One of them."""
    one = pressed(turn)
    found = await seen(turn, Step.REVISE)
    if found is None:
        return
    if one.more == "tags":
        said = turn.texts.text("Followers of which tags? For example: #nato + #peace_plan, or #nato -#sport")
        await ask(turn, "tags", said, found)
        return
    audience = found.content.audience
    if one.more in LANGUAGES:
        audience = replace(audience, language=one.more)
    elif one.more in KINDS:
        audience = replace(audience, kind=one.more)
    else:
        audience = Audience()
    await revise(turn, found.id, one.seen, replace(found.content, audience=audience))


async def answered_tags(turn: Turn, given: list[str]) -> None:
    """The tags, in the little language of /sub."""
    number, seen_hash = int(given[0]), given[1]
    found = await turn.desk.store.broadcasts.get(number)
    parsed = await understand(turn, turn.args)
    if found is None:
        await refuse(turn, Refusal.UNKNOWN)
        return
    if parsed.faults or parsed.exclusions or not parsed.rules:
        await again(turn, "tags", given)
        await turn.reply(turn.texts.text("I did not understand that as tags. For example: #nato + #peace_plan"))
        return
    audience = replace(found.content.audience, rules=parsed.rules)
    await revise(turn, number, seen_hash, replace(found.content, audience=audience))


async def press_test(turn: Turn) -> None:
    """Offer colleagues to try it on."""
    found = await seen(turn, Step.REVISE)
    if found is None:
        return
    people = {one: name for one, name in (await _colleagues(turn)).items() if one != turn.user_id}
    rows = [[_colleague(found, number, name)] for number, name in list(people.items())[:MOST_COLLEAGUES]]
    t = turn.texts
    said = (
        t.text("Who shall get a copy to try?") if rows else t.text("There is nobody else in the newsroom yet: /admins")
    )
    await turn.reply(said, rows)


def _colleague(broadcast: Broadcast, number: int, name: str) -> Button:
    return button(name or str(number), "try", broadcast, str(number))


async def press_try(turn: Turn) -> None:
    """A copy in each language to one of them."""
    one = pressed(turn)
    if not await turn.admit(Role.AUTHOR):
        return
    found = await turn.desk.store.broadcasts.get(one.id)
    if found is None or found.content.hash != one.seen:
        await refuse(turn, Refusal.UNKNOWN if found is None else Refusal.CHANGED)
        return
    person = int(one.more) if one.more.isascii() and one.more.isdecimal() else 0
    name = (await _colleagues(turn)).get(person)
    if name is None:  # a button can be forged: a reader is no one to try things on
        await turn.toast(turn.texts.text("They are not in the newsroom."), alert=True)
        return
    await turn.toast()
    for language in found.content.texts:
        outcome = await copy_to(turn, person, found, language)
        if outcome.fate is not Fate.SENT:
            said = turn.texts.text("{name} did not get it: {detail}", name=name, detail=outcome.detail)
            await turn.reply(said)
            return
    await turn.reply(turn.texts.text("{name} has it.", name=name))


async def _colleagues(turn: Turn) -> dict[int, str]:
    """Everybody of the newsroom whom the bot has met, by id."""
    store = turn.desk.store
    people = {one.user_id: one.name for one in await store.staff.members()}
    for admin in sorted(turn.desk.admins):
        chat = await store.chats.get(admin)
        if chat is not None:
            people[admin] = chat.title
    return people
