"""Route, and those before it, are killed at any moment and at every crash point; the oracle recounts."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import get_args

import pytest

from schemas.routing_log import RoutingRow, decode_routing
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, SLA_EVENTS
from streams.engine.config import CRASH_POINTS
from tests.faults.conftest import PARTITIONS, MakeTrial, Trial
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.faults.routing_oracle import routing_violations
from tests.faults.routing_world import POLICY, ROUTED_MODEL, RoutingLoad
from tests.faults.sizes import SEED, SEEDS, size
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

POINTS = tuple(point for point in CRASH_POINTS if point not in ("carried", "acknowledged"))
STAGES = ("ingest", "score", "route")


@pytest.fixture
def trial(kafka: KafkaBroker, make_trial: MakeTrial, tmp_path: Path) -> Trial:
    """A pipeline with all three stages' settings."""
    model, policy = tmp_path / "routed.yaml", tmp_path / "policy.yaml"
    model.write_text(ROUTED_MODEL)
    policy.write_text(POLICY.format(version=1, capacity=4))
    return make_trial(kafka, model=model, policy=policy)


def settled(trial: Trial, within_s: float = 60) -> None:
    """Everything is worked off and every clock has done what it had to; then everybody stops."""
    for name in STAGES:
        if name not in trial.workers:
            trial.start(name)
    end = time.monotonic() + within_s
    trial.drained(within_s, stages=STAGES)
    while True:
        trial.ready("route")
        if trial.seen("route").get("leadstream_running_clocks") == 0:
            break
        assert time.monotonic() < end, f"clocks still run, see {trial.log('route')}"
        trial.tend()
        time.sleep(0.2)
    trial.drained(within_s, stages=STAGES)
    trial.stop()


def publish_next_policy(trial: Trial) -> None:
    """The second version: bob is gone, so all his leads lose their owner, and ann takes fewer."""
    path = trial.folder / "next.yaml"
    text = POLICY.format(version=2, capacity=2).replace("  bob: {capacity: 6}\n", "")
    path.write_text(text.replace("[ann, bob]", "[ann]").replace("[bob, ann]", "[ann]"))
    trial.command("policy", "publish", str(path), "--yes")


def judge(trial: Trial) -> None:
    settled(trial)
    found = violations(Ledger.of(trial), prefix=trial.prefix, partitions=PARTITIONS)
    found += routing_violations(trial, ROUTED_MODEL, PARTITIONS)
    assert not found, "\n".join(["", *(one[:2_000] for one in found[:10]), f"logs in {trial.folder}"])
    whats = {str(record.value).split('"what":"')[1].split('"')[0] for record in trial.read(SLA_EVENTS)}
    assert whats >= {"started", "reminded", "breached", "escalated", "answered"}, "too little happened"
    kinds = {type(row) for record in trial.read(LEAD_ROUTING) for row in decode_routing(record.value)}
    assert kinds == set(get_args(RoutingRow)), "not everything that there is came by"


@pytest.mark.parametrize("seed", SEEDS)
def test_stages_killed_at_any_moment_tell_owners_and_clocks_once(trial: Trial, seed: int) -> None:
    chance = random.Random(seed)
    for name in STAGES:
        trial.start(name)
    trial.ready("route")
    with RoutingLoad(trial, seed, rate=60, leads=25):
        for number in range(size(7, 100)):
            time.sleep(chance.uniform(0.3, 2.5))
            if number == 3:
                publish_next_policy(trial)
            stage = chance.choice(["route", "route", "score", "ingest"])
            trial.end(stage, signal.SIGKILL)
            trial.start(stage)
    judge(trial)
    told = [json.loads(record.value) for record in trial.read(LEAD_ASSIGNMENTS) if record.value is not None]
    assert {one["policy"]["version"] for one in told} == {1, 2}


def test_route_killed_at_every_crash_point_tells_owners_and_clocks_once(trial: Trial) -> None:
    chance = random.Random(SEED)
    trial.begin()
    with RoutingLoad(trial, SEED, rate=60, leads=25):
        for point in POINTS:
            times = 1 if point in ("opened", "claimed", "recovered") else chance.randint(1, 6)
            trial.start("route", command=("-m", "tests.faults.worker", "route", point, str(times)))
            assert trial.ended("route", 40) == -signal.SIGKILL, f"{point} was not passed {times} times"
    judge(trial)
