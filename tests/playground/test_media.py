"""Photos, files and deletion on the local Telegram, through the real library, with Telegram's own refusals."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import aiohttp
import pytest
from telegram import Bot, InputFile, InputMediaDocument, InputMediaPhoto
from telegram.error import BadRequest

from bot.playground.clock import Clock
from bot.playground.server import Playground

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "42:a-token-for-the-playground-000000000000"
DAY_S = 24 * 60 * 60


def png(width: int = 2, height: int = 3, *, size: int = 0) -> bytes:
    """The head of a picture, which is all that anybody here reads."""
    return (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)).ljust(size, b"\x00")


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 30, 20) + b"\x03"
GIF = b"GIF89a" + struct.pack("<HH", 7, 8)


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: 1_764_000_000.0)


@pytest.fixture
async def playground(clock: Clock) -> AsyncIterator[Playground]:
    async with Playground(limits=False, now=clock) as one:
        yield one


@pytest.fixture
async def bot(playground: Playground) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, f"{playground.url}/bot", f"{playground.url}/file/bot") as one:
        yield one


@pytest.fixture
async def chat(playground: Playground) -> int:
    return playground.telegram.add_user("Olivia")


@pytest.mark.parametrize(
    ("content", "size"), [(png(), (2, 3)), (JPEG, (20, 30)), (GIF, (7, 8))], ids=["png", "jpeg", "gif"]
)
async def test_a_photo_is_sent_sent_again_by_its_id_and_fetched(bot, chat, content, size, playground) -> None:
    first = await bot.send_photo(chat, InputFile(content, "chart.png"), caption="<b>Week</b> #nato", parse_mode="HTML")
    assert [(one.width, one.height, one.file_size) for one in first.photo] == [(*size, len(content))]
    assert first.caption == "Week #nato"
    assert [entity.type for entity in first.caption_entities] == ["bold", "hashtag"]
    again = await bot.send_photo(chat, first.photo[-1].file_id)
    assert (again.photo, again.caption) == (first.photo, None)
    assert bytes(await (await bot.get_file(first.photo[-1])).download_as_bytearray()) == content
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{playground.url}/api/photo", params={"id": first.photo[-1].file_id}) as shown,
    ):
        assert shown.content_type.startswith("image/")
        assert await shown.read() == content
    logged = playground.calls[0]["params"]
    assert json.dumps(logged)  # the log holds what a person can read
    assert playground.calls[1]["method"] == "sendPhoto"


async def test_a_document_is_sent_and_fetched(bot, chat) -> None:
    sent = await bot.send_document(chat, InputFile(b"a,b", "report.csv"), caption="Report", disable_notification=True)
    assert (sent.document.file_name, sent.document.mime_type, sent.caption) == ("report.csv", "text/csv", "Report")
    assert bytes(await (await bot.get_file(sent.document.file_id)).download_as_bytearray()) == b"a,b"


async def test_what_is_refused_as_a_photo(bot, chat) -> None:
    document = (await bot.send_document(chat, InputFile(b"x", "x.txt"))).document.file_id
    for photo, says in (
        (InputFile(b"no picture", "x.png"), "Image_process_failed"),
        (InputFile(b"\xff\xd8\xff", "x.jpg"), "Image_process_failed"),
        (InputFile(png(0, 5), "x.png"), "Photo_invalid_dimensions"),
        (InputFile(png(9000, 1001), "x.png"), "Photo_invalid_dimensions"),
        (InputFile(png(2100, 100), "x.png"), "Photo_invalid_dimensions"),
        (InputFile(png(size=10 * 1024**2 + 1), "x.png"), "File of size 10485761 bytes is too big for a photo"),
        (InputFile(b"", "x.png"), "File must be non-empty"),
        ("AgACAgIAAxk", "Wrong file identifier/http url specified"),
        (document, "Can't use file of type document as photo"),
        ("https://e.org/x.png", "Failed to get http url content"),
        ("", "There is no photo in the request"),
    ):
        with pytest.raises(BadRequest) as raised:
            await bot.send_photo(chat, photo)
        assert raised.value.message.lower().startswith(says.lower())


@pytest.mark.parametrize("caption", ["я" * 1024, "🙂" * 1024])
async def test_captions_count_code_points_after_the_markup(bot, chat, caption) -> None:
    await bot.send_photo(chat, InputFile(png(), "x.png"), caption=f"<b>{caption}</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_photo(chat, InputFile(png(), "x.png"), caption=caption + "x")


async def test_captions_are_edited_and_taken_away(bot, chat) -> None:
    sent = await bot.send_photo(chat, InputFile(png(), "x.png"), caption="one")
    where = {"chat_id": chat, "message_id": sent.message_id}
    assert (await bot.edit_message_caption(**where, caption="<i>two</i>", parse_mode="HTML")).caption == "two"
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_caption(**where, caption="<i>two</i>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.edit_message_caption(**where, caption="x" * 1025)
    with pytest.raises(BadRequest, match="no text in the message to edit"):
        await bot.edit_message_text("x", **where)
    assert (await bot.edit_message_caption(**where)).caption is None
    text = await bot.send_message(chat, "x")
    with pytest.raises(BadRequest, match="no caption in the message to edit"):
        await bot.edit_message_caption(chat, text.message_id, caption="x")


async def test_media_are_exchanged(bot, chat) -> None:
    sent = await bot.send_photo(chat, InputFile(png(), "x.png"), caption="one")
    where = {"chat_id": chat, "message_id": sent.message_id}
    new = await bot.edit_message_media(InputMediaPhoto(png(8, 9), caption="<b>two</b>", parse_mode="HTML"), **where)
    assert (new.photo[-1].width, new.caption, new.caption_entities[0].type) == (8, "two", "bold")
    same = InputMediaPhoto(new.photo[-1].file_id, caption="<b>two</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_media(same, **where)
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier"):
        await bot.edit_message_media(InputMediaPhoto("nothing"), **where)
    file = await bot.edit_message_media(InputMediaDocument(b"a,b", filename="a.csv"), **where)
    assert (file.document.file_name, file.photo, file.caption) == ("a.csv", (), None)
    text = await bot.send_message(chat, "x")
    became = await bot.edit_message_media(InputMediaPhoto(png()), chat, text.message_id)
    assert (bool(became.photo), became.text) == (True, None)


async def test_get_file_knows_its_own_ids_only(bot, playground) -> None:
    with pytest.raises(BadRequest, match=r"(?i)invalid file_id"):
        await bot.get_file("nothing")
    async with aiohttp.ClientSession(playground.url) as web:
        for path in (f"/file/bot{TOKEN}/photos/file_9.png", "/file/botx/photos/file_0.png"):
            async with web.get(path) as answer:
                assert answer.status == 404


# -- deletion


async def test_messages_are_deleted_for_48_hours(bot, chat, clock, playground) -> None:
    ours = await bot.send_message(chat, "x")
    theirs = playground.telegram.say(chat, "y")["message_id"]
    assert await bot.delete_message(chat, theirs)  # in a private chat, theirs too
    clock.turn(2 * DAY_S + 1)
    with pytest.raises(BadRequest, match="can't be deleted for everyone"):
        await bot.delete_message(chat, ours.message_id)
    with pytest.raises(BadRequest, match="can't be deleted for everyone"):
        await bot.delete_messages(chat, [ours.message_id])
    assert [one["message_id"] for one in playground.telegram.messages(chat)] == [ours.message_id]
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(chat, 77)


async def test_many_are_deleted_at_once_and_the_missing_passed_over(bot, chat, playground) -> None:
    sent = [(await bot.send_message(chat, "x")).message_id for _ in range(3)]
    assert await bot.delete_messages(chat, [*sent, 77])
    assert playground.telegram.messages(chat) == []
    for wanted, says in (([], "identifiers are not specified"), (list(range(1, 102)), "(?i)too many message ident")):
        with pytest.raises(BadRequest, match=says):
            await bot.delete_messages(chat, wanted)


async def test_a_group_keeps_what_others_wrote(bot, playground, chat) -> None:
    group = playground.telegram.add_group("Group", admin=chat)
    theirs = playground.telegram.say(group, "y")["message_id"]
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(group, theirs)


# -- replies


async def test_a_reply_names_what_it_answers(bot, chat, playground) -> None:
    first = playground.telegram.say(chat, "question")["message_id"]
    answer = await bot.send_message(chat, "answer", reply_to_message_id=first)
    assert answer.reply_to_message.text == "question"
    with pytest.raises(BadRequest, match=r"(?i)message to be replied not found"):
        await bot.send_message(chat, "answer", reply_to_message_id=77)
    free = await bot.send_message(chat, "answer", reply_to_message_id=77, allow_sending_without_reply=True)
    assert free.reply_to_message is None
