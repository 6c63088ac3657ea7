"""From a draft to its start: whom it reaches, who must see it, and how it is held back at the last moment."""

from __future__ import annotations

import pytest

from bot.app import newsroom_of, now_ms, opened
from bot.core.broadcast import Actor, BroadcastState, Step, Wish
from bot.core.model import Attention, Hot, Member, RuleSpec
from bot.core.roles import Role
from bot.store.schema import broadcasts

from .conftest import buttons
from .editing import AT_ONCE, answer, ask, copies, data_of, draft, offers, panel, shown, text_of

HOUR = 3_600_000
SLOW = {**AT_ONCE, "TAGWIRE_NEWSROOM__COUNTDOWN": "10m"}
TWO = {**AT_ONCE, "TAGWIRE_NEWSROOM__SECOND_PERSON": "true"}


@pytest.fixture
async def people(world) -> list[int]:
    """Two readers, and a publisher beside the admin."""
    world.settings |= AT_ONCE
    found = [world.telegram.add_user(name, language) for name, language in (("Olivia", "en"), ("Олена", "uk"))]
    found.append(world.telegram.add_user("Publisher", "en"))
    async with world.running():
        for one in (*found, world.admin):
            await world.says(one, "/start")
    async with opened(world.config) as store:
        await store.staff.put(Member(user_id=found[2], role=Role.PUBLISHER, name="Publisher"), world.admin, now_ms())
    return found


async def begun(world, later: int = 0) -> int:
    """What a worker starts, so many milliseconds from now."""
    async with opened(world.config) as store:
        return len(await store.broadcasts.start_due(now_ms() + later))


async def hurry(world) -> None:
    """What is scheduled is due now: the time is moved, and nobody waits for the clock."""
    async with opened(world.config) as store, store.database.transaction() as connection:
        await connection.execute(
            broadcasts.update().where(broadcasts.c.starts_at > now_ms()).values(starts_at=now_ms())
        )


# -- the countdown


async def test_a_countdown_can_be_stopped_and_nothing_was_sent(world, people) -> None:
    world.settings |= SLOW
    async with world.running():
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: "Goes out in" in text_of(shown(world, world.admin, question)))
        counting = shown(world, world.admin, question)
        assert [one["text"] for one in buttons(counting)] == ["STOP", "Cancel"]
        assert await begun(world, 9 * 60_000) == 0
        await world.press(world.admin, counting, "hot-halt:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "send"))
        assert await begun(world, HOUR) == 0
        assert all(not copies(world, one, "Hot") for one in people)
        # It is a draft again, which can be sent.
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "halt"))
    await hurry(world)
    assert (await world.deliver()).sent == 4
    assert [len(copies(world, one, "Hot")) for one in people] == [1, 1, 1]


async def test_a_time_can_be_typed_and_cancelled(world, people) -> None:
    async with world.running():
        question = await draft(world, "Hot")
        asked = await ask(world, world.admin, question, "hot-when:")
        assert "Europe/Kyiv" in asked["text"]
        assert "did not understand" in (await world.says(world.admin, "soon"))["text"]
        await ask(world, world.admin, question, "hot-when:")
        said = await answer(world, world.admin, "31.12 23:59", "halt")
        assert "Goes out at 23:59 31.12." in said["text"]
        assert await begun(world) == 0
        await world.press(world.admin, said, "hot-cancel:")
        await world.wait_until(lambda: "Nothing was sent" in text_of(shown(world, world.admin, said)))
        assert await begun(world, 400 * 24 * HOUR) == 0
    assert (await world.deliver()).sent == 0


async def test_what_is_scheduled_outlives_a_restart_and_starts_once(world, people) -> None:
    world.settings |= SLOW
    async with world.running():
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "halt"))
    async with world.running():
        assert all(not copies(world, one, "Hot") for one in people)
        await hurry(world)
        await world.wait_until(lambda: all(copies(world, one, "Hot") for one in people))
        assert await begun(world, HOUR) == 0
        # The message that it was confirmed in tells how it went, after the restart too.
        await world.wait_until(lambda: "Sent" in text_of(shown(world, world.admin, question)))
    assert [len(copies(world, one, "Hot")) for one in people] == [1, 1, 1]


# -- a second person


async def test_a_second_person_approves_what_they_saw(world, people) -> None:
    world.settings |= TWO
    publisher = people[2]
    async with world.running():
        before = len(world.from_bot(world.admin))
        world.telegram.say(world.admin, "/broadcast Hot")
        question = await panel(world, world.admin, "ask", before)
        assert not offers(question, "send")
        forged, own = (data_of(question, "ask").replace("ask", one) for one in ("send", "approve"))
        assert "second person" in (await world.press(world.admin, question, forged))["text"]
        await world.press(world.admin, question, "hot-ask:")
        told = await panel(world, publisher, "open")
        assert "another publisher" in (await world.press(world.admin, question, own))["text"]
        await world.press(publisher, told, "hot-open:")
        asked = await panel(world, publisher, "approve")
        assert copies(world, publisher, "Hot")  # they have seen exactly this
        await world.press(publisher, asked, "hot-approve:")
        await world.wait_until(lambda: all(len(copies(world, one, "Hot")) for one in people[:2]))


async def test_an_edit_takes_the_approval_away(world, people) -> None:
    world.settings |= TWO
    publisher = people[2]
    async with world.running():
        before = len(world.from_bot(world.admin))
        world.telegram.say(world.admin, "/broadcast Hot")
        question = await panel(world, world.admin, "ask", before)
        held = data_of(question, "text")
        await world.press(world.admin, question, "hot-ask:")
        await world.press(publisher, await panel(world, publisher, "open"), "hot-open:")
        seen = await panel(world, publisher, "approve")
        await ask(world, world.admin, question, held)
        await answer(world, world.admin, "Something else", "ask")
        refused = await world.press(publisher, seen, "hot-approve:")
        assert "This is a draft" in refused["text"]
    assert (await world.deliver()).sent == 0


async def test_breaking_the_glass_wants_a_reason_and_tells_all_admins(world, people) -> None:
    world.settings |= TWO
    publisher = people[2]
    async with opened(world.config) as store:
        await store.staff.put(Member(user_id=people[0], role=Role.ADMIN, name="Olivia"), world.admin, now_ms())
    async with world.running():
        world.telegram.say(publisher, "/broadcast Hot")
        question = await panel(world, publisher, "ask")
        await world.press(publisher, question, "hot-ask:")
        await world.wait_until(lambda: offers(shown(world, publisher, question), "glass"))
        waiting = shown(world, publisher, question)
        await ask(world, publisher, waiting, "hot-glass:")
        assert "A reason has" in (await world.says(publisher, "now!"))["text"]
        assert not copies(world, people[1], "Hot")
        # It is asked again, and another word in between is no order to send.
        last = await answer(world, publisher, "Air raid over the whole country", "shatter")
        assert "Every admin is told: Air raid over the whole country" in last["text"]
        assert "4 readers" in last["text"]
        assert not copies(world, people[1], "Hot")
        await world.says(publisher, "hm")
        assert "give the reason again" in (await world.press(publisher, last, "hot-shatter:"))["text"]
        await ask(world, publisher, waiting, "hot-glass:")
        last = await answer(world, publisher, "Air raid over the whole country", "shatter")
        await world.press(publisher, last, "hot-shatter:")
        await world.wait_until(lambda: copies(world, people[1], "Hot") != [])
        for admin in (world.admin, people[0]):
            await world.wait_until(lambda admin=admin: copies(world, admin, "Air raid") != [])
        assert not copies(world, people[1], "Air raid")


# -- what cannot send


async def test_an_edited_draft_an_old_button_and_a_removed_publisher_cannot_send(world, people) -> None:
    publisher = people[2]
    async with world.running():
        question = await draft(world, "First", publisher)
        held = data_of(question, "send")
        await ask(world, publisher, question, "hot-text:")
        newer = await answer(world, publisher, "Second")
        assert "changed after you saw" in (await world.press(publisher, question, held))["text"]
        for old in ("hot-send:1", held.rpartition(":")[0], held[:-1] + ("0" if held[-1] != "0" else "1")):
            assert "changed after you saw" in (await world.press(publisher, question, old))["text"]
        for forged in ("hot-send:99999", "hot-send:1:zz", "hot-send:-1", "hot-fix:1:" + "0" * 16 + ":77"):
            assert (await world.press(publisher, question, forged))["text"]
        async with opened(world.config) as store:
            await store.staff.remove(publisher, world.admin, now_ms())
        refused = await world.press(publisher, newer, "hot-send:")
        assert "Only the newsroom" in refused["text"]
        async with opened(world.config) as store:
            await store.staff.put(Member(user_id=publisher, role=Role.EDITOR), world.admin, now_ms())
        assert "does not allow" in (await world.press(publisher, newer, "hot-send:"))["text"]
    assert (await world.deliver()).sent == 0
    assert all(not copies(world, one, text) for one in people[:2] for text in ("First", "Second"))


async def test_the_days_limit_and_a_repetition_are_asked_about(world, people) -> None:
    world.settings |= {"TAGWIRE_NEWSROOM__DAILY_LIMIT": "1"}
    async with world.running():
        await world.press(world.admin, await draft(world, "Hot"), "hot-send:")
        await world.wait_until(lambda: copies(world, people[0], "Hot") != [])
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: "already" in text_of(shown(world, world.admin, question)))
        await world.press(world.admin, shown(world, world.admin, question), "hot-send:")
        await world.wait_until(lambda: "last hour" in text_of(shown(world, world.admin, question)))
        assert len(copies(world, people[0], "Hot")) == 1
        await world.press(world.admin, shown(world, world.admin, question), "hot-send:")
        await world.wait_until(lambda: len(copies(world, people[0], "Hot")) == 2)


async def test_the_limit_of_the_day_of_a_typed_time_is_asked_about(world, people) -> None:
    world.settings |= {"TAGWIRE_NEWSROOM__DAILY_LIMIT": "1"}
    async with world.running():
        for number, text in enumerate(("Hot", "Hotter")):
            question = await draft(world, text)
            await ask(world, world.admin, question, "hot-when:")
            said = await answer(world, world.admin, "31.12 23:59", "at" if number else "halt")
        assert "already" in said["text"]
        await world.press(world.admin, said, "hot-at:")
        await world.wait_until(lambda: any(offers(one, "halt") for one in world.from_bot(world.admin)[-2:]))
        async with opened(world.config) as store:
            assert len(await store.broadcasts.open()) == 2


async def test_another_publisher_sees_what_goes_on_and_stops_it(world, people) -> None:
    publisher = people[2]
    async with opened(world.config) as store:
        await store.chats.set_attention(people[0], Attention(paused_until=now_ms() + HOUR), now_ms())
    async with world.running():
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: copies(world, people[1], "Hot") != [])
        world.telegram.say(publisher, "/broadcast")
        offered = await panel(world, publisher, "watch")
        assert buttons(offered)[0]["text"] == "Now: Hot"
        progress = await ask(world, publisher, offered, "hot-watch:")
        await world.press(publisher, progress, "hot-stop:")
        await world.wait_until(lambda: "Stopped" in text_of(shown(world, publisher, progress)))
    assert (await world.deliver()).sent == 0
    assert not copies(world, people[0], "Hot")


async def test_what_is_scheduled_is_found_again_by_any_publisher(world, people) -> None:
    publisher = people[2]
    async with world.running():
        question = await draft(world, "Hot")
        await ask(world, world.admin, question, "hot-when:")
        assert "as a time" in (await world.says(world.admin, "yesterday"))["text"]
        await answer(world, world.admin, "31.12 23:59", "halt")  # it is still the answer that is waited for
        world.telegram.say(publisher, "/broadcast")
        offered = await panel(world, publisher, "open")
        assert buttons(offered)[0]["text"].endswith(": Hot")
        before = len(world.from_bot(publisher))
        await world.press(publisher, offered, "hot-open:")
        found = await panel(world, publisher, "halt", before)
        assert "Goes out at" in found["text"]
        await world.press(publisher, found, "hot-halt:")
        await world.wait_until(lambda: offers(shown(world, publisher, found), "send"))
        assert (
            "This is a draft"
            in (await world.press(publisher, found, data_of(found, "send").replace("send", "halt")))["text"]
        )


async def test_what_a_publisher_has_scheduled_goes_with_their_role(world, people) -> None:
    publisher = people[2]
    async with world.running():
        question = await draft(world, "Hot", publisher)
        await ask(world, publisher, question, "hot-when:")
        await answer(world, publisher, "31.12 23:59", "halt")
    async with opened(world.config) as store:
        await store.staff.remove(publisher, world.admin, now_ms())
        assert (await store.broadcasts.get(1)).state is BroadcastState.DRAFT
    assert await begun(world, 400 * 24 * HOUR) == 0


async def test_what_was_due_while_nothing_ran_is_looked_at_first(world, people) -> None:
    async with world.running():
        question = await draft(world, "Hot")
        await ask(world, world.admin, question, "hot-when:")
        await answer(world, world.admin, "31.12 23:59", "halt")
    assert await begun(world, 400 * 24 * HOUR) == 0
    await world.deliver()
    (notice,) = copies(world, world.admin, "was due while I was not running")
    assert offers(notice, "open")
    assert all(not copies(world, one, "Hot") for one in people)


async def test_stop_a_moment_too_late_stops_the_rest(world, people) -> None:
    world.settings |= SLOW
    async with opened(world.config) as store:
        await store.chats.set_attention(people[0], Attention(paused_until=now_ms() + HOUR), now_ms())
    async with world.running():
        question = await draft(world, "Hot")
        await world.press(world.admin, question, "hot-send:")
        await world.wait_until(lambda: offers(shown(world, world.admin, question), "halt"))
        held = data_of(shown(world, world.admin, question), "halt")
        await hurry(world)
        await world.wait_until(lambda: copies(world, people[1], "Hot") != [])
        await world.press(world.admin, question, held)
        async with opened(world.config) as store:
            assert (await store.broadcasts.get(1)).state is BroadcastState.STOPPED
    assert not copies(world, people[0], "Hot")


async def test_the_author_hears_what_became_of_it_and_cannot_slip_out_of_it(world, people) -> None:
    world.settings |= TWO
    publisher = people[2]
    async with world.running():
        world.telegram.say(publisher, "/broadcast Hot")
        question = await panel(world, publisher, "ask")
        await world.press(publisher, question, "hot-ask:")
        notice = (await world.playground.wait_for(world.admin, predicate=lambda one: "second person" in text_of(one)))[
            -1
        ]
        before = len(world.from_bot(world.admin))
        await world.press(world.admin, notice, "hot-open:")
        waiting = await panel(world, world.admin, "approve", before)
        # Somebody who changes nothing has not written it: its author is no second person.
        choices = data_of(waiting, "approve").split(":", 1)[1]
        async with opened(world.config) as store:
            same = (await store.broadcasts.get(1)).content
            wish = Wish(
                step=Step.REVISE, broadcast_id=1, by=Actor(world.admin, Role.ADMIN), seen=same.hash, content=same
            )
            taken = await store.broadcasts.take(wish, newsroom_of(world.config), now_ms())
            assert taken.author_id == publisher
        await world.press(publisher, question, "hot-ask:" + choices)
        await world.press(world.admin, waiting, "hot-return:" + choices)
        await world.wait_until(lambda: copies(world, publisher, "not approved: it is a draft again") != [])


async def test_hot_news_for_some_is_shown_to_those_alone(world, people) -> None:
    english, ukrainian, _ = people
    async with world.running():
        question = await draft(world, "Hot")
        choices = await ask(world, world.admin, question, "hot-audience:")
        before = len(world.from_bot(world.admin))
        await world.press(world.admin, choices, data_of(choices, "to").rpartition(":")[0] + ":uk")
        narrowed = await panel(world, world.admin, after=before)
        await world.press(world.admin, narrowed, "hot-send:")
        await world.wait_until(lambda: "Sent" in text_of(shown(world, world.admin, narrowed)))
        assert "Hot" in (await world.says(ukrainian, "/hot"))["text"]
        assert "No hot news yet" in (await world.says(english, "/hot"))["text"]


# -- whom it reaches


async def test_the_audience_is_counted_before_and_is_who_gets_it(world, people) -> None:
    english, ukrainian, publisher = people
    async with opened(world.config) as store:
        now = now_ms()
        await store.rules.follow(ukrainian, 0, [RuleSpec(("nato", "eu"))], now)
        await store.rules.follow(english, 0, [RuleSpec(("nato",)), RuleSpec(("sport",))], now)
        await store.chats.set_attention(publisher, Attention(hot=Hot.OFF), now)
        await store.chats.set_attention(ukrainian, Attention(paused_until=now + HOUR), now)
    async with world.running():
        question = await draft(world, "Hot")
        assert "3 readers, in less than a minute" in question["text"]
        assert "1 is asleep" in question["text"]
        assert "1 wants no hot news" in question["text"]
        choices = await ask(world, world.admin, question, "hot-audience:")
        await ask(world, world.admin, choices, data_of(choices, "to").rpartition(":")[0] + ":tags")
        narrowed = await answer(world, world.admin, "#nato -#eu, #eu + #sport")
        assert "followers of #nato -#eu, #eu + #sport" in narrowed["text"]
        assert "1 reader," in narrowed["text"]
        await world.press(world.admin, narrowed, "hot-send:")
        await world.wait_until(lambda: copies(world, english, "Hot") != [])
        await world.wait_until(lambda: "Sent" in text_of(shown(world, world.admin, narrowed)))
    assert not copies(world, ukrainian, "Hot")
    assert len(copies(world, english, "Hot")) == 1


async def test_two_languages_are_shown_and_each_reader_gets_theirs(world, people) -> None:
    english, ukrainian, publisher = people
    async with world.running():
        question = await draft(world, "Talks begin")
        add = next(one["callback_data"] for one in buttons(question) if one["text"] == "Add: Українська")
        await ask(world, world.admin, question, add)
        both = await answer(world, world.admin, "Переговори почалися")
        assert [len(copies(world, world.admin, one)) for one in ("Talks begin", "Переговори почалися")] == [2, 1]
        tried = await ask(world, world.admin, both, "hot-test:")
        await world.press(world.admin, tried, f"hot-try:{data_of(both, 'send').split(':', 1)[1]}:{publisher}")
        await world.wait_until(lambda: copies(world, publisher, "Переговори") != [])
        stranger = f"hot-try:{data_of(both, 'send').split(':', 1)[1]}:{english}"
        assert "not in the newsroom" in (await world.press(world.admin, tried, stranger))["text"]
        await world.press(world.admin, both, "hot-send:")
        await world.wait_until(lambda: copies(world, ukrainian, "Переговори") != [])
        await world.wait_until(lambda: copies(world, english, "Talks") != [])
    assert not copies(world, english, "Переговори")
    assert not copies(world, ukrainian, "Talks")


async def test_links_that_do_not_answer_are_named_before_anybody_follows_them(world, people) -> None:
    root = world.playground.url
    async with world.running():
        question = await draft(world, f"See {root}/newsroom/rss.xml and {root}/nowhere")
        said = question["text"].partition("Please check these links:")[2]
        assert f"{root}/nowhere — " in said
        assert "404" in said
        assert "rss.xml" not in said
        assert "check these links" not in (await draft(world, f"See {root}/newsroom/rss.xml"))["text"]


def test_the_newsrooms_rules_are_settings(world) -> None:
    world.settings |= {"TAGWIRE_NEWSROOM__COUNTDOWN": "15s", "TAGWIRE_TELEGRAM__PAID_BROADCAST": "true"}
    rules = newsroom_of(world.config)
    assert (rules.second_person, rules.countdown, rules.time_zone, rules.daily_limit) == (
        False,
        15_000,
        "Europe/Kyiv",
        2,
    )
    assert rules.per_second == 1000
