"""The people of the newsroom and their roles, beside the admins that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from bot.core.model import Member
from bot.core.roles import Role
from bot.store.articles import insert
from bot.store.audit import record
from bot.store.schema import staff

if TYPE_CHECKING:
    from bot.core.model import Millis
    from bot.store.database import Database


class Staff:
    """Who works in the newsroom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def role(self, user_id: int) -> Role | None:
        """Somebody's role; None for a reader."""
        async with self._database.reading() as connection:
            found = await connection.scalar(select(staff.c.role).where(staff.c.user_id == user_id))
        return Role(found) if found else None

    async def members(self) -> list[Member]:
        """Everybody, in the order they came."""
        query = select(staff).order_by(staff.c.added_at, staff.c.user_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Member(user_id=row["user_id"], role=Role(row["role"]), name=row["name"]) for row in rows]

    async def put(self, member: Member, actor_id: int, now: Millis) -> None:
        """Give somebody a role, whatever theirs was."""
        values = {"role": member.role.value, "name": member.name}
        async with self._database.transaction() as connection:
            made = insert(connection, staff).values(user_id=member.user_id, added_at=now, **values)
            await connection.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=values))
            await record(connection, actor_id, "staff.put", f"{member.user_id} is {member.role}", now)

    async def remove(self, user_id: int, actor_id: int, now: Millis) -> bool:
        """Take somebody's role; False when they had none."""
        async with self._database.transaction() as connection:
            gone = (await connection.execute(delete(staff).where(staff.c.user_id == user_id))).rowcount
            if gone:
                await record(connection, actor_id, "staff.remove", str(user_id), now)
        return bool(gone)
