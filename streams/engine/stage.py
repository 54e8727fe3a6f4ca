"""What a stage gives the engine: topics, and a pure fold. The engine gives it exactness.

Two shapes of stage:

* `TableStage`: one source topic, a table of rows with a changelog, outputs. The unit of work is one fetched batch of
  one partition. `score` is one.
* `CarryStage`: many source topics, outputs, no table. The unit of work is one poll over all partitions; `ingest` is
  one.

Nothing here knows what the records mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

__all__ = [
    "Block",
    "Carried",
    "CarryStage",
    "FetchState",
    "Output",
    "PartitionFold",
    "Position",
    "Publisher",
    "RawRecord",
    "Record",
    "Step",
    "TablePartition",
    "TableStage",
    "TopicPartition",
    "size_of",
]


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One record as it was fetched."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class RawRecord(Protocol):
    """What of a record is its own; its time is its block's."""

    @property
    def offset(self) -> int:
        """Where it stands in its partition."""

    @property
    def key(self) -> bytes | None:
        """The record's key."""

    @property
    def value(self) -> bytes | None:
        """The record's value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """The record's headers."""


class Block(NamedTuple):
    """Records of one partition that have one time: those that a broker stamped together, in order of offsets.

    Attributes:
        timestamp_ms: Their time.
        end: The offset behind them.
        size: How many they are; fewer where the topic is compacted.
        records: Made as they are read.
    """

    timestamp_ms: int
    end: int
    size: int
    records: Iterator[RawRecord]


def size_of(blocks: Iterable[Block]) -> int:
    """How many records blocks have."""
    return sum(block.size for block in blocks)


class Position(NamedTuple):
    """Where a fold goes on: the offset of a record, and how many of the rows in it are done already."""

    offset: int
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody calls


class Output(NamedTuple):
    """A record to publish. A table stage's outputs go to the partition that it read from, or to the only one there is.

    `timestamp_ms` None: now. All records of one step to one topic have the same.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None


class Publisher(Protocol):
    """Publishes beside the steps: requests to other stages, never results of a fold (those are a step's outputs)."""

    async def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> int:
        """Publishes one record and waits for the broker.

        Returns:
            The record's time as the broker has it (its own for a `LogAppendTime` topic), milliseconds.
        """


@dataclass(slots=True)
class Step:
    """What one step of a fold brings about; the engine makes it durable in this order: outputs, then rows.

    Attributes:
        outputs: Published and acknowledged before any row is written.
        rows: Changed rows of the table (None deletes); written with the checkpoint as one record batch.
        memo: What the fold must remember beside the rows; comes back in `restore_memo`.
        position: Where the next step goes on. Beyond the last record: the whole batch is done.
        applied: How many rows of the source this step applied, for metrics.
    """

    position: Position
    memo: bytes
    outputs: list[Output] = field(default_factory=list)
    rows: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    applied: int = 0


class TablePartition(Protocol):
    """The state of one partition. Its fold may change that state in place: the engine never takes a step back."""

    def restore(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Takes rows from the changelog, oldest first; None deletes.

        Raises:
            StateRefused: A row cannot be read or is of a newer codec.
        """

    def restore_memo(self, memo: bytes) -> None:
        """Takes the memo of the last checkpoint."""

    def opened(self) -> None:
        """The changelog is read to its end."""

    def fold(self, records: Sequence[Record], start: Position) -> Step:
        """Applies records from `start` on until they are done or the step is large enough.

        `records` begins with the record at `start.offset`, or the first one behind it. Called again with the same
        records from `Step.position` until that lies behind the last one.
        """

    def next_deadline_ms(self) -> int | None:
        """The earliest moment at which this partition wants to be told the time, by the broker's clock."""


PartitionFold = TablePartition


class TableStage(Protocol):
    """A stage with a table."""

    name: str
    source: str
    changelog: str
    outputs: tuple[str, ...]
    """Topics that steps publish to; as many partitions as the source."""
    claimed: tuple[str, ...]
    """Those of `outputs` that are compacted: a new owner claims them, as it claims the changelog."""
    gathered: tuple[str, ...]
    """Further topics that steps publish to, with one partition: what all partitions of the source bring about."""

    async def started(self, publisher: Publisher) -> None:
        """Runs once in the worker's event loop, when the broker is reached and before anything is assigned."""

    async def stopped(self) -> None:
        """Runs once in the same loop at a graceful stop; after a crash it does not."""

    def partition(self, partition: int) -> TablePartition:
        """An empty state for a partition that was assigned."""

    async def prepare(self, partition: int, state: TablePartition, start: Position) -> None:
        """Runs after recovery and before the first batch of the partition; may wait (the worker is not ready)."""

    def alarms(self, partition: int, state: TablePartition) -> Sequence[tuple[str, int, bytes]]:
        """(topic, partition, value) of each record that asks for time; none: time comes by itself."""


class FetchState(NamedTuple):
    """What is known of a source partition that has no more records in hand.

    Attributes:
        at_end: Nothing was left when its replicas were asked where it ends.
        asked_s_ago: Seconds since then.
        answered_s_ago: Seconds since the broker's last answer to a fetch.
    """

    at_end: bool
    asked_s_ago: float
    answered_s_ago: float


@dataclass(slots=True)
class Carried:
    """What a carry stage makes of a poll.

    Attributes:
        outputs: To publish, by topic and partition, in order.
        positions: By source partition, the offset to commit once every output is acknowledged.
        hold: Source partitions that must not be fetched from for now.
        records: How many source records were carried, for metrics.
    """

    outputs: dict[TopicPartition, list[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]]]
    positions: dict[TopicPartition, int]
    hold: frozenset[TopicPartition] = frozenset()
    records: int = 0


class CarryStage(Protocol):
    """A stage without a table: what it read is done when what it wrote is acknowledged (at least once)."""

    name: str
    sources: tuple[str, ...]

    async def started(self, publisher: Publisher) -> None:
        """Runs once in the worker's event loop, when the broker is reached and before anything is assigned."""

    async def stopped(self) -> None:
        """Runs once in the same loop at a graceful stop; after a crash it does not."""

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """The partitions are these from now on; nothing is in hand, reading goes on at what was committed."""

    def carry(
        self, fetched: Mapping[TopicPartition, Sequence[Block]], idle: Mapping[TopicPartition, FetchState]
    ) -> Carried:
        """Takes what was fetched (perhaps nothing) and says what to publish now.

        Called after each poll, and several times a second when nothing comes. `idle` has every assigned partition of
        which the engine has no record in hand.
        """

    def acknowledged(self, carried: Carried) -> None:
        """Every output of `carried` is on the broker, and the positions will be committed."""
