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

from streams.engine.ends import Ends
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
        assert asyncio.run(ends_of(broker.bootstrap, other.node)) == {}
        assert asyncio.run(ends_of(broker.bootstrap, broker.node)).keys() == {PLACE}


def test_a_leader_that_is_back_is_found_although_replicas_answer_fetches() -> None:
    soon = {"leader.imbalance.check.interval.seconds": "1", "leader.imbalance.per.broker.percentage": "0"}
    with KafkaBroker(settings=soon) as broker, KafkaBroker(joins=broker) as other:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        placed = NewTopic(PLACE.topic, 1, replica_assignment=[[other.node, broker.node]])
        admin.create_topics([placed])[PLACE.topic].result(20)
        asyncio.run(there_and_back(broker, other))


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


async def ends_of(bootstrap: str, node: int) -> Mapping[TopicPartition, object]:
    """What is known once one broker was asked."""
    ends, client = Ends(0.05), AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await ends._ask(client, node, {PLACE.topic: [(PLACE.partition, -1)]})
        return ends._ends
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
