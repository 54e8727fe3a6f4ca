"""Workers are killed at any moment and at every crash point; the oracle recounts."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from streams.engine.config import CRASH_POINTS
from tests.faults.conftest import MakeTrial, Trial
from tests.faults.load import Load
from tests.faults.small_world import MODEL
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

RUNS = int(os.environ.get("LEADSTREAM_KILL_RUNS", "1"))
SEED = int(os.environ.get("LEADSTREAM_KILL_SEED", "1"))

INGEST_POINTS = ("carried", "acknowledged")
SCORE_POINTS = tuple(point for point in CRASH_POINTS if point not in INGEST_POINTS)


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    kafka: KafkaBroker, make_trial: MakeTrial, seed: int
) -> None:
    """Timers fire and the model changes meanwhile."""
    chance, trial = random.Random(seed), make_trial(kafka)
    trial.begin()
    trial.ready("score")  # the first model is in the log
    with Load(trial, seed):
        for number in range(6):
            time.sleep(chance.uniform(0.3, 3.0))
            if number == 3:
                publish_next_model(trial)
                time.sleep(chance.uniform(0.0, 0.4))
            stage = chance.choice(["ingest", "score", "score"])
            trial.end(stage, signal.SIGKILL)
            trial.start(stage)
    ledger = trial.judge()
    models = {row.version for record in ledger.log for row in record.rows if hasattr(row, "version")}
    assert models == {1, 2}


def publish_next_model(trial: Trial) -> None:
    """The second version: another silence, other points."""
    path = trial.folder / "next.yaml"
    path.write_text(MODEL.format(version=2, demo_points=45, quiet="2s").replace(", hold: 60d", ""))
    trial.command("model", "publish", str(path), "--yes")


@pytest.mark.parametrize(("stage", "points"), [("ingest", INGEST_POINTS), ("score", SCORE_POINTS)])
def test_workers_killed_at_every_crash_point_lose_and_double_nothing(
    kafka: KafkaBroker, make_trial: MakeTrial, stage: str, points: tuple[str, ...]
) -> None:
    chance, trial = random.Random(SEED), make_trial(kafka)
    trial.start({"ingest": "score", "score": "ingest"}[stage])
    with Load(trial, SEED):
        for point in points:
            times = 1 if point in ("opened", "claimed", "recovered") else chance.randint(1, 6)
            trial.start(stage, command=("-m", "tests.faults.worker", stage, point, str(times)))
            assert trial.ended(stage, 40) == -signal.SIGKILL, f"{point} was not passed {times} times"
    trial.judge()


def test_a_timer_that_came_due_while_nobody_was_there_fires_once_at_its_own_moment(
    kafka: KafkaBroker, make_trial: MakeTrial
) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        time.sleep(4)
    trial.end("score", signal.SIGKILL)
    time.sleep(4)  # the silences of 3 s end meanwhile
    ledger = trial.judge()
    assert any(b'"deadline":"quiet"' in (record.value or b"") for record in ledger.changes)
