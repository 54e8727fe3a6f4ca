"""Events per second of CPU of `leadstream score` over a file, decoding and output included.

    python -m tests.bench.score_file --events 300000 --leads 20000

One run on all events and one on a tenth of them; the difference leaves the start of the process out. The events are
those of the other benchmarks, of one hour; with `--hours 720` a month goes by in the file, and there is a deadline to
look at for every second event.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.load import raw_events

__all__ = ["main", "measure", "rate"]

COMMAND = (sys.executable, "-m", "streams.cli", "score")


class Cost(NamedTuple):
    """What a run took."""

    cpu_s: float
    wall_s: float


def measure(model: str, path: Path, *more: str) -> Cost:
    """One run of the command; its output goes nowhere."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([*COMMAND, "--model", model, *more, str(path)], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(cpu, time.perf_counter() - began)


def costs(options: argparse.Namespace) -> tuple[list[float], float]:
    """Microseconds of CPU an event of each run, best first; seconds of the first whole run."""
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder, "whole.jsonl"), Path(folder, "part.jsonl")
        lines = [event for _, _, event in raw_events(options.events, options.leads, span_s=options.hours * 3600)]
        few = len(lines) // 10
        whole.write_bytes(b"\n".join(lines) + b"\n")
        part.write_bytes(b"\n".join(lines[:few]) + b"\n")
        runs = [(measure(options.model, whole), measure(options.model, part)) for _ in range(options.runs)]
    each = sorted((long.cpu_s - short.cpu_s) / (len(lines) - few) * 1e6 for long, short in runs)
    return each, runs[0][0].wall_s


def rate(events: int, leads: int, hours: int = 1) -> float:
    """Events per second of CPU, the median of three runs."""
    each, _ = costs(_parser().parse_args(["--events", str(events), "--leads", str(leads), "--hours", str(hours)]))
    return 1e6 / each[len(each) // 2]


def main(arguments: list[str]) -> int:
    """Prints one line of figures."""
    options = _parser().parse_args(arguments)
    each, wall_s = costs(options)
    middle = each[len(each) // 2]
    print(
        f"leadstream score, {options.model}: {options.events:,} events, {options.leads:,} leads, {options.hours:,} h: "
        f"{each[0]:.1f} µs CPU an event at best, {middle:.1f} in the middle of {len(each)} runs: "
        f"{1e6 / each[0]:,.0f} and {1e6 / middle:,.0f} events per second and core; {wall_s:.1f} s wall, start included"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.score_file", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=1, help="how long the events' time is")
    parser.add_argument("--model", default="b2b-default")
    parser.add_argument("--runs", type=int, default=3)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
