"""Three brokers, three replicas: one after the other dies or is restarted, as in an upgrade. The oracle recounts."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.faults.cluster import cluster
from tests.faults.conftest import MakeTrial, make_routed
from tests.faults.routing_world import RoutingLoad
from tests.faults.sizes import SEED, size
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ROUNDS = size(1, 10)


def test_brokers_that_go_one_after_the_other_cost_nothing(make_trial: MakeTrial, tmp_path: Path) -> None:
    """Leaders, coordinators of groups and of writers move; what was acknowledged stays."""
    chance = Random(SEED)
    with cluster(3) as kafka:
        controller, *others = kafka.brokers
        trial = make_routed(make_trial, controller, tmp_path, replication=3)
        trial.begin()
        for stage in trial.stages:
            trial.ready(stage)
        with RoutingLoad(trial, SEED, rate=100):
            for broker in others * ROUNDS:
                wait_for(kafka.in_sync, 60)
                time.sleep(chance.uniform(1, 3))
                chance.choice((KafkaBroker.kill, KafkaBroker.stop))(broker)
                time.sleep(chance.uniform(2, 8))
                broker.start()
            time.sleep(2)
        trial.judge(poison=False)
        assert trial.exits == [], "workers live on"
