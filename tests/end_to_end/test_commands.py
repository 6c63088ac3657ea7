"""Every reader's command and spelling x every place x both languages x bare, with arguments, with bad ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog
from telegram.ext import CommandHandler

from bot.playground.telegram import BOT
from bot.telegram.handlers import find, follow, manage, privacy, read, rising, settings, share, start, volumes

from .commands import CHANNEL, GROUP, PAGE, PLACES, PRIVATE, REFUSED, ROWS, TOPIC, page
from .conftest import a_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import World

#: One service answers all of them: it starts once in each process of the tests.
at_one_service = pytest.mark.asyncio(loop_scope="module")
LANGUAGES = ("en", "uk")
THREAD = 7
READERS = (start, follow, manage, settings, volumes, read, rising, find, share, privacy)


@dataclass
class Answering:
    """A service that answers, and what it logs."""

    world: World
    logged: list
    people: dict[str, int]  #: who administrates, by language
    article: int  #: one that others are related to


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answering(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Answering]:
    async with a_world(tmp_path_factory.mktemp("commands"), limits=False) as world:
        for number in range(8):
            world.newsroom.publish(title=f"Giraffe {number} of Ukraine", tags=["giraffe"])
        await world.poll()
        async with world.stored() as store:
            (article, *_) = await store.articles.latest_ids(list(await store.articles.tag_ids(["giraffe"])), 1)
        people = {language: world.telegram.add_user("Admin", language) for language in LANGUAGES}
        # They write in a hundred chats, faster than anybody who is no admin is answered.
        world.settings["TAGWIRE_ADMINS"] = ",".join(map(str, people.values()))
        with structlog.testing.capture_logs() as logged:
            async with world.running():
                yield Answering(world, logged, people, article)


@dataclass
class Room:
    """A new chat of some kind, and who writes there."""

    world: World
    chat: int
    user: int
    thread: int | None = None

    async def says(self, text: str, **by: int) -> dict:
        return await self.world.says(self.chat, text, **{"user_id": self.user, "thread_id": self.thread, **by})


async def entered(one: Answering, place: str, language: str) -> Room:
    telegram, admin = one.world.telegram, one.people[language]
    if place == PRIVATE:
        reader = telegram.add_user("Reader", language)
        return Room(one.world, reader, reader)
    if place == CHANNEL:
        told = len(one.world.from_bot(admin))
        chat = telegram.add_channel("Wire", admin=admin)
        await one.world.wait_until(lambda: len(one.world.from_bot(admin)) > told)
        return Room(one.world, chat, admin)
    chat = telegram.add_group("Group", forum=place == TOPIC, supergroup=place == TOPIC, admin=admin)
    await one.world.wait_until(lambda: one.world.from_bot(chat))
    return Room(one.world, chat, admin, THREAD if place == TOPIC else None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [name for row in ROWS for name in row.names])
@at_one_service
async def test_it_answers(answering, name, place, language) -> None:
    (row,) = [one for one in ROWS if name in one.names]
    room, before = await entered(answering, place, language), len(answering.logged)
    member = answering.world.telegram.add_user("Member", language)
    if row.before:
        await room.says(row.before)
    asked = [row.apart if row.apart and place != PRIVATE else row.bare, row.given, row.bad]
    for said in asked:
        where = (
            {"reply_to": a_card(room, answering.article)} if name in {"more", "related"} and said is row.given else {}
        )
        typed = f"/{name} {said.typed.format(language=language)}".rstrip()
        answer = await room.says(typed, **where)
        assert said.expected(language) in text_of(answer), typed
        assert answer.get("message_thread_id") == room.thread
        assert ("silent" in answer) == (place == CHANNEL)
    if place in {GROUP, TOPIC} and row.changes:
        refused = await room.says(typed, user_id=member)
        assert REFUSED.expected(language) in text_of(refused)
    assert [one for one in answering.logged[before:] if one["log_level"] in {"error", "critical"}] == []


def text_of(message: dict) -> str:
    """What a message says, or the file that it is."""
    return message["text"] if "text" in message else message["caption"]


def a_card(room: Room, article: int) -> int:
    """An alert, as far as /more looks at it."""
    buttons = [[{"text": "More about", "callback_data": f"more:{article}"}]]
    content = {"text": "A headline", "reply_markup": {"inline_keyboard": buttons}}
    telegram = room.world.telegram
    message = telegram.new_message(telegram.chat(room.chat), BOT, content, room.thread)
    return message["message_id"]


def test_the_table_has_every_command_of_the_reader() -> None:
    class Nobody:
        def bind(self, handler):
            return lambda update, context: handler

    taken = {
        name
        for module in READERS
        for handler in module.handlers(Nobody())
        if isinstance(handler, CommandHandler)
        for name in handler.commands
    }
    assert taken == {name for row in ROWS for name in row.names}


def test_the_page_of_commands_is_made_of_it() -> None:
    assert PAGE.read_text() == page(), "python -m tests.end_to_end.commands writes it anew"
