"""`make bench`: each benchmark several times, medians of CPU and wall time, as a table.

make bench                     # all of them
make bench ARGS="fanout poll"  # some
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.logs import configure
from tests.bench import cadence, deliver, fanout, poll, soak

BENCHMARKS = {"cadence": cadence.measure, "poll": poll.measure, "fanout": fanout.measure, "deliver": deliver.measure}
#: Minutes each: only when named.
LONG = {"soak": soak.measure}
EVERY = {**BENCHMARKS, **LONG}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(EVERY)}; when none is named, all but the long ones"
    )
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(EVERY))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(EVERY)}")
    configure(level="error", as_json=False)
    table = Table("what", "unit", "median", "min", "max", title=f"{asked.runs} runs each")
    for name in asked.names or BENCHMARKS:
        runs: list[list[tuple[str, str, float]]] = []
        for _ in range(asked.runs):
            with tempfile.TemporaryDirectory(prefix="tagwire-bench-") as folder:
                runs.append(asyncio.run(EVERY[name](Path(folder))))
        for figures in zip(*runs, strict=True):
            what, unit, _ = figures[0]
            values = sorted(value for _, _, value in figures)
            table.add_row(
                what, unit, *(f"{value:,.1f}" for value in (statistics.median(values), values[0], values[-1]))
            )
    Console().print(table)


if __name__ == "__main__":
    main()
