"""Reading a piece of a changelog beside the group."""

from __future__ import annotations

import asyncio
from typing import Any

import aiokafka

from streams.engine.config import EngineConfig
from streams.engine.stage import Record

__all__ = ["read_changelog"]


async def read_changelog(config: EngineConfig, tp: Any, first: int, last: int) -> list[Record]:
    """Records of a partition from offset `first` to offset `last`, both included, as far as compaction left them.

    Raises:
        TimeoutError: The broker did not bring them within the write timeout.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=config.bootstrap.split(","), enable_auto_commit=False, **config.security.client_settings()
    )
    records: list[Record] = []
    async with asyncio.timeout(config.write_timeout_s):
        await consumer.start()
        try:
            place = aiokafka.TopicPartition(tp.topic, tp.partition)
            consumer.assign([place])
            consumer.seek(place, max(0, first))
            while await consumer.position(place) <= last:
                fetched = await consumer.getmany(place, timeout_ms=200)
                records += [Record(r.offset, r.timestamp, r.key, r.value, r.headers) for r in fetched.get(place, ())]
        finally:
            await consumer.stop()
    return [record for record in records if record.offset <= last]
