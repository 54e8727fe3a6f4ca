"""Single records beside the steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

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
        async with asyncio.timeout(self._app.config.write_timeout_s):
            future = await producer.send(topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms)
            metadata = await future
        return int(metadata.timestamp)
