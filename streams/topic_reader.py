"""Reading a topic from a command: from its start or its end, up to what is there now or for ever.

Within a partition records come in offset order, always. Where a topic is read to its end, partitions are merged: of
the records that come next in each, the one with the smallest (timestamp, partition) is next.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple, cast

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.clients import REACH_TIMEOUT_S, new_consumer, partition_counts, unreachable
from streams.engine.errors import StateRefused
from streams.settings import Settings

__all__ = ["Record", "follow", "read_one", "read_there", "scan"]

_BATCH = 5_000
_POLL_S = 0.2
_FULL = 50_000
_LOW = 10_000
_STALLED_S = 30.0
_TRIES = 25
_NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


class Record(NamedTuple):
    """One record of a topic."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def follow(settings: Settings, topic: str, *, from_start: bool) -> Generator[Record | None, None, None]:
    """Records as they come, without end; None when there is none for a moment.

    Args:
        settings: Where the broker is.
        topic: Without the prefix.
        from_start: Begin with the oldest record; else with the next one that is written.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: There is no such topic.
    """
    consumer = new_consumer(settings)
    try:
        (count,) = partition_counts(settings, consumer, [topic])
        start = OFFSET_BEGINNING if from_start else OFFSET_END
        consumer.assign([TopicPartition(settings.topic(topic), partition, start) for partition in range(count)])
        while True:
            messages = consumer.consume(_BATCH, _POLL_S)
            for message in messages:
                if _good(settings, message):
                    yield _record(message)
            if not messages:
                yield None
    finally:
        consumer.close()


def scan(settings: Settings, topic: str, partitions: Sequence[int] | None = None) -> Iterator[Record]:
    """Every record that is there now, in offset order within a partition; partitions in any order."""
    there = _There(settings, topic, partitions)
    try:
        while there.open:
            yield from there.poll()
    finally:
        there.close()


def read_there(settings: Settings, topic: str) -> Iterator[Record]:
    """Every record that is there now, partitions merged by time as the head of this file says."""
    there = _There(settings, topic, None)
    waiting: dict[int, deque[Record]] = {partition: deque() for partition in there.open}
    heads: list[tuple[int, int]] = []
    in_heap: set[int] = set()
    try:
        while there.open or heads:
            for record in there.poll() if there.open else ():
                waiting[record.partition].append(record)
            there.balance({partition: len(queue) for partition, queue in waiting.items()})
            for partition, queue in waiting.items():
                if queue and partition not in in_heap:
                    heapq.heappush(heads, (queue[0].timestamp_ms, partition))
                    in_heap.add(partition)
            # The smallest is known only while every partition that may still bring something has one in hand.
            while heads and there.open <= in_heap:
                _, partition = heapq.heappop(heads)
                queue = waiting[partition]
                yield queue.popleft()
                if queue:
                    heapq.heappush(heads, (queue[0].timestamp_ms, partition))
                else:
                    in_heap.discard(partition)
    finally:
        there.close()


def read_one(settings: Settings, topic: str, partition: int, offset: int) -> Record | None:
    """The record at a place; None when there is none (any more, or yet)."""
    consumer = new_consumer(settings)
    try:
        (count,) = partition_counts(settings, consumer, [topic])
        if partition >= count:
            return None
        place = TopicPartition(settings.topic(topic), partition, offset)
        low, high = _watermarks(settings, consumer, place)
        if not low <= offset < high:
            return None
        consumer.assign([place])
        for _ in range(int(_STALLED_S / _POLL_S)):
            message = consumer.poll(_POLL_S)
            if message is None:
                continue
            if not _good(settings, message):
                return None
            record = _record(message)
            return record if record.offset == offset else None
        raise unreachable(settings, "it stopped answering")
    finally:
        consumer.close()


class _There:
    """What a topic holds at this moment. `open` are the partitions that may still bring something."""

    def __init__(self, settings: Settings, topic: str, partitions: Sequence[int] | None) -> None:
        self._settings, self._name = settings, settings.topic(topic)
        self._consumer = new_consumer(settings)
        try:
            (count,) = partition_counts(settings, self._consumer, [topic])
            self._ends: dict[int, int] = {}
            starts = []
            for partition in range(count) if partitions is None else partitions:
                place = TopicPartition(self._name, partition)
                low, high = _watermarks(settings, self._consumer, place)
                if low < high:
                    self._ends[partition] = high
                    starts.append(TopicPartition(self._name, partition, low))
            self.open = frozenset(self._ends)
            self._paused: set[int] = set()
            self._silent_s = 0.0
            if starts:
                self._consumer.assign(starts)
        except BaseException:
            self._consumer.close()
            raise

    def poll(self) -> list[Record]:
        """What came, without what was written after the beginning."""
        records = []
        messages = self._consumer.consume(_BATCH, _POLL_S)
        # A partition is paused only while another one is waited for, so silence means that the broker is gone.
        self._silent_s = 0.0 if messages else self._silent_s + _POLL_S
        if self._silent_s > _STALLED_S:
            raise unreachable(self._settings, f"it stopped answering while {self._name} was read")
        for message in messages:
            partition, offset = cast("int", message.partition()), cast("int", message.offset())
            end = self._ends.get(partition, 0)
            if _good(self._settings, message) and offset < end:
                records.append(_record(message))
            if offset >= end - 1 and partition in self.open:
                self.open -= {partition}
        return records

    def balance(self, lengths: dict[int, int]) -> None:
        """Pauses partitions of which enough is in hand, so that memory stays bounded while others are waited for."""
        full = {partition for partition in self.open if lengths[partition] > _FULL} - self._paused
        low = {partition for partition in self._paused if lengths[partition] < _LOW}
        if full:
            self._consumer.pause([TopicPartition(self._name, partition) for partition in full])
        if low:
            self._consumer.resume([TopicPartition(self._name, partition) for partition in low])
        self._paused = (self._paused | full) - low

    def close(self) -> None:
        self._consumer.close()


def _watermarks(settings: Settings, consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Where a partition begins and ends. One that was only just made, or moves, has no leader for a moment."""
    tries = 0
    while True:
        try:
            marks = consumer.get_watermark_offsets(place, timeout=REACH_TIMEOUT_S)
            break
        except KafkaException as error:
            tries += 1
            if tries == _TRIES or error.args[0].code() not in _NO_LEADER:
                raise unreachable(settings, error.args[0].str()) from error
            time.sleep(_POLL_S)
    if marks is None:
        raise unreachable(settings, "it did not say where the topic ends")
    return marks


def _good(settings: Settings, message: Message) -> bool:
    """Whether this is a record, and not the end of a partition.

    Raises:
        StateRefused: The records that were to be read are gone.
        BrokerUnreachable: Anything else that the client could not get over by itself.
    """
    error = message.error()
    if error is None:
        return True
    if error.code() == KafkaError._PARTITION_EOF:
        return False
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        place = f"{message.topic()} partition {message.partition()} offset {message.offset()}"
        raise StateRefused(f"{place} is gone: the topic's retention was faster than the reader; read it again")
    raise unreachable(settings, error.str())


def _record(message: Message) -> Record:
    return Record(
        cast("int", message.partition()),
        cast("int", message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        cast("list[tuple[str, bytes]]", message.headers() or []),
    )
