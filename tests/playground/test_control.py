"""What people do in the local Telegram beside writing: their clocks, menus, topics, what they have read, and faults."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.playground.clock import Clock
from bot.playground.keeping import Keeper, KeepError
from bot.playground.newsroom import Newsroom
from bot.playground.server import Playground

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = "42:a-token-for-the-playground-000000000000"


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    newsroom = Newsroom()
    async with Playground(limits=False, extra=newsroom.mount, preview=newsroom.preview) as one:
        yield one


async def ask(playground: Playground, method: str, address: str, **body: object) -> dict:
    given = {"json": body} if method != "GET" else {"params": body}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{playground.url}{address}", **given) as answer,
    ):
        return await answer.json()


async def bot(playground: Playground, method: str, **params: object) -> dict:
    return await ask(playground, "POST", f"/bot{TOKEN}/{method}", **params)


async def test_a_persons_language_and_clock(playground) -> None:
    person = (await ask(playground, "POST", "/api/users", first_name="Olivia", time_zone="Asia/Tokyo"))["id"]
    await ask(playground, "POST", "/api/users/change", user_id=person, language_code="uk", time_zone="UTC")
    (shown,) = (await ask(playground, "GET", "/api/state"))["users"]
    assert (shown["language_code"], shown["time_zone"], shown["blocked"]) == ("uk", "UTC", False)
    await ask(playground, "POST", "/api/say", chat_id=person, text="x")
    update = (await bot(playground, "getUpdates"))["result"][-1]
    assert update["message"]["from"]["language_code"] == "uk"
    assert "time_zone" not in update["message"]["from"]  # Telegram tells no bot
    for wrong in ({"time_zone": "Mars/Base"}, {"user_id": 404}):
        answer = await ask(playground, "POST", "/api/users/change", **{"user_id": person, **wrong})
        assert answer["error"].startswith("there is no")


async def test_the_narrowest_menu_in_the_persons_language(playground) -> None:
    person, other = playground.telegram.add_user("Олена", "uk"), playground.telegram.add_user("Olivia", "en")
    group = playground.telegram.add_group("Group", admin=person)

    async def menu(chat: int, user: int) -> str:
        found = (await ask(playground, "GET", "/api/commands", chat_id=chat, user_id=user))["commands"]
        return found[0]["command"] if found else ""

    async def put(name: str, scope: dict | None = None, language: str = "") -> None:
        commands = [{"command": name, "description": "x"}]
        await bot(playground, "setMyCommands", commands=commands, scope=scope, language_code=language)

    assert await menu(person, person) == ""
    await put("all")
    await put("all_uk", language="uk")
    assert [await menu(person, person), await menu(other, other)] == ["all_uk", "all"]
    await put("groups", {"type": "all_group_chats"})
    assert [await menu(group, person), await menu(other, other)] == ["groups", "all"]
    await put("admins", {"type": "all_chat_administrators"})
    assert [await menu(group, person), await menu(group, other)] == ["admins", "groups"]
    await put("own", {"type": "chat", "chat_id": other})
    assert await menu(other, other) == "own"
    await bot(playground, "deleteMyCommands", scope={"type": "chat", "chat_id": other})
    assert await menu(other, other) == "all"


async def test_topics_and_what_was_read(playground) -> None:
    person = playground.telegram.add_user("Olivia")
    group = (await ask(playground, "POST", "/api/groups", title="Group", forum=True, admin=person))["id"]
    topic = (await ask(playground, "POST", "/api/topics", chat_id=group, name="News"))["id"]
    assert (await bot(playground, "sendMessage", chat_id=group, text="x", message_thread_id=topic))["ok"]
    gone = await bot(playground, "sendMessage", chat_id=group, text="x", message_thread_id=topic + 50)
    assert gone["description"] == "Bad Request: message thread not found"
    shown = (await ask(playground, "GET", "/api/state"))["chats"][-1]
    assert shown["topics"] == [{"id": topic, "name": "News"}]
    assert shown["unread"] == [{"thread_id": topic, "count": 1}]
    await ask(playground, "POST", "/api/read", chat_id=group, thread_id=topic)
    assert (await ask(playground, "GET", "/api/state"))["chats"][-1]["unread"] == []
    refused = await ask(playground, "POST", "/api/topics", chat_id=person, name="x")
    assert refused["error"] == f"chat {person} has no topics"


async def test_the_clock_goes_forwards_only(playground) -> None:
    person = playground.telegram.add_user("Olivia")
    before = (await ask(playground, "POST", "/api/say", chat_id=person, text="x"))["message"]["date"]
    told = await ask(playground, "POST", "/api/clock", seconds=28_800)
    after = (await ask(playground, "POST", "/api/say", chat_id=person, text="x"))["message"]["date"]
    assert (told["ahead_s"], after - before >= 28_800) == (28_800, True)
    for wrong in (0, -5, 31 * 86_400):
        assert "forwards only" in (await ask(playground, "POST", "/api/clock", seconds=wrong))["error"]


async def test_an_outage_concerns_every_method_and_a_slow_telegram_answers(playground) -> None:
    person = playground.telegram.add_user("Olivia")
    await ask(playground, "POST", "/api/faults", kind="outage")
    assert [(await bot(playground, name))["error_code"] for name in ("getMe", "getUpdates")] == [502, 502]
    await ask(playground, "POST", "/api/faults", kind="slow", delay=600)
    listed = (await ask(playground, "GET", "/api/faults"))["faults"]
    assert [fault["kind"] for fault in listed] == ["outage", "slow"]
    await ask(playground, "DELETE", "/api/faults", kind="outage")
    assert (await bot(playground, "getMe"))["ok"]
    waiting = asyncio.create_task(bot(playground, "sendMessage", chat_id=person, text="x"))
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert not done
    assert playground.telegram.messages(person) == []  # what is late is not lost
    await ask(playground, "DELETE", "/api/faults")
    assert (await waiting)["ok"]


async def test_a_preview_shows_pages_of_this_server_alone(playground) -> None:
    story = await ask(playground, "POST", "/newsroom/publish", story="seed")
    path = story["link"].removeprefix(playground.url)
    shown = (await ask(playground, "GET", "/api/preview", path=path))["preview"]
    assert (shown["site"], shown["title"]) == ("Sample-Ukraine", story["title"])
    assert (await ask(playground, "GET", "/api/preview", path="/etc/passwd"))["preview"] is None


async def test_the_log_holds_each_call_with_its_answer(playground) -> None:
    person = playground.telegram.add_user("Olivia")
    await bot(playground, "sendMessage", chat_id=person, text="x")
    await bot(playground, "sendMessage", chat_id=404, text="x")
    one, two = (await ask(playground, "GET", "/api/calls", last=2))["calls"]
    assert (one["id"], one["status"], two["status"]) == (two["id"] - 1, 200, 400)
    assert two["answer"]["description"] == "Bad Request: chat not found"


async def test_a_keyboard_below_the_field_asks_for_a_place(playground) -> None:
    person, group = playground.telegram.add_user("Olivia"), playground.telegram.add_group("Group")
    asking = {"keyboard": [[{"text": "Where I am", "request_location": True}]]}
    sent = await bot(playground, "sendMessage", chat_id=person, text="x", reply_markup=asking)
    assert "reply_markup" not in sent["result"]
    shown = {chat["id"]: chat["keyboard"] for chat in (await ask(playground, "GET", "/api/state"))["chats"]}
    assert shown == {person: asking["keyboard"], group: []}
    refused = await bot(playground, "sendMessage", chat_id=group, text="x", reply_markup=asking)
    assert refused["description"] == "Bad Request: location can be requested in private chats only"
    await ask(playground, "POST", "/api/location", chat_id=person, latitude=50.45, longitude=30.523)
    update = (await bot(playground, "getUpdates"))["result"][-1]
    assert update["message"]["location"]["latitude"] == 50.45
    await bot(playground, "sendMessage", chat_id=person, text="x", reply_markup={"remove_keyboard": True})
    assert playground.telegram.chat(person).keyboard == []


# -- what is kept


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path, clock, newsroom = tmp_path / "kept.json", Clock(), Newsroom()
    before = Playground(limits=False, now=clock, extra=newsroom.mount)
    async with before, Keeper(path, before.telegram, {"clock": clock, "newsroom": newsroom}):
        person = before.telegram.add_user("Олена", "uk", part="reader")
        group = before.telegram.add_group("Group", forum=True, admin=person)
        topic = before.telegram.add_topic(group, "News")
        form = aiohttp.FormData({"chat_id": str(person)})
        form.add_field("photo", b"GIF89a\x07\x00\x08\x00", filename="x.gif")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{before.url}/bot{TOKEN}/sendPhoto", data=form) as answer,
        ):
            photo = (await answer.json())["result"]["photo"][0]["file_id"]
        await bot(before, "setMyCommands", commands=[{"command": "a", "description": "b"}])
        before.telegram.block(person)
        clock.turn(60)
        newsroom.publish_seed()
        state = await ask(before, "GET", "/api/state")
    clock, newsroom = Clock(), Newsroom()
    async with Playground(limits=False, now=clock, extra=newsroom.mount) as after:
        assert Keeper(path, after.telegram, {"clock": clock, "newsroom": newsroom}).read()
        again = await ask(after, "GET", "/api/state")
        assert [again[key] for key in ("users", "chats")] == [state[key] for key in ("users", "chats")]
        assert (clock.ahead_s, newsroom.stories[0].tags) == (60, ("peace_plan", "nato"))
        assert after.telegram.files.image(photo) == (b"GIF89a\x07\x00\x08\x00", "image/gif")
        assert (await bot(after, "getMyCommands"))["result"] == [{"command": "a", "description": "b"}]
        after.telegram.unblock(person)
        said = await bot(after, "sendMessage", chat_id=group, message_thread_id=topic, text="x")
        assert said["result"]["message_id"] > topic
        assert after.telegram.add_user("New") > person


async def test_a_burst_of_changes_is_written_soon(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    async with Playground() as playground, Keeper(path, playground.telegram, {}):
        playground.telegram.add_user("Olivia")
        async with asyncio.timeout(20):
            while not _users(path):  # noqa: ASYNC110 - a file tells nobody that it was written
                await asyncio.sleep(0.02)
        assert _users(path)[0]["first_name"] == "Olivia"


def _users(path: Path) -> list[dict]:
    return json.loads(path.read_text())["telegram"]["users"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "telegram": {"users": [1]}}'])
async def test_what_is_no_kept_state_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(content)
    playground = Playground()
    with pytest.raises(KeepError, match=r"kept\.json"):
        Keeper(path, playground.telegram, {}).read()


async def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    playground = Playground()
    keeper = Keeper(tmp_path / "no" / "kept.json", playground.telegram, {})
    assert not keeper.read()
    with pytest.raises(KeepError, match="No such file"):
        keeper.write()
