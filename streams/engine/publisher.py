"""Single records beside the steps."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from streams.engine.writer import writing

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["BrokerPublisher"]


class BrokerPublisher:
    """Publishes through the app's own producer, which is idempotent and belongs to no partition."""

    def __init__(self, app: EngineApp) -> None:
        self._app = app

    async def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> int:
        """Publishes one record and waits for the broker; returns the record's time there."""
        producer = cast(Any, self._app.producer)._producer
        if self._app.config.embedded and timestamp_ms is None:
            timestamp_ms = int(time.time() * 1000)  # noqa: TID251  # all of it runs by the clock of this machine
        with writing(f"{topic}[{partition}]"):
            async with asyncio.timeout(self._app.config.write_timeout_s):
                future = await producer.send(topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms)
                metadata = await future
        # The embedded broker keeps the times of its records, but acknowledges each with the same invented one.
        return timestamp_ms if self._app.config.embedded and timestamp_ms is not None else int(metadata.timestamp)
