"""`make bench`: each benchmark several times, medians of CPU and wall time, as a table.

make bench                     # all but the long ones
make bench ARGS="fanout poll"  # some
make bench ARGS="soak phrases --runs 1"
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from importlib import import_module
from pathlib import Path

# Nothing else is imported here: parser workers import this module again, and would be counted with it.
BENCHMARKS = ("cadence", "poll", "fanout", "outbox", "deliver", "wire", "pacing", "first_alert")
#: Minutes each: only when named.
LONG = ("soak", "search", "crash", "phrases", "rate", "workers", "page")


def main() -> None:
    """Run, and print a table."""
    from bot.logs import configure  # noqa: PLC0415

    every = (*BENCHMARKS, *LONG)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(every)}; without, all but the long ones"
    )
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(every))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(every)}")
    configure(level="error", as_json=False)
    rows: list[tuple[str, ...]] = []
    for name in asked.names or BENCHMARKS:
        measure = import_module(f"tests.bench.{name}").measure
        runs: list[list[tuple[str, str, float]]] = []
        for _ in range(asked.runs):
            with tempfile.TemporaryDirectory(prefix="tagwire-bench-") as folder:
                runs.append(asyncio.run(measure(Path(folder))))
        for figures in zip(*runs, strict=True):
            what, unit, _ = figures[0]
            values = sorted(value for _, _, value in figures)
            rows.append(
                (what, unit, *(f"{value:,.1f}" for value in (statistics.median(values), values[0], values[-1])))
            )
    _print(rows, asked.runs)


def _print(rows: list[tuple[str, ...]], runs: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - its memory is not the product's
    from rich.table import Table  # noqa: PLC0415

    table = Table("what", "unit", "median", "min", "max", title=f"{runs} runs each")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
