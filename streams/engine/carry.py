"""The step of a carry stage: one poll of all partitions, one set of outputs, and then the positions.

    carry -> publish everything, await every acknowledgement -> positions, committed by Faust within a second

A crash in between carries the same records again: at least once, which is enough where what is carried is a set.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from streams.engine.records import Poll
from streams.engine.stage import Carried, CarryStage, size_of
from streams.engine.writer import build_batches, writing

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["CarrySteps"]


class CarrySteps:
    """Works on the polls of a carry stage, one after the other."""

    def __init__(self, app: EngineApp, stage: CarryStage) -> None:
        self._app = app
        self._stage = stage

    async def run(self, stream: Any) -> None:
        """The agent."""
        async for event in stream.noack().events():
            try:
                await self._work(stream, event)
            except Exception as error:  # noqa: BLE001  # fail-stop: no position may be committed after it
                self._app.guard.end(error)

    async def _work(self, stream: Any, event: Any) -> None:
        app, poll = self._app, cast(Poll, event.value)
        consumer = cast(Any, app.consumer)
        app.guard.check_awake()
        for tp, blocks in poll.fetched.items():
            app.observer.batch(tp.topic, tp.partition, size_of(blocks), poll.behind[tp])
        started = time.perf_counter()
        carried = self._stage.carry(poll.fetched, poll.idle)
        app.observer.phase("carry", time.perf_counter() - started)
        app.config.crash_point("carried")
        await self._publish(carried)
        app.config.crash_point("published")
        app.check_ours(event.message.generation_id)
        self._stage.acknowledged(carried)
        consumer.done(carried.positions)
        app.config.crash_point("acknowledged")
        await stream.ack(event)
        consumer._thread.free(poll, carried.hold)

    async def _publish(self, carried: Carried) -> None:
        if not carried.outputs:
            return
        app = self._app
        started = time.perf_counter()
        producer = cast(Any, app.producer)._producer
        futures: list[Any] = []
        with writing(", ".join(sorted({tp.topic for tp in carried.outputs}))):
            async with asyncio.timeout(app.config.write_timeout_s):
                for (topic, partition), entries in carried.outputs.items():
                    batches = build_batches(producer, entries)
                    futures += [await producer.send_batch(batch, topic, partition=partition) for batch in batches]
                await asyncio.gather(*futures)
        app.observer.phase("publish", time.perf_counter() - started)
        app.observer.written(sum(map(len, carried.outputs.values())), 0)
