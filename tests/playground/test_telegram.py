"""The local Telegram is as strict as the real one where it matters (telegram.md 1)."""

from __future__ import annotations

import asyncio
import json
import math

import aiohttp
import pytest

from bot.playground.html import ParseError, hashtags, parse
from bot.playground.limits import Limits
from bot.playground.server import Playground

TOKEN = "42:a-token-for-the-playground-000000000000"


@pytest.fixture
async def playground():
    async with Playground(limits=False) as one:
        yield one


async def api(playground: Playground, method: str, token: str = TOKEN, **params):
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{playground.url}/bot{token}/{method}", json=params) as r,
    ):
        return await r.json()


async def control(playground: Playground, method: str, path: str, **body):
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, f"{playground.url}/api/{path}", **({"json": body} if method != "GET" else {"params": body})
        ) as r,
    ):
        return r.status, await r.json()


# -- HTML


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>Ж</b>", "Ж", [("bold", 0, 1)]),
        ("🙂<i>x</i>", "🙂x", [("italic", 2, 1)]),
        ("<b><i>x</i></b>", "x", [("bold", 0, 1), ("italic", 0, 1)]),
        ("<a href='https://e.org/?a=1&amp;b=2'>x</a>", "x", [("text_link", 0, 1)]),
        ("<a href='javascript:x'>x</a>", "x", []),
        ("<b></b>x", "x", []),
        ("&lt;&gt;&amp;&quot;&#65;&#x42;&nbsp;", '<>&"AB&nbsp;', []),
        ("&lt b", "< b", []),
        ("a > b", "a > b", []),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("<STRONG>x</STRONG>", "x", [("bold", 0, 1)]),
    ],
)
def test_markup_that_is_read(html, text, entities) -> None:
    got_text, got = parse(html)
    assert got_text == text
    assert sorted((e["type"], e["offset"], e["length"]) for e in got) == entities


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("Ж<x>", 'Unsupported start tag "x" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b" at byte offset 0'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b x", 'Unclosed start tag "b" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
    ],
)
def test_markup_that_is_refused_in_telegrams_words(html, says) -> None:
    with pytest.raises(ParseError) as raised:
        parse(html)
    assert str(raised.value) == says


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#nato #мир", ["#nato", "#мир"]),
        ("#peace_plan,", ["#peace_plan"]),
        ("#peace-plan", ["#peace"]),
        ("#123 #1a", ["#1a"]),
        ("x#nato ##nato", ["#nato"]),
        ("#nato#eu", []),
    ],
)
def test_hashtags_that_can_be_clicked(text, found) -> None:
    assert [text[start:end] for start, end in hashtags(text)][: len(found) or None] == found or found == []


# -- sending


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"text": ""}, "Bad Request: message text is empty"),
        ({"text": " \n"}, "Bad Request: message text is empty"),
        ({"text": "я" * 4097}, "Bad Request: message is too long"),
        ({"text": "🙂" * 4097}, "Bad Request: message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "Bad Request: can't parse entities: Can't find end tag"),
        ({"text": "x", "parse_mode": "Markup"}, "Bad Request: unsupported parse_mode"),
        ({"text": "x", "message_thread_id": 5}, "Bad Request: message thread not found"),
        ({"text": "x", "chat_id": 404}, "Bad Request: chat not found"),
        (
            {"text": "x", "reply_markup": [[{"text": "", "callback_data": "x"}]]},
            "Bad Request: text buttons are unallowed",
        ),
        ({"text": "x", "reply_markup": [[{"text": "x"}]]}, "Bad Request: text buttons are unallowed"),
        (
            {"text": "x", "reply_markup": [[{"text": "x", "callback_data": "я" * 33}]]},
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_markup": [[{"text": "x", "url": "http://a b"}]]},
            "Bad Request: inline keyboard button URL",
        ),
        (
            {"text": "x", "reply_markup": [[{"text": "x", "callback_data": "x"}] * 9]},
            "Bad Request: reply markup is too long",
        ),
        (
            {"text": "x", "reply_markup": [[{"text": "x", "callback_data": "x"}]] * 101},
            "Bad Request: reply markup is too long",
        ),
    ],
)
async def test_what_telegram_refuses(params, says, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    if "reply_markup" in params:
        params = {**params, "reply_markup": json.dumps({"inline_keyboard": params["reply_markup"]})}
    answer = await api(playground, "sendMessage", **{"chat_id": chat, **params})
    assert (answer["ok"], answer["error_code"]) == (False, 400)
    assert answer["description"].startswith(says)


@pytest.mark.parametrize("text", ["я" * 4096, "🙂" * 4096])
async def test_lengths_are_code_points_after_the_markup(text, playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    assert (await api(playground, "sendMessage", chat_id=chat, text=f"<b>{text}</b>", parse_mode="HTML"))["ok"]


async def test_states_of_a_chat(playground) -> None:
    telegram = playground.telegram
    reader, group = telegram.add_user("Olivia"), telegram.add_group("Old", supergroup=False)
    moved = telegram.migrate(group)
    answer = await api(playground, "sendMessage", chat_id=group, text="x")
    assert (answer["error_code"], answer["parameters"]) == (400, {"migrate_to_chat_id": moved})
    telegram.block(reader)
    answer = await api(playground, "sendMessage", chat_id=reader, text="x")
    assert (answer["error_code"], answer["description"]) == (403, "Forbidden: bot was blocked by the user")
    telegram.unblock(reader)
    assert (await api(playground, "sendMessage", chat_id=reader, text="x"))["ok"]


async def test_edits(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    sent = (await api(playground, "sendMessage", chat_id=chat, text="x"))["result"]
    where = {"chat_id": chat, "message_id": sent["message_id"]}
    assert "not modified" in (await api(playground, "editMessageText", text="x", **where))["description"]
    assert (await api(playground, "editMessageText", text="y", **where))["result"]["text"] == "y"
    mine = playground.telegram.say(chat, "mine")
    assert (
        "can't be edited"
        in (await api(playground, "editMessageText", chat_id=chat, message_id=mine["message_id"], text="z"))[
            "description"
        ]
    )
    assert (await api(playground, "deleteMessage", **where))["ok"]
    assert "not found" in (await api(playground, "editMessageText", text="z", **where))["description"]


async def test_the_token_and_the_method_must_be_right() -> None:
    async with Playground(token=TOKEN) as playground:
        assert (await api(playground, "getMe"))["result"]["is_bot"]
        assert (await api(playground, "getMe", token="42:another-token"))["error_code"] == 401
        assert (await api(playground, "noSuchMethod"))["error_code"] == 404
        assert "setMyCommands" not in (await api(playground, "SETMYCOMMANDS", commands=[])).get("description", "")


# -- updates


async def test_long_polling_with_offsets(playground) -> None:
    chat = playground.telegram.add_user("Olivia")
    assert (await api(playground, "getUpdates"))["result"] == []
    waiting = asyncio.create_task(api(playground, "getUpdates", timeout=20))
    await asyncio.sleep(0)
    playground.telegram.say(chat, "one")
    (first,) = (await waiting)["result"]
    assert first["message"]["text"] == "one"
    playground.telegram.say(chat, "two")
    assert len((await api(playground, "getUpdates"))["result"]) == 2  # not confirmed yet
    (second,) = (await api(playground, "getUpdates", offset=first["update_id"] + 1))["result"]
    assert second["message"]["text"] == "two"


async def test_a_newer_poll_ends_the_older_one(playground) -> None:
    older = asyncio.create_task(api(playground, "getUpdates", timeout=20))
    while not playground._methods._polling:  # noqa: ASYNC110 - until the request has arrived
        await asyncio.sleep(0.01)
    newer = asyncio.create_task(api(playground, "getUpdates", timeout=20))
    assert (await older)["error_code"] == 409
    playground.telegram.add_group("Group")
    (added,) = (await newer)["result"]
    assert added["my_chat_member"]["new_chat_member"]["status"] == "member"


# -- flood rules


def test_flood_rules() -> None:
    now = [1000.0]
    limits = Limits(lambda: now[0])
    assert [limits.retry_after(chat) for chat in range(1, 31)] == [0] * 30
    assert limits.retry_after(31) == 1
    now[0] += 1
    assert [limits.retry_after(7) for _ in range(6)][-1] > 0  # more than a short burst to one chat
    now[0] += 10
    assert all(limits.retry_after(-5) == 0 for _ in range(20))
    assert 55 < limits.retry_after(-5) <= 60


async def test_a_429_says_how_long_in_the_body_and_the_header() -> None:
    async with Playground(clock=lambda: 5.0) as playground:
        chat = playground.telegram.add_user("Olivia")
        for _ in range(5):
            assert (await api(playground, "sendMessage", chat_id=chat, text="x"))["ok"]
        async with aiohttp.ClientSession() as session:
            url = f"{playground.url}/bot{TOKEN}/sendMessage"
            async with session.post(url, data={"chat_id": chat, "text": "x"}) as response:
                body = await response.json()
                assert (response.status, response.headers["Retry-After"]) == (429, "3")
    assert body["parameters"] == {"retry_after": 3}
    assert body["description"] == "Too Many Requests: retry after 3"


# -- the control API


async def test_everything_a_person_does_can_be_done_by_http(playground) -> None:
    status, made = await control(playground, "POST", "users", first_name="Олена", language_code="uk")
    assert (status, made["ok"]) == (200, True)
    chat = made["id"]
    await control(playground, "POST", "groups", title="Group", admin=chat, forum=True)
    _, said = await control(playground, "POST", "say", chat_id=chat, text="/start")
    _, pressed = await control(
        playground, "POST", "press", chat_id=chat, message_id=said["message"]["message_id"], data="x"
    )
    assert pressed["ok"]
    updates = (await api(playground, "getUpdates"))["result"]
    assert [next(iter(set(one) - {"update_id"})) for one in updates] == ["my_chat_member", "message", "callback_query"]
    _, state = await control(playground, "GET", "state")
    assert [user["first_name"] for user in state["users"]] == ["Олена"]
    await control(playground, "POST", "block", chat_id=chat)
    assert (await control(playground, "GET", "state"))[1]["users"][0]["blocked"]
    await control(playground, "POST", "faults", kind="500")
    assert (await api(playground, "sendMessage", chat_id=chat, text="x"))["error_code"] == 500
    await control(playground, "DELETE", "faults")
    _, calls = await control(playground, "GET", "calls")
    assert calls["calls"][-1]["status"] == 500


@pytest.mark.parametrize(
    ("given", "kept"), [({}, 3), ({"delay": None}, 3), ({"delay": 0.5}, 0.5), ({"delay": 0}, 0), ({"delay": 60}, 60)]
)
async def test_a_delay_is_taken_as_it_was_given(given, kept, playground) -> None:
    await control(playground, "POST", "faults", kind="slow", **given)
    _, shown = await control(playground, "GET", "faults")
    assert shown["faults"][0]["delay"] == kept


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("say", {"chat_id": 404, "text": "x"}, "there is no chat 404"),
        ("say", {"chat_id": "x", "text": "x"}, "chat_id must be a whole number"),
        ("say", {"chat_id": 1001.5, "text": "x"}, "chat_id must be a whole number"),
        ("say", {"chat_id": math.inf, "text": "x"}, "chat_id must be a whole number"),
        ("location", {"chat_id": 1001, "latitude": None, "longitude": 2}, "latitude must be a number from -90 to 90"),
        ("location", {"chat_id": 1001, "latitude": 999, "longitude": 2}, "latitude must be a number from -90 to 90"),
        ("location", {"chat_id": 1001, "latitude": 1, "longitude": "x"}, "longitude must be a number from -180 to 180"),
        ("location", {"chat_id": 1001, "latitude": math.nan, "longitude": 2}, "latitude must be a number"),
        ("faults", {"kind": "slow", "delay": -1}, "delay must be a number from 0 to 3600"),
        ("faults", {"kind": "slow", "times": 0}, "times must be 1 or more"),
        ("faults", {"kind": "429", "retry_after": 0}, "retry_after must be 1 or more"),
        ("groups", {"title": "x", "admin": 999}, "there is no user 999"),
        ("groups", {"title": "x", "admin": 999, "channel": True}, "there is no user 999"),
        ("users", {"first_name": "x", "language_code": 5}, "language_code must be a text"),
        ("users/change", {"user_id": 1001, "time_zone": 5}, "time_zone must be a text"),
        ("inline", {"user_id": 1001, "query": 5}, "query must be a text"),
        ("say", {"chat_id": 1001}, "text must be a text"),
        ("say", {"chat_id": 1001, "user_id": 1002, "text": "x"}, "user 1002 has no part in the private chat of 1001"),
        ("press", {"chat_id": 1001, "user_id": 1002, "message_id": 1, "data": "x"}, "user 1002 has no part"),
        ("say", {"chat_id": 1001, "text": "x" * 4097}, "a message has 4096 characters at most"),
        ("say", {"chat_id": 1002, "text": "x"}, "user 1002 has blocked the bot"),
        ("location", {"chat_id": 1002, "latitude": 1, "longitude": 2}, "user 1002 has blocked the bot"),
        ("say", {"chat_id": -1, "text": "x"}, "chat -1 is the supergroup -1000000000002 now"),
        ("say", {"chat_id": -1000000000003, "user_id": 1002, "text": "x"}, "user 1002 may not post in channel"),
        ("press", {"chat_id": 1001, "message_id": 9, "data": "x"}, "there is no message 9"),
        ("faults", {"kind": "flood"}, "there is no fault 'flood'"),
        ("users", {}, "first_name must be a text"),
    ],
)
async def test_wrong_calls_say_what_is_wrong(path, body, says, playground) -> None:
    telegram = playground.telegram
    first, second = telegram.add_user("Olivia"), telegram.add_user("Zoe")
    telegram.migrate(telegram.add_group("Group", supergroup=False, admin=first))
    telegram.add_channel("Wire", admin=first)
    telegram.block(second)
    updates, messages = len(telegram.updates), sum(len(chat.messages) for chat in telegram.chats.values())
    status, answer = await control(playground, "POST", path, **body)
    assert (status, answer["ok"]) == (400, False)
    assert says in answer["error"]
    assert "\n" not in answer["error"]
    # What is refused leaves no trace.
    assert (len(telegram.updates), sum(len(chat.messages) for chat in telegram.chats.values())) == (updates, messages)


async def test_other_sites_cannot_drive_it(playground) -> None:
    async with aiohttp.ClientSession() as session:
        rebound = {"Host": f"evil.example:{playground.url.rpartition(':')[2]}"}
        async with session.get(f"{playground.url}/api/state", headers=rebound) as response:
            assert response.status == 403
        form = {"Content-Type": "text/plain"}
        async with session.post(f"{playground.url}/api/say", data="{}", headers=form) as response:
            assert response.status == 415


async def test_events_tell_what_happens(playground) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{playground.url}/api/events") as response:
        assert response.content_type == "text/event-stream"
        chat = playground.telegram.add_user("Olivia")
        await api(playground, "sendMessage", chat_id=chat, text="x")
        seen = []
        async for line in response.content:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:])["type"])
            if "message" in seen:
                break
    assert seen[0] == "user"


async def test_an_answer_to_a_press_tells_where_and_whose_it_is(playground) -> None:
    person = playground.telegram.add_user("Olivia")
    group = playground.telegram.add_group("Group")
    sent = playground.telegram.say(group, "x", user_id=person)
    pressed = playground.telegram.press(group, sent["message_id"], "x", person)
    heard: asyncio.Queue[dict] = asyncio.Queue()
    playground.telegram.listeners.add(heard)
    await api(playground, "answerCallbackQuery", callback_query_id=pressed, text="Saved")
    told = heard.get_nowait()
    shown = {"chat_id": group, "user_id": person, "text": "Saved", "show_alert": False}
    assert told == {"type": "callback_answer", "id": pressed, **shown}


# -- inline mode


def an_article(number: str = "1", **more: object) -> dict:
    return {"type": "article", "id": number, "title": "T", "input_message_content": {"message_text": "x"}, **more}


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"results": "x"}, "can't parse results JSON object"),
        ({"results": {}}, "expected an Array of InlineQueryResult"),
        ({"results": [an_article(str(n)) for n in range(51)]}, "RESULTS_TOO_MUCH"),
        ({"results": [an_article(), an_article()]}, "RESULT_ID_DUPLICATE"),
        ({"results": [an_article("")]}, "RESULT_ID_INVALID"),
        ({"results": [an_article("я" * 33)]}, "RESULT_ID_INVALID"),
        ({"results": [an_article(title=" ")]}, "ARTICLE_TITLE_EMPTY"),
        ({"results": [{"type": "photo"}]}, "only articles"),
        ({"results": [an_article(input_message_content=None)]}, "input message content is not specified"),
        ({"results": [an_article(input_message_content={"message_text": ""})]}, "message text is empty"),
        (
            {"results": [an_article(input_message_content={"message_text": "<b>", "parse_mode": "HTML"})]},
            "can't parse entities",
        ),
        ({"results": [an_article(reply_markup={"inline_keyboard": [[{"text": "x"}]]})]}, "text buttons are unallowed"),
        ({"results": [], "cache_time": -1}, "cache time"),
        ({"results": [], "next_offset": "x" * 65}, "NEXT_OFFSET_INVALID"),
        ({"results": [], "button": {"text": "x", "start_parameter": "ї"}}, "START_PARAM_INVALID"),
        ({"results": [], "button": {"text": "", "start_parameter": "x"}}, "SWITCH_PM_TEXT_EMPTY"),
    ],
)
async def test_what_telegram_refuses_of_an_inline_answer(params, says, playground) -> None:
    query = playground.telegram.ask_inline(playground.telegram.add_user("Olivia"), "nato")
    assert says in (await api(playground, "answerInlineQuery", inline_query_id=query, **params))["description"]


async def test_an_inline_query_is_answered_once_and_a_result_sent_anywhere(playground) -> None:
    reader = playground.telegram.add_user("Olivia")
    group = playground.telegram.add_group("Friends")
    _, asked = await control(playground, "POST", "inline", user_id=reader, query="nato")
    update = (await api(playground, "getUpdates"))["result"][-1]
    assert (update["inline_query"]["query"], update["inline_query"]["id"]) == ("nato", asked["id"])
    text = {"message_text": "<b>x</b> #nato", "parse_mode": "HTML"}
    answer = {"inline_query_id": asked["id"], "results": [an_article(input_message_content=text)]}
    assert (await api(playground, "answerInlineQuery", **answer))["result"] is True
    assert "query is too old" in (await api(playground, "answerInlineQuery", **answer))["description"]
    _, shown = await control(playground, "GET", "inline", id=asked["id"])
    assert [one["title"] for one in shown["answer"]["results"]] == ["T"]
    chosen = {"id": asked["id"], "result_id": "1", "chat_id": group, "user_id": reader}
    _, sent = await control(playground, "POST", "inline/choose", **chosen)
    assert sent["message"]["via_bot"]["username"] == "tagwire_bot"
    assert [entity["type"] for entity in sent["message"]["entities"]] == ["bold", "hashtag"]
    status, _ = await control(playground, "POST", "inline/choose", **{**chosen, "result_id": "2"})
    assert status == 400
