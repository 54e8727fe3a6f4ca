"""Three brokers, three replicas: one after the other dies or is restarted, as in an upgrade. The oracle recounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest
from confluent_kafka.admin import AdminClient

from tests.faults.conftest import MakeTrial, make_routed
from tests.faults.routing_world import RoutingLoad
from tests.faults.sizes import SEED, size
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ROUNDS = size(1, 10)
REPLICATED = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # A broker that is back leads again soon, so that the next one to go is missed.
    "leader.imbalance.check.interval.seconds": "1",
    "leader.imbalance.per.broker.percentage": "0",
}


def test_brokers_that_go_one_after_the_other_cost_nothing(make_trial: MakeTrial, tmp_path: Path) -> None:
    """Leaders, coordinators of groups and of writers move; what was acknowledged stays."""
    chance = Random(SEED)
    with cluster() as brokers:
        trial = make_routed(make_trial, brokers[0], tmp_path, replication=3)
        trial.begin()
        for stage in trial.stages:
            trial.ready(stage)
        with RoutingLoad(trial, SEED, rate=100):
            for broker in [*brokers[1:]] * ROUNDS:
                wait_for(lambda: in_sync(brokers), 60)
                time.sleep(chance.uniform(1, 3))
                chance.choice((KafkaBroker.kill, KafkaBroker.stop))(broker)
                time.sleep(chance.uniform(2, 8))
                broker.start()
            time.sleep(2)
        trial.judge(poison=False)
        assert trial.exits == [], "workers live on"


@contextmanager
def cluster() -> Iterator[list[KafkaBroker]]:
    """Three brokers; the first one is their controller, and stays."""
    with ExitStack() as stack:
        brokers: list[KafkaBroker] = []
        for _ in range(3):
            joins = brokers[-1] if brokers else None
            brokers.append(stack.enter_context(KafkaBroker(settings=REPLICATED, joins=joins)))
        yield brokers


def in_sync(brokers: list[KafkaBroker]) -> bool:
    """Every replica has what its leader has, and each broker leads something."""
    topics = AdminClient({"bootstrap.servers": brokers[0].bootstrap}).list_topics(timeout=10).topics.values()
    partitions = [partition for topic in topics for partition in topic.partitions.values()]
    leaders = {partition.leader for partition in partitions}
    return all(len(one.isrs) == len(one.replicas) for one in partitions) and leaders == {one.node for one in brokers}
