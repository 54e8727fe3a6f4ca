"""That nothing is left of a partition is known for the moment of the question, on a way that is short or long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engine.ends import _ANY_LOG as ANY_LOG
from streams.engine.ends import _OWN_LOG as OWN_LOG
from streams.engine.ends import Ends
from streams.engine.ends import _Replicas as Replicas
from streams.engine.ends import _Said as Said
from streams.engine.stage import FetchState, TopicPartition
from tests.faults.proxy import Proxy
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka

DELAY_S = 1.0
PLACE = TopicPartition("far", 0)


def test_an_end_is_known_for_when_it_was_asked_for() -> None:
    with Proxy() as proxy, KafkaBroker(detours=[proxy.port]) as broker:
        proxy.lead_to(broker.detour(proxy.port))
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        admin.create_topics([NewTopic(PLACE.topic, 1, 1)])[PLACE.topic].result(20)
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        asyncio.run(story(proxy, producer))


def test_who_leads_no_more_says_nothing() -> None:
    with KafkaBroker() as broker, KafkaBroker(joins=broker) as other:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        placed = NewTopic(PLACE.topic, 1, replica_assignment=[[broker.node, other.node]])
        admin.create_topics([placed])[PLACE.topic].result(20)
        led_before = asyncio.run(heard(broker.bootstrap, leader=other.node, by={other.node: OWN_LOG}))
        assert led_before.own is None
        leads_now = asyncio.run(heard(broker.bootstrap, broker.node, {broker.node: OWN_LOG, other.node: ANY_LOG}))
        assert leads_now.own is not None
        assert leads_now.others.keys() == {other.node}


def test_of_three_replicas_two_are_heard_the_newest_of_the_others() -> None:
    replicas = Replicas()
    replicas.are(1, [1, 2, 3])
    own, late, early = (Said(asked_s, asked_s, asked_s) for asked_s in (20, 15, 10))
    replicas.own = own
    assert replicas.counted() == []
    replicas.others[2] = early
    assert replicas.counted() == [own, early]
    replicas.others[3] = late
    assert replicas.counted() == [own, late]
    assert replicas.least == late.offset
    replicas.are(3, [1, 2, 3])
    assert replicas.counted() == [], "another one leads"


def test_a_leader_that_is_back_is_found_although_replicas_answer_fetches() -> None:
    soon = {"leader.imbalance.check.interval.seconds": "1", "leader.imbalance.per.broker.percentage": "0"}
    with KafkaBroker(settings=soon) as broker, KafkaBroker(joins=broker) as other:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        placed = NewTopic(PLACE.topic, 1, replica_assignment=[[other.node, broker.node]])
        admin.create_topics([placed])[PLACE.topic].result(20)
        asyncio.run(there_and_back(broker, other))


def test_a_leader_that_its_cluster_gave_up_is_not_believed() -> None:
    """It hears nothing of it, answers on, and what comes lies with the next one."""
    with Proxy() as link, KafkaBroker() as controller:
        link.lead_to(int(controller.quorum.rpartition(":")[2]))
        behind_the_link = {"controller.quorum.voters": f"{controller.node}@{link.bootstrap}"}
        with (
            KafkaBroker(joins=controller, settings=behind_the_link) as given_up,
            KafkaBroker(joins=given_up) as heir,
        ):
            admin = AdminClient({"bootstrap.servers": controller.bootstrap})
            nodes = [given_up.node, heir.node, controller.node]
            placed = NewTopic(PLACE.topic, 1, replica_assignment=[nodes], config={"min.insync.replicas": "2"})
            admin.create_topics([placed])[PLACE.topic].result(20)
            asyncio.run(given_up_unnoticed(link, controller.bootstrap, heir.node))


async def given_up_unnoticed(link: Proxy, bootstrap: str, heir: int) -> None:
    """The controller hears no more of the leader; then a record comes."""
    async with asked(bootstrap, 0.2) as (consumer, look):
        await until(look, lambda found: found.at_end)
        link.swallow()
        await asyncio.to_thread(leads, bootstrap, heir)
        producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
        producer.produce(PLACE.topic, b"x")
        assert not await asyncio.to_thread(producer.flush, 20)
        acknowledged = time.monotonic()
        come = asyncio.create_task(consumer.getone())
        while not come.done():
            found = look()
            assert not found.at_end or found.asked_s_ago > time.monotonic() - acknowledged
            assert time.monotonic() < acknowledged + 30, "it is never read"
            await asyncio.sleep(0.01)
        link.pass_on()


def leads(bootstrap: str, node: int) -> None:
    """Waits until a broker does, as the first one says: a client that knows more may ask another."""
    end = time.monotonic() + 30
    while _leader_as_told_by(bootstrap) != node:
        assert time.monotonic() < end
        time.sleep(0.1)


def _leader_as_told_by(bootstrap: str) -> int:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    return admin.list_topics(PLACE.topic, 10).topics[PLACE.topic].partitions[0].leader


async def there_and_back(broker: KafkaBroker, other: KafkaBroker) -> None:
    """The second broker leads, is gone, and leads again."""
    async with asked(broker.bootstrap, 0.2) as (consumer, look):
        leader = partial(consumer._client.cluster.leader_for_partition, PLACE)
        await until(look, lambda found: found.at_end)
        assert leader() == other.node
        await asyncio.to_thread(other.kill)
        await until(look, lambda found: found.asked_s_ago < 1 and leader() == broker.node)
        await asyncio.to_thread(other.start)
        await until(look, lambda found: found.asked_s_ago < 1 and leader() == other.node)


async def heard(bootstrap: str, leader: int, by: Mapping[int, int]) -> Replicas:
    """What replicas say, each asked as who is said."""
    ends, client = Ends(0.05), AIOKafkaClient(bootstrap_servers=bootstrap)
    replicas = ends._replicas[PLACE] = Replicas()
    replicas.are(leader, [*by])
    await client.bootstrap()
    try:
        for node, who in by.items():
            await ends._ask(client, node, who, {PLACE.topic: [(PLACE.partition, -1)]})
        return replicas
    finally:
        await client.close()


async def story(proxy: Proxy, producer: Producer) -> None:
    """Nothing is there; then the way is long; then there is something."""
    async with asked(proxy.bootstrap, 0.05) as (consumer, look):
        near = await until(look, lambda found: found.at_end)
        assert near.asked_s_ago < DELAY_S
        proxy.delay_s = DELAY_S
        await until(look, lambda found: found.asked_s_ago > 3 * DELAY_S)
        far = await until(look, lambda found: found.asked_s_ago < 2.5 * DELAY_S)
        assert far.at_end
        assert far.asked_s_ago >= 2 * DELAY_S, "there and back"
        proxy.delay_s = 0.0
        producer.produce(PLACE.topic, b"x")
        assert not producer.flush(20)
        await until(look, lambda found: not found.at_end)
        assert (await consumer.getone()).value == b"x"
        await until(look, lambda found: found.at_end)


@asynccontextmanager
async def asked(bootstrap: str, every_s: float) -> AsyncIterator[tuple[Any, Callable[[], FetchState]]]:
    """A consumer of the one partition, and what is known of it; leaders are asked meanwhile."""
    ends = Ends(every_s)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=100)
    await consumer.start()
    consumer.assign([PLACE])
    state: Any = consumer._subscription.subscription.assignment.state_value(PLACE)
    assert ends.of(PLACE, state) == FetchState(False, inf, inf)
    asking = asyncio.create_task(ends.keep_asking(consumer, lambda: {PLACE: state}))
    try:
        yield consumer, lambda: ends.of(PLACE, state)
    finally:
        asking.cancel()
        await consumer.stop()


async def until(look: Callable[[], FetchState], holds: Callable[[FetchState], bool]) -> FetchState:
    """What is seen once something holds of it."""
    end = time.monotonic() + 30
    while not holds(found := look()):
        assert time.monotonic() < end, found
        await asyncio.sleep(0.01)
    return found
