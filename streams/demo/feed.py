"""Reads what the workers publish, and how far they are: what the demo knows, it knows from Kafka."""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import KafkaException, TopicPartition

from streams.clients import new_consumer, partition_counts
from streams.settings import Settings

__all__ = ["Feed", "Lag", "Record"]


class Record(NamedTuple):
    """One record; the topic's name is without prefix."""

    topic: str
    key: bytes | None
    value: bytes | None


class Feed:
    """Follows topics from their start, without a group."""

    def __init__(self, settings: Settings, topics: tuple[str, ...]) -> None:
        self._names = {settings.topic(topic): topic for topic in topics}
        self._consumer = new_consumer(settings, fetch_wait_ms=20)
        counts = partition_counts(settings, self._consumer, topics)
        self._consumer.assign(
            [
                TopicPartition(settings.topic(topic), partition, 0)
                for topic, count in zip(topics, counts, strict=True)
                for partition in range(count)
            ]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read(self, wait_s: float) -> list[Record]:
        """What came within `wait_s`; at least one poll."""
        records = []
        for message in self._consumer.consume(1000, wait_s):
            topic = message.topic()
            if message.error() is None and topic is not None:
                records.append(Record(self._names[topic], message.key(), message.value()))
        return records


class Lag:
    """How much of some topics a stage has done, by the positions that it commits."""

    def __init__(self, settings: Settings, stage: str, topics: tuple[str, ...]) -> None:
        self._consumer = new_consumer(settings, f"leadstream-{stage}")
        counts = partition_counts(settings, self._consumer, topics)
        self._places = [
            TopicPartition(settings.topic(topic), partition)
            for topic, count in zip(topics, counts, strict=True)
            for partition in range(count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read(self) -> tuple[int, int]:
        """Records done, and records there are; (0, 0) while nobody can tell."""
        done = there = 0
        try:
            for place in self._consumer.committed(self._places, 5):
                low, high = self._consumer.get_watermark_offsets(TopicPartition(place.topic, place.partition), 5)
                done += max(place.offset, low)
                there += high
        except KafkaException:
            return 0, 0
        return done, there
