"""Workers join, leave, sleep and come back, and the broker goes away; the oracle recounts."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import SESSION_S, MakeTrial
from tests.faults.load import Load
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SEED = 7


def test_workers_join_and_leave_and_one_is_killed(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for stage in ("score-2", "ingest-2"):
                trial.start(stage)
            time.sleep(4)
            for stage in ("score-2", "ingest-2"):
                trial.end(stage, number)
            time.sleep(1)
    trial.judge()


def test_a_worker_that_slept_beyond_its_session_writes_nothing_more(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        time.sleep(4)
        sleeper = trial.workers["score"]
        sleeper.send_signal(signal.SIGSTOP)
        trial.start("score-2")
        time.sleep(SESSION_S * 2)
        sleeper.send_signal(signal.SIGCONT)
        assert trial.ended("score", 5) == 5
        time.sleep(1)
    trial.judge()


def test_graceful_stops_double_nothing(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        for stage in ("score", "ingest", "score"):
            time.sleep(3)
            assert trial.end(stage, signal.SIGTERM) == 0
            trial.start(stage)
    ledger = trial.judge(doubles=False)
    ids = [record.value for record in ledger.changes]
    assert len(ids) == len(set(ids))


def test_a_broker_that_is_killed_and_comes_back_costs_nothing(own_kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(own_kafka)
    trial.begin()
    with Load(trial, SEED):
        for _ in range(2):
            time.sleep(4)
            own_kafka.kill()
            time.sleep(1)
            own_kafka.start()
            trial.tend()
    trial.judge()
