"""One raw partition is slower than the others: its broker is far away, its replica sleeps, or it is read from a leader
that was given up; the oracle recounts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from schemas.times import iso
from schemas.topics import topic_of_kind
from streams.clock import now_ms
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.sizes import SEED, size
from tests.faults.trial import PARTITIONS, Trial
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

VISITS = topic_of_kind("page_view")
FAR = PARTITIONS - 1
"""The partition of visits that is far away."""

FAR_S = 2.0
"""How long a piece of bytes takes each way."""

LEADS = size(200, 4_000)
LIVE_S = size(12, 120)
SLEEPS = size(2, 20)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_answer_that_comes_late_from_far_away_is_missed(make_trial: MakeTrial, workers: int) -> None:
    """What was near is read at once, and its silences are due; the visits that say otherwise are on their way."""
    with one_partition_far_away(make_trial) as (trial, far):
        for number in range(workers):
            trial.start(f"ingest-{number}")
            trial.ready(f"ingest-{number}")
        far.delay_s = FAR_S
        visit(trial, "first", range(LEADS), range(FAR))
        visit(trial, "second", range(LEADS // 2), range(FAR, PARTITIONS))
        time.sleep(4)  # the last silence of 3 s is over
        visit(trial, "nobody", range(LEADS, LEADS + 1), range(FAR))
        with Load(trial, SEED, rate=40):
            time.sleep(LIVE_S)
        far.pass_on()
        trial.judge(doubles=False)


def test_a_record_that_readers_may_not_see_yet_is_waited_for(make_trial: MakeTrial) -> None:
    """Its leader has given it its time; it shows it once the replica has it too, or is given up after three seconds."""
    with KafkaBroker() as broker:
        trial = make_trial(broker)
        trial.begin()
        for stage in trial.stages:
            trial.ready(stage)
        trial.stop()
        with KafkaBroker(joins=broker) as leader, KafkaBroker(joins=leader) as replica:
            move_visits(trial, [[broker.node, leader.node]] * FAR + [[leader.node, replica.node]])
            trial.begin()
            for stage in trial.stages:
                trial.ready(stage)
            with Load(trial, SEED, rate=40):
                for _ in range(SLEEPS):
                    time.sleep(3)
                    replica.freeze()
                    time.sleep(5)
                    replica.thaw()
            trial.judge(doubles=False)
            trial.stop()


def test_a_leader_that_was_given_up_and_does_not_know_it_is_not_believed(make_trial: MakeTrial) -> None:
    """It hears no more of its cluster, and answers ingest: nothing is left. What comes meanwhile lies with its heir."""
    with Proxy() as link, KafkaBroker() as controller:
        link.lead_to(int(controller.quorum.rpartition(":")[2]))
        trial = make_trial(controller)
        trial.begin()  # Kafka's own topics are made, and stay here
        for stage in trial.stages:
            trial.ready(stage)
        trial.stop()
        behind = {"controller.quorum.voters": f"{controller.node}@{link.bootstrap}"}
        with KafkaBroker(joins=controller, settings=behind) as given_up, KafkaBroker(joins=given_up) as heir:
            near, far = [controller.node, heir.node, given_up.node], [given_up.node, heir.node, controller.node]
            move_visits(trial, [near] * FAR + [far], {"min.insync.replicas": "2"})
            trial.begin()
            for stage in trial.stages:
                trial.ready(stage)
            with Load(trial, SEED):
                time.sleep(3)
            link.swallow()
            wait_for(lambda: leader_of_far(trial) == heir.node, 30)
            visit(trial, "first", range(LEADS), range(FAR))
            visit(trial, "second", range(LEADS // 2), range(FAR, PARTITIONS))
            time.sleep(4)  # the last silence of 3 s is over
            visit(trial, "nobody", range(LEADS, LEADS + 1), range(FAR))
            trial.drained(30, stages=trial.stages)
            link.pass_on()
            trial.judge(doubles=False)
            trial.stop()


@contextmanager
def one_partition_far_away(make_trial: MakeTrial) -> Iterator[tuple[Trial, Proxy]]:
    """A trial whose score is at work, and a proxy before the broker of one partition of visits."""
    with Proxy() as near, Proxy() as far, KafkaBroker(detours=[near.port]) as broker:
        near.lead_to(broker.detour(near.port))
        trial = make_trial(broker, bootstrap_servers=near.bootstrap)
        trial.begin()  # Kafka's own topics are made, and stay here
        for stage in trial.stages:
            trial.ready(stage)
        trial.stop()
        with KafkaBroker(joins=broker, detours=[far.port]) as other:
            far.lead_to(other.detour(far.port))
            move_visits(trial, [[broker.node]] * FAR + [[other.node]])
            trial.start("score")
            trial.ready("score")
            yield trial, far
            trial.stop()


def leader_of_far(trial: Trial) -> int:
    """As the first broker says: a client that knows more may ask another."""
    topic = trial.prefix + VISITS
    return (
        AdminClient({"bootstrap.servers": trial.bootstrap}).list_topics(topic, 10).topics[topic].partitions[FAR].leader
    )


def move_visits(trial: Trial, nodes: list[list[int]], more: Mapping[str, str] | None = None) -> None:
    """Visits have a topic anew, as it was but with each partition on the brokers that are named for it."""
    admin, topic = AdminClient({"bootstrap.servers": trial.bootstrap}), trial.prefix + VISITS
    resource = ConfigResource("topic", topic)
    entries = admin.describe_configs([resource])[resource].result(20).values()
    admin.delete_topics([topic])[topic].result(20)
    wait_for(lambda: topic not in admin.list_topics(timeout=10).topics, 20)
    config = {entry.name: entry.value for entry in entries if not entry.is_default} | dict(more or {})
    placed = NewTopic(topic, len(nodes), replica_assignment=nodes, config=config)
    admin.create_topics([placed])[topic].result(20)


def visit(trial: Trial, name: str, leads: range, partitions: range) -> None:
    """Each of the leads looks at the prices now, and some partitions get the records."""
    producer = Producer({"bootstrap.servers": trial.bootstrap, "linger.ms": 5, "enable.idempotence": True})
    for number in leads:
        place = partitions[number % len(partitions)]
        producer.produce(trial.prefix + VISITS, msgspec.json.encode(look(f"{name}-{number}", number)), partition=place)
    assert not producer.flush(60)


def look(event_id: str, lead: int) -> Mapping[str, Any]:
    """A visit of now."""
    head = {"event_id": event_id, "kind": "page_view", "occurred_at": iso(now_ms())}
    return head | {"lead": {"lead_id": f"quiet-{lead}"}, "url": "/pricing"}
