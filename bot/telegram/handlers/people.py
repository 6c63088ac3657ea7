"""Who is who in the newsroom: /admins, and the invitations that it makes.

Admins whom the configuration names stay what they are; all others come by a link that works once, for a day.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from telegram.ext import CallbackQueryHandler, CommandHandler

from bot.core.cadence import DAY_MS
from bot.core.calendar import when
from bot.core.model import Button, Member
from bot.core.roles import Role
from bot.store.staff import Invitation
from bot.telegram import menus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from telegram.ext import BaseHandler

    from bot.telegram.desk import Desk, Turn
    from bot.telegram.texts import Texts

log = structlog.get_logger(__name__)
INVITED_FOR_MS = DAY_MS
#: What stands before the token in `?start=join_<token>`.
JOIN = "join_"
#: People listed with a button each; a newsroom of more names them by their number: `/admins remove 123`.
MOST_BUTTONS = 40


def handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """The commands and buttons of this module."""
    return (
        CommandHandler("admins", desk.bind(admins)),
        CallbackQueryHandler(desk.bind(press_list), pattern=r"^staff:list$"),
        CallbackQueryHandler(desk.bind(press_invite), pattern=r"^invite:(?:author|editor|publisher|admin)$"),
        CallbackQueryHandler(desk.bind(press_withdraw), pattern=r"^withdraw:all$"),
        CallbackQueryHandler(desk.bind(press_member), pattern=r"^member:\d{1,16}$"),
        CallbackQueryHandler(desk.bind(press_role), pattern=r"^role:\d{1,16}:(?:author|editor|publisher|admin)$"),
        CallbackQueryHandler(desk.bind(press_remove), pattern=r"^remove:\d{1,16}:(?:ask|sure)$"),
    )


async def admins(turn: Turn) -> None:
    """`/admins`: everybody and their role; `/admins add publisher`: a link; `/admins remove 123`: asks first."""
    if not await turn.admit(Role.ADMIN):
        return
    t, words = turn.texts, turn.args.lower().split()
    match words:
        case []:
            await turn.reply(*await _list(turn))
        case ["add"]:
            await turn.reply(t.text("As what? An invitation works once, for 24 hours."), [_invitations(t)])
        case ["add", role] if role in list(Role):
            await turn.reply(*await _invite(turn, Role(role)))
        case ["remove", number] if number.isascii() and number.isdigit() and len(number) <= 16:
            await turn.reply(*await _asked(turn, int(number)))
        case _:
            await turn.reply(
                t.text(
                    "I did not understand that. /admins — who is who; /admins add publisher — an invitation as author, "
                    "editor, publisher or admin; /admins remove 123 — take a role away, by the number"
                )
            )


async def press_list(turn: Turn) -> None:
    """Back to the list."""
    if await turn.admit(Role.ADMIN):
        await turn.toast()
        await turn.edit(*await _list(turn))


async def press_invite(turn: Turn) -> None:
    """Invite as this."""
    if await turn.admit(Role.ADMIN):
        await turn.toast()
        await turn.reply(*await _invite(turn, Role(turn.args)))


async def press_withdraw(turn: Turn) -> None:
    """Take back every invitation that nobody has opened."""
    if not await turn.admit(Role.ADMIN):
        return
    await turn.desk.store.staff.withdraw_all(turn.user_id, turn.desk.clock())
    await turn.toast(turn.texts.text("The invitations are withdrawn."))
    await turn.edit(*await _list(turn))


async def press_member(turn: Turn) -> None:
    """One of the newsroom."""
    if await turn.admit(Role.ADMIN):
        await turn.toast()
        await turn.edit(*await _card(turn, int(turn.args)))


async def press_role(turn: Turn) -> None:
    """Make somebody this."""
    if not await turn.admit(Role.ADMIN):
        return
    number, _, role = turn.args.partition(":")
    member = await _member(turn, int(number))
    if member is not None:
        changed = Member(user_id=member.user_id, role=Role(role), name=member.name)
        await turn.desk.store.staff.put(changed, turn.user_id, turn.desk.clock())
        log.info("newsroom.role", by=turn.user_id, user=member.user_id, role=role)
        await menus.give(turn.update.get_bot(), member.user_id, changed.role)
    await turn.toast()
    await turn.edit(*await _card(turn, int(number)))


async def press_remove(turn: Turn) -> None:
    """Take somebody's role away: asks first."""
    if not await turn.admit(Role.ADMIN):
        return
    number, _, sure = turn.args.partition(":")
    await turn.toast()
    if sure == "ask":
        await turn.edit(*await _asked(turn, int(number)))
        return
    member = await _member(turn, int(number))
    if member and await turn.desk.store.staff.remove(member.user_id, turn.user_id, turn.desk.clock()):
        log.info("newsroom.removed", by=turn.user_id, user=member.user_id)
        await menus.give(turn.update.get_bot(), member.user_id, None)
    await turn.edit(*await _list(turn))


async def join(turn: Turn, payload: str) -> None:
    """`?start=join_<token>`: who opens it first has the role. Only in private, where the link leads."""
    t, desk = turn.texts, turn.desk
    role = None
    if turn.private:
        token_hash = _hash(payload.removeprefix(JOIN))
        name = turn.update.effective_user.full_name if turn.update.effective_user else ""
        role = await desk.store.staff.accept(token_hash, turn.user_id, name, desk.clock(), desk.admins)
    if role is None:
        log.warning("newsroom.invitation_refused", user=turn.user_id, chat=turn.chat.id)
        await turn.reply(t.text("This invitation does not work any more. Please ask for a new one."))
        return
    log.info("newsroom.joined", user=turn.user_id, role=role.value)
    await menus.give(turn.update.get_bot(), turn.user_id, await turn.role())
    await turn.reply(
        t.text("Welcome to the newsroom. You are: {role}. What you can do: /help", role=spell_role(t, role))
    )


def spell_role(t: Texts, role: Role) -> str:
    """A role in words."""
    said = {
        Role.AUTHOR: t.text("author"),
        Role.EDITOR: t.text("editor"),
        Role.PUBLISHER: t.text("publisher"),
        Role.ADMIN: t.text("admin"),
    }
    return said[role]


async def _list(turn: Turn) -> tuple[str, list[list[Button]]]:
    t, store, now = turn.texts, turn.desk.store, turn.desk.clock()
    lines = [t.text("<b>The newsroom</b>")]
    for number in sorted(turn.desk.admins):
        chat = await store.chats.get(number)
        lines.append(t.text("• {name}: admin, named in the configuration", name=(chat and chat.title) or number))
    rows: list[list[Button]] = []
    for member in await store.staff.members():
        if member.user_id in turn.desk.admins:
            continue
        lines.append(
            t.text("• {name}: {role} ({id})", name=_name(member), role=spell_role(t, member.role), id=member.user_id)
        )
        if len(rows) < MOST_BUTTONS:
            rows.append([Button(_name(member)[:40], data=f"member:{member.user_id}")])
    invited = await store.staff.invited(now)
    for one in invited:
        until = when(one.expires_at, now, turn.chat.time_zone)
        lines.append(t.text("• an invitation as {role}, until {time}", role=spell_role(t, one.role), time=until))
    lines += ["", t.text("To invite: /admins add publisher, or a button. To change or remove somebody: tap the name.")]
    rows.append(_invitations(t))
    if invited:
        rows.append([Button(t.text("Withdraw the invitations"), data="withdraw:all")])
    return "\n".join(lines), rows


def _invitations(t: Texts) -> list[Button]:
    return [Button(f"+ {spell_role(t, role)}", data=f"invite:{role}") for role in Role]


async def _invite(turn: Turn, role: Role) -> tuple[str, list[list[Button]]]:
    t, now = turn.texts, turn.desk.clock()
    token = secrets.token_urlsafe(32)
    invitation = Invitation(_hash(token), role, now + INVITED_FOR_MS)
    await turn.desk.store.staff.invite(invitation, turn.user_id, now)
    log.info("newsroom.invited", by=turn.user_id, role=role.value)
    address = f"https://t.me/{turn.update.get_bot().username}?start={JOIN}{token}"
    said = t.text(
        "Send this link to one person. Who opens it first becomes: {role}. It works once, until {time}.\n\n{link}",
        role=spell_role(t, role),
        time=when(invitation.expires_at, now, turn.chat.time_zone),
        link=address,
    )
    return said, []


async def _card(turn: Turn, user_id: int) -> tuple[str, list[list[Button]]]:
    t, member = turn.texts, await _member(turn, user_id)
    if member is None:
        return await _list(turn)
    others = [Button(spell_role(t, role), data=f"role:{user_id}:{role}") for role in Role if role is not member.role]
    rows = [
        others,
        [
            Button(t.text("Remove"), data=f"remove:{user_id}:ask"),
            Button(t.text("Back"), data="staff:list"),
        ],
    ]
    return t.text("{name}: {role}. Make them:", name=_name(member), role=spell_role(t, member.role)), rows


async def _asked(turn: Turn, user_id: int) -> tuple[str, list[list[Button]]]:
    t, member = turn.texts, await _member(turn, user_id)
    if user_id in turn.desk.admins:
        return t.text("This admin is named in the configuration, and can only be removed there (TAGWIRE_ADMINS)."), []
    if member is None:
        return t.text("Nobody in the newsroom has this number. Who is who: /admins"), []
    rows = [
        [
            Button(t.text("Yes, remove"), data=f"remove:{user_id}:sure"),
            Button(t.text("Keep"), data=f"member:{user_id}"),
        ]
    ]
    said = t.text(
        "Remove {name}, {role}? Their buttons stop working at once, and invitations that they made.",
        name=_name(member),
        role=spell_role(t, member.role),
    )
    return said, rows


async def _member(turn: Turn, user_id: int) -> Member | None:
    """Somebody who can be changed; None for a reader, and for who is named in the configuration."""
    members = await turn.desk.store.staff.members()
    found = next((one for one in members if one.user_id == user_id), None)
    return None if user_id in turn.desk.admins else found


def _name(member: Member) -> str:
    return member.name or str(member.user_id)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
