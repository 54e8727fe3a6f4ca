"""Reads a topic while it grows, and notes when each record was there to be read."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
from confluent_kafka import Consumer, TopicPartition

from streams.clock import now_ms
from tests.pipeline import Pipeline

__all__ = ["News", "Watcher"]


class News(NamedTuple):
    """A record's JSON, and when it was read."""

    at_ms: int
    said: dict[str, Any]


class Watcher:
    """Reads in a thread of its own, until it is left.

    Attributes:
        news: What has come so far.
    """

    def __init__(self, run: Pipeline, topic: str) -> None:
        self.news: list[News] = []
        self._consumer = Consumer(
            {"bootstrap.servers": run.bootstrap, "group.id": f"{run.prefix}watcher", "fetch.wait.max.ms": 20}
        )
        name = run.prefix + topic
        partitions = self._consumer.list_topics(name, 10).topics[name].partitions
        self._consumer.assign([TopicPartition(name, number, 0) for number in partitions])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            value = None if message is None or message.error() else message.value()
            if value is not None:
                self.news.append(News(now_ms(), msgspec.json.decode(value)))
