"""Events per second of `leadstream score` over a file, of CPU and on two cores, decoding and output included.

    python -m tests.bench.score_file --events 300000 --leads 20000

One run on all events and one on a tenth of them; the difference leaves the start of the process out. The events are
those of the other benchmarks, of one hour; with `--hours 720` a month goes by in the file, and there is a deadline to
look at for every second event.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.load import raw_events

__all__ = ["Cost", "main", "measure", "rates"]

COMMAND = (sys.executable, "-m", "streams.cli", "score")


class Cost(NamedTuple):
    """What events took, in microseconds each.

    Attributes:
        cpu_us: Processor time, of one process on one core.
        wall_us: Time, where the command has two cores.
    """

    cpu_us: float
    wall_us: float


class _Run(NamedTuple):
    cpu_s: float
    wall_s: float


def measure(model: str, path: Path, cores: int) -> _Run:
    """One run of the command on so many cores; its output goes nowhere."""
    some = sorted(os.sched_getaffinity(0))[:cores]
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        [*COMMAND, "--model", model, str(path)],
        stdout=subprocess.DEVNULL,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, some),
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return _Run(cpu, time.perf_counter() - began)


def costs(options: argparse.Namespace) -> list[Cost]:
    """Of each run: the whole file less a tenth of it, so that the start is not in it."""
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder, "whole.jsonl"), Path(folder, "part.jsonl")
        lines = [event for _, _, event in raw_events(options.events, options.leads, span_s=options.hours * 3600)]
        few = len(lines) // 10
        whole.write_bytes(b"\n".join(lines) + b"\n")
        part.write_bytes(b"\n".join(lines[:few]) + b"\n")
        more = (len(lines) - few) / 1e6
        found = []
        for _ in range(options.runs):
            one = measure(options.model, whole, 1).cpu_s - measure(options.model, part, 1).cpu_s
            two = measure(options.model, whole, 2).wall_s - measure(options.model, part, 2).wall_s
            found.append(Cost(one / more, two / more))
    return found


def rates(events: int, leads: int, hours: int = 1) -> tuple[float, float]:
    """Events per second of CPU on one core, and per second on two: the medians of three runs."""
    found = costs(_parser().parse_args(["--events", str(events), "--leads", str(leads), "--hours", str(hours)]))
    cpu_us, wall_us = (statistics.median(figures) for figures in zip(*found, strict=True))
    return 1e6 / cpu_us, 1e6 / wall_us


def main(arguments: list[str]) -> int:
    """Prints one line of figures."""
    options = _parser().parse_args(arguments)
    cpu_us, wall_us = (sorted(figures) for figures in zip(*costs(options), strict=True))
    middle = len(cpu_us) // 2
    print(
        f"leadstream score, {options.model}: {options.events:,} events, {options.leads:,} leads, {options.hours:,} h: "
        f"{cpu_us[0]:.1f} µs CPU an event at best, {cpu_us[middle]:.1f} in the middle of {len(cpu_us)} runs: "
        f"{1e6 / cpu_us[middle]:,.0f} events per second and core; {1e6 / wall_us[middle]:,.0f} per second on two cores"
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
