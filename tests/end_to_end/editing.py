"""An editor at work in the local Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.schema import chats

from .conftest import buttons

if TYPE_CHECKING:
    from bot.playground.telegram import Telegram
    from bot.store.store import Store

    from .conftest import World

#: Nothing waits for the clock of the machine, and nothing is counted by its days.
AT_ONCE = {
    "TAGWIRE_NEWSROOM__COUNTDOWN": "0",
    "TAGWIRE_NEWSROOM__DAILY_LIMIT": "0",
    "TAGWIRE_TELEGRAM__PER_SECOND": "0",
    "TAGWIRE_DELIVER__IN_FLIGHT": "32",
}


def text_of(message: dict) -> str:
    return message.get("text") or message.get("caption") or ""


def offers(message: dict, action: str) -> bool:
    return any(one.get("callback_data", "").startswith(f"hot-{action}:") for one in buttons(message))


async def panel(world: World, who: int, action: str = "send", after: int = 0) -> dict:
    """The newest message to `who` with that button, once there is one; `after` messages that there were before."""
    await world.wait_until(lambda: any(offers(one, action) for one in world.from_bot(who)[after:]))
    return [one for one in world.from_bot(who) if offers(one, action)][-1]


async def draft(world: World, text: str, who: int = 0) -> dict:
    """Write hot news; the message with the Send button."""
    who = who or world.admin
    before = len(world.from_bot(who))
    world.telegram.say(who, f"/broadcast {text}")
    return await panel(world, who, after=before)


async def answer(world: World, who: int, text: str, action: str = "send") -> dict:
    """Answer what the bot asked; the panel that comes then."""
    before = len(world.from_bot(who))
    world.telegram.say(who, text)
    return await panel(world, who, action, before)


async def ask(world: World, who: int, message: dict, data: str) -> dict:
    """Press a button that asks something, or answers with a message; that message."""
    return await world.next_message(who, world.press(who, message, data))


def shown(world: World, chat: int, message: dict) -> dict:
    """The message as it is now."""
    return world.telegram.message(chat, message["message_id"])


def copies(world: World, chat: int, part: str) -> list[dict]:
    """What a reader has of the bot that says so."""
    return [one for one in world.from_bot(chat) if part in text_of(one)]


def data_of(message: dict, action: str) -> str:
    return next(
        one["callback_data"] for one in buttons(message) if one.get("callback_data", "").startswith(f"hot-{action}:")
    )


async def crowd(store: Store, telegram: Telegram, number: int, language: str = "en") -> list[int]:
    """So many readers whom the bot has met."""
    people = [telegram.add_user(f"Reader {one}", language) for one in range(number)]
    rows = [{"id": one, "kind": "private", "language": language, "time_zone": "UTC", "created_at": 1} for one in people]
    async with store.database.transaction() as connection:
        await connection.execute(chats.insert(), rows)
    return people
