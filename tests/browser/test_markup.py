"""Whatever people and bots write is text on the page, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Stage

EVIL = (
    "<img src=x onerror=window.hit=1>",
    "<script>window.hit=1</script>",
    "</title><svg onload=window.hit=1>",
    "\"><iframe srcdoc='<script>parent.hit=1</script>'>",
    "javascript:window.hit=1",
    "{{constructor.constructor('window.hit=1')()}}",
    "&lt;b&gt; &#60;b&#62;",
    "\u202etxet desrever",
)


@pytest.mark.parametrize("evil", EVIL)
async def test_names_titles_texts_tags_and_buttons(evil: str, stage: Stage) -> None:
    """In every place that shows what somebody else chose."""
    page, token = stage.page, "1:a-token-of-nothing-000000000000"
    person = (await stage.api("/api/users", first_name=evil, part=evil))["id"]
    group = (await stage.api("/api/groups", title=evil, forum=True, admin=person))["id"]
    await stage.api("/api/topics", chat_id=group, name=evil)
    said = (await stage.api("/api/say", chat_id=person, text=evil))["message"]["message_id"]
    await stage.api("/api/say", chat_id=person, text=f"{evil} #<b>tag #{evil}")
    entities = [
        {"type": "text_link", "offset": 0, "length": 3, "url": "javascript:window.hit=1"},
        {"type": "<img src=x onerror=window.hit=1>", "offset": 3, "length": 2},
    ]
    keyboard = {"inline_keyboard": [[{"text": evil, "callback_data": evil[:40]}]]}
    sent = await stage.api(
        f"/bot{token}/sendMessage",
        chat_id=person,
        text=f"12345 {evil}",
        entities=entities,
        reply_markup=keyboard,
        reply_parameters={"message_id": said},
    )
    assert sent["ok"]
    await stage.api(f"/bot{token}/setMyCommands", commands=[{"command": "evil", "description": evil}])
    await stage.api("/newsroom/publish", title=evil, lead=evil, tags=[evil])
    await page.locator(f"[data-chat='{person}']").first.click()
    await expect(page.locator("li.mine .text").first).to_have_text(evil)
    await expect(stage.of_bot.filter(has_text="12345").locator(".keyboard button")).to_have_text(evil)
    await stage.of_bot.filter(has_text="12345").locator(".keyboard button").click()
    await page.get_by_role("button", name="Menu").click()
    await page.locator("#calls summary").first.click()
    await expect(page.locator("#chats")).to_contain_text(evil)
    assert await page.evaluate("window.hit") is None
    assert await page.locator("main :is(script, iframe, svg), main img:not(.photo), a[href^='javascript']").count() == 0
