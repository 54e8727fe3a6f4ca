"""Events come twice, late, and with another time: the scores are those of the perfect stream."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.times import iso
from schemas.topics import LEAD_INTERNAL
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.shipped import shipped_text
from streams.demo.behaviour import behaviour
from streams.demo.person import Event
from tests.demo.past import END_MS, fold_of
from tests.faults.conftest import MakeTrial
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.faults.sizes import SEEDS, size
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

HOUR_MS = 3_600_000
LATER_MS = END_MS + 2 * HOUR_MS
"""When everything has come."""


def disturbed(events: list[Event], chance: random.Random) -> list[dict[str, Any]]:
    """Each comes up to an hour late; three of ten come a second time, half of these with an earlier time on them.

    The earlier time comes later: what was earned by a time that was on an event once, stays.
    """
    arrivals = []
    for at_ms, event in events:
        arrived_ms = at_ms + chance.randrange(HOUR_MS)
        arrivals.append((arrived_ms, event))
        if chance.random() < 0.3:
            other_ms = at_ms - (chance.randrange(HOUR_MS) if chance.random() < 0.5 else 0)
            arrivals.append((arrived_ms + chance.randrange(HOUR_MS), event | {"occurred_at": iso(other_ms)}))
    arrivals.sort(key=lambda arrival: arrival[0])
    return [event | {"received_at": iso(at_ms)} for at_ms, event in arrivals]


def points(fold: PartitionFold) -> dict[str, Any]:
    """Points and reasons of each lead, when everything has come. (A tier has a past: hysteresis.)"""
    while not fold.advance(LATER_MS):
        fold.finish()
    fold.finish()
    found = {}
    for lead_id in fold.lead_ids():
        row = fold.row(lead_id)
        assert row is not None
        assert fold.kernel is not None
        score = msgspec.to_builtins(score_of(fold.kernel, row, 0))
        found[lead_id] = {name: score[name] for name in ("fit", "engagement", "risk", "total")}
        found[lead_id]["reasons"] = [(one["rule"], one["points"], one["since"]) for one in score["reasons"]]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_doubled_late_and_changed_events_give_the_scores_of_the_perfect_stream(
    kafka: KafkaBroker, make_trial: MakeTrial, tmp_path: Path, seed: int
) -> None:
    """Score dies in their midst. Within the limits of `keep`, which b2b-default leaves room for."""
    events = behaviour(seed, size(150, 3_000), 30, END_MS).past
    chance, trial = random.Random(seed), make_trial(kafka, history=True, model="b2b-default", clock="record")
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in disturbed(events, chance)))
    trial.command("send", "--history", str(file))
    trial.start("score")
    wait_for(lambda: trial.read(LEAD_INTERNAL))  # the model, which score asks for, comes first then
    trial.start("ingest")
    trial.ready("score")
    time.sleep(chance.uniform(0.0, 0.5))
    trial.end("score", signal.SIGKILL)
    trial.start("score")
    trial.drained()
    trial.stop()

    ledger = Ledger.of(trial)
    assert violations(ledger, prefix=trial.prefix, partitions=trial.partitions) == []
    streamed: dict[str, Any] = {}
    for partition in range(trial.partitions):
        fold = PartitionFold(max_step_bytes=1 << 40, max_step_deadlines=1 << 40)
        fold.start_with(shipped_text("b2b-default"))
        fold.fold([(record.offset, record.value) for record in ledger.log if record.partition == partition])
        streamed |= points(fold)
    assert streamed == points(fold_of(events))
