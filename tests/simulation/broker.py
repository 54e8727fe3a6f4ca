"""What Kafka does, as far as exactness rests on it: logs, record times, epochs that fence, compaction, commits."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tests.pipeline import Kept

__all__ = ["Broker", "Entry", "Fence", "FencedError"]

Entry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value, headers."""


class Fence(NamedTuple):
    """Who writes: a transactional id, and the epoch that it was given when it was opened."""

    name: str
    epoch: int


class FencedError(Exception):
    """The partition has seen a newer epoch of the same writer."""


class Broker:
    """Partitions of topics, each made when it is first named.

    Attributes:
        clock_ms: What time it is at the broker; the only clock there is.
        committed: By topic and partition: what a group has committed.
    """

    def __init__(self, clock_ms: int) -> None:
        self.clock_ms = clock_ms
        self.committed: dict[tuple[str, int], int] = {}
        self._records: dict[tuple[str, int], list[Kept]] = defaultdict(list)
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        self._epochs: dict[str, int] = defaultdict(int)
        self._seen: dict[tuple[str, int, str], int] = defaultdict(int)

    def open_writer(self, name: str) -> Fence:
        """The next epoch of a writer. Partitions learn of it when it writes there, not before."""
        self._epochs[name] += 1
        return Fence(name, self._epochs[name])

    def append(self, topic: str, partition: int, entries: Sequence[Entry], fence: Fence | None = None) -> int:
        """One record batch: all of it or nothing. The offset of its last record.

        Raises:
            FencedError: By an epoch that this partition has seen.
        """
        place = topic, partition
        if fence is not None:
            seen = (*place, fence.name)
            if fence.epoch < self._seen[seen]:
                raise FencedError(f"{topic}[{partition}]: epoch {fence.epoch} of {fence.name} is over")
            self._seen[seen] = fence.epoch
        for key, value, headers in entries:
            self._records[place].append(Kept(partition, self._ends[place], key, value, self.clock_ms, list(headers)))
            self._ends[place] += 1
        return self._ends[place] - 1

    def end(self, topic: str, partition: int) -> int:
        """The next offset."""
        return self._ends[topic, partition]

    def read(self, topic: str, partition: int, start: int = 0) -> list[Kept]:
        """What there is from an offset on."""
        return [record for record in self._records[topic, partition] if record.offset >= start]

    def topic(self, topic: str, partitions: int) -> list[Kept]:
        """All of a topic, by partition and offset."""
        return [record for partition in range(partitions) for record in self.read(topic, partition)]

    def compact(self, topic: str, partition: int, chance: random.Random) -> None:
        """Of what lies before some place, only the latest record of each key stays."""
        records = self._records[topic, partition]
        dirty = chance.randrange(len(records) + 1)
        latest = {record.key: record.offset for record in records}
        records[:dirty] = [record for record in records[:dirty] if latest[record.key] == record.offset]
