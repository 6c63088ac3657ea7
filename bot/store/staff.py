"""The people of the newsroom and their roles, beside the admins that the configuration names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select

from bot.core.model import Member
from bot.core.roles import Role
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.broadcasts import unschedule
from bot.store.schema import invitations, staff

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.model import Millis
    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that was made; whoever has its token and opens it first has the role."""

    token_hash: str
    role: Role
    expires_at: Millis


class Staff:
    """Who works in the newsroom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def role(self, user_id: int) -> Role | None:
        """Somebody's role; None for a reader."""
        async with self._database.reading() as connection:
            return await _role(connection, user_id)

    async def members(self) -> list[Member]:
        """Everybody, in the order they came."""
        query = select(staff).order_by(staff.c.added_at, staff.c.user_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Member(user_id=row["user_id"], role=Role(row["role"]), name=row["name"]) for row in rows]

    async def put(self, member: Member, actor_id: int, now: Millis) -> None:
        """Give somebody a role, whatever theirs was."""
        async with self._database.transaction() as connection:
            await _put(connection, member, now)
            if member.role is not Role.ADMIN:
                await _withdraw(connection, member.user_id)
            if not member.role.covers(Role.PUBLISHER):
                await unschedule(connection, member.user_id)
            await record(connection, actor_id, "staff.put", member.role.value, now, about=member.user_id)

    async def remove(self, user_id: int, actor_id: int, now: Millis) -> bool:
        """Take somebody's role, and the invitations that they made; False when they had none."""
        async with self._database.transaction() as connection:
            gone = (await connection.execute(delete(staff).where(staff.c.user_id == user_id))).rowcount
            await _withdraw(connection, user_id)
            await unschedule(connection, user_id)
            if gone:
                await record(connection, actor_id, "staff.remove", "", now, about=user_id)
        return bool(gone)

    async def invite(self, invitation: Invitation, actor_id: int, now: Millis) -> None:
        """Keep an invitation; those that nobody opened in time go."""
        values = {"token_hash": invitation.token_hash, "role": invitation.role.value, "admin_id": actor_id}
        async with self._database.transaction() as connection:
            await connection.execute(delete(invitations).where(invitations.c.expires_at <= now))
            made = insert(connection, invitations).values(**values, made_at=now, expires_at=invitation.expires_at)
            await connection.execute(made)
            await record(connection, actor_id, "staff.invite", invitation.role.value, now)

    async def invited(self, now: Millis) -> list[Invitation]:
        """What can still be opened, the oldest first."""
        query = select(invitations).where(invitations.c.expires_at > now).order_by(invitations.c.made_at)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Invitation(row["token_hash"], Role(row["role"]), row["expires_at"]) for row in rows]

    async def withdraw_all(self, actor_id: int, now: Millis) -> int:
        """Take every invitation back; their number."""
        async with self._database.transaction() as connection:
            gone = (await connection.execute(delete(invitations))).rowcount
            if gone:
                await record(connection, actor_id, "staff.withdraw", str(gone), now)
        return max(0, gone)

    async def accept(
        self, token_hash: str, user_id: int, name: str, now: Millis, admins: Collection[int]
    ) -> Role | None:
        """The role of who opens an invitation, which ends it; None: there is none, or its maker is no admin any more.

        Who has that role or a greater one keeps it, and the invitation is there for somebody else.
        `admins` are those that the configuration names.
        """
        async with self._database.transaction() as connection:
            mine = Role.ADMIN if user_id in admins else await _role(connection, user_id)
            still = or_(
                invitations.c.admin_id.in_(admins),
                invitations.c.admin_id.in_(select(staff.c.user_id).where(staff.c.role == Role.ADMIN.value)),
            )
            this = invitations.c.token_hash == token_hash, invitations.c.expires_at > now, still
            offered = await connection.scalar(select(invitations.c.role).where(*this))
            if offered is None:
                return None
            if mine and mine.covers(Role(offered)):
                return mine
            taken = delete(invitations).where(*this).returning(invitations.c.role, invitations.c.admin_id)
            row = (await connection.execute(taken)).first()
            if row is None:  # another opened it in between
                return None
            member = Member(user_id=user_id, role=Role(row.role), name=name)
            await _put(connection, member, now)
            await record(connection, user_id, "staff.join", member.role.value, now, about=row.admin_id)
            return member.role


async def _role(connection: AsyncConnection, user_id: int) -> Role | None:
    found = await connection.scalar(select(staff.c.role).where(staff.c.user_id == user_id))
    return Role(found) if found else None


async def _put(connection: AsyncConnection, member: Member, now: Millis) -> None:
    values = {"role": member.role.value, "name": member.name}
    made = insert(connection, staff).values(user_id=member.user_id, added_at=now, **values)
    await connection.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def _withdraw(connection: AsyncConnection, user_id: int) -> None:
    """An invitation is worth as much as the role of who made it."""
    await connection.execute(delete(invitations).where(invitations.c.admin_id == user_id))
