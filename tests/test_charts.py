from __future__ import annotations

import struct

import pytest

from bot.charts import Chart, Series, draw, png


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", picture[16:24])


@pytest.mark.parametrize("kind", ["line", "bars"])
def test_a_chart_is_a_picture_for_a_phone(kind) -> None:
    labels = tuple(f"{hour:02}:00" for hour in range(24))
    one = Series(name="#нато", values=tuple(range(24)))
    other = Series(name="$eu_", values=(3.5,) * 24)
    picture = png(Chart(title="Сповіщення $ за_годину", labels=labels, series=(one, other), kind=kind, unit="alerts"))
    assert size(picture) == (1280, 720)
    assert picture != png(Chart(title="", labels=labels, series=(one,), kind=kind))


def test_nothing_to_show_is_an_empty_chart() -> None:
    assert size(png(Chart(title="Nothing", labels=(), series=()))) == (1280, 720)


def test_a_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        png(Chart(title="", labels=("a", "b"), series=(Series(values=(1,)),)))


async def test_it_is_drawn_in_a_process_of_its_own() -> None:
    chart = Chart(title="One", labels=("a", "b"), series=(Series(values=(1, 2)),), kind="bars")
    assert await draw(chart) == png(chart)
