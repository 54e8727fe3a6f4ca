"""Reads what the workers publish, and how far they are: what the demo knows, it knows from Kafka."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.settings import Settings

__all__ = ["QUIET", "Feed", "Lag"]

QUIET = {"log_level": 2}
"""The embedded broker ends before its clients do; they need not tell it."""


class Feed:
    """Follows topics of JSON records from their start, without a group."""

    def __init__(self, settings: Settings, topics: list[str]) -> None:
        self._names = {settings.topic(topic): topic for topic in topics}
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "group.id": settings.app_id("demo"),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
            }
            | QUIET
        )
        places = [
            TopicPartition(topic, partition, 0)
            for topic in self._names
            for partition in self._consumer.list_topics(topic, 10).topics[topic].partitions
        ]
        self._consumer.assign(places)

    def read(self, wait_s: float) -> list[tuple[str, dict[str, Any]]]:
        """What came within `wait_s`: topic (without prefix) and record."""
        records = []
        for message in self._consumer.consume(1000, wait_s):
            value, topic = message.value(), message.topic()
            if message.error() is None and value is not None and topic is not None:
                records.append((self._names[topic], json.loads(value)))
        return records

    def close(self) -> None:
        """Stops reading."""
        self._consumer.close()


class Lag:
    """How much of some topics a stage has done, by the positions that it commits."""

    def __init__(self, settings: Settings, stage: str, topics: list[str]) -> None:
        self._topics = [settings.topic(topic) for topic in topics]
        self._consumer = Consumer(
            {"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.app_id(stage)} | QUIET
        )

    def read(self) -> tuple[int, int]:
        """Records done, and records there are."""
        done = there = 0
        try:
            for topic in self._topics:
                partitions = self._consumer.list_topics(topic, 5).topics[topic].partitions
                places = [TopicPartition(topic, partition) for partition in partitions]
                for place in self._consumer.committed(places, 5):
                    low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, place.partition), 5)
                    done += max(place.offset, low)
                    there += high
        except KafkaException:
            return 0, 1
        return done, there

    def close(self) -> None:
        """Stops asking."""
        self._consumer.close()
