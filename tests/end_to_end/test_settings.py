"""The commands of peace of mind, in both languages: bare, with arguments, with bad ones, and their buttons."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import buttons

EN, UK = "en", "uk"

SAID = [
    (
        EN,
        "/settings",
        "Settings\nQuiet hours: off\nDigest: off\nHot news: with a sound, but not in quiet hours\nAlerts with a sound in a day: 8",
    ),
    (UK, "/settings", "Налаштування\nТихі години: вимкнено\nДайджест: вимкнено\nТермінові новини: зі звуком, але не"),
    (EN, "/quiet", "Quiet hours: off\nNothing comes in quiet hours."),
    (UK, "/quiet", "Тихі години: вимкнено\nУ тихі години нічого не надходить."),
    (EN, "/quiet 22-7", "Quiet hours: 22:00–07:00"),
    (UK, "/quiet 22:30 – 06:45", "Тихі години: 22:30–06:45"),
    (EN, "/quiet off", "Quiet hours: off"),
    (UK, "/quiet вимк", "Тихі години: вимкнено"),
    (EN, "/quiet 25:00-07:00", "I need two times of day"),
    (UK, "/quiet колись", "Потрібні два часи доби"),
    (EN, "/digest", "Digest: off\nA digest is one message"),
    (UK, "/digest", "Дайджест: вимкнено\nДайджест — це одне"),
    (EN, "/digest 18:30 8", "Digest: 08:00, 18:30, everything"),
    (UK, "/digest 08:00", "Дайджест: 08:00, усе"),
    (EN, "/digest off", "Digest: off"),
    (EN, "/digest tomorrow", "I need one to six times of day"),
    (UK, "/digest 1 2 3 4 5 6 7", "Потрібно від одного до шести"),
    (EN, "/pause", "Pause: off\nWhile it is paused nothing comes"),
    (UK, "/pause", "Пауза: вимкнено"),
    (EN, "/pause 8h", "Paused until "),
    (UK, "/pause 2 дн", "Пауза до "),
    (EN, "/pause 0h", "I need a length of time"),
    (UK, "/pause 99999w", "Потрібна тривалість"),
    (EN, "/resume", "Nothing is paused here."),
    (UK, "/resume", "Тут нічого не на паузі."),
    (EN, "/tz", "Time zone: Kyiv, it is "),
    (UK, "/tz", "Часовий пояс: Київ, зараз "),
    (EN, "/tz Europe/Warsaw", "Time zone: Warsaw, it is "),
    (UK, "/tz варшава", "Часовий пояс: Варшава, зараз "),
    (EN, "/tz +2", "Time zone: UTC+2, it is "),
    (EN, "/tz UTC+5:30", "Time zone: Kolkata, it is "),
    (EN, "/tz +10:30", "I do not know that place."),
    (EN, "/tz Atlantis", "I do not know that place."),
    (UK, "/tz +15", "Я не знаю такого місця."),
    (EN, "/mute", "You follow nothing yet."),
    (UK, "/mute #nato 24h", "Ви ще ні за чим не стежите."),
]


@pytest.mark.parametrize("language", [EN, UK])
async def test_what_is_typed(language, world) -> None:
    wrong = []
    async with world.running():
        for spoken, command, expected in SAID:
            if spoken == language:
                reader = world.telegram.add_user("Reader", language)
                said = (await world.says(reader, command))["text"]
                if not said.startswith(expected):
                    wrong.append((command, said))
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "muted", "lifted", "bad", "strange"),
    [
        (EN, "#nato: muted until ", "#nato: not muted any more.", "I need a tag", "You did not follow #sport."),
        (UK, "#nato: стишено до ", "#nato: більше не стишено.", "Потрібні тег", "Ви не стежили за #sport."),
    ],
)
async def test_mute(language, muted, lifted, bad, strange, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    async with world.running():
        await world.says(reader, "/sub nato")
        for command, expected in (
            ("/mute #nato 24h", muted),
            ("/mute #nato off", lifted),
            ("/mute nato", muted),
            ("/mute 8h", bad),
            ("/mute #nato 9999w", bad),
            ("/mute #nato 5x", bad),
            ("/mute #sport 1d", strange),
        ):
            assert (await world.says(reader, command))["text"].startswith(expected), command
        asked = await world.says(reader, "/mute")
        assert [button["text"] for button in buttons(asked)] == ["#nato"]


def shown(world, chat: int, message: dict) -> dict:
    """A message as it is now."""
    return world.telegram.message(chat, message["message_id"])


def chosen(message: dict) -> list[str]:
    return [button["text"][2:] for button in buttons(message) if button["text"].startswith("✓")]


async def test_the_screens_of_settings_are_one_message(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/settings")
        for data, line, marks in (
            ("set:qshow=q", "Quiet hours: off", ["Off"]),
            ("set:qquiet=1320-420", "Quiet hours: 22:00–07:00", ["22:00–07:00"]),
            ("set:qquiet=1320-420", "Quiet hours: 22:00–07:00", ["22:00–07:00"]),  # a double tap
            ("set:ashow=a", "Settings", ["English"]),
            ("set:dshow=d", "Digest: off", ["Off"]),
            ("set:ddigest=480.1110", "Digest: 08:00, 18:30, everything", ["08:00 18:30", "Everything"]),
            ("set:dall=0", "Digest: 08:00, 18:30, only tags set to digest", ["08:00 18:30", "Only chosen tags"]),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:hshow=h", "Hot news: with a sound, but not", ["with a sound, but not in quiet hours"]),
            ("set:hhot=loud", "Hot news: with a sound, in quiet", ["with a sound, in quiet hours too"]),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:cshow=c", "Alerts with a sound in a day: 8", ["8"]),
            ("set:ccap=1000", "Alerts with a sound in a day: no limit", ["no limit"]),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:pshow=p", "Pause: off", []),
            ("set:ppause=480", "Paused until ", []),
            ("set:ppause=off", "Pause: off", []),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:zshow=z", "Time zone: Kyiv", None),
            ("set:ztz=Europe/Warsaw", "Time zone: Warsaw", None),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:vshow=v", "Previews of articles: off", ["Off"]),
            ("set:vpreview=1", "Previews of articles: on", ["On"]),
            ("set:ashow=a", "Settings", ["English"]),
            ("set:alang=uk", "Налаштування", ["Українська"]),
        ):
            held = [button["callback_data"] for button in buttons(shown(world, reader, said))]
            assert data in held, (data, held)
            await world.press(reader, said, data)
            await world.wait_until(lambda line=line: shown(world, reader, said)["text"].startswith(line))
            if marks is not None:
                assert chosen(shown(world, reader, said)) == marks
        before = shown(world, reader, said)["text"]
        for forged in ("set:qquiet=1-1", "set:qquiet=9999-1", "set:ddigest=x", "set:ccap=7", "set:hhot=no", "set:ztz=Nowhere",
                       "set:ppause=99999999", "set:xshow=x", "set:alang=de", "set:vpreview=2", "rule:1=loud", "rule:999"):  # fmt: skip
            answer = await world.press(reader, said, forged)
            assert answer.get("text"), forged
        assert shown(world, reader, said)["text"] == before
        assert len(world.from_bot(reader)) == 1


async def test_a_button_of_no_screen_changes_nothing(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        said = await world.says(reader, "/settings")
        assert "too old" in (await world.press(reader, said, "set:xquiet=60-120"))["text"]
        assert "Quiet hours: off" in (await world.says(reader, "/settings"))["text"]


async def test_list_says_and_changes_how_each_comes(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        await world.says(reader, "/sub nato")
        said = await world.says(reader, "/list")
        assert [button["text"] for button in buttons(said)] == ["#nato"]
        await world.press(reader, said, "rule:")
        await world.wait_until(lambda: shown(world, reader, said)["text"] == "#nato — comes with a sound")
        for state, line, listed in (
            ("silent", "comes without a sound", ", without a sound"),
            ("digest", "comes in the digest; when: /digest", ", in the digest"),
            ("mute", "comes in the digest; when: /digest, muted until", ", in the digest, muted until"),
            ("unmute", "comes in the digest; when: /digest", ", in the digest"),
        ):
            (data,) = [
                b["callback_data"]
                for b in buttons(shown(world, reader, said))
                if b["callback_data"].endswith(f"={state}")
            ]
            await world.press(reader, said, data)
            await world.wait_until(lambda line=line: line in shown(world, reader, said)["text"])
            assert listed in (await world.says(reader, "/list"))["text"]
        assert "Digest: 08:00, 18:30, only tags set to digest" in (await world.says(reader, "/digest"))["text"]
        await world.press(reader, said, "del:")
        await world.wait_until(lambda: "no longer follow" in shown(world, reader, said)["text"])


@pytest.mark.parametrize(
    ("language", "asks", "warsaw", "stays"),
    [
        (EN, "Tap the button below, or write a city", "Time zone: Warsaw, it is ", "Nothing was changed.\nTime zone: Warsaw"),
        (UK, "Торкніться кнопки внизу або напишіть", "Часовий пояс: Варшава, зараз ", "Нічого не змінено.\nЧасовий пояс: Варшава"),
    ],
)  # fmt: skip
async def test_the_time_zone_of_where_one_is(language, asks, warsaw, stays, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    chat = world.telegram.chat(reader)
    async with world.running():

        async def asked() -> None:
            said = await world.says(reader, "/tz")
            (offer,) = [one for one in buttons(said) if one["callback_data"] == "locate"]
            answer = await world.next_message(reader, world.press(reader, said, offer["callback_data"]))
            assert answer["text"].startswith(asks)
            assert [[button.get("request_location") for button in row] for row in chat.keyboard] == [[True], [None]]

        async def answered(act) -> str:
            (answer,) = [await world.next_message(reader, act)]
            assert chat.keyboard == []
            return answer["text"]

        async def show(latitude: float, longitude: float) -> None:
            world.telegram.share_location(reader, latitude, longitude)

        async def write(text: str) -> None:
            world.telegram.say(reader, text)

        await asked()
        assert (await answered(show(52.23, 21.01))).startswith(warsaw)
        await asked()
        assert (await answered(write(chat.keyboard[1][0]["text"]))).startswith(stays)
        await asked()
        await answered(write("Київ"))
        assert (await answered(show(52.23, 21.01))).startswith(warsaw)  # unasked too
    async with world.stored() as store:
        kept = str(await store.privacy.export(reader))
    assert "Europe/Warsaw" in kept
    assert "52.2" not in kept
    assert "21.0" not in kept


async def test_only_a_private_chat_is_asked_where_it_is(world) -> None:
    async with world.running():
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        said = await world.says(group, "/tz", user_id=world.admin)
        assert "locate" not in [button["callback_data"] for button in buttons(said)]
        answer = await world.next_message(group, world.press(group, said, "locate", world.admin))  # forged
        assert "I do not know that place" in answer["text"]


async def test_settings_are_of_the_chat_whichever_topic_they_were_made_in(world) -> None:
    async with world.running():
        forum = world.telegram.add_group("Forum", forum=True, admin=world.admin)
        await world.playground.wait_for(forum)

        async def says(text: str, topic: int) -> str:
            return (await world.says(forum, text, user_id=world.admin, thread_id=topic))["text"]

        for typed, shown_there in (("/quiet 22-7", "22:00–07:00"), ("/digest 8", "08:00"), ("/tz Warsaw", "Warsaw")):
            assert shown_there in await says(typed, 7)
            assert shown_there in await says("/settings", 8)
        await says("/pause 8h", 7)
        assert "Alerts come again" in await says("/resume", 8)
        await says("/sub #nato", 7)
        assert "You follow nothing yet" in await says("/mute #nato", 8)  # what is followed is of the topic
        assert "#nato: muted until" in await says("/mute #nato", 7)


async def test_settings_of_a_channel_are_changed_by_its_administrators_alone(world) -> None:
    reader = world.telegram.add_user("Reader", "en")
    async with world.running():
        channel = world.telegram.add_channel("Wire", admin=world.admin)
        await world.playground.wait_for(world.admin)
        said = await world.says(channel, "/settings", user_id=world.admin)
        for data in ("set:qquiet=1320-420", "set:alang=uk", "set:vpreview=1"):
            assert "Only administrators" in (await world.press(channel, said, data, reader))["text"]
        assert shown(world, channel, said)["text"].startswith("Settings\nQuiet hours: off")
        await world.press(channel, said, "set:qquiet=1320-420", world.admin)
        await world.wait_until(lambda: "22:00–07:00" in shown(world, channel, said)["text"])
        await world.press(channel, said, "set:alang=uk", world.admin)
        await world.wait_until(lambda: shown(world, channel, said)["text"].startswith("Налаштування"))
    assert [one["silent"] for one in world.from_bot(channel)] == [True]


@pytest.mark.parametrize("language", [EN, UK])
async def test_long_lists_turn_in_the_same_message(language, world) -> None:
    reader = world.telegram.add_user("Reader", language)
    async with world.running():
        for first in (1, 16):
            await world.says(reader, "/sub " + " ".join(f"#tag{number}" for number in range(first, first + 15)))
        said = await world.says(reader, "/list")

        async def turned(message: dict, data: str, holds: str) -> list[str]:
            await world.press(reader, message, data)
            await world.wait_until(lambda: holds in shown(world, reader, message)["text"])
            return [button["text"] for button in buttons(shown(world, reader, message))]

        assert [button["text"] for button in buttons(said)] == [f"#tag{n}" for n in range(1, 11)] + ["1/3", "›"]
        assert await turned(said, "rules:l:3", "#tag30 — ") == [f"#tag{n}" for n in range(21, 31)] + ["‹", "3/3"]
        assert "#tag20 — " not in shown(world, reader, said)["text"]
        opened = await turned(said, "rule:", "#tag21 — comes" if language == EN else "#tag21 — надходить")
        assert opened[-1] == ("‹ What you follow" if language == EN else "‹ За чим ви стежите")
        assert (await turned(said, "rules:l:", "#tag30 — "))[-1] == "3/3"
        await turned(said, "rules:l:9999", "#tag30 — ")  # the page that is nearest
        await turned(said, "rules:l:0", "#tag1 — ")
        for command, which, marked in (("/mute", "m", "#tag11"), ("/unsub", "d", "✕ #tag11")):
            asked = await world.says(reader, command)
            assert len(buttons(asked)) == 12
            await world.press(reader, asked, f"rules:{which}:2")
            await world.wait_until(lambda a=asked: len(buttons(shown(world, reader, a))) == 13)
            assert buttons(shown(world, reader, asked))[0]["text"] == marked
        assert len(await shown_rules(world, reader)) == 30


async def shown_rules(world, chat: int) -> list[str]:
    async with world.stored() as store:
        return [rule.spec.key for rule in await store.rules.of_chat(chat)]


async def test_a_list_of_very_long_rules_fits_into_a_message(world) -> None:
    reader = world.telegram.add_user("Reader", EN)
    async with world.running():
        for letter in "abcdefghij":
            rule = " + ".join(f"#{letter}{number}_{'x' * 55}" for number in range(9))
            assert "follow" in (await world.says(reader, f"/sub {rule}"))["text"].lower()
        await world.says(reader, "/sub " + " ".join(f"-#never{number}_{'y' * 50}" for number in range(15)))
        said = await world.says(reader, "/list")
    assert said["text"].count(" — ") == 10
    assert said["text"].count("…") == 11


async def test_only_administrators_change_a_groups_peace(world) -> None:
    member = world.telegram.add_user("Member", "en")
    async with world.running():
        group = world.telegram.add_group("Friends", admin=world.admin)
        await world.playground.wait_for(group)
        for command in ("/settings", "/quiet 22-7", "/digest 8", "/pause 8h", "/resume", "/tz Kyiv", "/mute #nato"):
            assert "Only administrators of this chat" in (await world.says(group, command, user_id=member))["text"]
        said = await world.says(group, "/quiet", user_id=world.admin)
        answer = await world.press(group, said, "set:qquiet=1320-420", member)
        assert "Only administrators of this chat" in answer["text"]
        assert "Quiet hours: off" in (await world.says(group, "/settings", user_id=world.admin))["text"]
        assert "22:00–07:00" in (await world.says(group, "/quiet 22-7", user_id=world.admin))["text"]
