"""Workers are killed at any moment and at every crash point; the oracle recounts."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest

from schemas.log import ModelControl
from scoring.memo import decode_memo
from streams.engine.checkpoint import CHECKPOINT_KEY, decode_checkpoint
from streams.engine.config import CRASH_POINTS
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import SEED, SEEDS, size
from tests.faults.small_world import MODEL
from tests.faults.trial import PARTITIONS, Trial
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

OPENING = ("opened", "claimed", "recovered")
INGEST_POINTS = ("carried", "published", "acknowledged")
SCORE_POINTS = (*OPENING, "folded", "published", "written", "acked")


def test_every_crash_point_is_among_the_tested() -> None:
    assert {*INGEST_POINTS, *SCORE_POINTS} == set(CRASH_POINTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    kafka: KafkaBroker, make_trial: MakeTrial, seed: int
) -> None:
    """Timers fire and the model changes meanwhile."""
    chance, trial = random.Random(seed), make_trial(kafka)
    trial.begin()
    trial.ready("score")  # the first model is in the log
    with Load(trial, seed):
        stages = ["ingest"] * size(2, 50) + ["score"] * size(4, 50)
        chance.shuffle(stages)
        for number, stage in enumerate(stages):
            time.sleep(chance.uniform(0.3, 3.0))
            if number == 3:
                publish_next_model(trial)
                time.sleep(chance.uniform(0.0, 0.4))
            trial.end(stage, signal.SIGKILL)
            trial.start(stage)
    ledger = trial.judge()
    models = {row.version for record in ledger.log for row in record.rows if isinstance(row, ModelControl)}
    assert models == {1, 2}


def publish_next_model(trial: Trial) -> None:
    """The second version: another silence, other points, and a best tier that nobody stays in."""
    text = MODEL.format(version=2, demo_points=1, quiet="2s").replace(", hold: 60d", "")
    path = trial.folder / "next.yaml"
    path.write_text(text.replace("at_least: 60, leave_below: 55", "at_least: 100000"))
    trial.command("model", "publish", str(path), "--yes")


def start_to_die(trial: Trial, stage: str, point: str, times: int, *how: str) -> None:
    """Starts a worker that passes the point for the so manieth time, and no more."""
    trial.start(stage, command=("-m", "tests.faults.worker", stage, point, str(times), *how))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_ingest_worker_killed_at_every_crash_point_loses_and_doubles_nothing(
    kafka: KafkaBroker, make_trial: MakeTrial, seed: int
) -> None:
    chance, trial = random.Random(seed), make_trial(kafka)
    trial.start("score")
    with Load(trial, seed):
        for point in INGEST_POINTS:
            times = chance.randint(1, 6)
            start_to_die(trial, "ingest", point, times)
            assert trial.ended("ingest", 40) == -signal.SIGKILL, f"{point} was not passed {times} times"
    trial.judge()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_score_worker_killed_at_every_crash_point_loses_and_doubles_nothing(
    kafka: KafkaBroker, make_trial: MakeTrial, seed: int
) -> None:
    """Steps are cut within records, and in the midst of a new model."""
    chance, trial = random.Random(seed), make_trial(kafka)
    trial.start("ingest")
    with Load(trial, seed, burst=40):
        for point in SCORE_POINTS:
            if point == "published":
                publish_next_model(trial)
            times = 1 if point in OPENING else chance.randint(1, 20)
            start_to_die(trial, "score", point, times, "small")
            assert trial.ended("score", 40) == -signal.SIGKILL, f"{point} was not passed {times} times"
        start_to_die(trial, "score", "acked", 0, "small")
    ledger = trial.judge(doubles=False)
    models = Counter(row.version for record in ledger.log for row in record.rows if isinstance(row, ModelControl))
    assert models == {1: PARTITIONS, 2: PARTITIONS}
    assert any(b'"cause":{"model":2}' in (record.value or b"") for record in ledger.changes)
    found = [decode_checkpoint(record.value) for record in ledger.changelog if record.key == CHECKPOINT_KEY]
    assert any(one.index for one in found)
    assert any(decode_memo(one.memo).reassess_at_ms is not None for one in found)


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
