"""The table of a table stage: one state per owned partition, filled from the changelog.

Faust drives it: `on_rebalance` when partitions come and go, `apply_changelog_batch` while the changelog is read.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import faust
from faust.types import TP

from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, Checkpoint, Owner, decode_checkpoint, decode_owner
from streams.engine.errors import EngineError, FailStop, StateRefused
from streams.engine.records import Batch
from streams.engine.stage import Position, Record, TablePartition, TableStage
from streams.engine.writer import FencedWriter

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["EngineTable", "OwnedPartition"]

log = logging.getLogger(__name__)


class OwnedPartition:
    """A partition that this worker owns.

    It is read (`read`), loaded (`load`), prepared by its stage, and then open. A reassignment that leaves it here may
    interrupt that anywhere; it goes on from where it came to.

    Attributes:
        position: Where the next batch must begin; known once the partition is loaded.
        owner: Whose claim was read last.
        loaded: The changelog is read to its end; from here on only our own steps change the state.
        open: Its steps may begin.
        busy: Held while a step is at work, or while the writer is opened anew or closed.
    """

    def __init__(self, number: int, state: TablePartition, writer: FencedWriter) -> None:
        self.number = number
        self.state = state
        self.writer = writer
        self.position = Position(-1)
        self.checkpoint: Checkpoint | None = None
        self.owner: Owner | None = None
        self.loaded = self.open = False
        self.busy = asyncio.Lock()
        self.restored = 0
        # What of the changelog is in the state: from the first of these offsets to the second.
        self._read_from = self._read_to = -1

    @property
    def known_to(self) -> int:
        """The last offset of the changelog that the state contains; -1 before any."""
        return self.writer.last_offset if self.loaded else self._read_to

    def read(self, changes: Batch) -> None:
        """Takes a piece of the changelog, which comes in order.

        Raises:
            FailStop: A piece before it is missing.
            StateRefused: It cannot be read.
        """
        if self._read_to < 0:
            self._read_from = changes.start
        elif changes.start > self._read_to + 1:
            raise FailStop(f"the piece before is missing: it was read up to offset {self._read_to}")
        self.restore(changes.records)
        self._read_to = max(self._read_to, changes.offset)

    def restore(self, records: Iterable[Record]) -> None:
        """Takes changelog records, oldest first."""
        rows: list[tuple[bytes, bytes | None]] = []
        for record in records:
            key = record.key
            if key == CHECKPOINT_KEY:
                self.checkpoint = decode_checkpoint(record.value)
            elif key == OWNER_KEY:
                self.owner = decode_owner(record.value)
            elif key is None:
                raise StateRefused(f"the changelog record at offset {record.offset} has no key: it is none of ours")
            else:
                rows.append((key, record.value))
        self.restored += len(rows)
        if rows:
            self.state.restore(rows)

    def check_whole(self, first: int) -> None:
        """The state contains the changelog from its first offset to our own claim.

        Raises:
            FailStop: It does not, or somebody else has claimed the partition since.
        """
        if self._read_from > first or self.owner != self.writer.owner:
            raise FailStop(
                f"partition {self.number} was taken over by another process, or its changelog was not read whole: "
                f"offsets {self._read_from} to {self._read_to}, where it begins at {first} and our claim lies at "
                f"{self.writer.last_offset}; the last claim is {self.owner}, ours {self.writer.owner}"
            )

    def load(self, start: Position) -> None:
        """Everything is read: the state is complete, and goes on at `start`."""
        self.position = start
        if self.checkpoint is not None:
            self.state.restore_memo(self.checkpoint.memo)
        self.state.opened()
        self.loaded = True


class EngineTable(faust.Table[Any, Any]):
    """Faust's handle on our state."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owned: dict[int, OwnedPartition] = {}

    @property
    def engine_app(self) -> EngineApp:
        """The app, as ours."""
        return cast("EngineApp", self.app)

    @property
    def stage(self) -> TableStage:
        """The stage, as the one that it is."""
        return cast(TableStage, self.engine_app.stage)

    def persisted_offset(self, tp: TP) -> int | None:
        """Where Faust goes on reading: a reassignment may have left it with an offset of another time."""
        part = self.owned.get(tp.partition)
        return None if part is None else part.known_to

    def changelog_tp(self, partition: int) -> TP:
        """A partition of the changelog."""
        return TP(self.stage.changelog, partition)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Opens the writers of new partitions, before recovery asks where the changelog ends."""
        mine = {tp.partition for tp in assigned if tp.topic == self.stage.source}
        changelogs = {tp.partition for tp in assigned if tp.topic == self.stage.changelog}
        if mine != changelogs:
            raise FailStop(
                f"the group assigned partitions {sorted(mine)} of {self.stage.source} but {sorted(changelogs)} of "
                f"{self.stage.changelog}: its leader did not know both topics"
            )
        await self._give_up(self.owned.keys() - mine)
        new = sorted(mine - self.owned.keys())
        if new:
            # Rows will come by the million, and all stay: to look them through again and again is half of recovery.
            gc.disable()
        for number in new:
            self.owned[number] = self._own(number)
        claims = await asyncio.gather(*(self.owned[number].writer.open(generation_id) for number in new))
        for number, claim in zip(new, claims, strict=True):
            self.owned[number].writer.last_offset = claim
        log.info("generation %d: partitions %s, new %s", generation_id, sorted(mine), new)

    def _own(self, number: int) -> OwnedPartition:
        app, stage = self.engine_app, self.stage
        writer = FencedWriter(app.config, app.process, number, stage.changelog, stage.claimed, stage.gathered)
        return OwnedPartition(number, stage.partition(number), writer)

    async def _give_up(self, numbers: Iterable[int]) -> None:
        async def close(part: OwnedPartition) -> None:
            async with part.busy:
                await part.writer.close()

        await asyncio.gather(*(close(self.owned.pop(number)) for number in list(numbers)))

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Folds the changelog; what cannot be read ends the worker, where Faust would log it and wait for ever."""
        for event in batch:
            changes: Batch = event.value
            part = self.owned.get(changes.partition)
            if part is None or part.loaded:
                continue  # ours, and kept through the reassignment: what it wrote it knows
            try:
                part.read(changes)
            except EngineError as error:
                place = f"{changes.topic}[{changes.partition}], offsets {changes.start} to {changes.end - 1}"
                self.engine_app.guard.end(type(error)(f"{place}: {error}"))
            except Exception as error:  # noqa: BLE001  # Faust would swallow it
                self.engine_app.guard.end(error)
        self.engine_app.guard.expect_ready("reading the changelog, without progress,")
