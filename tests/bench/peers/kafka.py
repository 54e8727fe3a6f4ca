"""The race's side of Kafka: input sent, outputs followed, topics made and taken away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.bench.peers.events import DAY_MS, PARTITIONS, Raw

__all__ = ["Outputs", "clean", "make_topics", "send", "send_steadily"]

_IN_ORDER = {"acks": "all", "enable.idempotence": True, "delivery.report.only.error": True, "log_level": 3}
"""Nothing is sent again behind what came after it."""
_FAST = {"linger.ms": 20, "batch.size": 500_000, "queue.buffering.max.messages": 1_000_000}


def make_topics(bootstrap: str, *names: str) -> None:
    """Topics as leadstream's raw topics are: the broker's own time on each record, kept for 30 days."""
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": str(30 * DAY_MS), "retention.bytes": "-1"}
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config) for name in names]).values():
        made.result(20)


def clean(bootstrap: str, part: str, keep: Iterable[str] = ()) -> None:
    """Takes away every topic and consumer group with this in its name."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    names = [name for name in admin.list_topics(timeout=10).topics if part in name and name not in set(keep)]
    if names:
        for gone in admin.delete_topics(names, operation_timeout=20).values():
            gone.result(30)
    until = time.monotonic() + 60
    while groups := [
        found.group_id for found in admin.list_consumer_groups().result(10).valid if part in found.group_id
    ]:
        refused = [left.exception(10) for left in admin.delete_consumer_groups(groups).values()]
        if any(refused) and time.monotonic() > until:
            raise RuntimeError(f"the groups {groups} cannot be deleted: {refused}")
        time.sleep(0.5 if any(refused) else 0)  # a static member is missed only when its session has ended


def send(bootstrap: str, topic: str, raws: Iterable[Raw], say: Callable[[int], None] = lambda sent: None) -> int:
    """Sends as fast as the broker takes it; how many."""
    producer = Producer({"bootstrap.servers": bootstrap, "on_delivery": _refused, **_IN_ORDER, **_FAST})
    count = 0
    for raw in raws:
        while True:
            try:
                producer.produce(topic, raw.value, key=raw.lead, partition=raw.partition)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if not count % 5000:
            producer.poll(0)
        if not count % 200_000:
            say(count)
    if producer.flush(120):
        raise RuntimeError("the broker did not take every event in 120 s")
    return count


def send_steadily(
    bootstrap: str, topic: str, raws: Iterable[Raw], rate: float, meanwhile: Callable[[float], None]
) -> dict[str, float]:
    """Sends at a rate; when each event was sent, by its id.

    Args:
        bootstrap: The broker.
        topic: Where to.
        raws: What.
        rate: Events a second.
        meanwhile: Called between events, with seconds that it may take.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "on_delivery": _refused, "linger.ms": 0, **_IN_ORDER})
    sent: dict[str, float] = {}
    began = time.monotonic()
    for count, raw in enumerate(raws):
        while (ahead := began + count / rate - time.monotonic()) > 0:
            producer.poll(0)
            meanwhile(min(ahead, 0.001))
        sent[raw.event] = time.monotonic()
        producer.produce(topic, raw.value, key=raw.lead, partition=raw.partition)
    if producer.flush(10):
        raise RuntimeError("the broker did not take every event in 10 s")
    return sent


def _refused(error: KafkaError, message: Message) -> None:
    raise RuntimeError(f"the broker did not take an event for {message.topic()}: {error}")


class Outputs:
    """What arrives in an output topic, from its beginning on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        settings: dict[str, str | int | bool] = {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-race",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 5,
            "isolation.level": "read_committed",
        }
        self._consumer = Consumer(settings)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read(self, within_s: float) -> Iterator[bytes]:
        """What has come; waits a moment if nothing has."""
        for message in self._consumer.consume(5000, within_s):
            value = message.value()
            if message.error() is None and value is not None:
                yield value
