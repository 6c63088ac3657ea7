"""Pictures of figures: a `Chart` says what is shown, `draw` makes a PNG of it.

The plotter takes 90 MB and a second or two, which a small server has for a moment but not for good: it is loaded in a
process that ends with the picture.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Inches and dots an inch: 1280 x 720, which a phone shows sharply.
SIZE, DPI = (8.0, 4.5), 160
#: More names below the axis than these would overlap.
MOST_LABELS = 12
#: Told apart also by who sees few colours (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line, or the bars of one colour."""

    values: tuple[float, ...]
    name: str = ""  #: shown in the legend, where several are


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is shown: a value of each series over each label."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    kind: Literal["line", "bars"] = "line"
    unit: str = ""  #: of the values: "alerts", "s"


async def draw(chart: Chart) -> bytes:
    """The chart as a PNG of 1280 x 720."""
    return (await draw_all([chart]))[0]


async def draw_all(charts: Sequence[Chart]) -> list[bytes]:
    """The charts one after the other, by one process: starting it is most of the work."""
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    try:
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(pool, png, chart) for chart in charts]
    finally:
        pool.shutdown(wait=False)


def png(chart: Chart) -> bytes:
    """The same, in this process. Raises ValueError where a series is not as long as the labels."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - what the process of its own is for

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    places = range(len(chart.labels))
    width = 0.8 / max(1, len(chart.series))
    for number, series in enumerate(chart.series):
        look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "label": series.name or None}
        if chart.kind == "line":
            axes.plot(places, series.values, linewidth=2, **look)
        else:
            shift = (number - (len(chart.series) - 1) / 2) * width
            axes.bar([place + shift for place in places], series.values, width, **look)
    _dress(axes, chart)
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _dress(axes: Any, chart: Chart) -> None:
    axes.set_title(_literal(chart.title), loc="left", fontweight="bold")
    axes.set_ylabel(_literal(chart.unit))
    axes.set_ylim(bottom=0)
    if all(float(value).is_integer() for series in chart.series for value in series.values):
        axes.yaxis.get_major_locator().set_params(integer=True)  # nobody counts half a copy
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    step = -(-len(chart.labels) // MOST_LABELS) or 1
    axes.set_xticks(range(0, len(chart.labels), step), [_literal(label) for label in chart.labels[::step]])
    if any(len(label) > 6 for label in chart.labels):
        axes.tick_params(axis="x", rotation=30)
    if any(series.name for series in chart.series):
        axes.legend(frameon=False)


def _literal(text: str) -> str:
    """A dollar would begin a formula."""
    return text.replace("$", r"\$")
