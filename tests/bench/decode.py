"""Microseconds of CPU per event at the border: raw bytes to rows, rows to bytes of the log, and lines.

    python -m tests.bench.decode --events 100000 --leads 20000

Each figure is the best and the middle of several runs over all events in this process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

from schemas.errors import Refused
from schemas.lines import load_line, log_lines, read_log_line
from schemas.links import Links
from schemas.log import MAX_RECORD_ROWS, LogRow, decode_record, encode_record
from schemas.wire import decode_event, judge_event, log_row
from tests.bench.load import raw_events

__all__ = ["Figure", "main", "measure"]

KEY = b"a key of the benchmark"
PART = 20
"""The slow ways take this fraction of the events."""


class Figure(NamedTuple):
    """Microseconds of CPU per event."""

    what: str
    best: float
    middle: float


def measure(what: str, count: int, runs: int, work: Callable[[], object]) -> Figure:
    """What one of `count` pieces of work takes, after one run that does not count."""
    work()
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) / count * 1e6)
    return Figure(what, min(times), statistics.median(times))


def figures(events: int, leads: int, runs: int) -> list[Figure]:
    """All of them, over the events of `tests.bench.load`."""
    now_ms = int(time.time() * 1000)
    raws = [raw for _, _, raw in raw_events(events, leads)]
    by_address = [raw.replace(b'"lead":{"lead_id":"', b'"lead":{"email":"ann@') for raw in raws]
    spoilt = [raw.replace(b'"source":"bench"', b'"source":5') for raw in raws[::PART]]
    rows = [cast("LogRow", decode_event(raw, now_ms, KEY)) for raw in raws]
    packs = [rows[place : place + MAX_RECORD_ROWS] for place in range(0, events, MAX_RECORD_ROWS)]
    values = [encode_record(now_ms, pack) for pack in packs]
    lines = [line for value in values for line in log_lines(0, 0, value)]
    size = sum(map(len, raws)) / events
    links = Links(KEY)

    def decode(raw: bytes) -> object:
        return decode_event(raw, now_ms, KEY)

    def native(raw: bytes) -> object:
        return log_row(raw, now_ms, KEY, links)

    def judge(raw: bytes) -> object:
        return judge_event(raw, now_ms, KEY)

    def refuse(raw: bytes) -> None:
        try:
            decode_event(raw, now_ms, KEY)
        except Refused:
            return

    def each(what: str, function: Callable[[bytes], object], inputs: list[bytes], per_input: int = 1) -> Figure:
        return measure(what, len(inputs) * per_input, runs, lambda: deque(map(function, inputs), maxlen=0))

    return [
        each(f"decode_event, {size:.0f} bytes", decode, raws),
        each("log_row, in C where compiled", native, raws),
        each("decode_event, named by address", decode, by_address),
        each("… refused and worded", refuse, spoilt),
        each("judge_event (pydantic)", judge, raws[::PART]),
        each("json.loads alone", json.loads, raws),
        measure("encode_record, 100 rows", events, runs, lambda: [encode_record(now_ms, pack) for pack in packs]),
        each("decode_record, 100 rows", decode_record, values, MAX_RECORD_ROWS),
        each("log_lines", lambda value: log_lines(0, 0, value), values, MAX_RECORD_ROWS),
        each("load_line, an event", load_line, raws),
        each("load_line and read_log_line", lambda line: read_log_line(load_line(line)), lines),
    ]


def main(arguments: list[str]) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.decode", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    print(f"{'µs CPU per event':32}{'best':>8}{'middle':>8}")
    for figure in figures(options.events, options.leads, options.runs):
        print(f"{figure.what:32}{figure.best:8.2f}{figure.middle:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
