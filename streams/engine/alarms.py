"""Asking for time: when a deadline has passed and no record came to bring it about, the owner asks ingest for one.

A worker's clock only decides when to ask; it is set by the broker's time in an acknowledgement. What time it is, says
the record that comes back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, cast

from streams.engine.broker_clock import BrokerClock
from streams.engine.stage import Publisher, TableStage

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp
    from streams.engine.table import EngineTable, OwnedPartition

__all__ = ["Alarms"]

log = logging.getLogger(__name__)

BEHIND_MS = 1_050
"""The log's word for time stands one second behind the newest broker time; a little more is for rounding."""

LOOK_EVERY_S = 0.1
SET_CLOCK_EVERY_S = 60.0


class Alarms:
    """Asks, each partition at most so often; sets its clock at the start and once a minute while it must wait."""

    def __init__(self, app: EngineApp, table: EngineTable, publisher: Publisher) -> None:
        self._app = app
        self._table = table
        self._publisher = publisher
        self._asked_at: dict[int, float] = {}
        self._clock_set_at: float | None = None
        self._clock = BrokerClock()

    async def run(self) -> None:
        """Looks at the deadlines of every open partition, until the worker stops."""
        if not self._app.config.ask_for_time:
            return
        try:
            while not self._app.should_stop:
                await self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        except Exception as error:  # noqa: BLE001  # fail-stop: without alarms deadlines would pass unseen
            self._app.guard.end(error)

    async def _look(self) -> None:
        if self._app.rebalancing:
            return
        now = time.monotonic()
        parts = [part for part in self._table.owned.values() if part.open]
        waiting = [(deadline, part) for part in parts if (deadline := part.state.next_deadline_ms()) is not None]
        set_at = self._clock_set_at
        if parts and (set_at is None or (waiting and now - set_at > SET_CLOCK_EVERY_S)):
            await self._ask(min(waiting, key=lambda pair: pair[0])[1] if waiting else parts[0])
        for deadline, part in waiting:
            due = deadline + BEHIND_MS <= self._clock.now_ms()
            if due and now - self._asked_at.get(part.number, 0.0) >= self._app.config.ask_every_s:
                await self._ask(part)

    async def _ask(self, part: OwnedPartition) -> None:
        requests = cast(TableStage, self._app.stage).alarms(part.number, part.state)
        self._asked_at[part.number] = time.monotonic()
        if not requests:
            self._clock_set_at = time.monotonic()
            return
        sent_s = time.monotonic()
        published = (self._publisher.publish(topic, partition, None, value) for topic, partition, value in requests)
        broker_ms = (await asyncio.gather(*published))[0]
        self._clock_set_at = time.monotonic()
        self._clock.set(broker_ms, (sent_s + self._clock_set_at) / 2)
        self._app.observer.asked_for_time(part.number)
        self._app.observer.clock(self._clock)
