"""What a bot may send is drawn as Telegram draws it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Stage

BOT = "/bot1:a-token-of-nothing-000000000000"


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\x00" + b"\x20\x60\xa0" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def test_photos_with_captions(stage: Stage) -> None:
    person = (await stage.api("/api/users", first_name="Zoe"))["id"]
    await stage.open("Zoe")
    photo = {"name": "x.png", "mimeType": "image/png", "buffer": _png(40, 30)}
    form = {"chat_id": str(person), "caption": "<b>Week</b> #nato", "parse_mode": "HTML", "photo": photo}
    await stage.page.request.post(f"{stage.url}{BOT}/sendPhoto", multipart=form)
    drawn = stage.of_bot.last.locator("img.photo")
    await expect(drawn).to_be_visible()
    assert await drawn.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 40
    await expect(stage.of_bot.last.locator(".text b")).to_have_text("Week")


async def test_previews_replies_edits_and_deletion(stage: Stage) -> None:
    person = (await stage.api("/api/users", first_name="Zoe"))["id"]
    await stage.open("Zoe")
    story = await stage.api("/newsroom/publish", story="seed")
    where = {"chat_id": person}
    await stage.api(f"{BOT}/sendMessage", **where, text=story["link"])
    await expect(stage.of_bot.last.locator(".preview b")).to_have_text(story["title"])
    quiet = {"link_preview_options": {"is_disabled": True}, "disable_notification": True}
    number = await stage.of_bot.last.get_attribute("data-message-id")
    answer = {"reply_parameters": {"message_id": int(number or 0)}}
    sent = await stage.api(f"{BOT}/sendMessage", **where, text=story["link"], **quiet, **answer)
    await expect(stage.of_bot).to_have_count(2)
    await expect(stage.of_bot.last.locator(".preview")).to_have_count(0)
    await expect(stage.of_bot.last.locator(".quote")).to_contain_text(story["link"][:40])
    await expect(stage.of_bot.last.locator(".time")).to_contain_text("silent")
    where |= {"message_id": sent["result"]["message_id"]}
    await stage.api(f"{BOT}/editMessageText", **where, text="<s>gone</s>", parse_mode="HTML")
    await expect(stage.of_bot.last.locator("s")).to_have_text("gone")
    await stage.api(f"{BOT}/deleteMessage", **where)
    await expect(stage.of_bot).to_have_count(1)


#: People write this often in a chat.
WRITTEN = """async ([chat, count]) => {
  const how = {method: "POST", headers: {"Content-Type": "application/json"}};
  for (let i = 0; i < count; i += 1) {
    await fetch("/api/say", {...how, body: JSON.stringify({chat_id: chat, text: `Message ${i} #tag`})});
  }
}"""


async def _a_group(stage: Stage) -> int:
    """A group, open, where the bot has greeted; it answers nothing there but commands."""
    group = (await stage.api("/api/groups", title="Zoo", admin=1001))["id"]
    await stage.open("Zoo")
    await expect(stage.of_bot).to_have_count(1)
    return group


async def test_two_hundred_chats_and_two_thousand_messages_stay_usable(stage: Stage) -> None:
    for number in range(200):
        await stage.api("/api/users", first_name=f"Reader {number}")
    group = await _a_group(stage)
    await stage.open("Reader 199")
    await expect(stage.button("Start")).to_be_visible()
    await stage.page.evaluate(WRITTEN, [group, 2000])
    await stage.open("Zoo")
    mine, earlier = stage.page.locator("li.mine"), stage.page.locator(".earlier")
    await expect(mine).to_have_count(200)
    await expect(mine.last).to_be_in_viewport()
    await earlier.get_by_role("button").press("Enter")
    # Coming near the top draws as many again, so there may be more.
    await expect(mine.filter(has_text="Message 1600 ")).to_be_attached()
    await expect(stage.page.locator("li.mine:focus")).to_have_count(1)
    await expect(earlier).to_be_attached()
    assert await mine.count() < 2000
    await mine.filter(has_text="Message 1600 ").focus()
    await stage.page.keyboard.press("ArrowUp")
    await expect(mine.filter(has_text="Message 1599 ")).to_be_focused()
    await mine.last.locator(".text button").click()  # a hashtag finds what is not drawn yet, too
    await expect(stage.page.locator("#found")).to_contain_text("2000 with #tag")


async def test_an_answer_to_a_press_is_shown_where_it_was_pressed(stage: Stage) -> None:
    here, elsewhere = [(await stage.api("/api/users", first_name=name))["id"] for name in ("Zoe", "Yan")]
    await stage.open("Zoe")
    shown = stage.page.locator("#toast:visible, #alert:visible")
    answers = stage.page.locator("#calls summary").filter(has_text="answerCallbackQuery")
    for number, (person, shows) in enumerate(((elsewhere, 0), (here, 1)), start=1):
        sent = await stage.api("/api/say", chat_id=person, text="x")
        pressed = {"chat_id": person, "message_id": sent["message"]["message_id"], "data": "of nobody"}
        await stage.api("/api/press", **pressed)
        await expect(answers).to_have_count(number)
        assert await shown.count() == shows  # at once: it would go away by itself


async def test_what_is_not_drawn_yet_is_edited_and_deleted_too(stage: Stage) -> None:
    group = await _a_group(stage)
    sent = [(await stage.api(f"{BOT}/sendMessage", chat_id=group, text=f"Old {n}"))["result"] for n in range(2)]
    await stage.page.evaluate(WRITTEN, [group, 250])
    await stage.open("Olivia")
    await stage.open("Zoo")
    earlier, drawn = stage.page.locator(".earlier"), stage.page.locator("li.message")
    await expect(earlier).to_have_text("Earlier messages (53)")
    first, second = ({"chat_id": group, "message_id": one["message_id"]} for one in sent)
    await stage.api(f"{BOT}/deleteMessage", **second)
    await expect(earlier).to_have_text("Earlier messages (52)")
    await stage.api(f"{BOT}/editMessageText", **first, text="Corrected")
    await stage.api(f"{BOT}/sendMessage", chat_id=group, text="after both")
    await expect(stage.of_bot).to_contain_text(["after both"])  # an edit brings nothing to the end
    await stage.page.locator("#messages").hover()
    await stage.page.mouse.wheel(0, -1_000_000)
    await expect(earlier).to_be_hidden()
    await expect(drawn).to_have_count(253)
    await expect(drawn.nth(1)).to_contain_text("Corrected")
