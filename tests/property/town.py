"""A town: people with several names in several partitions, and ingest between them that delays, doubles and dies.

Raw events name their lead in up to three ways. Ingest writes rows and links into partitions of the log; what a fold
sends is carried to its partition some time later, at times twice. Folds are cut, and begun again from what is durable;
at times what they published is out and their rows are lost, so that all of it comes again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import msgspec

from schemas.log import ByHand, EventRow, Link, LogRow, Merge, encode_record
from schemas.naming import partition_of
from schemas.outputs_wire import encode_tier_change
from scoring.partition import FoldStep, PartitionFold
from tests.property.streams import Row, log_row

__all__ = ["Town", "TownPartition"]


@dataclass
class TownPartition:
    """A partition of the log, and the fold over it."""

    fold: PartitionFold
    log: list[tuple[int, bytes]] = field(default_factory=list)
    position: tuple[int, int] = (0, 0)
    table: dict[bytes, bytes] = field(default_factory=dict)
    memo: bytes = b""


class Town:
    """All partitions, the clock, and what is on its way.

    Args:
        chance: Decides about delays, doubles, cuts and deaths.
        model: Its text.
        partitions: How many.
        step_bytes: Of a step of a fold, at most.

    Attributes:
        bodies: Every tier change by its id; a second body for an id is a mistake.
        scores: The record of every lead that was published last.
        merges: How many merges were carried.
    """

    def __init__(self, chance: Random, model: str, partitions: int, step_bytes: int) -> None:
        self.chance, self.model, self.step_bytes = chance, model, step_bytes
        self.clock = 0
        self.partitions = [TownPartition(self._new_fold()) for _ in range(partitions)]
        self.on_the_way: list[Merge | EventRow | ByHand] = []
        self.bodies: dict[str, bytes] = {}
        self.scores: dict[str, Any] = {}
        self.merges = self.deaths = 0

    def _new_fold(self) -> PartitionFold:
        fold = PartitionFold(max_step_bytes=self.step_bytes)
        fold.opened()
        fold.start_with(self.model)
        return fold

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def take(self, rows: list[Row], clock: int) -> None:
        """Ingest carries rows at a moment; then anything may happen."""
        self.clock = clock
        for row in rows:
            self._append(log_row(row))
            if "link" in row and self.maybe(0.2):
                self._append(log_row(row))
        while self.on_the_way and self.maybe(0.6):
            self._carry()
        for part in self.partitions:
            if self.maybe(0.4):
                self._fold(part, self.chance.randint(1, 5))

    def settle(self, end: int) -> None:
        """Carries and folds all that there is, until nothing is on its way; then time is `end` everywhere."""
        while self.on_the_way or any(part.position[0] < len(part.log) for part in self.partitions):
            while self.on_the_way:
                self._carry()
            for part in self.partitions:
                self._fold(part, len(part.log))
        for part in self.partitions:
            while not part.fold.advance(end):
                self._note(part.fold.finish())
            self._note(part.fold.finish())

    def _append(self, row: LogRow | EventRow) -> None:
        assert isinstance(row, EventRow | Link | Merge | ByHand)
        part = self.partitions[partition_of(row.lead_id, len(self.partitions))]
        part.log.append((len(part.log), encode_record(self.clock, [cast("LogRow", row)])))

    def _carry(self) -> None:
        """One message, not always the oldest."""
        row = self.on_the_way.pop(self.chance.randrange(min(3, len(self.on_the_way))))
        if isinstance(row, Merge):
            self.merges += 1
            row = msgspec.structs.replace(row, received_at_ms=self.clock)
        self._append(row)
        if self.maybe(0.15):
            self.on_the_way.append(row)

    def _fold(self, part: TownPartition, records: int) -> None:
        end = min(len(part.log), part.position[0] + records)
        while part.position[0] < end:
            step = part.fold.fold(part.log[part.position[0] : end], part.position)
            self._note(step)
            if self.maybe(0.15):
                # Published, and dead before the rows were written.
                self.deaths += 1
                self._begin_again(part)
                return
            part.position, part.memo = step.position, step.memo
            part.table.update(step.rows)
            if self.maybe(0.1):
                self._begin_again(part)

    def _begin_again(self, part: TownPartition) -> None:
        if not part.memo:
            part.fold = self._new_fold()
            return
        part.fold = PartitionFold(max_step_bytes=self.step_bytes)
        part.fold.restore(part.table.items())
        part.fold.restore_memo(part.memo)
        part.fold.opened()

    def _note(self, step: FoldStep) -> None:
        assert not step.problems, step.problems
        for change in step.changes:
            body = encode_tier_change(change)
            assert self.bodies.setdefault(change.id, body) == body, f"two bodies of {change.id}"
        self.scores |= {score.lead_id: score for score in step.scores}
        self.scores |= {merged.lead_id: merged for merged in step.merged}
        self.on_the_way += step.sent

    def leads(self) -> Iterator[tuple[str, PartitionFold]]:
        """Every name, and the fold that knows it."""
        for part in self.partitions:
            for lead_id in part.fold.lead_ids():
                yield lead_id, part.fold
