"""The embedded broker: librdkafka's mock cluster inside this process.

It makes every topic by itself with four partitions, keeps record times as they are given, knows no topic settings,
and forgets the oldest records beyond 5 MiB or 100,000 batches of a partition: right for trying out, not for keeping.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from confluent_kafka import Producer

__all__ = ["EmbeddedBroker"]


class EmbeddedBroker:
    """A broker that lives as long as this object is open."""

    PARTITIONS = 4

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        brokers = self._cluster.list_topics(timeout=10).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._cluster
