"""Which channels a person chooses the news of, from their private chat with the bot.

Telegram says who administrates a channel, one question for one person; which channels to ask about is what is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, true, update

from bot.core.model import ChatKind
from bot.store.articles import insert
from bot.store.chats import load_chats
from bot.store.schema import chats, managers

if TYPE_CHECKING:
    from bot.core.model import Chat, Millis
    from bot.store.database import Database


class Managers:
    """People and their channels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, user_id: int, chat_id: int) -> None:
        """This person has to do with this channel."""
        async with self._database.transaction() as connection:
            made = insert(connection, managers).values(user_id=user_id, channel_id=chat_id)
            await connection.execute(made.on_conflict_do_nothing())

    async def drop(self, user_id: int, chat_id: int) -> None:
        """They have not, any more."""
        mine = managers.c.user_id == user_id, managers.c.channel_id == chat_id
        async with self._database.transaction() as connection:
            await connection.execute(delete(managers).where(*mine))

    async def channels(self, user_id: int) -> list[Chat]:
        """The channels of a person that the bot is in, by title."""
        query = (
            select(managers.c.channel_id)
            .join(chats, chats.c.id == managers.c.channel_id)
            .where(managers.c.user_id == user_id, chats.c.active == true(), chats.c.kind == ChatKind.CHANNEL.value)
        )
        async with self._database.reading() as connection:
            found = await load_chats(connection, (await connection.scalars(query)).all())
        return sorted(found.values(), key=lambda chat: (chat.title.casefold(), chat.id))

    async def choose(self, private_id: int, chat_id: int, until: Millis) -> None:
        """Commands in this private chat are for that channel until then; 0: for the private chat itself."""
        chosen = update(chats).where(chats.c.id == private_id).values(manages=chat_id, manages_until=until)
        async with self._database.transaction() as connection:
            await connection.execute(chosen)
