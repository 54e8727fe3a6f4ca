"""Real input through real Kafka in history mode, compared with the same kernel over the log and over the file.

    python -m tests.real.on_kafka bpi2012 EVENTS.csv.gz
    python -m tests.real.on_kafka access-log ACCESS.log.gz --variant plain --variant killed

Variants: `plain`; `twice` (every event is sent twice); `shuffled` (one event in ten moves by up to an hour);
`killed` (the score worker is killed with SIGKILL and restarted five times in the middle). For each:

* `read lead-events` piped into `leadstream score` must give the tier changes and the scores that the stream gave,
  for every lead;
* the final points must be those that `leadstream score` gives for the file itself, unless events were moved, where
  the differences are counted and printed.

Exit code 0: no difference where none may be.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline
from tests.real import access_log, bpi2012

MODELS = Path(__file__).parent / "models"
SOURCES: dict[str, Callable[[Path], Iterator[dict[str, Any]]]] = {
    "bpi2012": bpi2012.events,
    "access-log": access_log.events,
}
KILLS = 5


def twice(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every event two times, one right after the other."""
    return [event for event in events for _ in range(2)]


def shuffled(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One event in ten arrives up to an hour later than it happened."""
    chance = random.Random(11)
    arrivals = []
    for number, event in enumerate(events):
        at = datetime.fromisoformat(event["occurred_at"])
        late = timedelta(seconds=chance.randrange(3600)) if chance.random() < 0.1 else timedelta()
        arrivals.append((at + late, number, event))
    arrivals.sort(key=lambda arrival: arrival[:2])
    return [event | {"received_at": arrived.isoformat().replace("+00:00", "Z")} for arrived, _, event in arrivals]


VARIANTS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "plain": list,
    "twice": twice,
    "shuffled": shuffled,
    "killed": list,
}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON lines of a file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def body(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its place on the broker."""
    return {name: value for name, value in record.items() if name not in ("partition", "offset", "type", "key")}


def points(record: dict[str, Any]) -> dict[str, Any]:
    """What must agree of a lead's score: tier, points and the reasons with their points."""
    kept = {name: record[name] for name in ("tier", "fit", "engagement", "risk", "total")}
    return kept | {"reasons": [(reason["rule"], reason["points"]) for reason in record["reasons"]]}


def scored(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Tier changes by id and points by lead, of what `leadstream score --scores` wrote."""
    changes, scores = {}, {}
    for record in lines(path):
        if record["type"] == "tier_change":
            changes[record["id"]] = body(record)
        else:
            scores[record["lead_id"]] = points(record)
    return changes, scores


def streamed(run: Pipeline) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]], int]:
    """The same of what the stream published, and how many tier changes came with a second body."""
    changes: dict[str, dict[str, Any]] = {}
    conflicts = 0
    for record in lines(run.command("read", "tier-changes", "--from-start", "--to-end", output="changes.jsonl")):
        conflicts += changes.setdefault(record["id"], body(record)) != body(record)
    scores = {}
    for record in lines(run.command("read", "lead-scores", "--from-start", "--to-end", output="scores.jsonl")):
        if record.get("tier"):
            scores[record["lead_id"]] = points(record)
    return changes, scores, conflicts


def differing(left: dict[str, Any], right: dict[str, Any], absent: Any = None) -> list[str]:
    """Keys whose values differ; a key that one side lacks counts as `absent`."""
    return sorted(key for key in left.keys() | right.keys() if left.get(key, absent) != right.get(key, absent))


def run_variant(bootstrap: str, source: str, events: list[dict[str, Any]], variant: str, folder: Path) -> bool:
    """Runs one variant; prints what was compared; True when nothing differs that must agree."""
    model = MODELS / f"{source}.yaml"
    settings = {"model": model, "clock": "record"}
    sent = VARIANTS[variant](events)
    file = folder / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in sent), encoding="utf-8")
    began = time.monotonic()
    with Pipeline(bootstrap, f"{source}-{variant}-", folder, settings) as run:
        run.command("topics", "create", "--history")
        run.command("send", "--history", str(file))
        for stage in ("ingest", "score"):
            run.start(stage)
        for number in range(KILLS if variant == "killed" else 0):
            time.sleep(random.Random(number).uniform(2.5, 5.0))
            run.end("score", signal.SIGKILL)
            run.start("score")
        run.drained(120)
    wall = time.monotonic() - began
    log = run.command("read", "lead-events", "--from-start", "--to-end", output="log.jsonl")
    changes, scores, conflicts = streamed(run)
    again, again_scores = scored(run.command("score", "--model", str(model), "--scores", str(log), output="log-scores"))
    empty = {"tier": "cold", "fit": 0, "engagement": 0, "risk": 0, "total": 0, "reasons": []}
    wrong_changes = differing(changes, again)
    wrong_scores = differing(scores, again_scores, empty)
    until = max(record["received_at"] for record in lines(log) if "received_at" in record)
    ends = [
        scored(run.command("score", "--model", str(model), "--until", until, "--scores", str(path), output=name))[1]
        for path, name in ((file, "file-end"), (log, "log-end"))
    ]
    wrong_ends = differing(ends[0], ends[1], empty)
    rows = sum(record.get("type") == "event" for record in lines(log))
    print(
        f"{source} {variant}: {len(sent)} events sent, {rows} in the log, {len(again_scores)} leads, "
        f"{len(changes)} tier changes, {wall:.0f} s; stream against its log: {len(wrong_changes)} tier changes and "
        f"{len(wrong_scores)} scores differ, {conflicts} ids with two bodies; final points against the file: "
        f"{len(wrong_ends)} leads differ",
        flush=True,
    )
    for name, wrong in (("tier change", wrong_changes), ("score", wrong_scores), ("final points", wrong_ends)):
        for key in wrong[:3]:
            print(f"  {name} {key}", flush=True)
    late_is_exact = variant != "shuffled"
    return not (wrong_changes or wrong_scores or conflicts or (late_is_exact and wrong_ends))


def main(arguments: list[str]) -> int:
    """Runs the asked variants, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.on_kafka", description=__doc__.split("\n", 1)[0])
    parser.add_argument("source", choices=SOURCES)
    parser.add_argument("file", type=Path)
    parser.add_argument("--variant", action="append", choices=VARIANTS)
    parser.add_argument("--limit", type=int, help="take only so many events")
    parser.add_argument("--keep", type=Path, help="leave logs and outputs in this folder")
    options = parser.parse_args(arguments)
    events = list(SOURCES[options.source](options.file))[: options.limit]
    good = True
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(KafkaBroker())
        for variant in options.variant or VARIANTS:
            place = folder / variant
            place.mkdir(parents=True, exist_ok=True)
            good &= run_variant(broker.bootstrap, options.source, events, variant, place)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
