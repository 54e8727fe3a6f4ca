"""A broker gathers while records come, and answers with the first one at once where none came for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import aiokafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engine.config import EngineConfig
from streams.engine.gathering import Gathering
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka

TOPIC = "gathered"
PARTITIONS = 4
GATHER_MS = 50


@pytest.fixture
def topic(kafka: KafkaBroker) -> Iterator[str]:
    """A topic of its own."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
        made.result(10)
    yield TOPIC
    for gone in admin.delete_topics([TOPIC]).values():
        gone.result(10)


class Answers:
    """What a consumer gets: when, and of how many partitions."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.seen: list[tuple[float, int, list[int]]] = []

    async def collect(self) -> None:
        """For ever."""
        while True:
            found = await self._consumer.getmany(timeout_ms=1_000)
            if found:
                numbers = [int(record.value) for records in found.values() for record in records]
                self.seen.append((time.monotonic(), len(found), numbers))


def test_while_records_come_all_partitions_are_in_one_answer(kafka: KafkaBroker, topic: str) -> None:
    sent, seen = asyncio.run(_stream(kafka.bootstrap, rate_hz=500, count=1_000))
    assert sorted(number for _, _, numbers in seen for number in numbers) == list(range(1_000))
    steady = seen[2:-2]
    # Each answer takes as long as the broker gathers: a few may be early (the flow had stopped for a moment).
    spent_s = max(sent) - min(sent)
    assert len(seen) < 1.5 * spent_s * 1000 / GATHER_MS + 4
    assert sum(partitions for _, partitions, _ in steady) / len(steady) > 0.9 * PARTITIONS


def test_the_first_record_after_a_silence_is_not_gathered_for(kafka: KafkaBroker, topic: str) -> None:
    sent, seen = asyncio.run(_stream(kafka.bootstrap, rate_hz=2, count=10))
    late_s = sorted(at - sent[number] for at, _, numbers in seen for number in numbers)
    assert len(late_s) == 10
    assert late_s[5] < GATHER_MS / 1000


async def _stream(bootstrap: str, rate_hz: float, count: int) -> tuple[list[float], list[tuple[float, int, list[int]]]]:
    """When each record was sent, and the answers with them."""
    config = EngineConfig(bootstrap=bootstrap, app_id="gathering", partitions=PARTITIONS, gather_ms=GATHER_MS)
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap)
    async with consumer, producer:
        consumer.assign([aiokafka.TopicPartition(TOPIC, number) for number in range(PARTITIONS)])
        Gathering(consumer._fetcher, config)
        answers = Answers(consumer)
        collecting = asyncio.create_task(answers.collect())
        sent, begun = [], time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0, begun + number / rate_hz - time.monotonic()))
            sent.append(time.monotonic())
            await producer.send(TOPIC, str(number).encode(), partition=number % PARTITIONS)
        await producer.flush()
        await asyncio.sleep(4 * GATHER_MS / 1000)
        collecting.cancel()
    return sent, answers.seen
