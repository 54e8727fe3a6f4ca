"""Recovery and resume, where stock Faust loses records.

Stock order after recovery: resume partitions, seek (one round trip each), then open the flow, which clears the
queues: what was fetched in between is gone. Here: open the flow, seek to the checkpoint, then let the partitions go.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.tables.recovery import Recovery
from faust.types import TP

from streams.engine.errors import EngineError, StateRefused
from streams.engine.memory import settle
from streams.engine.reopening import check_owner
from streams.engine.stage import Position, TableStage, TopicPartition

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp
    from streams.engine.table import EngineTable, OwnedPartition

__all__ = ["EngineRecovery", "start_of"]

log = logging.getLogger(__name__)


class EngineRecovery(Recovery):
    """Faust's recovery, with our end of it."""

    @property
    def engine_app(self) -> EngineApp:
        """The app, as ours."""
        return cast("EngineApp", self.app)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """The changelogs are read: check them, let the stage prepare, resume at the checkpoints."""
        app = self.engine_app
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        if app.consumer_generation_id != generation_id:
            return
        table = cast("EngineTable", next(iter(self.tables.values())))
        try:
            await self._open(table)
        except EngineError as error:
            app.guard.end(error)
        gc.enable()
        if app.consumer_generation_id != generation_id:
            return
        seek = {TP(table.stage.source, part.number): part.position.offset for part in table.owned.values()}
        await self._resume(seek)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """The same for an app without tables: positions are the group's commits."""
        app = self.engine_app
        await app.on_rebalance_complete.send()
        if app.consumer_generation_id != generation_id:
            return
        assigned = app.consumer.assignment()
        committed = await cast(Any, app.consumer)._thread.committed(assigned)
        first = await app.consumer.earliest_offsets(*assigned) if assigned else {}
        seek = {tp: max(first[tp], committed[tp] or 0) for tp in assigned}
        stage = cast(Any, app.stage)
        stage.assigned(frozenset(TopicPartition(tp.topic, tp.partition) for tp in assigned))
        await self._resume(seek)

    async def _resume(self, seek: Mapping[TP, int]) -> None:
        app = self.engine_app
        consumer = app.consumer
        thread = cast(Any, consumer)._thread
        app.flow_control.resume()
        consumer.resume_flow()
        thread.forget()
        if seek:
            await self._wait(thread.seek_wait(seek), timeout=app.conf.broker_request_timeout)
            consumer.resume_partitions(set(seek))
        self.completed.set()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        app.guard.ready()
        names = sorted({tp.partition for tp in seek})
        app.health.set(True, f"working on partitions {names}" if seek else "standing by: others have all partitions")
        log.info("ready: %s", app.health.why)

    async def _open(self, table: EngineTable) -> None:
        """Checks and opens the partitions whose changelog was just read.

        The next reassignment cancels this wherever it waits; partitions that stay here come by again.
        """
        app = self.engine_app
        new = [part for part in table.owned.values() if not part.open]
        if not new:
            return
        app.config.crash_point("recovered")
        sources = {part.number: TP(table.stage.source, part.number) for part in new}
        changelogs = {part.number: table.changelog_tp(part.number) for part in new}
        committed, first, end = await asyncio.gather(
            cast(Any, app.consumer)._thread.committed(sources.values()),
            app.consumer.earliest_offsets(*sources.values(), *changelogs.values()),
            app.consumer.highwaters(*sources.values()),
        )
        for part in new:
            if not part.loaded:
                tp, changelog = sources[part.number], changelogs[part.number]
                self._check_begin(changelog, first[changelog])
                part.check_whole(first[changelog])
                try:
                    start = start_of(part, tp, table.stage, committed[tp], (first[tp], end[tp]))
                except StateRefused:
                    # What an heir has done since is not missing: who was overtaken here ends as one who was.
                    await check_owner(app, changelog, part.writer)
                    raise
                part.load(start)
        self._report(new)
        await self._commit_behind(sources, new, committed)
        # May wait for other workers, and as long as it likes.
        app.guard.ready()
        app.health.set(False, "the stage prepares its partitions")
        await asyncio.gather(*(table.stage.prepare(part.number, part.state, part.position) for part in new))
        app.guard.expect_ready("resuming")
        for part in new:
            part.open = True
        settle()

    async def _commit_behind(
        self, sources: Mapping[int, TP], new: list[OwnedPartition], committed: Mapping[TP, int | None]
    ) -> None:
        """Commits what an earlier owner did and had not committed when it was killed: else there seems to be a lag."""
        found = {sources[part.number]: part.checkpoint.offset for part in new if part.checkpoint is not None}
        behind = {tp: offset for tp, offset in found.items() if offset > (committed[tp] or 0)}
        if behind:
            await cast(Any, self.engine_app.consumer)._thread.commit(behind)

    def _check_begin(self, tp: Any, first: int) -> None:
        if first and self.engine_app.config.embedded:
            raise StateRefused(
                f"the changelog {tp.topic}[{tp.partition}] begins at offset {first}, not 0: the embedded broker "
                "dropped older rows. Start it anew"
            )

    def _report(self, new: list[OwnedPartition]) -> None:
        seconds = time.monotonic() - (self._recovery_started_at or time.monotonic())
        rows = sum(part.restored for part in new)
        log.info("read %d changelog rows of %d partitions in %.2f s", rows, len(new), seconds)
        self.engine_app.observer.recovered(len(new), rows, seconds)


def start_of(
    part: OwnedPartition, tp: Any, stage: TableStage, committed: int | None, available: tuple[int, int]
) -> Position:
    """Where a partition goes on, from its checkpoint; compared with what the group committed and the source holds.

    Raises:
        StateRefused: They do not fit together.
    """
    first, end = available
    place, changelog = f"{tp.topic}[{tp.partition}]", f"{stage.changelog}[{tp.partition}]"
    checkpoint = part.checkpoint
    if checkpoint is None:
        if committed:
            raise StateRefused(
                f"{changelog} has no checkpoint, but the group has committed offset {committed} of {place}: the "
                "changelog was lost or made anew. Restore it, or delete the group to begin at the log's start"
            )
        return Position(first)
    if committed is not None and checkpoint.offset < committed:
        raise StateRefused(
            f"{changelog} ends with a checkpoint at offset {checkpoint.offset} of {place}, but the group has "
            f"committed {committed}: rows are missing. Restore the changelog"
        )
    if checkpoint.offset > end or checkpoint.offset < first:
        raise StateRefused(
            f"{changelog} goes on at offset {checkpoint.offset} of {place}, which holds offsets {first} to {end - 1}: "
            "the log was made anew, or dropped what was not read"
        )
    return Position(checkpoint.offset, checkpoint.index)
