"""Breaches of a real past on real Kafka, against the same rows in a file and against a recount of the source.

    python -m tests.real.sla_on_kafka EVENTS.csv.gz
    python -m tests.real.sla_on_kafka EVENTS.csv.gz --variant killed

Variants: `plain`; `killed` (the route worker is killed with SIGKILL five times in the middle); `stopped` (it is away
while three days of log time go by). For each, the breaches that the stream told, those of `leadstream route` over its
`lead-routing`, and those of `tests.real.bpi2012_sla.recount` must be the same, lead by lead and to the millisecond; and
what the stream told must be what `leadstream route` tells, byte by byte. Exit code 0: no difference.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.topics import LEAD_ROUTING
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline
from tests.real.bpi2012_sla import MODEL, POLICY, events, recount, told, wrong

KILLS = 5
STAGES = ("ingest", "score", "route")
AWAY = timedelta(days=3)
PLACE = ("partition", "offset", "type")

Event = dict[str, Any]


def feed(run: Pipeline, part: list[Event], number: int) -> None:
    """Sends events as of their own time, all of them before ingest looks: what it carries has the order of the file."""
    if "ingest" in run.workers:
        run.end("ingest", signal.SIGTERM)
    file = run.folder / f"events-{number}.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in part), encoding="utf-8")
    run.command("send", "--history", str(file))
    run.start("ingest")


def plain(run: Pipeline, sent: list[Event]) -> None:
    """All at once."""
    feed(run, sent, 0)


def killed(run: Pipeline, sent: list[Event]) -> None:
    """In parts; the route worker is killed while it works on each but the last."""
    chance, size = random.Random(5), -(-len(sent) // (KILLS + 1))
    for number in range(KILLS + 1):
        before = len(run.read(LEAD_ROUTING))
        feed(run, sent[number * size : (number + 1) * size], number)
        if number < KILLS:
            while len(run.read(LEAD_ROUTING)) == before:
                run.tend()
            time.sleep(chance.uniform(0, 1))
            run.end("route", signal.SIGKILL)
            run.start("route")
        run.drained(300, stages=STAGES)


def stopped(run: Pipeline, sent: list[Event]) -> None:
    """The route worker is away for three days in the middle."""
    first = len(sent) // 2
    back = datetime.fromisoformat(sent[first]["occurred_at"]) + AWAY
    second = next(n for n, event in enumerate(sent) if datetime.fromisoformat(event["occurred_at"]) > back)
    feed(run, sent[:first], 0)
    run.drained(300, stages=STAGES)
    run.end("route", signal.SIGTERM)
    feed(run, sent[first:second], 1)
    run.drained(300)
    run.start("route")
    feed(run, sent[second:], 2)


VARIANTS: dict[str, Callable[[Pipeline, list[Event]], None]] = {"plain": plain, "killed": killed, "stopped": stopped}


def bodies(path: Path) -> dict[str, str]:
    """What was told, by id, or by lead and number of an assignment. Nothing may have two bodies."""
    found: dict[str, str] = {}
    for record in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        body = json.dumps({name: value for name, value in record.items() if name not in PLACE})
        name = record.get("id") or f"{record['lead_id']} {record['seq']}"
        if found.setdefault(name, body) != body:
            raise ValueError(f"{name} has two bodies: {found[name]} and {body}")
    return found


def run_variant(bootstrap: str, source: Path, sent: list[Event], variant: str, folder: Path) -> bool:
    """Runs one variant; prints what was compared; True when nothing differs."""
    began = time.monotonic()
    settings = {"model": MODEL, "policy": POLICY, "clock": "record"}
    with Pipeline(bootstrap, f"sla-{variant}-", folder, settings) as run:
        run.command("topics", "create", "--history")
        for stage in STAGES[1:]:
            run.start(stage)
        VARIANTS[variant](run, sent)
        run.drained(300, stages=STAGES)
        wall = time.monotonic() - began
    to_end = ("--from-start", "--to-end")
    copied = run.command("read", "lead-routing", *to_end, output="routing.jsonl")
    streamed = run.command("read", "sla-events", *to_end, output="sla.jsonl")
    assigned = run.command("read", "lead-assignments", *to_end, output="assignments.jsonl")
    again = run.command("route", "--policy", str(POLICY), str(copied), output="routed.jsonl")
    counted, in_the_stream, in_the_file = (
        recount(source).breached,
        told(streamed.read_text(encoding="utf-8").splitlines()),
        told(again.read_text(encoding="utf-8").splitlines()),
    )
    differing = [wrong(counted, in_the_stream), wrong(in_the_file, in_the_stream)]
    said, by_file = bodies(streamed) | bodies(assigned), bodies(again)
    # Of assignments the broker may keep the last ones alone.
    other = [name for name, body in said.items() if by_file.get(name) != body]
    missing = [name for name in by_file if " " not in name and name not in said]
    print(
        f"{variant}: {len(sent)} events, {wall:.0f} s; breaches: {len(counted)} counted, {len(in_the_stream)} in the "
        f"stream, {len(in_the_file)} by leadstream route over its lead-routing; {len(differing[0])} and "
        f"{len(differing[1])} leads differ; of {len(said)} records of the stream {len(other)} differ from those of the "
        f"file, {len(missing)} are missing",
        flush=True,
    )
    for name in [*differing[0], *differing[1], *other, *missing][:5]:
        print(f"  {name}", flush=True)
    return not (differing[0] or differing[1] or other or missing)


def main(arguments: list[str]) -> int:
    """Runs the asked variants, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.sla_on_kafka", description=__doc__.split("\n", 1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--variant", action="append", choices=VARIANTS)
    parser.add_argument("--keep", type=Path, help="leave logs and outputs in this folder")
    options = parser.parse_args(arguments)
    sent, good = list(events(options.file)), True
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(KafkaBroker())
        for variant in options.variant or VARIANTS:
            place = folder / variant
            place.mkdir(parents=True, exist_ok=True)
            good &= run_variant(broker.bootstrap, options.file, sent, variant, place)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
