"""What went out: corrected and taken back in every copy, and reported on."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from bot.app import now_ms, opened
from bot.core.broadcast import Actor, BroadcastState, NewsroomRules, Refusal, Step
from bot.core.model import ChatKind, Member
from bot.core.roles import Role
from bot.playground.files import Upload
from bot.playground.server import Playground
from tests.end_to_end.pumping import HOUR, MINUTE, NOW, Pump, pumping
from tests.hot import drafted, send_hot, step

from .conftest import buttons
from .editing import AT_ONCE, answer, ask, copies, crowd, data_of, draft, offers, panel, shown, text_of
from .test_newsroom_run import got, part_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.store.store import Store

MANY = 1_000
#: A photo of one dot, as a newsroom would upload it.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63606060f80f0001040100a5f645400000000049454e44ae426082"
)


@pytest.fixture
async def telegram() -> AsyncIterator[Playground]:
    async with Playground(limits=False) as playground:
        yield playground


@pytest.fixture
async def pump(store: Store, telegram: Playground) -> AsyncIterator[Pump]:
    async with pumping(store, telegram.url) as one:
        one.in_flight = 32
        yield one


async def kept(store: Store, sent, now: int, **texts: str):
    """A correction of these languages, which nobody has confirmed yet."""
    content = replace(sent.content, texts={**sent.content.texts, **texts})
    return await store.broadcasts.draft(sent.author_id, content, now, corrects=sent)


async def correct(pump: Pump, sent, text: str, language: str = "en"):
    return await step(pump.store, Step.CORRECT, await kept(pump.store, sent, pump.now, **{language: text}), pump.now)


def texts(telegram: Playground, chat: int) -> list[str]:
    return [text_of(one) for one in telegram.telegram.messages(chat)]


# -- correct


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_correction_reaches_all_of_a_thousand_sent_or_waiting(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, MANY)
    sent = await send_hot(pump.store, "hot: 5 people", NOW)
    await part_of(pump, MANY // 2)
    had = sum(got(telegram, people).values())
    assert MANY // 2 <= had < MANY
    await correct(pump, sent, "hot: 6 people")
    totals = await pump.drain()
    assert (totals.sent, totals.edited) == (MANY - had, had)
    assert {tuple(texts(telegram, one)) for one in people} == {("hot: 6 people\n\nCorrected 08:00",)}
    assert not any(one.get("silent") for chat in people for one in telegram.telegram.messages(chat))
    _, (kind, changed) = await pump.store.runs.tally(sent.id, pump.now)
    assert (kind.value, changed.sent, changed.total) == ("correction", had, had)


async def test_the_last_of_several_corrections_stays_in_each_readers_words(pump, telegram) -> None:
    (english,) = await crowd(pump.store, telegram.telegram, 1)
    (ukrainian,) = await crowd(pump.store, telegram.telegram, 1, "uk")
    sent = await send_hot(pump.store, "one", NOW, uk="один")
    await pump.drain()
    first = await correct(pump, sent, "two")
    assert await correct(pump, sent, "never") is Refusal.CHANGED  # of two editors the second sees the first's
    await step(pump.store, Step.CORRECT, await kept(pump.store, first, pump.now, en="three", uk="три"), pump.now)
    await pump.drain()
    assert texts(telegram, english) == ["three\n\nCorrected 08:00"]
    assert texts(telegram, ukrainian) == ["три\n\nВиправлено о 08:00"]
    assert await pump.states() == {"sent": 4, "dropped": 1}  # the first correction was of English alone


async def test_only_readers_of_the_language_that_was_corrected_get_it(pump, telegram) -> None:
    (english,) = await crowd(pump.store, telegram.telegram, 1)
    (ukrainian,) = await crowd(pump.store, telegram.telegram, 1, "uk")
    (other,) = await crowd(pump.store, telegram.telegram, 1, "de")  # gets the first language there is
    sent = await send_hot(pump.store, "one", NOW, uk="один")
    await pump.drain()
    draft = await kept(pump.store, sent, pump.now, en="two")
    assert await pump.store.broadcasts.copies(draft, {"en"}) == 2
    first = await step(pump.store, Step.CORRECT, draft, pump.now)
    assert (await pump.drain()).edited == 2
    assert [texts(telegram, one) for one in (english, ukrainian, other)] == [
        ["two\n\nCorrected 08:00"], ["один"], ["two\n\nCorrected 08:00"],
    ]  # fmt: skip
    # A later correction of the other language takes nothing of the first away, also where that still waits.
    second = await correct(pump, first, "three")
    pump.now += HOUR
    await correct(pump, second, "два", "uk")
    assert (await pump.drain()).edited == 3
    assert [texts(telegram, one) for one in (english, ukrainian, other)] == [
        ["three\n\nCorrected 08:00"], ["два\n\nВиправлено о 09:00"], ["three\n\nCorrected 08:00"],
    ]  # fmt: skip


async def test_what_waits_bears_the_mark_of_its_own_language(pump, telegram) -> None:
    (english,) = await crowd(pump.store, telegram.telegram, 1)
    (ukrainian,) = await crowd(pump.store, telegram.telegram, 1, "uk")
    sent = await send_hot(pump.store, "one", NOW, uk="один")
    await correct(pump, sent, "two")
    await pump.drain()
    assert texts(telegram, english) == ["two\n\nCorrected 08:00"]
    assert texts(telegram, ukrainian) == ["один"]


# -- a correction is what was seen


async def test_a_correction_is_its_authors_as_they_saw_it_once(pump, telegram) -> None:
    store = pump.store
    (reader,) = await crowd(store, telegram.telegram, 1)
    sent, another = await send_hot(store, "one", NOW), await send_hot(store, "else", NOW)
    await pump.drain()
    draft = await kept(store, sent, pump.now, en="two")
    ordinary = await drafted(store, "ordinary", pump.now)
    publisher = Actor(2, Role.PUBLISHER)
    assert await step(store, Step.CORRECT, draft, pump.now, seen=sent.content.hash) is Refusal.CHANGED
    assert await step(store, Step.CORRECT, draft, pump.now, by=publisher) is Refusal.UNKNOWN
    assert await step(store, Step.CORRECT, ordinary, pump.now) is Refusal.UNKNOWN
    assert await step(store, Step.CORRECT, another, pump.now) is Refusal.UNKNOWN
    thrown = await kept(store, sent, pump.now, en="never")
    await step(store, Step.CANCEL, thrown, pump.now)
    assert await step(store, Step.CORRECT, thrown, pump.now) is Refusal.UNKNOWN
    # It is no news of its own.
    for one in (Step.CONFIRM, Step.SUBMIT, Step.REVISE):
        content = {"content": sent.content} if one is Step.REVISE else {}
        assert await step(store, one, draft, pump.now, **content) is Refusal.STATE
    corrected = await step(store, Step.CORRECT, draft, pump.now)
    assert corrected.id == sent.id
    assert (await store.broadcasts.get(draft.id)).state is BroadcastState.CANCELLED
    # Also after the old text has come back, the same button does nothing.
    await correct(pump, corrected, "one")
    assert await step(store, Step.CORRECT, draft, pump.now) is Refusal.UNKNOWN
    await pump.drain()
    assert texts(telegram, reader) == ["one\n\nCorrected 08:00", "else"]


async def test_where_two_send_two_correct(pump, telegram) -> None:
    store, two = pump.store, NewsroomRules(second_person=True, countdown=0)
    (reader,) = await crowd(store, telegram.telegram, 1)
    sent, publisher = await send_hot(store, "one", NOW), Actor(2, Role.PUBLISHER)
    await pump.drain()
    draft = await kept(store, sent, pump.now, en="two")
    assert await step(store, Step.CORRECT, draft, pump.now, rules=two) is Refusal.SECOND
    assert await step(store, Step.CORRECT, draft, pump.now, rules=two, by=publisher) is Refusal.UNKNOWN
    waiting = await step(store, Step.SUBMIT, draft, pump.now, rules=two)
    assert waiting.state is BroadcastState.WAITING
    assert await step(store, Step.CORRECT, waiting, pump.now, rules=two) is Refusal.OWN
    for one in (Step.APPROVE, Step.BREAK_GLASS, Step.RETURN, Step.REVISE):
        assert await step(store, one, waiting, pump.now, rules=two, by=publisher) is Refusal.STATE
    assert (await step(store, Step.CORRECT, waiting, pump.now, rules=two, by=publisher)).id == sent.id
    await pump.drain()
    assert texts(telegram, reader) == ["two\n\nCorrected 08:00"]


async def test_where_telegram_lets_us_edit_no_more_a_silent_reply_comes(pump, telegram) -> None:
    fixed, gone, whole = await crowd(pump.store, telegram.telegram, 3)
    sent = await send_hot(pump.store, "one", NOW)
    await pump.drain()
    (theirs,) = telegram.telegram.messages(fixed)
    theirs["from"] = {**theirs["from"], "id": 1}  # no longer ours to edit
    telegram.telegram.chat(gone).messages.clear()  # its reader deleted it
    await correct(pump, sent, "two")
    await pump.drain()
    old, reply = telegram.telegram.messages(fixed)
    assert old["text"] == "one"
    assert reply["text"].startswith("two")
    assert reply["silent"]
    assert reply["reply_to_message"]["message_id"] == old["message_id"]
    assert texts(telegram, gone) == []
    assert texts(telegram, whole) == ["two\n\nCorrected 08:00"]


# -- recall


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_recall_reaches_all_of_a_thousand_and_nobody_else_gets_it(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, MANY)
    sent = await send_hot(pump.store, "hot", NOW)
    await part_of(pump, MANY // 2)
    had = sum(got(telegram, people).values())
    recalled = await step(pump.store, Step.RECALL, sent, pump.now)
    assert recalled.state is BroadcastState.RECALLED
    totals = await pump.drain()
    assert (totals.sent, totals.edited) == (0, had)
    assert sum(got(telegram, people).values()) == 0
    assert await pump.store.broadcasts.finish(sent.id, pump.now)
    assert await correct(pump, recalled, "two") is Refusal.STATE
    assert await pump.store.broadcasts.latest(people[0], 5) == []  # nor does /hot show it


async def test_copies_of_over_48_hours_become_a_notice(pump, telegram) -> None:
    (english,) = await crowd(pump.store, telegram.telegram, 1)
    (ukrainian,) = await crowd(pump.store, telegram.telegram, 1, "uk")
    (young,) = await crowd(pump.store, telegram.telegram, 1)
    sent = await send_hot(pump.store, "hot", NOW)
    pump.in_flight = 1
    await part_of(pump, 2)
    await pump.drain(after=HOUR)
    assert len(texts(telegram, young)) == 1
    pump.now += 47 * HOUR + 30 * MINUTE
    telegram.telegram.block(young)
    await step(pump.store, Step.RECALL, sent, pump.now)
    await pump.drain()
    assert texts(telegram, english) == ["This hot news was taken back by the newsroom."]
    assert texts(telegram, ukrainian) == ["Редакція відкликала цю термінову новину."]


async def test_a_deletion_that_telegram_refuses_becomes_a_notice(pump, telegram) -> None:
    """Our clock and Telegram's need not agree on 48 hours."""
    people = await crowd(pump.store, telegram.telegram, 2)
    sent = await send_hot(pump.store, "hot", NOW)
    await pump.drain()
    telegram.telegram.messages(people[0])[0]["date"] -= 49 * 60 * 60
    await step(pump.store, Step.RECALL, sent, pump.now)
    await pump.drain()
    assert [texts(telegram, one) for one in people] == [["This hot news was taken back by the newsroom."], []]


async def test_a_picture_is_sent_corrected_and_taken_back_as_a_picture(pump, telegram) -> None:
    photo = telegram.telegram.files.keep("photo", Upload("dot.png", "image/png", DOT)).id
    people = await crowd(pump.store, telegram.telegram, 2)
    sent = await send_hot(pump.store, "hot", NOW, photo=photo)
    await pump.drain()
    (message,) = telegram.telegram.messages(people[0])
    assert (message["caption"], "photo" in message) == ("hot", True)
    corrected = await correct(pump, sent, "hotter")
    await pump.drain()
    assert telegram.telegram.messages(people[0])[0]["caption"] == "hotter\n\nCorrected 08:00"
    await step(pump.store, Step.RECALL, corrected, pump.now)
    await pump.drain()
    assert [texts(telegram, one) for one in people] == [[], []]


async def test_what_is_on_the_wire_while_it_is_corrected_is_corrected_too(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, 12)
    sent = await send_hot(pump.store, "one", NOW)
    flying = await pump.store.outbox.claim("other", pump.now, 60_000, 5)
    assert len(flying) == 5
    await correct(pump, sent, "two")
    await pump.drain()
    await pump.store.outbox.release_all(pump.now)
    await pump.drain(after=HOUR)
    assert {tuple(texts(telegram, one)) for one in people} == {("two\n\nCorrected 08:00",)}


# -- the audience on each engine


async def test_an_audience_of_a_language_and_a_kind(pump, telegram) -> None:
    from bot.core.broadcast import Audience  # noqa: PLC0415
    from bot.core.model import Chat  # noqa: PLC0415

    people = await crowd(pump.store, telegram.telegram, 3)
    others = await crowd(pump.store, telegram.telegram, 2, "uk")
    group = telegram.telegram.add_group("Group")
    await pump.store.chats.upsert(Chat(id=group, kind=ChatKind.SUPERGROUP, language="uk"), NOW)
    for audience, wanted in (
        (Audience(), 6),
        (Audience(language="uk"), 3),
        (Audience(kind="group"), 1),
        (Audience(language="uk", kind="private"), 2),
    ):
        assert (await pump.store.broadcasts.reach(audience, NOW)).readers == wanted
    await send_hot(pump.store, "hot", NOW, audience=Audience(language="uk", kind="private"))
    assert (await pump.drain()).sent == 2
    assert [sum(got(telegram, some).values()) for some in (people, others)] == [0, 2]


# -- the report


async def test_a_report_counts_what_became_of_it(pump, telegram) -> None:
    people = await crowd(pump.store, telegram.telegram, 20)
    sent = await send_hot(pump.store, "hot", NOW)
    pump.in_flight = 1
    telegram.telegram.block(people[0])
    telegram.telegram.chat(people[1]).refusal = (400, "Bad Request: something nobody has seen yet")
    await part_of(pump, 12)  # ten arrive at once
    await pump.drain(after=30_000)
    report = await pump.store.runs.report(sent.id, pump.now)
    tally = report.tally
    assert (tally.sent, tally.retired, tally.failed, tally.open) == (18, 1, 1, 0)
    assert (report.median_s, report.p95_s) == (0, 30)
    assert report.every == 1000
    assert [(at - NOW, number) for at, number in report.delivered if number] == [(0, 10), (30_000, 8)]
    rows = [row async for row in pump.store.runs.rows(sent.id)]
    assert len(rows) == 20
    assert not {str(one) for one in people} & {str(cell) for row in rows for cell in row}


async def test_nobody_got_it(pump, telegram) -> None:
    (reader,) = await crowd(pump.store, telegram.telegram, 1)
    telegram.telegram.chat(reader).refusal = (400, "Bad Request: something nobody has seen yet")
    sent = await send_hot(pump.store, "hot", NOW)
    await pump.drain()
    assert await pump.store.broadcasts.finish(sent.id, pump.now)
    assert (await pump.store.broadcasts.get(sent.id)).state is BroadcastState.FAILED
    report = await pump.store.runs.report(sent.id, pump.now)
    assert (report.median_s, report.delivered) == (None, ())


# -- through the chat


@pytest.fixture
async def sent(world) -> tuple[int, dict]:
    """A reader who got hot news, and its progress message."""
    world.settings |= AT_ONCE
    reader = world.telegram.add_user("Olivia", "en")
    async with world.running():
        for one in (reader, world.admin):
            await world.says(one, "/start")
        question = await draft(world, "Five people")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "report"))
    return reader, question


async def test_corrected_from_the_chat_after_a_look(world, sent) -> None:
    reader, progress = sent
    async with world.running():
        held = data_of(progress, "correct")
        await ask(world, world.admin, progress, held)
        before = len(world.from_bot(world.admin))
        world.telegram.say(world.admin, "Six people")
        confirm = await panel(world, world.admin, "fix", before)
        assert "Nothing has been changed yet" in confirm["text"]
        assert buttons(confirm)[0]["text"] == "Correct 2 copies"
        assert not copies(world, reader, "Six")
        again = data_of(confirm, "fix")
        await world.press(world.admin, confirm, again)
        await world.wait_until(lambda: copies(world, reader, "Six people") != [])
        assert "Corrected" in text_of(copies(world, reader, "Six people")[0])
        assert not copies(world, reader, "Five")
        await world.wait_until(lambda: "2 of 2" in text_of(shown(world, world.admin, progress)))
        refused = await world.press(world.admin, confirm, again)
        assert "changed after" in refused["text"]
        assert "Six people" in (await world.says(reader, "/hot"))["text"]


async def corrected_text(world, who: int, progress: dict, text: str, action: str = "fix") -> dict:
    """Ask for a correction of what `progress` shows; the message that offers it."""
    await ask(world, who, progress, "hot-correct:")
    return await answer(world, who, text, action)


async def test_a_forged_button_corrects_nothing(world, sent) -> None:
    reader, progress = sent
    async with world.running():
        confirm = await corrected_text(world, world.admin, progress, "Six people")
        number, seen = data_of(confirm, "fix").split(":")[1:]
        ordinary = data_of(await draft(world, "Something else"), "send").removeprefix("hot-send:")
        old = data_of(shown(world, world.admin, progress), "correct").removeprefix("hot-correct:")
        nothing = ("no longer there", "sent already", "changed after", "This is a draft")
        for forged in (ordinary, old, f"{old}:{number}", f"{number}:{'0' * 16}", f"{number}:{'0' * 16}:\u00b2"):
            said = (await world.press(world.admin, confirm, f"hot-fix:{forged}"))["text"]
            assert any(one in said for one in nothing), forged
        # It is no draft that could be opened, changed or sent.
        for action in ("open", "text", "send", "ask", "when", "audience"):
            said = (await world.press(world.admin, confirm, f"hot-{action}:{number}:{seen}"))["text"]
            assert any(one in said for one in nothing), action
        await world.press(world.admin, confirm, "hot-cancel:")
        await world.wait_until(lambda: "Cancelled" in text_of(shown(world, world.admin, confirm)))
        assert "was cancelled" in (await world.press(world.admin, confirm, f"hot-fix:{number}:{seen}"))["text"]
    await world.deliver()
    assert [text_of(one) for one in copies(world, reader, "people")] == ["Five people"]


async def test_a_second_publisher_approves_a_correction(world, sent) -> None:
    reader, progress = sent
    publisher = world.telegram.add_user("Publisher", "en")
    world.settings |= {"TAGWIRE_NEWSROOM__SECOND_PERSON": "true"}
    async with world.running():
        await world.says(publisher, "/start")
        async with opened(world.config) as store:
            await store.staff.put(Member(user_id=publisher, role=Role.PUBLISHER, name="P"), world.admin, now_ms())
        offered = await corrected_text(world, world.admin, progress, "Six people", "propose")
        assert not offers(offered, "fix")
        data = data_of(offered, "propose").replace("propose", "fix")
        assert "second person" in (await world.press(world.admin, offered, data))["text"]
        await world.press(world.admin, offered, "hot-propose:")
        notice = await panel(world, publisher, "open")
        assert "another publisher" in (await world.press(world.admin, offered, data))["text"]
        await world.press(publisher, notice, "hot-open:")
        asked = await panel(world, publisher, "fix")
        assert "A correction of hot news 1" in text_of(asked)
        assert "Approve for 2 copies" in [one["text"] for one in buttons(asked)]
        assert "Six people" in text_of(copies(world, publisher, "Six people")[0])
        assert not copies(world, reader, "Six people")
        await world.press(publisher, asked, "hot-fix:")
        await world.wait_until(lambda: copies(world, reader, "Six people") != [])
        assert not copies(world, reader, "Five")


async def test_a_picture_with_a_correction_is_not_silently_ignored(world, sent) -> None:
    from bot.playground.files import Upload  # noqa: PLC0415

    reader, progress = sent
    async with world.running():
        await ask(world, world.admin, progress, "hot-correct:")
        before = len(world.from_bot(world.admin))
        photo = world.telegram.files.keep("photo", Upload("dot.png", "image/png", DOT))
        message = world.telegram.say(world.admin, "x")
        del message["text"]
        message |= {**photo.as_content(), "caption": "Six people"}
        confirm = await panel(world, world.admin, "fix", before)
        assert copies(world, world.admin, "the picture stays as it was")
        await world.press(world.admin, confirm, "hot-fix:")
        await world.wait_until(lambda: copies(world, reader, "Six people") != [])
        assert "photo" not in copies(world, reader, "Six people")[0]


async def test_taken_back_from_the_chat_after_a_second_press(world, sent) -> None:
    reader, progress = sent
    async with world.running():
        asked = await ask(world, world.admin, progress, "hot-recall:")
        assert "cannot be undone" in asked["text"]
        assert copies(world, reader, "Five people")
        await world.press(world.admin, asked, "hot-recalled:")
        await world.wait_until(lambda: not copies(world, reader, "Five people"))
        await world.wait_until(lambda: "Taken back" in text_of(shown(world, world.admin, progress)))


async def test_the_report_is_a_text_a_picture_and_a_table(world, sent) -> None:
    _, progress = sent
    async with world.running():
        report = await ask(world, world.admin, progress, "hot-report:")
        assert "delivered 2 · gone 0 · failed 0 · left 0" in report["text"]
        await world.wait_until(lambda: any("photo" in one for one in world.from_bot(world.admin)))
        (picture,) = [one for one in world.from_bot(world.admin) if "photo" in one]
        assert (picture["photo"][0]["width"], picture["photo"][0]["height"]) == (1280, 720)
        await world.press(world.admin, report, "hot-csv:")
        await world.wait_until(lambda: any("document" in one for one in world.from_bot(world.admin)))
        (table,) = [one for one in world.from_bot(world.admin) if "document" in one]
        content = world.telegram.files.get(table["document"]["file_id"]).content.decode()
        assert [row[3] for row in csv.reader(StringIO(content))] == ["state", "sent", "sent"]


# -- from other messages


async def test_a_post_a_picture_and_an_alert_become_hot_news(world, sent) -> None:
    reader, _ = sent
    async with world.running():
        # A forwarded post, where the text was asked for.
        await world.says(world.admin, "/broadcast")
        before = len(world.from_bot(world.admin))
        message = world.telegram.say(world.admin, "A post of somebody")
        message["forward_origin"] = {"type": "hidden_user", "sender_user_name": "S", "date": message["date"]}
        await panel(world, world.admin, after=before)
        # A picture with a caption.
        await world.says(world.admin, "/broadcast")
        before = len(world.from_bot(world.admin))
        photo = world.telegram.files.keep("photo", Upload("dot.png", "image/png", DOT))
        message = world.telegram.say(world.admin, "x")
        del message["text"]
        message |= {**photo.as_content(), "caption": "Look at this"}
        question = await panel(world, world.admin, after=before)
        assert "12 of 1024 characters" in question["text"]
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: copies(world, reader, "Look at this") != [])
        assert "photo" in copies(world, reader, "Look at this")[0]
        # In reply to a message.
        before = len(world.from_bot(world.admin))
        said = world.telegram.say(world.admin, "Said before")
        world.telegram.say(world.admin, "/broadcast", reply_to=said["message_id"])
        question = await panel(world, world.admin, after=before)
        assert copies(world, world.admin, "Said before")


async def test_an_article_becomes_hot_news_for_who_may(world, sent) -> None:
    reader, _ = sent
    async with world.running():
        for one in (reader, world.admin):
            await world.says(one, "/sub #peace_plan #nato #ukraine")
        async with opened(world.config) as store:
            number = (await store.articles.latest_ids([], 1))[0]
            article = await store.articles.get(number)
        message = world.from_bot(reader)[-1]
        mine = await ask(world, reader, message, f"more:{number}")
        assert not offers(mine, "article")
        listed = await ask(world, world.admin, world.from_bot(world.admin)[-1], f"more:{number}")
        assert "Only the newsroom" in (await world.press(reader, mine, f"hot-article:{number}"))["text"]
        before = len(world.from_bot(world.admin))
        await world.press(world.admin, listed, f"hot-article:{number}")
        await panel(world, world.admin, after=before)
        preview = world.from_bot(world.admin)[before]
        assert preview["text"].startswith(article.title)
        assert preview["entities"][0]["type"] in {"bold", "text_link"}


async def test_drafts_that_telegram_would_not_take_are_refused(world, sent) -> None:
    async def photo() -> None:
        """With the caption of a person with Premium, longer than a bot's may be."""
        message = world.telegram.say(world.admin, "x")
        del message["text"]
        kept = world.telegram.files.keep("photo", Upload("dot.png", "image/png", DOT))
        message |= {**kept.as_content(), "caption": "ї" * 1025}

    async with world.running():
        await world.says(world.admin, "/broadcast")
        refused = await world.next_message(world.admin, photo())
        assert "Telegram takes 1024" in refused["text"]
