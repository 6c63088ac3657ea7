"""The limiter in the library's own place, on a clock that jumps; beside it the library's stock limiter and its faults.

The faults A to I are those of facts on python-telegram-bot 22.8's AIORateLimiter: each test shows ours without the
fault, and the stock one with it, so that a release which mends one is noticed.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field

import pytest
from telegram.error import ChatMigrated, RetryAfter
from telegram.ext import AIORateLimiter

from bot.core.model import Lane
from bot.core.pacing import Pacer
from bot.telegram.pacing import Pace, PacingLimiter, bulk
from tests.telegram.turned import turned

PATIENT = Pace(Lane.ALERT, patience=float("inf"))


def ours() -> PacingLimiter:
    return PacingLimiter(Pacer())


@dataclass
class Telegram:
    """Answers what it is told to, by chat and in turn, after some milliseconds."""

    answers: dict[object, list[Exception]] = field(default_factory=dict)
    called: list[tuple[float, object]] = field(default_factory=list)

    async def __call__(self, chat: object) -> dict:
        self.called.append((now(), chat))
        await asyncio.sleep(0.005)
        if self.answers.get(chat):
            raise self.answers[chat].pop(0)
        return {"message_id": 1, "chat": {"id": -100 if isinstance(chat, str) else chat}}

    def times(self, chat: object = None) -> list[float]:
        return [at for at, who in self.called if chat in {None, who}]


def now() -> float:
    return asyncio.get_running_loop().time()


def most_within(times: list[float], window: float) -> int:
    return max(sum(start <= at < start + window for at in times) for start in times)


def call(limiter, telegram: Telegram, chat: object = 5, pace: object = None, endpoint: str = "sendMessage", **data):
    return limiter.process_request(telegram, (chat,), {}, endpoint, {"chat_id": chat, **data}, pace)


def all_at_once(limiter, chats, pace: object = None, **data) -> Telegram:
    """Calls to these chats at the same moment, to their end."""
    telegram = Telegram()

    async def run() -> None:
        await asyncio.gather(*(call(limiter, telegram, chat, pace, **data) for chat in chats))

    turned(run())
    return telegram


# -- the stock limiter's faults


def test_a_there_is_no_burst_of_59_in_the_first_second() -> None:
    chats = range(1, 151)
    assert most_within(all_at_once(ours(), chats, PATIENT).times(), 1.0) == 30
    assert most_within(all_at_once(AIORateLimiter(), chats).times(), 1.0) >= 59


def test_b_a_private_chat_gets_one_message_a_second() -> None:
    assert most_within(all_at_once(ours(), [5] * 20, PATIENT).times(), 10.0) == 12
    assert most_within(all_at_once(AIORateLimiter(), [5] * 20).times(), 0.1) == 20


def test_c_a_paid_broadcast_keeps_the_limit_of_a_group() -> None:
    assert most_within(all_at_once(ours(), [-5] * 60, PATIENT, allow_paid_broadcast=True).times(), 60.0) == 20
    assert most_within(all_at_once(AIORateLimiter(), [-5] * 60, allow_paid_broadcast=True).times(), 1.0) == 60


def wait_of_an_answer(limiter, pace: object) -> float:
    """Seconds that an answer takes behind 400 calls that wait already."""
    telegram = Telegram()

    async def run() -> float:
        calls = [asyncio.create_task(call(limiter, telegram, chat, pace)) for chat in range(1, 401)]
        await asyncio.sleep(0.3)
        asked = now()
        await call(limiter, telegram, 1000)
        took = now() - asked
        await asyncio.gather(*calls)
        return took

    return turned(run())


def test_d_an_answer_does_not_queue_behind_a_broadcast() -> None:
    assert wait_of_an_answer(ours(), PATIENT) < 0.04
    assert wait_of_an_answer(AIORateLimiter(), None) > 11


def calls_in_a_pause(limiter, pace: object) -> int:
    """Calls to the flooded chat during its three seconds of pause, while calls under way to others end."""
    telegram = Telegram({5: [RetryAfter(3)]})

    async def run() -> None:
        flooded = asyncio.create_task(call(limiter, telegram, 5))
        others = [asyncio.create_task(call(limiter, telegram, chat, pace)) for chat in range(10, 30)]
        await asyncio.sleep(0.2)
        more = [asyncio.create_task(call(limiter, telegram, 5)) for _ in range(3)]
        await asyncio.gather(flooded, *others, *more)

    turned(run())
    start = telegram.times(5)[0]
    return sum(start < at < start + 3 for at in telegram.times(5))


def test_e_a_pause_lasts_as_long_as_telegram_said() -> None:
    assert calls_in_a_pause(ours(), PATIENT) == 0
    assert calls_in_a_pause(AIORateLimiter(max_retries=2), None) == 3


def calls_of_a_hundred_in_a_flood(limiter, pace: object) -> int:
    """How many of 100 calls to one group that is told to wait 30 s reach Telegram within a second."""
    telegram = Telegram({-5: [RetryAfter(30) for _ in range(100)]})

    async def run() -> None:
        for _ in range(100):
            with pytest.raises(RetryAfter):
                await call(limiter, telegram, -5, pace)

    turned(run())
    return len(telegram.called)


def test_f_a_flood_pauses_its_chat_also_where_nobody_retries() -> None:
    assert calls_of_a_hundred_in_a_flood(ours(), bulk(Lane.ALERT)) == 1
    assert calls_of_a_hundred_in_a_flood(AIORateLimiter(group_max_rate=0), None) == 100


def tries(limiter, pace: object) -> int:
    telegram = Telegram({5: [RetryAfter(1) for _ in range(9)]})

    async def run() -> None:
        with pytest.raises(RetryAfter):
            await call(limiter, telegram, 5, pace)

    turned(run())
    return len(telegram.called)


def test_g_retries_can_be_switched_off_for_a_call() -> None:
    assert tries(ours(), None) == 3
    assert tries(ours(), Pace(Lane.ALERT, patience=60, retries=0)) == 1
    assert tries(AIORateLimiter(max_retries=2), 0) == 3


def wait_of_another_chat(limiter, pace: object) -> float:
    """Seconds that a call to another chat takes once one chat was flooded."""
    telegram = Telegram({5: [RetryAfter(30)]})

    async def run() -> float:
        flooded = asyncio.create_task(call(limiter, telegram, 5))
        await asyncio.sleep(0.5)
        asked = now()
        await call(limiter, telegram, 6, pace)
        took = now() - asked
        await flooded
        return took

    return turned(run())


def test_h_a_flood_of_one_chat_stops_nobody_else() -> None:
    assert wait_of_another_chat(ours(), PATIENT) < 0.04
    assert wait_of_another_chat(AIORateLimiter(max_retries=1), None) > 29


def lines_of_one_call(limiter, groups: int) -> int:
    """Lines of Python that one call runs after calls to so many groups."""
    telegram = Telegram()
    lines = 0

    def count(frame: object, event: str, _: object) -> object:
        nonlocal lines
        lines += event == "line"
        return count

    async def run() -> None:
        for group in range(1, groups + 1):
            await call(limiter, telegram, -group)
        tracing = sys.gettrace()  # coverage's, which must go on
        sys.settrace(count)
        try:
            await call(limiter, telegram, -1)
        finally:
            sys.settrace(tracing)

    turned(run())
    return lines


def test_i_the_cost_of_a_call_does_not_grow_with_the_chats() -> None:
    def fast() -> PacingLimiter:
        return PacingLimiter(Pacer(overall=0))

    assert lines_of_one_call(fast(), 2000) < lines_of_one_call(fast(), 10) + 40
    few, many = (lines_of_one_call(AIORateLimiter(overall_max_rate=0), groups) for groups in (10, 2000))
    assert many > few + 2000


# -- what else ours promises


def test_thirty_a_second_and_no_slot_wasted() -> None:
    times = all_at_once(ours(), range(1, 301), PATIENT).times()
    assert 299 / (times[-1] - times[0]) > 29.7


def test_an_answer_waits_out_a_flood_and_is_sent() -> None:
    telegram = Telegram({5: [RetryAfter(7)]})
    assert turned(call(ours(), telegram))["message_id"] == 1
    first, second = telegram.times()
    assert second - first >= 7


def test_an_answer_gives_up_on_a_flood_of_minutes() -> None:
    telegram = Telegram({5: [RetryAfter(600)]})

    async def run() -> None:
        limiter = ours()
        for _ in range(2):  # the second without a call
            with pytest.raises(RetryAfter):
                await call(limiter, telegram)

    turned(run())
    assert len(telegram.called) == 1


def test_a_bulk_call_comes_back_at_once_and_nobody_else_waits() -> None:
    telegram = Telegram({5: [RetryAfter(7)]})

    async def run() -> float:
        limiter, start = ours(), now()
        for wait in (7, 7):
            with pytest.raises(RetryAfter) as raised:
                await call(limiter, telegram, 5, bulk(Lane.ALERT))
            assert raised.value._retry_after.total_seconds() == wait
        await call(limiter, telegram, 6, bulk(Lane.ALERT))
        return now() - start

    assert turned(run()) < 0.1
    assert telegram.times(5) == telegram.times(5)[:1]


def test_a_call_that_waits_when_its_chat_is_paused_comes_back_in_time() -> None:
    telegram = Telegram({5: [RetryAfter(3600)]})

    async def run() -> float:
        limiter = ours()
        calls = [asyncio.create_task(call(limiter, telegram, 5, bulk(Lane.ALERT))) for _ in range(4)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(one) for one in done} >= {RetryAfter}
        return now()

    assert turned(run()) < 1000 + 35


def test_questions_are_not_counted_and_edits_are() -> None:
    telegram = Telegram()

    async def run() -> tuple[float, float]:
        limiter, start = ours(), now()
        for _ in range(100):
            for endpoint in ("answerCallbackQuery", "sendChatAction", "getMe", "getChat", "setMyCommands"):
                await call(limiter, telegram, 5, endpoint=endpoint)
        between = now()
        for _ in range(6):
            await call(limiter, telegram, 5, endpoint="editMessageText")
        return between - start, now() - between

    questions, edits = turned(run())
    assert questions == pytest.approx(500 * 0.005, rel=0.001)
    assert edits > 3


def test_several_chats_that_report_floods_pause_everybody() -> None:
    telegram = Telegram({chat: [RetryAfter(4)] for chat in (1, 2, 3)})

    async def run() -> float:
        limiter = ours()
        for chat in (1, 2, 3):
            with pytest.raises(RetryAfter):
                await call(limiter, telegram, chat, bulk(Lane.ALERT))
        with pytest.raises(RetryAfter):
            await call(limiter, telegram, 99, bulk(Lane.ALERT))  # goes back to the outbox, without a call
        start = now()
        await call(limiter, telegram, 99)
        return now() - start

    assert turned(run()) > 3.8
    assert len(telegram.times(99)) == 1


def test_an_id_in_words_is_that_id_and_a_name_is_learned() -> None:
    telegram = Telegram()

    async def run() -> None:
        limiter = ours()
        await call(limiter, telegram, "@Channel", PATIENT)
        calls = [call(limiter, telegram, chat, PATIENT) for chat in ("@channel", "-100", -100) for _ in range(10)]
        await asyncio.gather(*calls)

    turned(run())
    assert most_within(telegram.times(), 60.0) == 20


def test_a_migrated_group_keeps_its_count() -> None:
    telegram = Telegram()

    async def run() -> None:
        limiter = ours()
        for _ in range(15):
            await call(limiter, telegram, -5, PATIENT)
        telegram.answers[-5] = [ChatMigrated(-1005)]
        with pytest.raises(ChatMigrated):
            await call(limiter, telegram, -5, PATIENT)
        await asyncio.gather(*(call(limiter, telegram, -1005, PATIENT) for _ in range(10)))

    turned(run())
    assert most_within(telegram.times(), 60.0) == 20


def test_a_cancelled_call_takes_no_slot() -> None:
    telegram = Telegram()

    async def run() -> float:
        limiter = ours()
        calls = [asyncio.create_task(call(limiter, telegram, chat, PATIENT)) for chat in range(1, 101)]
        await asyncio.sleep(0.1)
        for one in calls[5:]:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await call(limiter, telegram, 1000, PATIENT)
        await limiter.shutdown()
        return now()

    assert turned(run()) < 1000.3
    assert len(telegram.called) <= 6


class Shared:
    """A rate that several senders share, as a database row would keep it."""

    def __init__(self) -> None:
        self.next_free = 0.0
        self.lots: list[int] = []
        self.broken = 0

    async def take(self, slots: int, *, paid: bool) -> float:
        await asyncio.sleep(0.002)
        if self.broken:
            self.broken -= 1
            raise OSError("the database is away")
        self.lots.append(slots)
        at = max(now(), self.next_free)
        self.next_free = at + slots * 1.008 / (1000 if paid else 30)
        return at - now()


def test_senders_that_share_a_rate_keep_it_together() -> None:
    telegram, shared = Telegram(), Shared()

    async def run() -> None:
        senders = [PacingLimiter(Pacer(shared=True), shared) for _ in range(4)]
        chats = iter(range(1, 601))
        await asyncio.gather(*(call(senders[chat % 4], telegram, chat, PATIENT) for chat in chats))

    turned(run())
    times = telegram.times()
    assert most_within(times, 1.0) <= 30
    assert 599 / (times[-1] - times[0]) > 29
    assert set(shared.lots) == {3}


def test_calls_wait_while_the_shared_rate_is_away() -> None:
    telegram, shared = Telegram(), Shared()
    shared.broken = 2
    turned(call(PacingLimiter(Pacer(shared=True), shared), telegram))
    assert telegram.times()[0] >= 1002
