"""The table of outcomes, row by row, against the strict local Telegram and on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.core import card
from bot.core.model import ChatKind, DeliveryState
from bot.core.verdicts import AFTER_UNKNOWN, WITHOUT_RIGHTS, WORTH_A_DIGEST, Policy
from bot.playground.server import Playground
from bot.web.metrics import Metrics
from tests.end_to_end.pumping import HOUR, MINUTE, NOW, follow, pumping
from tests.hot import send_hot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.model import Card, Outcome
    from bot.store.store import Store
    from tests.end_to_end.pumping import Pump


#: Where storage does nothing that another row of the table does not show.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def telegram() -> AsyncIterator[Playground]:
    async with Playground(limits=False) as playground:
        yield playground


@pytest.fixture
async def pump(store: Store, telegram: Playground) -> AsyncIterator[Pump]:
    async with pumping(store, telegram.url) as one:
        yield one


def texts(telegram: Playground, chat: int) -> list[str]:
    """The first line of each message in a chat."""
    return [one["text"].splitlines()[0] for one in telegram.telegram.messages(chat) if "text" in one]


async def a_reader(pump: Pump, telegram: Playground) -> int:
    reader = telegram.telegram.add_user("Olivia", "en")
    await follow(pump.store, reader)
    return reader


async def a_group(pump: Pump, telegram: Playground, *, thread: int = 0) -> int:
    group = telegram.telegram.add_group("Group", forum=bool(thread))
    await follow(pump.store, group, thread=thread)
    return group


@ON_SQLITE
async def test_sent_is_settled_with_its_message_id_and_measured(pump: Pump, telegram: Playground) -> None:
    reader = await a_reader(pump, telegram)
    pump.meter = Metrics()
    await pump.news()
    assert (await pump.drain(after=5000)).sent == 1
    (message,) = telegram.telegram.messages(reader)
    assert await pump.states() == {"sent": 1}
    stats = await pump.store.stats.collect(pump.now)
    assert stats.alerts_s["seen_to_sent_median"] == 5
    assert stats.alerts_s["published_to_sent_p95"] == 65
    count = pump.meter.registry.get_sample_value
    assert count("tagwire_alert_seen_to_sent_seconds_sum") == 5
    assert count("tagwire_alert_published_to_sent_seconds_sum") == 65
    assert count("tagwire_alert_seen_to_queued_seconds_count") == 1
    assert message["message_id"]


GONE = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "kicked": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "not a member": (403, "Forbidden: bot is not a member of the channel chat"),
    "deleted": (403, "Forbidden: the group chat was deleted"),
    "unknown": (400, "Bad Request: chat not found"),
}


@pytest.mark.parametrize("why", list(GONE))
async def test_a_chat_that_is_gone_is_retired_with_the_reason_and_comes_back(why, pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    telegram.telegram.chat(reader).refusal = GONE[why]
    await pump.news(3)
    totals = await pump.drain()
    assert (totals.sent, totals.retired_chats, totals.left) == (0, 1, 0)
    assert len(telegram.calls) == 2  # getMe, and one try: the chat's other alerts are not tried
    chat = await pump.store.chats.get(reader)
    assert not chat.active
    assert chat.retired_reason.lower() in GONE[why][1].lower()
    assert await pump.news() == 0
    telegram.telegram.chat(reader).refusal = None
    await pump.store.chats.revive(reader, pump.now)
    assert await pump.news() == 1
    assert (await pump.drain()).sent == 1


async def test_a_group_that_moved_takes_everything_along_and_gets_its_alert(pump, telegram) -> None:
    group = await a_group(pump, telegram)
    await pump.store.chats.set_language(group, "uk")
    new = telegram.telegram.migrate(group)
    await pump.news(2)
    assert (await pump.drain()).sent == 2
    assert sorted(texts(telegram, new)) == ["Story 1", "Story 2"]
    assert texts(telegram, group) == []
    moved, old = await pump.store.chats.get(new), await pump.store.chats.get(group)
    assert (moved.language, moved.kind, moved.active, old.active) == ("uk", ChatKind.SUPERGROUP, True, False)
    assert await pump.news() == 1


async def test_a_group_that_moved_twice_keeps_what_it_chose_since(store: Store) -> None:
    """Two service messages tell of one move, and the outbox may have found it first."""
    await follow(store, -1)
    await store.chats.move(-1, -100, NOW)
    await store.chats.set_language(-100, "uk")
    await store.chats.retire(-100, "the bot is kicked", NOW)
    await store.chats.move(-1, -100, NOW)
    chat = await store.chats.get(-100)
    assert (chat.language, chat.active) == ("uk", False)


@pytest.mark.parametrize("said", ["Bad Request: message thread not found", "Bad Request: TOPIC_CLOSED"])
async def test_a_closed_topic_falls_back_to_the_root_and_says_so_once(said, pump, telegram) -> None:
    group = await a_group(pump, telegram, thread=7)
    chat = telegram.telegram.chat(group)
    if "thread" in said:
        chat.forum = False
    else:
        chat.closed_topics.add(7)
    await pump.news()
    assert (await pump.drain()).sent == 2
    assert sorted(texts(telegram, group))[1] == "Story 1"
    assert sum(text.startswith("A topic that gets alerts here is closed") for text in texts(telegram, group)) == 1
    tried = len(telegram.calls)
    await pump.news()
    assert (await pump.drain()).sent == 1
    assert len(telegram.calls) == tried + 1  # the card alone, without a try at the topic
    await pump.news()
    await pump.drain(after=25 * HOUR)  # a day later the topic is tried again, and the chat is not told again
    assert sum(text.startswith("A topic") for text in texts(telegram, group)) == 1


async def test_without_rights_a_chat_is_left_alone_for_an_hour_and_loses_nothing(pump, telegram) -> None:
    group = await a_group(pump, telegram)
    telegram.telegram.restrict(group)
    await pump.news(2)
    assert (await pump.drain()).left == 2
    tried = len(telegram.calls)
    await pump.news()
    assert (await pump.drain(after=WITHOUT_RIGHTS - 1)).left == 3
    assert len(telegram.calls) == tried
    telegram.telegram.chat(group).refusal = None
    assert (await pump.drain(after=1)).sent == 3
    assert texts(telegram, group) == ["Story 1", "Story 2", "Story 3"]


async def test_a_chat_that_gives_the_rights_back_gets_what_waited_at_once_and_in_order(pump, telegram) -> None:
    group = await a_group(pump, telegram)
    telegram.telegram.restrict(group)
    await pump.news(2)
    assert (await pump.drain()).left == 2
    telegram.telegram.chat(group).refusal = None
    await pump.store.chats.revive(group, pump.now)  # what `my_chat_member` tells
    await pump.news()
    assert (await pump.drain(after=1000)).sent == 3
    assert texts(telegram, group) == ["Story 1", "Story 2", "Story 3"]


@ON_SQLITE
async def test_slow_mode_pauses_one_chat_and_keeps_its_order(pump, telegram) -> None:
    group, reader = await a_group(pump, telegram), await a_reader(pump, telegram)
    telegram.faults.set("429", chat_id=group, times=1, retry_after=30)
    await pump.news(2)
    totals = await pump.drain()
    assert (totals.sent, totals.left) == (2, 2)
    assert texts(telegram, reader) == ["Story 1", "Story 2"]
    assert (await pump.drain(after=29_000)).sent == 0
    assert (await pump.drain(after=1000)).sent == 2
    assert texts(telegram, group) == ["Story 1", "Story 2"]


@ON_SQLITE
async def test_too_long_is_our_defect_and_goes_out_shortened(pump, telegram, monkeypatch) -> None:
    reader = await a_reader(pump, telegram)
    alert = card.alert
    monkeypatch.setattr(
        card, "alert", lambda *given, **how: (made := alert(*given, **how)) and type(made)(
            html="long " * 1000, plain=made.plain, buttons=made.buttons
        )
    )  # fmt: skip
    await pump.news()
    assert (await pump.drain()).sent == 1
    assert texts(telegram, reader) == ["Story 1"]
    assert (await pump.store.stats.collect(pump.now)).last_errors == {
        "alert 1": "sent as plain text: Message is too long"
    }  # fmt: skip


@ON_SQLITE
async def test_markup_telegram_cannot_read_goes_out_as_text_and_is_reported(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    telegram.faults.set("parse", times=1)
    await pump.news()
    assert (await pump.drain()).sent == 1
    assert texts(telegram, reader) == ["Story 1"]
    (error,) = (await pump.store.stats.collect(pump.now)).last_errors.values()
    assert error.startswith("sent as plain text: Can't parse entities")


@ON_SQLITE
async def test_not_modified_is_as_good_as_sent(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    telegram.telegram.chat(reader).refusal = (400, "Bad Request: message is not modified: specified new content")
    await pump.news()
    await pump.drain()
    assert await pump.states() == {"sent": 1}


@ON_SQLITE
@pytest.mark.parametrize("kind", ["500", "502"])
async def test_5xx_is_retried_with_growing_pauses(kind, pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    telegram.faults.set(kind, times=5)
    await pump.news()
    pauses = []
    while not telegram.telegram.messages(reader):
        await pump.drain()
        due = await pump.store.outbox.next_due(pump.now)
        if due is not None:
            pauses.append(due - pump.now)
            pump.now = due
    assert pauses == [2000, 2000, 4000, 8000, 16_000]
    assert await pump.states() == {"sent": 1}


@ON_SQLITE
@pytest.mark.parametrize(("kind", "copies"), [("reset-before", 0), ("reset-after", 2)])
async def test_an_alert_without_an_answer_is_repeated_once_after_a_pause_and_never_again(
    kind, copies, pump, telegram
) -> None:
    reader = await a_reader(pump, telegram)
    telegram.faults.set(kind)
    await pump.news()
    await pump.drain()
    assert (await pump.drain(after=AFTER_UNKNOWN - 1)).left == 1
    assert len(telegram.telegram.messages(reader)) == copies // 2
    assert (await pump.drain(after=1)).failed == 1
    assert (await pump.drain(after=HOUR)).sent == 0
    assert len(telegram.telegram.messages(reader)) == copies
    (error,) = (await pump.store.stats.collect(pump.now)).last_errors.values()
    assert error.startswith("may have been delivered")


@ON_SQLITE
async def test_on_a_shared_card_each_alert_has_the_tries_that_it_had(pump, telegram) -> None:
    """One had a try without an answer before the outage: the card's is its second, and the first of the others."""
    reader = await a_reader(pump, telegram)
    telegram.faults.set("reset-before", times=2)
    await pump.news()
    await pump.drain()
    pump.now += MINUTE
    await pump.news(4)
    await pump.drain(after=HOUR + MINUTE)
    assert await pump.states() == {"parked": 1, "queued": 4}
    await pump.drain(after=AFTER_UNKNOWN)
    assert texts(telegram, reader) == ["4 alerts waited for you"]


@ON_SQLITE
@pytest.mark.parametrize(("repeat", "copies"), [(True, 2), (False, 1)])
async def test_whether_hot_news_without_an_answer_is_repeated_is_a_setting(repeat, copies, pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    pump.policy = Policy(repeat_hot=repeat)
    telegram.faults.set("reset-after")
    await send_hot(pump.store, "hot", pump.now)
    for _ in range(4):
        await pump.drain(after=AFTER_UNKNOWN)
    assert texts(telegram, reader) == ["hot"] * copies


async def test_alerts_that_are_no_news_any_more_come_in_the_next_digest(pump, telegram) -> None:
    """Not at night, a day late: after ten in the evening the next is at eight."""
    reader = await a_reader(pump, telegram)
    await pump.news(2)
    assert (await pump.drain(after=12 * HOUR + 1)).sent == 0
    assert (await pump.drain(after=10 * HOUR - 2)).left == 2
    assert (await pump.drain(after=1)).sent == 2
    assert texts(telegram, reader) == ["Digest: 2 articles"]


@ON_SQLITE
async def test_an_alert_of_days_ago_is_not_sent(pump, telegram) -> None:
    reader = await a_reader(pump, telegram)
    await pump.news(2)
    assert (await pump.drain(after=WORTH_A_DIGEST + 1)).sent == 0
    assert await pump.states() == {"dropped": 2}
    assert telegram.telegram.messages(reader) == []


async def test_after_an_outage_a_chat_gets_one_card_for_many_alerts(pump, telegram) -> None:
    many, few = await a_reader(pump, telegram), telegram.telegram.add_user("Few", "en")
    await pump.news(2)
    await follow(pump.store, few)
    await pump.news(3)
    assert (await pump.drain(after=HOUR)).sent == 8
    assert texts(telegram, many) == ["5 alerts waited for you"]
    assert texts(telegram, few) == ["Story 3", "Story 4", "Story 5"]
    (message,) = telegram.telegram.messages(many)
    links = [entity["url"] for entity in message["entities"] if entity["type"] == "text_link"]
    assert links == [f"https://news.example/{number}" for number in (5, 4, 3, 2, 1)]
    assert await pump.states() == {"sent": 8}
    await pump.news()
    await pump.drain()
    assert texts(telegram, many)[1:] == ["Story 6"]


@ON_SQLITE
async def test_a_catch_up_card_keeps_to_telegrams_limits_and_to_what_is_still_news(pump, telegram) -> None:
    reader = telegram.telegram.add_user("Olivia", "uk")
    pump.policy = Policy(offer_quiet=False)  # it comes at night
    await follow(pump.store, reader, language="uk")
    await pump.news(2)
    pump.now += 10 * HOUR
    await pump.news(60, title="Дуже довгий заголовок " * 30)
    assert (await pump.drain(after=3 * HOUR)).sent == 60
    (message,) = telegram.telegram.messages(reader)
    assert message["text"].startswith("На вас чекало 60 сповіщень")
    assert message["text"].splitlines()[-1].startswith("і ще ")
    assert len(message["text"]) <= 4096
    assert await pump.states() == {"sent": 60, "queued": 2}


@ON_SQLITE
async def test_a_poison_row_is_parked_with_its_error_and_shown(pump, telegram, monkeypatch) -> None:
    reader, other = await a_reader(pump, telegram), await a_reader(pump, telegram)
    alert = card.alert

    def poisoned(article, **how):
        if article.title == "Story 1":
            raise ValueError("poison")
        return alert(article, **how)

    monkeypatch.setattr(card, "alert", poisoned)
    await pump.news(2)
    totals = await pump.drain()
    assert (totals.sent, totals.failed, totals.left) == (2, 2, 0)
    assert texts(telegram, reader) == texts(telegram, other) == ["Story 2"]
    errors = (await pump.store.stats.collect(pump.now)).last_errors
    assert errors == dict.fromkeys(("alert 2", "alert 1"), "defect: ValueError: poison")
    assert (await pump.drain(after=HOUR)).sent == 0


@pytest.mark.parametrize("said", ["a \ud800", "a \0"])
async def test_an_error_that_no_database_can_keep_holds_nobody_up(said, pump, telegram, monkeypatch) -> None:
    """It would fail with all that are settled beside it, at every try anew."""
    reader = await a_reader(pump, telegram)
    alert = card.alert

    def poisoned(article, **how):
        if article.title == "Story 1":
            raise ValueError(said)
        return alert(article, **how)

    monkeypatch.setattr(card, "alert", poisoned)
    await pump.news(2)
    assert (await pump.drain()).sent == 1
    assert texts(telegram, reader) == ["Story 2"]
    assert (await pump.store.stats.collect(pump.now)).last_errors == {"alert 1": "defect: ValueError: a ?"}


async def test_a_row_whose_sender_died_twice_is_not_sent_a_third_time(pump, telegram) -> None:
    await a_reader(pump, telegram)
    await pump.news()
    for _ in range(2):
        (row,) = await pump.store.outbox.claim("dead", pump.now, MINUTE, 1)
        await pump.store.outbox.leave("dead", [row.id])
        pump.now += MINUTE
    totals = await pump.drain()
    assert (totals.sent, totals.failed, totals.left) == (0, 1, 0)
    assert await pump.store.outbox.counts() == {DeliveryState.PARKED: 1}


@ON_SQLITE
async def test_a_stuck_chat_holds_nobody_up(pump, telegram) -> None:
    """Its first alert is on the wire without an answer; its others wait, and take no room from anybody."""
    stuck = await a_reader(pump, telegram)
    await pump.news(20)
    people = [await a_reader(pump, telegram) for _ in range(20)]
    await pump.news()
    telegram.faults.set("hang", chat_id=stuck)
    pump.in_flight = 2
    deliverer = pump.deliverer()
    running = asyncio.create_task(deliverer.run())
    async with asyncio.timeout(20), telegram.telegram.changed:
        await telegram.telegram.changed.wait_for(lambda: all(map(telegram.telegram.messages, people)))
    assert telegram.telegram.messages(stuck) == []
    deliverer.stop()
    telegram.faults.clear()
    await running


@ON_SQLITE
async def test_hot_news_goes_before_thousands_of_alerts(pump, telegram) -> None:
    """What is claimed is on its way, and nothing else is: hot news that comes late is next."""
    people = [await a_reader(pump, telegram) for _ in range(3)]
    await pump.news(30)
    pump.in_flight = 1
    sending, order = pump.sender, []

    class Confirming:
        async def send(self, chat_id: int, thread_id: int, card: Card, *, plain: bool = False, **_: object) -> Outcome:
            order.append(card.plain)
            if len(order) == 5:
                await send_hot(pump.store, "hot", pump.now)
            return await sending.send(chat_id, thread_id, card, plain=plain)

    pump.sender = Confirming()
    await pump.drain()
    assert order[5:8] == ["hot"] * len(people)
    assert len(order) == 93


@ON_SQLITE
async def test_no_answer_of_telegram_is_left_out(pump, telegram) -> None:
    """Something nobody has seen yet is parked at once; the chat stays."""
    reader = await a_reader(pump, telegram)
    telegram.telegram.chat(reader).refusal = (400, "Bad Request: something nobody has seen yet")
    await pump.news()
    assert (await pump.drain()).failed == 1
    assert (await pump.store.chats.get(reader)).active
