"""The limiter in the library's own place, on a clock that a test turns."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from telegram.error import RetryAfter

from bot.core.pacing import Pacer
from bot.telegram.pacing import Bulk, PacingLimiter


@dataclass
class Time:
    """A clock that moves by sleeping."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time: Time) -> PacingLimiter:
    return PacingLimiter(Pacer(overall=30, per_chat=1, per_group=20), clock=time.clock, sleep=time.sleep)


class Telegram:
    """Answers what it is told to, in turn."""

    def __init__(self, time: Time, *answers: object) -> None:
        self.time = time
        self.answers = list(answers)
        self.called_at: list[float] = []

    async def __call__(self) -> bool:
        self.called_at.append(self.time.now)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return True


def call(limiter: PacingLimiter, telegram: Telegram, chat: object = 5, endpoint: str = "sendMessage", bulk=None):
    return limiter.process_request(telegram, (), {}, endpoint, {"chat_id": chat}, bulk)


async def test_thirty_a_second_over_all_from_the_first_second_on(limiter, time) -> None:
    telegram = Telegram(time)
    for chat in range(1, 92):
        await call(limiter, telegram, chat, bulk=Bulk())
    first = telegram.called_at[0]
    assert sum(at < first + 1 for at in telegram.called_at) <= 30
    assert telegram.called_at[-1] - first == pytest.approx(3, rel=0.02)


async def test_an_answer_waits_out_a_flood_and_is_sent(limiter, time) -> None:
    telegram = Telegram(time, RetryAfter(7))
    assert await call(limiter, telegram)
    assert telegram.called_at[1] - telegram.called_at[0] >= 7


async def test_a_bulk_call_comes_back_at_once_and_its_chat_rests(limiter, time) -> None:
    telegram = Telegram(time, RetryAfter(7))
    with pytest.raises(RetryAfter):
        await call(limiter, telegram, bulk=Bulk())
    with pytest.raises(RetryAfter):
        await call(limiter, telegram, bulk=Bulk())  # no call was made for this one
    assert len(telegram.called_at) == 1
    assert await call(limiter, telegram, chat=6, bulk=Bulk())  # nobody else waits
    assert time.slept == [] or max(time.slept) < 0.1


async def test_an_answer_gives_up_on_a_flood_of_minutes(limiter, time) -> None:
    telegram = Telegram(time, RetryAfter(600))
    with pytest.raises(RetryAfter):
        await call(limiter, telegram)
    assert len(telegram.called_at) == 1


async def test_questions_are_not_counted(limiter, time) -> None:
    telegram = Telegram(time)
    for _ in range(100):
        await call(limiter, telegram, endpoint="answerCallbackQuery")
        await call(limiter, telegram, endpoint="sendChatAction")
        await call(limiter, telegram, chat="@channel", endpoint="getChat")
    assert time.slept == []


async def test_several_chats_that_report_floods_pause_everybody(limiter, time) -> None:
    for chat in (1, 2, 3):
        with pytest.raises(RetryAfter):
            await call(limiter, Telegram(time, RetryAfter(4)), chat, bulk=Bulk())
    telegram = Telegram(time)
    start = time.now
    await call(limiter, telegram, chat=99, bulk=Bulk())
    assert telegram.called_at[0] - start >= 3.5
