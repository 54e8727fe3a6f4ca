"""The step: how one batch of one partition becomes durable. This file is the order that exactness rests on.

    fold -> publish outputs, await the broker -> write rows and checkpoint as one record batch, await -> acknowledge

A crash before the rows are written repeats the step from the last checkpoint, with the same outputs under the same
ids; a crash after it goes on behind it. Any error ends the process: the in-memory state may be ahead of the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from streams.engine.checkpoint import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from streams.engine.collector import no_collector
from streams.engine.errors import FailStop
from streams.engine.records import Batch
from streams.engine.stage import Position, Record, Step

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp
    from streams.engine.table import EngineTable, OwnedPartition

__all__ = ["BatchSteps"]

log = logging.getLogger(__name__)


class BatchSteps:
    """Works on the batches of a table stage: in order within a partition, partitions beside each other."""

    def __init__(self, app: EngineApp, table: EngineTable) -> None:
        self._app = app
        self._table = table
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self, stream: Any) -> None:
        """The agent: each batch in a task of its own; the fetcher sends no second one of a partition meanwhile."""
        async for event in stream.noack().events():
            batch: Batch = event.value
            former = self._tasks.get(batch.partition)
            if former is not None and not former.done():
                await former
            self._tasks[batch.partition] = asyncio.create_task(self._work(stream, event))

    async def _work(self, stream: Any, event: Any) -> None:
        app = self._app
        message, batch = event.message, cast(Batch, event.value)
        try:
            part = self._table.owned[batch.partition]
            async with part.busy:
                await self.apply(part, batch, message.generation_id)
            await stream.ack(event)
            app.config.crash_point("acked")
        except Exception as error:  # noqa: BLE001  # fail-stop: nothing may be acknowledged after an unknown error
            app.guard.end(error)
        cast(Any, app.consumer)._thread.free(message.tp, batch)

    async def apply(self, part: OwnedPartition, batch: Batch, generation: int) -> None:
        """Makes a batch durable, in as many steps as its size asks for.

        Raises:
            FailStop: The batch does not begin where the checkpoint ends, or the stage does not get on.
        """
        if batch.start != part.position.offset:
            raise FailStop(
                f"{batch.topic}[{batch.partition}]: a batch begins at offset {batch.start}, but the state is at "
                f"{part.position.offset}: records would be lost or applied twice"
            )
        self._app.observer.batch(batch.topic, batch.partition, len(batch.records), batch.behind)
        records, done = batch.records, Position(batch.end)
        while records:
            started = time.perf_counter()
            with no_collector():
                step = part.state.fold(records, part.position)
            self._app.observer.phase("fold", time.perf_counter() - started)
            self._app.config.crash_point("folded")
            # A step may be full before it has done a row of the source: it has changed rows of the table then.
            if step.position < part.position or (step.position == part.position and not step.rows):
                raise FailStop(f"the stage got no further than {part.position} in {batch.topic}[{batch.partition}]")
            whole = step.position.offset > records[-1].offset
            await self._make_durable(part, step, done if whole else step.position, generation)
            records = [] if whole else _behind(records, step.position.offset)
        part.position = done

    async def _make_durable(self, part: OwnedPartition, step: Step, position: Position, generation: int) -> None:
        app, observe = self._app, self._app.observer
        app.check_ours(generation)
        started = time.perf_counter()
        if step.outputs:
            await part.writer.publish(step.outputs)
        app.config.crash_point("published")
        published = time.perf_counter()
        checkpoint = encode_checkpoint(Checkpoint(position.offset, position.index, step.memo))
        app.check_ours(generation)
        await part.writer.write([*step.rows, (CHECKPOINT_KEY, checkpoint)])
        app.config.crash_point("written")
        part.position = position
        observe.phase("publish", published - started)
        observe.phase("write", time.perf_counter() - published)
        observe.written(len(step.outputs), len(step.rows) + 1)


_offset = attrgetter("offset")


def _behind(records: list[Record], offset: int) -> list[Record]:
    """The records that are not done: the one at `offset` may be done in part."""
    return records[bisect_left(records, offset, key=_offset) :]
