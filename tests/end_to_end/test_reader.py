"""What readers say and press, in both languages, through the real library over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.app import feeds_of

from .conftest import buttons

LANGUAGES = ("en", "uk")


@pytest.mark.parametrize(
    ("language", "welcome", "menu"), [("en", "News by hashtag", "What you follow"), ("uk", "Новини за", "За чим")]
)
async def test_start_help_and_the_menu_speak_the_readers_language(language, welcome, menu, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await world.poll()
    async with world.running():
        said = await world.says(reader, "/start")
        assert welcome in said["text"]
        assert {"follow:", "lang:uk"} <= {b["callback_data"].rstrip("0123456789") for b in buttons(said)}
        help_text = (await world.says(reader, "/help"))["text"]
        for command in ("/sub", "/unsub", "/list", "/latest", "/hot", "/more", "/lang"):
            assert command in help_text
        assert "/broadcast" not in help_text
        commands = world.telegram.commands
        await world.wait_until(lambda: ("chat:" + str(world.admin), "uk") in commands)
        shown = {one["command"]: one["description"] for one in commands["default:", "" if language == "en" else "uk"]}
        assert menu in shown["list"]
        assert "broadcast" not in shown
        assert "broadcast" in {one["command"] for one in commands[f"chat:{world.admin}", "uk"]}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_follow_list_unfollow_undo(language, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    async with world.running():
        said = await world.says(reader, "/sub #Peace_Plan НАТО")
        assert "#peace_plan, #nato" in said["text"]
        listed = (await world.says(reader, "/list"))["text"]
        assert "#peace_plan" in listed
        assert "#nato" in listed
        again = (await world.says(reader, "/sub nato"))["text"]
        assert again != said["text"]
        gone = await world.says(reader, "/unsub #nato")
        assert "#peace_plan" not in (await world.says(reader, "/unsub #eu"))["text"]
        assert "#nato" not in (await world.says(reader, "/list"))["text"]
        await world.press(reader, gone, "undo:")
        assert "#nato" in (await world.says(reader, "/tags"))["text"]
        picker = await world.says(reader, "/unsub")
        assert len(buttons(picker)) == 2
        await world.press(reader, picker, "del:")
        await world.press(reader, picker, "del:")  # a double press harms nothing
        assert "#nato" in (await world.says(reader, "/subscriptions"))["text"]


async def test_every_spelling_of_a_command_and_bare_ones(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        assert "Which tags" in (await world.says(reader, "/follow"))["text"]
        assert "You follow #nato" in (await world.says(reader, "nato"))["text"]  # the answer to the question
        assert "You follow #eu" in (await world.says(reader, "/subscribe #eu"))["text"]
        assert "What shall I stop?" in (await world.says(reader, "/unfollow"))["text"]
        assert "no longer follow #eu" in (await world.says(reader, "/unsubscribe eu"))["text"]
        offer = await world.says(reader, "#sanctions")
        assert [b["text"] for b in buttons(offer)] == ["Follow #sanctions"]
        assert [b["text"] for b in buttons(await world.says(reader, "#F-16"))] == ["Follow #f_16"]
        said = await world.next_message(reader, world.press(reader, offer, "follow:"))
        assert "You follow #sanctions" in said["text"]
        assert "I do not know that command" in (await world.says(reader, "/nonsense"))["text"]
        assert "I answer to commands" in (await world.says(reader, "hello there"))["text"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("/sub #nato + #peace_plan", "#nato and #peace_plan"),
        ("/sub #nato -#sport", "#nato but not #sport"),
        ('/sub "peace plan"', "You follow #peace_plan"),
        ("/sub peace plan", "You follow #peace_plan"),
        ("/sub 123", "“123” cannot be a hashtag"),
        ("/sub -#sport", "never gets #sport"),
        ("/sub @sample", "You follow @sample"),
        ("/sub @Sample + #nato", "@sample and #nato"),
        ("/sub @sampel", "Did you mean @sample?"),
        ("/sub @zzz", "There is no source @zzz"),
        ("/sources", "@sample — Sample Newsroom"),
        ("/start src_sample", "You follow @sample"),
        ("/sub #nato +", "needs a tag on both sides"),
        ('/sub "peace plan', "A quote is not closed"),
        ("/sub https://e.org/a", "A link is no tag"),
        ("/sub #F-16", "Telegram ends a hashtag at “-”, so F-16 is written #f_16 here."),
        ("/sub #nato #2026 #eu", "#nato #2026 #eu"),
        ("/sub " + "1 " * 400, "it needs at least one letter"),
        ("/unsub -#sport", "I found no tag"),
        ("/sub <b>", "I found no tag"),
        ("/sub #a&b<i>", ""),
        ("/sub " + "x" * 900, "too long"),
        ("/sub " + " ".join(f"#tag{n}" for n in range(40)), "too many"),
        ("/latest #no_such_tag_anywhere", "No article on"),
        ("/latest 123", "I found no tag"),
        ("/unsub #nato", "You follow nothing yet"),
        ("/more", "reply to an alert"),
        ("/hot", "No hot news yet"),
        ("/lang", "Which language"),
        ("/lang fr", "two languages"),
        ("/lang UK", "українською"),
        ("/list", "You follow nothing yet"),
        ("/start tag_nato", "You follow #nato"),
        ("/start tag_НАТО", "You follow #nato"),
        ("/start tag_", "News by hashtag"),
        ("/start nonsense", "News by hashtag"),
        ("/sub@tagwire_bot nato", "You follow #nato"),
        ("/sub\n#nato", "You follow #nato"),
        ("/SUB nato", "You follow #nato"),
    ],
)
async def test_what_is_typed_gets_a_clear_answer(typed, says, world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        assert says in (await world.says(reader, typed))["text"]


async def test_what_was_not_understood_is_marked_in_its_place(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub #nato #2026 #eu")
    marked = [e for e in said["entities"] if e["type"] == "underline"]
    place = said["text"].encode("utf-16-le")[2 * marked[0]["offset"] :][: 2 * marked[0]["length"]]
    assert place.decode("utf-16-le") == "2026"


@pytest.mark.parametrize(("language", "often"), [("en", "in the last 24 hours"), ("uk", "за останні 24 години")])
async def test_what_a_rule_would_have_brought_is_said_and_can_be_undone(language, often, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    await world.poll()
    async with world.running():
        said = await world.says(reader, "/sub #nato")
        assert f"1 {often}" in said["text"]
        many = await world.says(reader, "/sub #energy #kyiv -#sport")
        assert many["text"].count(often) == 2
        await world.press(reader, said, "stop:")
        listed = (await world.says(reader, "/list"))["text"]
    assert "#nato" not in listed
    assert "#energy" in listed
    assert often in listed


async def flood(world, title: str, number: int) -> None:
    """Very many articles, polled before they leave the feed."""
    for one in range(number):
        world.newsroom.publish(title=f"{title} {one}")
        if one % 20 == 0:
            await world.poll()
    await world.poll()


async def test_what_would_come_too_often_is_not_taken_unasked(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    await flood(world, "Flood", 211)
    async with world.running():
        said = await world.says(reader, "/sub #flood")
        assert "#flood would come often: 211 in the last 24 hours" in said["text"]
        assert "follow nothing yet" in (await world.says(reader, "/list"))["text"]
        sample = world.next_message(reader, world.press(reader, said, "take:"))
        assert (await sample)["text"].startswith("Latest on #flood")
        assert "#flood — 211 in the last 24 hours" in (await world.says(reader, "/list"))["text"]


async def test_a_tap_follows_also_what_comes_often_warns_and_shows_it(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    await flood(world, "NATO", 40)
    async with world.running():
        welcome = await world.says(reader, "/start")
        (button,) = [b for b in buttons(welcome) if b["text"].startswith("#nato")]
        await world.press(reader, welcome, button["callback_data"])
        await world.playground.wait_for(reader, predicate=lambda _: len(world.from_bot(reader)) == 3)
        told, sample = world.from_bot(reader)[1:]
        assert "You follow #nato" in told["text"]
        assert "It comes often" in told["text"]
        assert sample["text"].startswith("Latest on #nato")
        await world.says(reader, "/unsub #nato")
        await world.press(reader, welcome, "pick:a:1")
        await world.wait_until(lambda: buttons(world.from_bot(reader)[0])[0]["callback_data"].startswith("tag:"))
        picker = world.from_bot(reader)[0]  # in the same message
        (button,) = [b for b in buttons(picker) if "#nato" in b["text"]]
        assert "It comes often" in (await world.press(reader, picker, button["callback_data"]))["text"]
        assert "#nato" in (await world.says(reader, "/list"))["text"]


@pytest.mark.parametrize(
    ("language", "label", "mute"),
    [("en", "Latest on #nato", "Mute #nato"), ("uk", "Останнє за темою #nato", "Стишити #nato")],
)
async def test_a_tap_shows_at_once_what_comes_labelled_as_not_new(language, label, mute, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    world.newsroom.publish(title="NATO meets")
    await world.poll()
    async with world.running():
        welcome = await world.says(reader, "/start")
        (button,) = [b for b in buttons(welcome) if b["text"].startswith("#nato")]
        await world.press(reader, welcome, button["callback_data"])
        await world.playground.wait_for(reader, predicate=lambda _: len(world.from_bot(reader)) == 3)
        told, sample = world.from_bot(reader)[1:]
        assert "#nato" in told["text"]
        assert sample["text"].splitlines()[:2] == [label, "NATO meets"]
        assert buttons(sample)[2]["text"] == mute


async def test_what_a_sentence_refuses_is_not_followed(world) -> None:
    reader = world.telegram.add_user("Reader", "uk")
    async with world.running():
        said = await world.says(reader, "/sub #нато без #спорт")
        assert "Чого не хочете, пишіть із мінусом" in said["text"]
        listed = (await world.says(reader, "/list"))["text"]
    assert "#nato" in listed
    assert "спорт" not in listed


async def test_an_exclusion_can_be_undone(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub -#sport -#culture")
        await world.next_message(reader, world.press(reader, said, "admit:"))
        assert "follow nothing yet" in (await world.says(reader, "/list"))["text"]


async def test_a_tag_that_nobody_uses_gets_a_suggestion_and_is_followed_as_typed(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub #zelensky_ #sanctoins")
        assert "Did you mean" in said["text"]
        assert "#sanctions" in [b["text"] for b in buttons(said)]
        assert (
            "You follow #sanctions" in (await world.next_message(reader, world.press(reader, said, "follow:")))["text"]
        )
        assert "#sanctoins" in (await world.says(reader, "/list"))["text"]


@pytest.mark.parametrize(("typed", "meant"), [("#зеленського", "#zelenskyy"), ('"peace plans"', "#peace_plan")])
async def test_a_tag_typed_in_another_form_of_its_name_is_followed_as_typed_and_the_known_one_offered(
    typed, meant, world
) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, f"/sub {typed}")
    assert "Did you mean" in said["text"]
    assert meant in [b["text"] for b in buttons(said)]


async def test_what_a_chat_never_wants_is_listed_and_lifted(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running() as service:
        await world.says(reader, "/sub #nato, @sample")
        await world.says(reader, "/sub -#sport -@nobody")
        listed = (await world.says(reader, "/list"))["text"]
        assert "Never: #sport" in listed
        world.newsroom.publish(title="NATO plays football", tags=["nato", "sport"])
        world.newsroom.publish(title="Of this source", tags=["other"])
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(reader))
        assert "#sport may come again" in (await world.says(reader, "/unsub -#sport"))["text"]
        assert [card["text"].splitlines()[0] for card in world.cards(reader)] == ["Of this source"]
        world.newsroom.publish(title="NATO plays again", tags=["nato", "sport"])
        await service.poll(["sample"])
        await world.wait_until(lambda: len(world.cards(reader)) == 2)
        assert "no longer follow @sample" in (await world.says(reader, "/unsub @sample"))["text"]


async def test_language_can_be_changed(world) -> None:
    reader = world.telegram.add_user("Reader", "de")
    async with world.running():
        started = await world.says(reader, "/start")
        assert "News by hashtag" in started["text"]
        spoken = await world.next_message(reader, world.press(reader, started, "lang:uk"))
        assert "українською" in spoken["text"].lower()
        assert "Ви ще ні за чим" in (await world.says(reader, "/list"))["text"]
        assert "English" in (await world.says(reader, "/lang en"))["text"]


async def test_reading(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    await world.poll()  # the archive alerts nobody, but it can be read at once
    world.newsroom.publish_seed()
    async with world.running() as service:
        assert "No article on" in (await world.says(reader, "/latest #sport"))["text"]
        await world.says(reader, "/sub nato")
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(reader))
        (card,) = world.cards(reader)
        latest = (await world.says(reader, "/latest"))["text"]
        assert card["text"].splitlines()[0] in latest
        assert "Latest on #nato" in (await world.says(reader, "/latest nato"))["text"]
        more = await world.next_message(reader, world.press(reader, card, "more:"))
        assert more["text"].startswith("More about #nato #peace_plan")
        said = await world.says(reader, "/more", reply_to=card["message_id"])
        assert said["text"] == more["text"]


async def test_the_buttons_of_a_card(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    await world.poll()
    async with world.running() as service:
        await world.says(reader, "/sub nato")
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.wait_until(lambda: world.cards(reader))
        (card,) = world.cards(reader)
        assert [b["text"] for b in buttons(card)] == ["Read", "More about", "Mute #nato", "Unfollow"]
        muted = await world.press(reader, card, "mute:")
        assert "#nato is muted for 24 hours" in muted["text"]
        assert "muted until" in (await world.says(reader, "/list"))["text"]
        world.newsroom.publish(title="NATO again", tags=["nato"])
        await service.poll(["sample"])
        gone = await world.next_message(reader, world.press(reader, card, "drop:"))
        assert "You no longer follow #nato" in gone["text"]
        assert "do not follow that" in (await world.press(reader, card, "drop:"))["text"]
        assert "do not follow that" in (await world.press(reader, card, "mute:"))["text"]
        assert len(world.cards(reader)) == 1


@pytest.mark.parametrize(
    "data",
    [
        "follow:999999",
        "follow:x",
        "del:999999",
        "nonsense",
        "mute:0",
        "undo:9-",
        "take:999999.888888",
        "stop:-1",
        "take:" + "9" * 40,
        "follow:" + "9" * 40,
    ],
)
async def test_forged_and_old_buttons_change_nothing(data, world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub nato")
        await world.press(reader, said, data)
        listed = (await world.says(reader, "/list"))["text"]
    assert "You follow 1 rule" in listed


async def test_more_about_an_article_that_is_gone(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        started = await world.says(reader, "/start")
        said = await world.next_message(reader, world.press(reader, started, "more:999"))
    assert "nothing more" in said["text"]


async def test_pictures_and_the_like_get_an_answer(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        await world.says(reader, "/start")
        message = world.telegram.new_message(world.telegram.chat(reader), world.telegram.users[reader], {})
        message["sticker"] = {
            "file_id": "a", "file_unique_id": "b", "type": "regular", "width": 1, "height": 1,
            "is_animated": False, "is_video": False,
        }  # fmt: skip
        before = len(world.from_bot(reader))
        world.telegram.update({"message": message})
        await world.wait_until(lambda: len(world.from_bot(reader)) > before)
    assert "I can only read text" in world.from_bot(reader)[-1]["text"]


async def test_a_link_follows_says_what_this_is_and_shows_the_newest(world) -> None:
    reader = world.telegram.add_user("Reader", "uk")
    world.newsroom.publish(title="NATO meets")
    await world.poll()
    async with world.running():
        told = await world.says(reader, "/start tag_nato")
        assert told["text"].splitlines()[0].startswith("Ви стежите за #nato")
        assert "Новини за" in told["text"]
        assert "lang:en" in [button.get("callback_data") for button in buttons(told)]
        await world.playground.wait_for(reader, predicate=lambda _: len(world.from_bot(reader)) == 2)
        assert "NATO meets" in world.from_bot(reader)[1]["text"]
        again = await world.says(reader, "/start tag_eu")  # they know by now
        assert "Новини за" not in again["text"]
        assert "lang:en" not in [button.get("callback_data") for button in buttons(again)]


async def test_a_code_of_no_rule_is_too_old_and_a_forged_one_keeps_to_what_can_be_typed(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/sub " + " ".join(f"#tag{n}" for n in range(12)))
        async with world.stored() as store:
            ids = await store.articles.tag_ids([f"tag{n}" for n in range(12)])
        numbers = [str(number) for number in ids.values()]
        for forged in ("take:999999", "undo:999999", "take:" + "+".join(numbers)):
            assert "too old" in (await world.press(reader, said, forged))["text"], forged
        await world.press(reader, said, f"undo:{numbers[0]}+{numbers[0]}-{numbers[1]}-{numbers[1]}")
        assert "You follow 13 rules" in (await world.says(reader, "/list"))["text"]
        assert "#tag0 but not #tag1 again" in world.from_bot(reader)[0]["text"]


async def test_labels_and_answers_to_presses_are_no_html(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    feeds = tuple(replace(feed, title="News & <Views>") for feed in feeds_of(world.config))
    async with world.running(feeds):
        offer = await world.says(reader, "@sample")
        assert [button["text"] for button in buttons(offer)] == ["Follow News & <Views>"]
        shared = await world.says(reader, "/share @sample")
        assert [button["text"] for button in buttons(shared)] == ["Follow News & <Views>"]
        answer = await world.press(reader, offer, "follow:")
        assert answer["text"] == "You follow News & <Views>"
