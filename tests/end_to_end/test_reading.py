"""Searching, turning pages, picking tags, sharing and inline mode, in both languages, over HTTP."""

from __future__ import annotations

import pytest

from bot.app import opened
from bot.playground.html import detect
from tests.hot import send_hot

from .conftest import buttons

LANGUAGES = ("en", "uk")


def data(message: dict) -> list[str]:
    return [button.get("callback_data", "") for button in buttons(message)]


def labels(message: dict) -> list[str]:
    return [button["text"] for button in buttons(message)]


async def publish(world, titles, **story) -> None:
    """Publish with the tags in the feed, and poll in steps that the feed's window holds."""
    world.newsroom._categories = True
    for number, title in enumerate(titles):
        world.newsroom.publish(title=title, **story)
        if number % 20 == 19:
            await world.poll()
    await world.poll()


def shown(world, chat: int, message: dict) -> dict:
    """The message as it stands now."""
    return world.telegram.message(chat, message["message_id"])


# -- /search


@pytest.mark.parametrize(
    ("language", "ask", "found", "none", "no_word"),
    [
        ("en", "What shall I look for", "Found: мирного плану", "No article holds", "no word to look for"),
        ("uk", "Що шукати", "Знайдено: мирного плану", "Жодна стаття", "немає слова"),
    ],
)
async def test_search(language, ask, found, none, no_word, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await publish(world, ["Мирний план обговорили", "План на день", "Погода"])
    async with world.running():
        said = (await world.says(reader, "/search мирного плану"))["text"]
        assert said.startswith(found)
        assert "Мирний план обговорили" in said
        assert "План на день" not in said
        assert ask in (await world.says(reader, "/search"))["text"]
        assert "План на день" in (await world.says(reader, "план дня"))["text"]  # the answer to the question
        assert "Мирний план" in (await world.says(reader, "/find «мирний план»"))["text"]
        assert none in (await world.says(reader, "/find «план мирний»"))["text"]
        assert none in (await world.says(reader, "/find <b>жираф</b>"))["text"]
        assert no_word in (await world.says(reader, "/search ?!"))["text"]
        assert no_word in (await world.says(reader, '/search "'))["text"]


async def test_a_found_list_is_paged_in_place_and_grows_old(world) -> None:
    reader, other = world.telegram.add_user("Reader", "en"), world.telegram.add_user("Other", "en")
    await publish(world, [f"Giraffe number {n}" for n in range(25)])
    async with world.running():
        first = await world.says(reader, "/search giraffes")
        assert labels(first) == ["1/3", "›"]
        assert first["text"].count("Giraffe") == 10
    async with world.running():  # another process: nothing was kept in memory
        before = len(world.from_bot(reader))
        await world.press(reader, first, data(first)[1])
        await world.wait_until(lambda: labels(shown(world, reader, first)) == ["‹", "2/3", "›"])
        await world.press(reader, first, data(first)[1])  # a double tap shows the same page
        last = data(first)[0].rpartition(":")[0] + ":9999"
        await world.press(reader, first, last)
        await world.wait_until(lambda: labels(shown(world, reader, first)) == ["‹", "3/3"])
        assert shown(world, reader, first)["text"].count("Giraffe") == 5
        assert len(world.from_bot(reader)) == before
        theirs = await world.says(other, "/start")
        assert "too old" in (await world.press(other, theirs, data(first)[0]))["text"]
        assert "too old" in (await world.press(reader, first, "list:find:999:1"))["text"]
        assert "too old" in (await world.press(reader, first, "list:latest:999:1"))["text"]
        for forged in (
            "list:find:1+2:1",
            "list:find::1",
            "list:nothing:1:1",
            "list:find:1",
            "list:more:" + "9" * 45 + ":1",
        ):
            await world.press(reader, first, forged)
        assert "You follow nothing" in (await world.says(reader, "/list"))["text"]


# -- /latest, /more, /hot


@pytest.mark.parametrize(("language", "nothing"), [("en", "nothing more"), ("uk", "поки нічого")])
async def test_lists_turn_their_pages(language, nothing, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await publish(world, [f"Giraffe number {n}" for n in range(24)], tags=["giraffe"])
    async with world.running() as service:
        everything = await world.says(reader, "/latest")
        assert labels(everything)[0].startswith("1/")
        first = await world.says(reader, "/latest giraffe")
        assert labels(first) == ["1/3", "›"]
        await world.press(reader, first, data(first)[1])
        await world.wait_until(lambda: labels(shown(world, reader, first)) == ["‹", "2/3", "›"])
        many = await world.says(reader, "/latest giraffe " + " ".join(f"#tag{n}" for n in range(15)))
        assert labels(many) == ["1/3", "›"]
        await world.says(reader, "/sub #giraffe")
        world.newsroom.publish(title="Giraffe again", tags=["giraffe"])
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(reader))
        (card,) = world.cards(reader)
        more = await world.says(reader, "/related", reply_to=card["message_id"])
        assert labels(more) == ["1/3", "›"]
        await world.press(reader, more, data(more)[1])
        await world.wait_until(lambda: labels(shown(world, reader, more)) == ["‹", "2/3", "›"])
        said = await world.next_message(reader, world.press(reader, card, "more:99999"))
        assert nothing in said["text"]


@pytest.mark.parametrize(("language", "heading"), [("en", "Hot news"), ("uk", "Термінові новини")])
async def test_hot_news_in_pages(language, heading, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    async with opened(world.config) as store:
        for number in range(12):
            now = 1_800_000_000_000 + number
            sent = await send_hot(store, f"Hot <b>number</b> {number}", now, author=world.admin)
            assert await store.broadcasts.finish(sent.id, now)
    async with world.running():
        said = await world.says(reader, "/hot")
        assert said["text"].startswith(heading)
        assert labels(said) == ["1/2", "›"]
        assert said["text"].count("Hot number") == 10
        await world.press(reader, said, data(said)[1])
        await world.wait_until(lambda: shown(world, reader, said)["text"].count("Hot number") == 2)


# -- /trending, the six tags, the picker


@pytest.mark.parametrize(
    ("language", "rising", "follows", "stops"),
    [
        ("en", "Rising now", "You follow #giraffe", "You no longer follow #giraffe"),
        ("uk", "Зростають зараз", "Ви стежите за #giraffe", "Ви більше не стежите за #giraffe"),
    ],
)
async def test_what_rises_can_be_followed_and_stopped(language, rising, follows, stops, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await publish(world, [f"Animal {n}" for n in range(8)], tags=["giraffe"])
    async with world.running():
        said = await world.says(reader, "/trending")
        assert said["text"].startswith(rising)
        assert "#giraffe: 8" in said["text"]
        assert "➕ #giraffe" in labels(said)
        follow = data(said)[labels(said).index("➕ #giraffe")]
        assert follows in (await world.press(reader, said, follow))["text"]
        await world.wait_until(lambda: "✅ #giraffe" in labels(shown(world, reader, said)))
        assert follows in (await world.press(reader, said, follow))["text"]  # a double tap: still followed
        assert "#giraffe" in (await world.says(reader, "/list"))["text"]
        stop = follow[:-1] + "0"
        assert stops in (await world.press(reader, said, stop))["text"]
        await world.press(reader, said, stop)
        assert "#giraffe" not in (await world.says(reader, "/list"))["text"]
        start = await world.says(reader, "/start")
        assert "#giraffe · 8" in labels(start)
        assert sum(one.startswith("follow:") for one in data(start)) == 6
        assert "#giraffe · 8" in labels(await world.says(reader, "/sub"))


@pytest.mark.parametrize(("language", "says"), [("en", "No tag rises"), ("uk", "жоден тег не зростає")])
async def test_an_empty_archive_says_what_to_do(language, says, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    world.newsroom._stories.clear()
    async with world.running():
        said = await world.says(reader, "/trending")
        assert says in said["text"]
        assert "/latest" in said["text"]


@pytest.mark.parametrize(
    ("language", "all_tags", "mine", "find", "done", "none"),
    [
        ("en", "All tags", "Mine (1)", "Send a tag or the beginning", "You follow 1 rule", "No tag of the last"),
        ("uk", "Усі теги", "Мої (1)", "Надішліть тег або його початок", "Ви стежите за 1", "схожого тегу не було"),
    ],
)
async def test_the_picker(language, all_tags, mine, find, done, none, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    world.newsroom._categories = True
    for number in range(18):
        world.newsroom.publish(title=f"Animal {number}", tags=[f"animal_{number:02}"])
    await world.poll()
    async with world.running():
        said = await world.says(reader, "/sub")
        assert labels(said)[-1] == all_tags
        await world.press(reader, said, "pick:a:1")
        await world.wait_until(lambda: len([one for one in data(shown(world, reader, said)) if one[:4] == "tag:"]) == 8)
        page = shown(world, reader, said)
        following = next(one for one in data(page) if one.startswith("pick:a:2"))
        await world.press(reader, said, following)
        await world.wait_until(lambda: any(one.startswith("2/") for one in labels(shown(world, reader, said))))
        tag = next(one for one in data(shown(world, reader, said)) if one[:4] == "tag:")
        await world.press(reader, said, tag)
        await world.wait_until(lambda: mine in labels(shown(world, reader, said)))
        assert sum("✅" in one for one in labels(shown(world, reader, said))) == 1
        await world.press(reader, said, "pick:m:1")
        await world.wait_until(lambda: sum(one[:4] == "tag:" for one in data(shown(world, reader, said))) == 1)
        assert "✅" in labels(shown(world, reader, said))[0]
        asked = await world.next_message(reader, world.press(reader, said, "pick:search"))
        assert find in asked["text"]
        found = await world.says(reader, "animal")
        assert len([one for one in labels(found) if "#animal_" in one]) == 8
        await world.press(reader, found, next(one for one in data(found) if one.endswith(":2")))
        await world.wait_until(lambda: any(one == "2/3" for one in labels(shown(world, reader, found))))
        await world.press(reader, found, "pick:done")
        await world.wait_until(lambda: done in shown(world, reader, found)["text"])
        await world.next_message(reader, world.press(reader, found, "pick:search"))
        assert none in (await world.says(reader, "zzzzzz"))["text"]


@pytest.mark.parametrize(
    "forged",
    [
        "tag:a:1:999999:1",
        "tag:s99:1:1:1",
        "pick:s99:1",
        "tag:x:1:1:1",
        "tag:a:1:1:2",
        "pick:a:99999",
        "pick:s",
        "tag:a:1:1",
    ],
)
async def test_forged_and_old_buttons_of_the_picker(forged, world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub nato")
        await world.press(reader, said, forged)
        listed = (await world.says(reader, "/list"))["text"]
    assert "#nato" in listed


async def test_in_a_group_only_administrators_pick_and_everybody_reads(world) -> None:
    member = world.telegram.add_user("Member", "en")
    await publish(world, [f"Giraffe {n}" for n in range(12)], tags=["giraffe"])
    async with world.running():
        group = world.telegram.add_group("Forum", forum=True, admin=world.admin)
        await world.playground.wait_for(group)
        where = {"user_id": member, "thread_id": 7}
        found = await world.says(group, "/search@tagwire_bot giraffe", **where)
        assert found["message_thread_id"] == 7
        await world.press(group, found, data(found)[1], member)
        await world.wait_until(lambda: "2/2" in labels(shown(world, group, found)))
        assert "Example: /search" in (await world.says(group, "/search", **where))["text"]
        rising = await world.says(group, "/trending", **where)
        toggle = next(one for one in data(rising) if one.startswith("tag:t:"))
        assert "Only administrators of this chat" in (await world.press(group, rising, toggle, member))["text"]
        assert "You follow" in (await world.press(group, rising, toggle, world.admin))["text"]
        assert "You follow 1 rule" in (await world.says(group, "/list", **where))["text"]
        assert "Only administrators of this chat" in (await world.press(group, rising, "pick:a:1", member))["text"]


# -- /share and deep links


@pytest.mark.parametrize(
    ("language", "what"), [("en", "What would you like to share"), ("uk", "Чим хочете поділитися")]
)
async def test_share_makes_links_that_start_understands(language, what, world) -> None:
    reader, friend = world.telegram.add_user("Reader", language), world.telegram.add_user("Friend", language)
    long = "a" * 61
    async with world.running():
        assert what in (await world.says(reader, "/share"))["text"]
        said = await world.says(reader, f"/share #nato #гроші #{long} @sample #id7")
        links = [button["url"] for button in buttons(said)]
        payloads = [link.partition("?start=")[2] for link in links]
        assert links[0] == "https://t.me/tagwire_bot?start=tag_nato"
        assert payloads[3] == "src_sample"
        assert all(payloads[n].startswith("tag_id") for n in (1, 2, 4))
        assert all(link in said["text"] for link in links)
        for payload, term in zip(payloads, ["#nato", "#гроші", f"#{long}", "@sample", "#id7"], strict=True):
            one = world.telegram.add_user("Friend", language)
            assert term in (await world.says(one, f"/start {payload}"))["text"]
        await world.says(reader, "/sub #гроші")
        bare = await world.says(reader, "/share")
        assert labels(bare) == ["#гроші"]
        chosen = await world.next_message(reader, world.press(reader, bare, "share:"))
        assert "tag_id" in buttons(chosen)[0]["url"]
        assert "“2026”" in (await world.says(reader, "/share 2026"))["text"].replace("«", "“").replace("»", "”")
        for forged in ("tag_id999999", "src_id1", "tag_id", "src_id999", "tag_id" + "9" * 40):
            await world.says(friend, f"/start {forged}")
        await world.press(reader, bare, "share:999999")


# -- forwarded posts


async def test_hashtags_of_forwarded_posts_are_offered(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        await world.says(reader, "/sub")  # a question is open, but a forwarded post is no answer to it
        telegram, before = world.telegram, len(world.from_bot(reader))
        text = "Long story. " * 80 + "#NATO #Довгий_Жираф"
        message = telegram.new_message(
            telegram.chat(reader), telegram.users[reader], {"text": text, "entities": detect(text, [])}
        )
        message["forward_origin"] = {"type": "hidden_user", "sender_user_name": "A channel", "date": message["date"]}
        telegram.update({"message": message})
        await world.wait_until(lambda: len(world.from_bot(reader)) > before)
        offered = world.from_bot(reader)[-1]
        assert labels(offered) == ["Follow #nato", "Follow #довгий_жираф"]
        picture = {**message, "caption": "A picture #giraffe", "photo": []}
        picture["photo"] = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
        picture["caption_entities"] = [{"type": "hashtag", "offset": 10, "length": 8}]
        del picture["text"], picture["entities"]
        before = len(world.from_bot(reader))
        world.telegram.update({"message": picture})
        await world.wait_until(lambda: len(world.from_bot(reader)) > before)
        assert labels(world.from_bot(reader)[-1]) == ["Follow #giraffe"]


# -- inline mode


@pytest.mark.parametrize(
    ("language", "empty", "read"), [("en", "Nothing found", "Read"), ("uk", "Нічого не знайдено", "Читати")]
)
async def test_inline_mode_shares_an_article_into_any_chat(language, empty, read, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await publish(world, [f"Giraffe & number {n}" for n in range(12)], tags=["nato"])
    async with world.running():

        async def ask(text: str) -> dict:
            number = world.telegram.ask_inline(reader, text)
            await world.wait_until(lambda: bool(world.telegram.inline[number]))
            return {"id": number, **world.telegram.inline[number]}

        answer = await ask("nato")
        assert len(answer["results"]) == 10
        assert all("#nato" in one["text"] for one in answer["results"])
        group = world.telegram.add_group("Anywhere", admin=world.admin)
        sent = world.telegram.choose_inline(answer["id"], answer["results"][0]["id"], group, reader)
        assert sent["via_bot"]["username"] == "tagwire_bot"
        assert labels(sent) == [read]
        assert len((await ask(""))["results"]) == 10
        assert len((await ask("giraffes 7"))["results"]) == 1
        for text in ("<b>", '"', "#", "@sample", "x" * 300, "#nato -#eu +"):
            await ask(text)
        nothing = await ask("unicorn")
        assert nothing["results"] == []
        assert empty in nothing["button"]["text"]
        assert "You follow nothing" in (await world.says(reader, "/list"))["text"] or language == "uk"


# -- the rest of a message of many


async def test_what_a_message_of_many_has_no_room_for_is_behind_its_button(world) -> None:
    reader, stranger = (world.telegram.add_user(name, "en") for name in ("Reader", "Stranger"))
    await world.poll()
    async with world.running():
        await world.says(reader, "/sub @sample")
        await world.says(reader, "/pause 1h")
    long = "A headline that is as long as those of newsrooms sometimes are, and then longer still, of number"
    await publish(world, [f"{long} {number}." for number in range(60)])
    await world.deliver()  # puts them off
    async with world.running():
        world.telegram.say(reader, "/resume")
        await world.wait_until(lambda: any("Show the rest" in labels(one) for one in world.from_bot(reader)))
        gathered = next(one for one in world.from_bot(reader) if "Show the rest" in labels(one))
        rest = await world.next_message(reader, world.press(reader, gathered, "rest:"))
        assert rest["text"].startswith("The rest")
        listed = [line for line in rest["text"].splitlines() if line.startswith(long)]
        assert len(listed) == 10
        assert not any(line in gathered["text"] for line in listed)
        pages = -(-(60 - gathered["text"].count(long)) // 10)
        assert f"1/{pages}" in labels(rest)
        last = data(rest)[0][:-1] + str(pages)
        await world.press(reader, rest, last)
        await world.wait_until(lambda: f"{long} 0." in shown(world, reader, rest)["text"])
        hello = await world.says(stranger, "/start")
        assert "too old" in (await world.press(stranger, hello, data(gathered)[0]))["text"]
