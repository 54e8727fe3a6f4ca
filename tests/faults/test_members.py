"""Workers join, leave, sleep and come back, and the broker goes away; the oracle recounts."""

from __future__ import annotations

import random
import signal
import time

import pytest

from schemas.topics import LEAD_EVENTS
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import SEED, size
from tests.faults.trial import SESSION_S
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

STAGES = ("ingest", "score")


def test_workers_join_and_leave_and_some_are_killed(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Every three seconds the group is another one: the second leaves, the third is killed. Work goes on meanwhile."""
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED) as load:
        for number in range(size(4, 100)):
            member = 2 + number % 2
            for stage in STAGES:
                if number % 4 < 2:
                    trial.start(f"{stage}-{member}")
                else:
                    trial.end(f"{stage}-{member}", signal.SIGTERM if member == 2 else signal.SIGKILL)
            time.sleep(3)
            trial.tend()
        behind = {stage: trial.lag(stage) for stage in STAGES}
    assert behind["ingest"] < 0.8 * load.sent
    assert behind["score"] < 0.8 * len(trial.read(LEAD_EVENTS))
    trial.judge()


def test_workers_that_slept_beyond_their_session_write_nothing_more(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """They end as soon as they wake."""
    trial, chance = make_trial(kafka), random.Random(SEED)
    trial.begin()
    with Load(trial, SEED):
        sleepers, heirs = STAGES, ("ingest-2", "score-2")
        for _ in range(size(1, 30)):
            for name in sleepers:
                trial.ready(name)
            time.sleep(chance.uniform(0.5, 2))
            for name in sleepers:
                trial.workers[name].send_signal(signal.SIGSTOP)
            asleep = time.monotonic()
            for name in heirs:
                trial.start(name)
            for name in heirs:
                trial.ready(name)
            nap_s = SESSION_S * chance.uniform(1.5, size(2, 10))
            time.sleep(max(0.0, asleep + nap_s - time.monotonic()))
            for name in sleepers:
                trial.workers[name].send_signal(signal.SIGCONT)
            woken = time.monotonic()
            assert {trial.ended(name, 10) for name in sleepers} == {5}
            assert time.monotonic() - woken < size(2, 1), "half a second to notice, and a machine that has much to do"
            sleepers, heirs = heirs, sleepers
    trial.judge()


def test_graceful_stops_double_nothing(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    with Load(trial, SEED):
        for number in range(size(3, 20)):
            stage = STAGES[(number + 1) % 2]
            trial.ready(stage)
            time.sleep(2)
            assert trial.end(stage, signal.SIGTERM, within_s=10) == 0
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
        for number in range(size(2, 5)):
            beside = STAGES[(number + 1) % 2]
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
