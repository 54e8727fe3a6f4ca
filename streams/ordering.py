"""In which order raw records are carried, and how far time is safe. Pure: no clock, no broker.

Every source partition gives blocks of records, each of one time, in the order of their times. What is carried in one go
is everything in hand that is at most a minute ahead of the slowest partition; the rest waits, and its partition is not
fetched from meanwhile.

`safe` is the word that every raw record with an older broker time is already in the log. It is the least of what is
known of each partition:

* it has records in hand: the time of the first of them;
* it has none, and its replicas said so: the newest time read anywhere, minus the time since they were asked, and
  minus a second for the brokers' clocks;
* it has none, and nothing is known: the time of the last record that came from it.

Topics that the breaker paused are left out: what they hold is late. What other workers have in hand is known from
their progress.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from schemas.limits import MAX_TIME_MS
from streams.engine.stage import Block, FetchState, TopicPartition, size_of

__all__ = ["AHEAD_MS", "SKEW_MS", "Ordering", "Taken"]

AHEAD_MS = 60_000
"""A partition that is further ahead of the slowest one waits."""

SKEW_MS = 1_000
"""Brokers' clocks agree within a second."""


@dataclass(slots=True)
class Taken:
    """What is to be carried now.

    Attributes:
        blocks: By partition, in the order of topic and partition; each list in order of offsets.
        times: Of each of the blocks, the greatest so far of its partition.
        safe_ms: What is safe once all of them are carried; never less than before.
        hold: Partitions that have enough in hand.
    """

    blocks: dict[TopicPartition, list[Block]]
    times: dict[TopicPartition, list[int]]
    safe_ms: int
    hold: frozenset[TopicPartition]

    def slices(self, about: int) -> Iterator[dict[TopicPartition, list[Block]]]:
        """The blocks one slice of time after the other, about so many records in each; more where one time has more."""
        sizes = {tp: size_of(blocks) for tp, blocks in self.blocks.items()}
        size = sum(sizes.values())
        if size <= about:
            yield self.blocks
            return
        largest = max(sizes, key=sizes.__getitem__)
        step = max(1, sizes[largest] * about // size)
        done = dict.fromkeys(self.blocks, 0)
        for until_ms in (*self._each(step, largest), MAX_TIME_MS):
            ends = {tp: bisect_right(times, until_ms, done[tp]) for tp, times in self.times.items()}
            part = {tp: self.blocks[tp][done[tp] : end] for tp, end in ends.items() if end > done[tp]}
            if part:
                yield part
            done = ends

    def _each(self, step: int, tp: TopicPartition) -> Iterator[int]:
        """The times at which so many more records of a partition are there."""
        seen = 0
        for block, time_ms in zip(self.blocks[tp], self.times[tp], strict=True):
            seen += block.size
            if seen >= step:
                seen = 0
                yield time_ms


class _Source:
    """What is in hand of one partition.

    Attributes:
        blocks: Not carried yet.
        times: Of each of them, the greatest so far: never less than the one before.
        floor_ms: No record that is still to come is older.
        end: Nothing more was there when its leader was asked.
    """

    __slots__ = ("blocks", "end", "floor_ms", "times")

    def __init__(self, floor_ms: int) -> None:
        self.blocks: list[Block] = []
        self.times: list[int] = []
        self.floor_ms = floor_ms
        self.end = False

    def add(self, blocks: Sequence[Block]) -> None:
        start = self.times[-1] if self.times else self.floor_ms
        times = [block.timestamp_ms for block in blocks]
        if times[0] < start or times[-1] > MAX_TIME_MS or times != sorted(times):
            # Producers' times, or a broker whose clock was set back: the record does not become older by that.
            times = list(accumulate((time if time <= MAX_TIME_MS else start for time in times), max, initial=start))[1:]
        self.blocks += blocks
        self.times += times

    def take(self, until_ms: int | None) -> tuple[list[Block], list[int]]:
        """The blocks up to a time, all of them without one, and the time of each."""
        count = len(self.times) if until_ms is None else bisect_right(self.times, until_ms)
        if count:
            self.floor_ms = self.times[count - 1]
        blocks, times = self.blocks, self.times
        self.blocks, self.times = blocks[count:], times[count:]
        return (blocks, times) if count == len(times) else (blocks[:count], times[:count])

    def give_back(self, blocks: Sequence[Block]) -> None:
        times = [max(block.timestamp_ms, 0) for block in blocks]
        self.blocks[:0] = blocks
        self.times[:0] = list(accumulate(times, max))

    @property
    def reach_ms(self) -> int:
        return self.times[-1] if self.times else self.floor_ms

    def look(self, state: FetchState, newest_ms: int) -> None:
        self.end = state.at_end
        if state.at_end and not self.times:
            self.floor_ms = max(self.floor_ms, newest_ms - SKEW_MS - ceil(state.asked_s_ago * 1000))

    @property
    def bound_ms(self) -> int:
        """Every record of the partition with an older time was taken."""
        return self.times[0] if self.times else self.floor_ms


class Ordering:
    """What is in hand of all source partitions of this worker.

    Attributes:
        safe_ms: The last word; it never goes back.
        newest_ms: The newest time read, here or by other workers.
    """

    def __init__(self, ahead_ms: int = AHEAD_MS) -> None:
        self.safe_ms = 0
        self.newest_ms = 0
        self._heard_ms = 0
        self._ahead_ms = ahead_ms
        self._sources: dict[TopicPartition, _Source] = {}
        self._paused: frozenset[str] = frozenset()

    def assign(self, partitions: Iterable[TopicPartition], carried_ms: Mapping[TopicPartition, int]) -> None:
        """The partitions are these from now on, nothing is in hand.

        Args:
            partitions: Ours.
            carried_ms: By partition, what is known from an earlier owner's progress.
        """
        self._sources = {tp: _Source(carried_ms.get(tp, 0)) for tp in sorted(partitions)}

    def pause(self, topics: Collection[str]) -> None:
        """These topics are left out from now on, and no others."""
        self._paused = frozenset(topics)

    def saw(self, newest_ms: int) -> None:
        """Another worker read a record of this time. It counts for polls that begin later than now."""
        self._heard_ms = max(self._heard_ms, newest_ms)

    def give_back(self, tp: TopicPartition, blocks: Sequence[Block]) -> None:
        """These were taken and are not carried after all; they are the next ones again."""
        if blocks:
            self._sources[tp].give_back(blocks)

    def take(
        self,
        fetched: Mapping[TopicPartition, Sequence[Block]],
        idle: Mapping[TopicPartition, FetchState],
        others_ms: int | None = None,
    ) -> Taken:
        """Takes in what was fetched, and says what to carry now.

        Args:
            fetched: New records.
            idle: What is known of partitions without new records.
            others_ms: Least progress of the partitions that other workers have; None where there are none.
        """
        for tp, blocks in fetched.items():
            source = self._sources[tp]
            source.end = False
            if blocks:
                source.add(blocks)
            self.newest_ms = max(self.newest_ms, source.reach_ms)
        for tp, state in idle.items():
            self._sources[tp].look(state, self.newest_ms)
        active = {tp: source for tp, source in self._sources.items() if tp.topic not in self._paused}
        until_ms = self._until_ms(active.values())
        taken = {tp: found for tp, source in active.items() if source.times and (found := source.take(until_ms))[0]}
        self.newest_ms = max(self.newest_ms, self._heard_ms)
        of_each = {tp: found[0] for tp, found in taken.items()}
        times = {tp: found[1] for tp, found in taken.items()}
        return Taken(of_each, times, self.settle(others_ms), self.hold())

    def settle(self, others_ms: int | None = None) -> int:
        """What is safe now; also after records were given back or a topic was paused."""
        bounds = self.bounds().values()
        least = min(bounds, default=0)
        self.safe_ms = max(self.safe_ms, least if others_ms is None else min(least, others_ms))
        return self.safe_ms

    def bounds(self) -> dict[TopicPartition, int]:
        """By partition that is not paused: every record with an older time was taken."""
        return {tp: source.bound_ms for tp, source in self._sources.items() if tp.topic not in self._paused}

    def hold(self) -> frozenset[TopicPartition]:
        """Partitions with records in hand, or paused: they need no more."""
        paused = self._paused
        return frozenset(tp for tp, source in self._sources.items() if source.times or tp.topic in paused)

    @property
    def oldest_ms(self) -> int | None:
        """Time of the oldest record in hand that is not paused."""
        return min(
            (s.times[0] for tp, s in self._sources.items() if s.times and tp.topic not in self._paused), default=None
        )

    @property
    def in_hand(self) -> int:
        """Records that wait."""
        return sum(size_of(source.blocks) for source in self._sources.values())

    def _until_ms(self, sources: Iterable[_Source]) -> int | None:
        """How far may be carried: a minute beyond the partition that reaches least far and may have more."""
        reaches = [source.reach_ms for source in sources if not source.end]
        return min(reaches) + self._ahead_ms if reaches else None
