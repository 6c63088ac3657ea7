"""The demo as a newcomer drives it: by mouse and keyboard, in a real browser."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.conftest import NARROW, START, Stage, demonstrated, seen

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

SEED = "NATO not commenting on American peace plan"
#: What a reader is shown, by the language of their app: name, and words of each screen.
READERS = {
    "en": ("Olivia", "seed", SEED, "You follow #nato", "More about", "Settings", r"Digest: \d+ articles"),
    "uk": (
        "Олена",
        "uk",
        "В Альянсі не коментують",
        "Ви стежите за #nato",
        "Більше про",
        "Налаштування",
        r"Дайджест: \d+ стат",
    ),
}
HOT = "Talks on the peace plan begin in Geneva."


@pytest.mark.parametrize("language", READERS)
async def test_from_start_to_a_card_and_every_screen(language: str, stage: Stage) -> None:
    name, story, headline, follows, more, settings, _ = READERS[language]
    await stage.open(name)
    await stage.button("Start").click()
    await expect(stage.of_bot.first).to_be_visible()
    await stage.picture(f"start-{language}", stage.page.locator(".chat"))
    await expect(await stage.say("/sub #nato #peace_plan")).to_contain_text(follows)
    await stage.page.locator(f"[data-publish={story}]").click()
    card = stage.card(headline)
    await expect(card).to_be_visible()
    await expect(card.get_by_role("link", name=headline).first).to_have_attribute("href", _of(stage))
    await expect(card).to_contain_text("loud")
    await stage.picture(f"card-{language}", stage.page.locator(".chat"))
    before = await stage.of_bot.count()
    await card.get_by_role("button", name=more).click()
    await expect(stage.of_bot.nth(before)).to_be_visible()
    for command, says in (("/sub", "#"), ("/list", "#peace_plan"), ("/settings", settings)):
        screen = await stage.say(command)
        await expect(screen).to_contain_text(says)
        await expect(screen.locator(".keyboard button").first).to_be_visible()
        shown = {"/sub": "picker"}.get(command, command[1:])
        await stage.picture(f"{shown}-{language}", stage.page.locator(".chat"))


@pytest.mark.parametrize("language", READERS)
async def test_a_digest_comes_when_the_clock_is_turned_on(language: str, browser: Browser, tmp_path: Path) -> None:
    name, *_, digest = READERS[language]
    async with demonstrated(tmp_path / "kept") as url, seen(browser, url) as stage:
        await stage.open(name)
        await stage.say("/sub #nato")
        await stage.say("/digest 08:00 18:30")
        for story in ("seed", "uk", "shared"):
            await stage.page.locator(f"[data-publish={story}]").click()
        await _waiting(tmp_path / "kept.db", 4)
        await stage.button("+8 hours").click()
        await expect(stage.page.locator("#clock")).to_contain_text("8 h ahead")
        await expect(stage.of_bot.filter(has_text=re.compile(digest)).last).to_be_visible()
        await stage.picture(f"digest-{language}", stage.page.locator(".chat"))


async def _waiting(database: Path, rows: int) -> None:
    """Wait until so many alerts are put off to a digest, which shows nowhere."""
    due = "SELECT count(*) FROM outbox WHERE state = 'queued' AND not_before >= ?"
    async with asyncio.timeout(20):
        with closing(sqlite3.connect(database)) as connection:
            while connection.execute(due, [(START + 1800) * 1000]).fetchone() != (rows,):  # noqa: ASYNC110 - a row tells nobody
                await asyncio.sleep(0.02)


def _of(stage: Stage) -> re.Pattern[str]:
    """An address of the sample newsroom."""
    return re.compile(re.escape(f"{stage.url}/newsroom/news/general/"))


async def test_mute_and_a_corrected_headline(stage: Stage) -> None:
    await stage.open("Olivia")
    await stage.say("/sub #nato")
    await stage.page.locator("[data-publish=seed]").click()
    card = stage.card(SEED)
    await expect(card).to_be_visible()
    await stage.page.locator("[data-publish=edit]").click()
    await expect(card).to_contain_text("(updated)")  # the same message, changed in its place
    await expect(card).to_contain_text("edited")
    await expect(stage.of_bot.filter(has_text=SEED)).to_have_count(1)
    await card.get_by_role("button", name="Mute #nato").click()
    said = stage.page.get_by_role("dialog", name="The bot says")
    await expect(said).to_contain_text("#nato is muted for 24 hours")
    await said.get_by_role("button", name="OK").click()
    await stage.open("Олена")
    await stage.say("/sub #nato")
    await stage.page.locator("[data-publish=shared]").click()
    shared = stage.of_bot.filter(has_text="joint centre for training")
    await expect(shared).to_be_visible()
    await stage.open("Olivia")
    await stage.say("/help")  # so what was to come has come
    await expect(shared).to_have_count(0)


async def test_hot_news_reaches_a_reader(stage: Stage) -> None:
    await stage.open("Olivia")
    await stage.say("/start")
    await stage.button("Draft it").click()
    await expect(stage.page.locator("#chat-title")).to_have_text("Publisher")
    await stage.page.get_by_role("button", name=re.compile(r"^Send to \d+ readers")).last.click()
    await expect(stage.of_bot.filter(has_text="Talks on the peace plan begin").last).to_be_visible()
    await expect(stage.page.locator("#chats").get_by_role("button", name="Olivia").locator(".unread")).to_have_text(
        "1 unread"
    )
    await stage.open("Olivia")
    await expect(stage.card("Talks on the peace plan begin")).to_be_visible()
    await expect(stage.page.locator("#chats").get_by_role("button", name="Olivia").locator(".unread")).to_be_hidden()


async def test_hot_news_by_two_persons(browser: Browser) -> None:
    asks = {"TAGWIRE_NEWSROOM__SECOND_PERSON": "true", "TAGWIRE_NEWSROOM__COUNTDOWN": "1s"}
    async with demonstrated(**asks) as url, seen(browser, url) as stage:
        for reader in ("Olivia", "Олена"):
            await stage.open(reader)
            await stage.say("/start")
        await stage.open("Publisher")
        await stage.say("/start")
        await stage.open("Editor")
        await stage.say(f"/broadcast {HOT}")
        await expect(stage.of_bot.last).to_contain_text("5 readers")
        await stage.picture("hot-preview", stage.page.locator(".chat"))
        await expect(stage.page.get_by_role("button", name=re.compile("^Send to"))).to_have_count(0)
        await stage.button("Ask a second person").click()
        await stage.open("Publisher")
        await stage.button("Look at it").click()
        await stage.open("Olivia")
        await expect(stage.of_bot.filter(has_text=HOT)).to_have_count(0)
        await stage.open("Publisher")
        await stage.page.get_by_role("button", name=re.compile(r"^Approve for 5 readers")).click()
        progress = stage.of_bot.filter(has_text="left 0")
        await expect(progress).to_contain_text("100 %")
        await stage.picture("hot-progress", stage.page.locator(".chat"))
        await progress.get_by_role("button", name="Report").click()
        await expect(stage.of_bot.last.locator("img.photo")).to_be_visible()
        await stage.picture("hot-report", stage.page.locator(".chat"))
        for reader in ("Olivia", "Олена"):
            await stage.open(reader)
            await expect(stage.of_bot.filter(has_text=HOT)).to_have_count(1)


async def test_a_fault_and_its_recovery(stage: Stage) -> None:
    await stage.open("Olivia")
    await stage.say("/sub #nato")
    for fault, status in (("429, too many", "429"), ("Outage", "502")):
        switch = stage.page.get_by_role("switch", name=fault)
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "true")
        cards = stage.of_bot.filter(has_text=SEED)
        before = await cards.count()
        await stage.page.locator("[data-publish=seed]").click()
        refused = stage.page.locator("#calls summary.failed").filter(has_text=f"{status} sendMessage")
        await expect(refused.first).to_be_visible()
        assert await cards.count() == before
        await switch.click()
        await expect(stage.page.locator("#fault-state")).to_have_text("No faults.")
        await expect(cards).to_have_count(before + 1, timeout=60_000)
    await stage.page.get_by_label("only what Telegram refused").check()
    await expect(stage.page.locator("#calls summary:not(.failed)")).to_have_count(0)


async def test_block_language_and_clock_of_a_person(stage: Stage) -> None:
    await stage.open("Olivia")
    answer = await stage.say("/help")
    time = answer.locator("time")
    await expect(time).to_have_text("10:20")  # New York
    await stage.page.locator("#person [name=time_zone]").select_option("Asia/Tokyo")
    await expect(stage.of_bot.last.locator("time")).to_have_text("00:20")
    await stage.page.locator("#person [name=language_code]").select_option("uk")
    await expect(stage.page.locator("#chat-clock")).to_contain_text("Tokyo")
    await stage.button("Block the bot").click()
    await expect(stage.page.get_by_role("switch", name="Block by this reader")).to_have_attribute(
        "aria-checked", "true"
    )
    await stage.button("Unblock the bot").click()
    await expect(stage.button("Block the bot")).to_be_visible()


async def test_keyboard_alone(stage: Stage) -> None:
    await stage.page.keyboard.press("Tab")
    await expect(stage.page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await stage.page.keyboard.press("Enter")
    await stage.page.keyboard.type("/tre")
    await expect(stage.page.locator("#offers [role=option]")).to_have_count(1)
    await stage.page.keyboard.press("ArrowDown")
    await stage.page.keyboard.press("Enter")
    await expect(stage.page.get_by_label("Message", exact=True)).to_have_value("/trending ")
    await stage.page.keyboard.press("Enter")
    await expect(stage.of_bot.first).to_be_visible()
    await stage.page.locator("#messages").focus()
    await stage.page.keyboard.press("ArrowUp")
    await stage.page.keyboard.press("r")
    await expect(stage.page.locator("#replying")).to_contain_text("Reply to")
    await stage.page.keyboard.type("/more")
    await stage.page.keyboard.press("Enter")
    await expect(stage.page.locator("li.mine").last.locator(".quote")).to_be_visible()


async def test_a_reply_in_a_ukrainian_layout_and_its_end(stage: Stage) -> None:
    await stage.open("Olivia")
    await stage.say("/help")
    replying = stage.page.locator("#replying")
    item = stage.of_bot.last
    await item.focus()
    await item.dispatch_event("keydown", {"key": "к", "code": "KeyR", "bubbles": True})
    await expect(replying).to_contain_text("Reply to")
    await stage.page.keyboard.type("/tre")
    await expect(stage.page.locator("#offers")).to_be_visible()
    await stage.page.keyboard.press("Escape")
    await expect(stage.page.locator("#offers")).to_be_hidden()
    await expect(replying).to_be_visible()
    await stage.page.keyboard.press("Escape")
    await expect(replying).to_be_hidden()
    await expect(stage.page.get_by_label("Message", exact=True)).to_be_focused()


async def test_the_menu_and_the_draft_are_those_of_a_chat(stage: Stage) -> None:
    field, menu = stage.page.get_by_label("Message", exact=True), stage.page.locator("#offers")
    await stage.open("Olivia")
    await field.fill("/tre")
    await expect(menu).to_be_visible()
    await stage.open("Спільнота › Новини")
    await expect(menu).to_be_hidden()
    await expect(field).to_have_value("")
    await field.fill("for the topic")
    await stage.page.locator("#chats").get_by_role("button", name="Спільнота").first.click()
    await expect(field).to_have_value("")
    await stage.open("Olivia")
    await expect(field).to_have_value("/tre")
    await stage.open("Спільнота › Новини")
    await expect(field).to_have_value("for the topic")
    await stage.button("Menu").click()
    await expect(menu).to_be_visible()
    await stage.page.locator("#chat-title").click()
    await expect(menu).to_be_hidden()


async def test_hashtags_find_and_deep_links_start(stage: Stage) -> None:
    await stage.open("Olivia")
    answer = await stage.say("/sub #nato")
    await stage.say("/help")
    await answer.get_by_role("button", name="#nato").first.click()
    await expect(stage.page.locator("#found")).to_contain_text("with #nato")
    await expect(stage.page.locator("li.mine").filter(has_text="/help")).to_be_hidden()
    await stage.button("Show all").click()
    share = await stage.say("/share #nato")
    link = share.locator("a[href*='start=tag_nato']").first
    await expect(link).to_be_visible()
    await link.click()
    await expect(stage.page.locator("li.mine").last).to_contain_text("/start tag_nato")


async def test_a_topic_has_its_own_line_and_messages(stage: Stage) -> None:
    await stage.open("Спільнота › Новини")
    await expect(stage.page.locator(".service")).to_contain_text("Новини")
    await stage.say("/sub #nato")
    await stage.page.locator("[data-publish=seed]").click()
    await expect(stage.card(SEED)).to_be_visible()
    await stage.page.locator("#chats").get_by_role("button", name="Спільнота").first.click()
    await expect(stage.page.locator(".service")).to_be_hidden()
    await expect(stage.of_bot.filter(has_text=SEED)).to_have_count(0)


async def test_an_open_group_that_becomes_a_supergroup_stays_open(stage: Stage) -> None:
    made = {"title": "Old group", "supergroup": False, "admin": 1001}
    group = (await stage.api("/api/groups", **made))["id"]
    await stage.open("Old group")
    await expect(stage.of_bot).to_have_count(1)
    await stage.page.get_by_label("Message", exact=True).fill("/sub #na")
    moved = (await stage.api("/api/migrate", chat_id=group))["id"]
    current = stage.page.locator("#chats [aria-current=true]")
    await expect(current).to_have_attribute("data-chat", str(moved))
    await expect(stage.page.locator(".service")).to_contain_text("became a supergroup")
    await expect(stage.of_bot).to_have_count(0)
    await expect(stage.page.get_by_label("Message", exact=True)).to_have_value("/sub #na")
    await expect(await stage.say("/sub #nato")).to_contain_text("#nato")


async def test_narrow_and_dark(browser: Browser) -> None:
    async with demonstrated() as url, seen(browser, url, viewport=NARROW, color_scheme="dark") as stage:
        await stage.open("Olivia")
        await stage.say("/sub #nato")
        await stage.button("Newsroom").click()
        await stage.page.locator("[data-publish=seed]").click()
        await stage.page.locator(".views").get_by_role("button", name="Chat").click()
        await expect(stage.card(SEED)).to_be_visible()
        await stage.picture("narrow-dark")
        for view in ("People", "Chat", "Newsroom"):
            await stage.page.locator(".views").get_by_role("button", name=view).click()
            assert await stage.page.evaluate("document.documentElement.scrollWidth") <= 360
            assert await stage.page.evaluate(CONTRAST) == []


async def test_light_and_wide_with_contrast(stage: Stage) -> None:
    await stage.open("Olivia")
    await stage.say("/sub #nato #peace_plan")
    await stage.page.locator("[data-publish=seed]").click()
    await expect(stage.card(SEED)).to_be_visible()
    assert await stage.page.evaluate(CONTRAST) == []
    await stage.picture("demo")


#: Texts whose contrast is under WCAG's AA: 4.5, by the formula of its 1.4.3.
CONTRAST = """
() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length && (colour[3] ?? 1) === 1) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".spoiler, :disabled, option")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${element.tagName} ${element.className} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return bad;
}
"""


async def test_what_was_kept_is_there_again(browser: Browser, tmp_path: Path) -> None:
    kept = tmp_path / "demo.json"
    async with demonstrated(kept) as url, seen(browser, url) as stage:
        await stage.open("Olivia")
        await stage.say("/sub #nato")
        await stage.page.locator("[data-publish=seed]").click()
        await expect(stage.card(SEED)).to_be_visible()
    async with demonstrated(kept) as url, seen(browser, url) as stage:
        await stage.open("Olivia")
        await expect(stage.card(SEED)).to_be_visible()
        await expect(await stage.say("/list")).to_contain_text("#nato")
