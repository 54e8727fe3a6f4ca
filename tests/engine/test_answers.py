"""Since when an answer of the broker is true, on a way that is short or long."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engine.answers import Answers
from streams.engine.stage import FetchState, TopicPartition
from tests.faults.proxy import Proxy
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka

DELAY_S = 1.0
PLACE = TopicPartition("far", 0)


def test_an_answer_is_as_old_as_its_question() -> None:
    with Proxy() as proxy, KafkaBroker(detours=[proxy.port]) as broker:
        proxy.lead_to(broker.detour(proxy.port))
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        admin.create_topics([NewTopic(PLACE.topic, 1, 1)])[PLACE.topic].result(20)
        near, far = asyncio.run(near_and_far(proxy))
    assert near.at_end
    assert near.answered_s_ago <= near.asked_s_ago < DELAY_S
    assert far.at_end
    assert far.asked_s_ago >= far.answered_s_ago + 2 * DELAY_S


async def near_and_far(proxy: Proxy) -> tuple[FetchState, FetchState]:
    """What is known of a partition without records: first while its broker is near, then while it is far away."""
    answers = Answers()
    consumer = AIOKafkaConsumer(bootstrap_servers=proxy.bootstrap, fetch_max_wait_ms=100)
    await consumer.start()
    try:
        consumer.assign([PLACE])
        state = consumer._subscription.subscription.assignment.state_value(PLACE)
        assert answers.of(PLACE, state) == FetchState(False, float("inf"), float("inf"))
        answers.watch(consumer._fetcher)
        await answer(state)
        near = answers.of(PLACE, state)
        proxy.delay_s = DELAY_S
        await answer(state)  # may have been under way
        await answer(state)
        return near, answers.of(PLACE, state)
    finally:
        proxy.delay_s = 0.0
        await consumer.stop()


async def answer(state: object) -> None:
    """Waits for the next one."""
    before, end = state.timestamp, time.monotonic() + 30  # type: ignore[attr-defined]
    while state.timestamp == before:  # type: ignore[attr-defined]
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
