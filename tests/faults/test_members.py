"""Workers join, leave, sleep and come back, and the broker goes away; the oracle recounts."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SEED = 7


def test_workers_join_and_leave_and_one_is_killed(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Two of them come to an empty log at once: who publishes the first model makes no difference."""
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


def test_workers_that_slept_beyond_their_session_write_nothing_more(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Score ends at its first write. Ingest ends where it was at work, else it begins anew as a member of the group."""
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        for stage in ("ingest", "score"):
            trial.ready(stage)
        time.sleep(2)
        sleepers = [trial.workers[stage] for stage in ("ingest", "score")]
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGSTOP)
        for heir in ("ingest-2", "score-2"):
            trial.start(heir)
        for heir in ("ingest-2", "score-2"):
            trial.ready(heir)
        time.sleep(1)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)
        assert trial.ended("score", 10) == 5
        time.sleep(1)
        assert trial.workers["ingest"].poll() in {None, 5}
    trial.judge()


def test_graceful_stops_double_nothing(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        for stage in ("score", "ingest", "score"):
            trial.ready(stage)
            time.sleep(2)
            assert trial.end(stage, signal.SIGTERM) == 0
            trial.start(stage)
    ledger = trial.judge(doubles=False)
    ids = [record.value for record in ledger.changes]
    assert len(ids) == len(set(ids))


def test_a_broker_that_dies_or_sleeps_and_comes_back_costs_nothing(
    own_kafka: KafkaBroker, make_trial: MakeTrial
) -> None:
    """Once a worker dies beside it."""
    trial = make_trial(own_kafka)
    trial.begin()
    with Load(trial, SEED):
        for beside in ("score", "ingest"):
            time.sleep(3)
            own_kafka.kill()
            trial.end(beside, signal.SIGKILL)
            time.sleep(1)
            own_kafka.start()
            trial.start(beside)
            trial.tend()
        time.sleep(3)
        own_kafka.freeze()
        time.sleep(3)
        own_kafka.thaw()
    trial.judge()
