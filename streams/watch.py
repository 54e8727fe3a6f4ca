"""What the engine tells of a worker, turned into metrics and readiness."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.engine.broker_clock import BrokerClock
from streams.health import Readiness
from streams.metrics import Metrics

if TYPE_CHECKING:
    from streams.engine.observer import Phase

__all__ = ["Watch"]

log = logging.getLogger(__name__)

BEAT_EVERY_S = 0.5


class Watch:
    """The engine's observer of one worker."""

    def __init__(self, metrics: Metrics, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness
        self.broker_clock = BrokerClock()
        metrics.ready.set_function(lambda: float(readiness.ready()[0]))
        self._beating: asyncio.Task[None] | None = None
        self._after_written: Callable[[], None] | None = None
        self._behind: dict[tuple[str, int], int] = {}

    @property
    def has_backlog(self) -> bool:
        """Source records were left unread by the last fetches."""
        return any(self._behind.values())

    def on_written(self, after: Callable[[], None]) -> None:
        """Calls this whenever a step is durable."""
        self._after_written = after

    def start(self) -> None:
        """From now on the event loop shows that it gets on; call it from there."""
        self._beating = asyncio.get_running_loop().create_task(self._beat(), name="heartbeat")

    def stop(self) -> None:
        """The worker stops gracefully."""
        if self._beating is not None:
            self._beating.cancel()

    async def _beat(self) -> None:
        while True:
            self.readiness.beat()
            await asyncio.sleep(BEAT_EVERY_S)

    def health(self, ready: bool, why: str) -> None:
        """See `streams.engine.Observer`."""
        self.readiness.engine(ready, why)
        if not ready:
            # Partitions may go to another worker: what is known of their lag is old news then.
            self.metrics.lag_records.clear()
            self._behind.clear()
            log.info("not ready: %s", why)

    def batch(self, topic: str, partition: int, records: int, behind: int) -> None:
        """See `streams.engine.Observer`."""
        self.metrics.batch_records.observe(records)
        self.metrics.lag_records.labels(topic, str(partition)).set(behind)
        self._behind[topic, partition] = behind

    def phase(self, phase: Phase, seconds: float) -> None:
        """See `streams.engine.Observer`."""
        self.metrics.step_seconds.labels(phase).observe(seconds)

    def written(self, outputs: int, rows: int) -> None:
        """See `streams.engine.Observer`."""
        self.metrics.outputs.inc(outputs)
        self.metrics.changelog.inc(rows)
        self.readiness.step_ends()
        if self._after_written is not None:
            self._after_written()

    def recovered(self, partitions: int, records: int, seconds: float) -> None:
        """See `streams.engine.Observer`."""
        self.metrics.recoveries.observe(seconds)
        self.metrics.recovered.inc(records)

    def asked_for_time(self, partition: int) -> None:
        """See `streams.engine.Observer`."""
        self.metrics.alarms.labels(str(partition)).inc()

    def clock(self, clock: BrokerClock) -> None:
        """See `streams.engine.Observer`."""
        self.broker_clock = clock
        self.metrics.broker_clock.set(clock.offset_ms() / 1000)
