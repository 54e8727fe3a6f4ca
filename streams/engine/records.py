"""Batches instead of records: what the consumer thread hands on, and how it unpacks what was fetched.

aiokafka makes one object per record, which alone costs more than folding it. Here its `PartitionRecords` yields one
chunk per record batch of the broker, or its blocks, with the positions before and behind it: control batches, gaps of
compacted logs and the tail of a batch that was read before all move the position without a record, and none of it is
lost. A block's records are made when they are carried: those of a large poll, made at once, fit into no processor's
cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, dropwhile, repeat
from operator import attrgetter
from typing import Any, NamedTuple, Self

import google_crc32c
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from streams.engine.errors import StateRefused
from streams.engine.stage import Block, FetchState, Record, TopicPartition

__all__ = ["Batch", "BatchRecords", "Chunk", "FetchedBytes", "Poll", "install", "to_batch", "to_blocks", "to_chunk"]

_LOG_APPEND_TIME = 1

# Of a record batch: what its length does not count; its form, of which only the newest has this checksum; and from
# where on that is of its bytes.
_HEAD, _MAGIC_AT, _MAGIC, _CHECKED_FROM = 12, 16, 2, 21
_PIECE = 1 << 16
"""So many bytes are checked at once: they are copied, and the copy stays in a processor's cache."""
_BY_PROCESSOR = google_crc32c.implementation == "c"
"""Whether that library has its native part on this machine; without it aiokafka's own is much the faster."""


class Chunk(NamedTuple):
    """One record batch; [start, end) is how far it moves the position."""

    start: int
    end: int
    records: list[Record]


class _Message:
    """Looks like an aiokafka record to Faust, which reads these names."""

    __slots__ = ("offset", "partition", "timestamp", "topic")

    timestamp_type = 0
    headers = ()
    key = checksum = None
    serialized_key_size = serialized_value_size = 0

    offset: int
    timestamp: int

    @property
    def value(self) -> Self:
        """What streams get. No attribute: a circle would keep every batch in memory until the collector comes."""
        return self


class Batch(_Message):
    """What one fetch brought from one partition. Its offset is the last one that it covers."""

    __slots__ = ("behind", "end", "records", "start")

    def __init__(self, tp: TopicPartition, chunks: Sequence[Chunk], behind: int) -> None:
        self.topic, self.partition = tp
        self.start, self.end = chunks[0].start, chunks[-1].end
        self.records = chunks[0].records if len(chunks) == 1 else [r for chunk in chunks for r in chunk.records]
        self.behind = behind
        self.offset = self.end - 1
        self.timestamp = self.records[-1].timestamp_ms if self.records else 0


class Poll(_Message):
    """What one fetch brought from all partitions, and what is known of those that brought nothing."""

    __slots__ = ("behind", "fetched", "idle")

    def __init__(
        self,
        tp: TopicPartition,
        number: int,
        fetched: dict[TopicPartition, list[Block]],
        idle: dict[TopicPartition, FetchState],
        behind: dict[TopicPartition, int],
    ) -> None:
        self.topic, self.partition = tp
        self.fetched, self.idle, self.behind = fetched, idle, behind
        self.offset = number
        self.timestamp = 0


def to_batch(tp: Any, chunks: Sequence[Chunk], behind: int) -> Batch:
    """A partition's chunks as one batch."""
    return Batch(TopicPartition(tp.topic, tp.partition), chunks, behind)


_fields = attrgetter("offset", "timestamp", "key", "value", "headers")
_record = partial(tuple.__new__, Record)
_timestamp = attrgetter("timestamp")
_block = partial(tuple.__new__, Block)


def to_chunk(batch: Any, start: int, end: int) -> Chunk:
    """A broker's record batch as a chunk, from a position on."""
    records: list[Record] = [] if batch.is_control_batch else list(map(_record, map(_fields, batch)))
    if records and records[0].offset < start:
        records = [record for record in records if record.offset >= start]
    return Chunk(start, end, records)


def to_blocks(batch: Any, start: int, end: int) -> list[Block]:
    """A broker's record batch as blocks: one where the broker gave it its time, else one of each record."""
    if batch.is_control_batch or start == end:
        return []
    first = batch.base_offset
    # A batch of aiokafka can be asked for its records once, and never beyond their end.
    records: Iterator[Any] = chain(batch)
    if first < start:
        records = dropwhile(lambda record: record.offset < start, records)
    if batch.timestamp_type == _LOG_APPEND_TIME:
        return [Block(batch.max_timestamp, end, end - max(first, start), records)]
    made = list(records)
    ends = [record.offset + 1 for record in made]
    return list(map(_block, zip(map(_timestamp, made), ends, repeat(1), map(iter, zip(made)))))


class FetchedBytes:
    """What was fetched of one partition at once. aiokafka's own class for it keeps the bytes to itself.

    It checks them by the processor's own instruction where there is one: some eight times as fast as aiokafka does.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._start, self._end = data, 0, 0
        batches = MemoryRecords(data)
        self.has_next, self.size_in_bytes, self._next = batches.has_next, batches.size_in_bytes, batches.next_batch

    def next_batch(self) -> Any:
        """The next record batch, as aiokafka reads it."""
        start = self._start = self._end
        self._end = start + _HEAD + int.from_bytes(self._data[start + 8 : start + _HEAD])
        return self._next()

    def is_intact(self, batch: Any) -> bool:
        """Whether the record batch that was read last has the checksum that it says."""
        if not _BY_PROCESSOR or self._data[self._start + _MAGIC_AT] != _MAGIC:
            return bool(batch.validate_crc())
        checksum = 0
        for start in range(self._start + _CHECKED_FROM, self._end, _PIECE):
            checksum = google_crc32c.extend(checksum, self._data[start : min(start + _PIECE, self._end)])
        return bool(checksum == batch.crc)


class BatchRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """The records of one partition of one fetch.

    A consumer asks for chunks or blocks by having `to_chunk` or `to_blocks` as its key deserializer; every other one of
    the process gets records.
    """

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        """Yields what was asked for; checks each checksum."""
        unpack = self._key_deserializer
        if unpack not in (to_chunk, to_blocks):
            yield from super()._unpack_records()
            return
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not self._records.is_intact(batch):
                raise StateRefused(
                    f"{self._tp.topic}[{self._tp.partition}], from offset {self.next_fetch_offset} on: the checksum of "
                    "a record batch is wrong, the broker's disk or memory is damaged: restore it from a replica"
                )
            start = self.next_fetch_offset
            self.next_fetch_offset = max(start, batch.next_offset)
            yield unpack(batch, start, self.next_fetch_offset)


def install() -> None:
    """Lets aiokafka's fetcher make `FetchedBytes` and `BatchRecords`; consumers that did not ask notice nothing."""
    fetcher.MemoryRecords = FetchedBytes
    fetcher.PartitionRecords = BatchRecords
