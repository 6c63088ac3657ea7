"""How much one person may ask."""

from bot.telegram.fresh import Fresh
from bot.telegram.patience import PER_MINUTE, Answer, Patience

NOW = 1_800_000_000_000
MINUTE = 60_000


def test_twenty_a_minute_then_one_notice_then_silence_until_it_is_over() -> None:
    patience = Patience()
    answers = [patience.ask(1, NOW + second * 1000) for second in range(30)]
    assert answers == [Answer.GLADLY] * PER_MINUTE + [Answer.WITH_A_NOTICE] + [Answer.NOT] * 9
    assert patience.ask(2, NOW + 30_000) is Answer.GLADLY  # somebody else
    assert patience.ask(1, NOW + MINUTE - 1) is Answer.NOT
    assert patience.ask(1, NOW + MINUTE) is Answer.GLADLY


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    patience = Patience()
    for _ in range(30):
        patience.ask(1, NOW)
    assert patience.ask(1, NOW - 60 * MINUTE) is Answer.GLADLY


def test_of_very_many_the_oldest_is_forgotten() -> None:
    kept = Fresh[int, str](MINUTE, most=3)
    for number in range(5):
        kept.put(number, str(number), NOW)
    assert [kept.get(number, NOW) for number in range(5)] == [None, None, "2", "3", "4"]
    kept.put(2, "again", NOW + 1)
    kept.put(5, "5", NOW + 1)
    assert (kept.get(2, NOW + MINUTE), kept.get(3, NOW + 1), kept.get(2, NOW + MINUTE + 1)) == ("again", None, None)
