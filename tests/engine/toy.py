"""Stages with a fold that is easy to recount, and all that the engine must get right: slices, deadlines, outputs.

A source record is a msgpack list of rows `[name, amount, time]`. The counter publishes a change at every tenth row of
a name, sets a deadline at every seventh, and publishes a change when log time reaches it.
"""

from __future__ import annotations

import asyncio
import heapq
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streams.engine.errors import StateRefused
from streams.engine.stage import (
    Block,
    Carried,
    FetchState,
    Output,
    Position,
    Publisher,
    Record,
    Step,
    TopicPartition,
    size_of,
)

__all__ = ["ALARM", "DEADLINE_MS", "Counter", "CounterPartition", "Mover", "Row"]

ALARM = "\0alarm"
DEADLINE_MS = 1_000
ROWS_PER_STEP = 40

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.decode


class Row(msgspec.Struct, array_like=True):
    """What is kept of a name."""

    codec: int = 1
    seq: int = 0
    count: int = 0
    total: int = 0
    due: int = 0


class CounterPartition:
    """Rows of one partition, changed in place."""

    def __init__(self, step_rows: int = ROWS_PER_STEP) -> None:
        self.step_rows = step_rows
        self.rows: dict[bytes, Row] = {}
        self.now = 0
        self.heap: list[tuple[int, bytes]] = []
        self.is_open = False

    def restore(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        assert not self.is_open, "rows of the table come before it is opened"
        for key, value in rows:
            if value is None:
                self.rows.pop(key, None)
                continue
            try:
                row = msgspec.msgpack.decode(value, type=Row)
            except msgspec.MsgspecError as error:
                raise StateRefused(f"the row of {key!r} cannot be read: {error}") from error
            if row.codec != 1:
                raise StateRefused(f"the row of {key!r} is of codec {row.codec}, this version reads 1")
            self.rows[key] = row

    def restore_memo(self, memo: bytes) -> None:
        self.now = decode(memo)

    def opened(self) -> None:
        assert not self.is_open, "a state is opened once"
        self.is_open = True
        self.heap = [(row.due, key) for key, row in self.rows.items() if row.due]
        heapq.heapify(self.heap)

    def next_deadline_ms(self) -> int | None:
        return self.heap[0][0] if self.heap else None

    def fold(self, records: Sequence[Record], start: Position) -> Step:
        dirty: dict[bytes, Row] = {}
        outputs: list[Output] = []
        applied = 0
        position = start
        for record in records:
            rows = decode(record.value or b"")
            first = start.index if record.offset == start.offset else 0
            for index in range(first, len(rows)):
                self.apply(rows[index], f"{record.offset}/{index}", dirty, outputs)
                applied += 1
                last = index + 1 == len(rows)
                position = Position(record.offset + 1) if last else Position(record.offset, index + 1)
                if applied >= self.step_rows:
                    return self.step(position, dirty, outputs, applied)
            if first >= len(rows):
                position = Position(record.offset + 1)
        return self.step(position, dirty, outputs, applied)

    def step(self, position: Position, dirty: dict[bytes, Row], outputs: list[Output], applied: int) -> Step:
        rows: list[tuple[bytes, bytes | None]] = [(key, encode(row)) for key, row in dirty.items()]
        return Step(position, encode(self.now), outputs, rows, applied)

    def apply(self, row: list[Any], cause: str, dirty: dict[bytes, Row], outputs: list[Output]) -> None:
        name, amount, at = row
        self.now = max(self.now, at)
        while self.heap and self.heap[0][0] <= self.now:
            due, key = heapq.heappop(self.heap)
            kept = self.rows[key]
            if kept.due == due:
                kept.due = 0
                self.change(key, kept, f"deadline {due}", outputs)
                dirty[key] = kept
        if name == ALARM:
            return
        key = name.encode()
        kept = dirty[key] = self.rows.setdefault(key, Row())
        kept.count += 1
        kept.total += amount
        if kept.count % 7 == 0:
            kept.due = at + DEADLINE_MS
            heapq.heappush(self.heap, (kept.due, key))
        if kept.count % 10 == 0:
            self.change(key, kept, cause, outputs)

    def change(self, key: bytes, row: Row, cause: str, outputs: list[Output]) -> None:
        row.seq += 1
        name = key.decode()
        number = f"{name}:{row.seq}"
        body = {"id": number, "seq": row.seq, "count": row.count, "total": row.total, "cause": cause}
        outputs.append(Output("changes", key, encode(body), [("id", number.encode())]))
        outputs.append(Output("scores", key, encode([row.seq, row.count, row.total])))


class Counter:
    """A table stage."""

    name = "counter"

    def __init__(self, prefix: str, step_rows: int = ROWS_PER_STEP, prepare_s: float = 0.0) -> None:
        self.prefix = prefix
        self.step_rows = step_rows
        self.prepare_s = prepare_s
        self.source = f"{prefix}-log"
        self.changelog = f"{prefix}-counter-changelog"
        self.outputs: tuple[str, ...] = (f"{prefix}-changes", f"{prefix}-scores")
        self.claimed: tuple[str, ...] = (f"{prefix}-scores",)
        self.gathered: tuple[str, ...] = ()
        self.publisher: Publisher | None = None

    async def started(self, publisher: Publisher) -> None:
        self.publisher = publisher

    async def stopped(self) -> None:
        pass

    def partition(self, partition: int) -> PrefixedPartition:
        return PrefixedPartition(self.prefix, self.step_rows)

    async def prepare(self, partition: int, state: object, start: Position) -> None:
        await asyncio.sleep(self.prepare_s)

    def alarms(self, partition: int, state: object) -> Sequence[tuple[str, int, bytes]]:
        return [(self.source, partition, encode([[ALARM, 0, int(time.time() * 1000)]]))]


class PrefixedPartition(CounterPartition):
    """Publishes to the topics of one test."""

    def __init__(self, prefix: str, step_rows: int) -> None:
        super().__init__(step_rows)
        self.prefix = prefix

    def step(self, position: Position, dirty: dict[bytes, Row], outputs: list[Output], applied: int) -> Step:
        named = [output._replace(topic=f"{self.prefix}-{output.topic}") for output in outputs]
        return super().step(position, dirty, named, applied)


class Mover:
    """A carry stage: raw `[name, amount, time]` records become rows of the counter's log, one record per poll."""

    name = "mover"

    def __init__(self, prefix: str, partitions: int) -> None:
        self.sources: tuple[str, ...] = (f"{prefix}-raw-a", f"{prefix}-raw-b")
        self.target = f"{prefix}-log"
        self.partitions = partitions

    async def started(self, publisher: Publisher) -> None:
        pass

    async def stopped(self) -> None:
        pass

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        pass

    def carry(
        self, fetched: Mapping[TopicPartition, Sequence[Block]], idle: Mapping[TopicPartition, FetchState]
    ) -> Carried:
        rows: dict[int, list[Any]] = {}
        for record in (record for blocks in fetched.values() for block in blocks for record in block.records):
            row = decode(record.value or b"")
            rows.setdefault(zlib.crc32(row[0].encode()) % self.partitions, []).append(row)
        return Carried(
            {TopicPartition(self.target, p): [(None, encode(found), ())] for p, found in rows.items()},
            {tp: blocks[-1].end for tp, blocks in fetched.items()},
            records=sum(map(size_of, fetched.values())),
        )

    def acknowledged(self, carried: Carried) -> None:
        pass
