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

from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, Checkpoint, decode_checkpoint, decode_owner
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

    Attributes:
        position: Where the next batch must begin; known once the partition is open.
        open: The changelog is read; from here on only our own steps change the state.
        busy: Held while a step is at work, or while the writer is opened anew or closed.
    """

    def __init__(self, number: int, state: TablePartition, writer: FencedWriter) -> None:
        self.number = number
        self.state = state
        self.writer = writer
        self.position = Position(-1)
        self.checkpoint: Checkpoint | None = None
        self.open = False
        self.busy = asyncio.Lock()
        self.restored = 0

    def restore(self, records: Iterable[Record]) -> None:
        """Takes changelog records, oldest first."""
        rows: list[tuple[bytes, bytes | None]] = []
        for record in records:
            key = record.key
            if key == CHECKPOINT_KEY:
                self.checkpoint = decode_checkpoint(record.value)
            elif key == OWNER_KEY:
                decode_owner(record.value)
            elif key is None:
                raise StateRefused(f"the changelog record at offset {record.offset} has no key: it is none of ours")
            else:
                rows.append((key, record.value))
        self.restored += len(rows)
        if rows:
            self.state.restore(rows)


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
            if part is None or part.open:
                continue  # ours, and kept through the reassignment: what it wrote it knows
            try:
                part.restore(changes.records)
            except EngineError as error:
                place = f"{changes.topic}[{changes.partition}], offsets {changes.start} to {changes.end - 1}"
                self.engine_app.guard.end(type(error)(f"{place}: {error}"))
            except Exception as error:  # noqa: BLE001  # Faust would swallow it
                self.engine_app.guard.end(error)
        self.engine_app.guard.expect_ready("reading the changelog, without progress,")
