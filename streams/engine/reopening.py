"""Opening writers anew: the broker forgets a producer that was idle for a day, and its fence with it.

Opening anew is a take-over like any other: open, claim, and then read who wrote between our last record and the claim.
It looks before it opens, too: opening would fence a rightful owner who has taken over from us unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import aiokafka
from aiokafka.errors import KafkaError

from streams.engine.checkpoint import OWNER_KEY, decode_owner
from streams.engine.config import EngineConfig
from streams.engine.errors import FailStop
from streams.engine.stage import Record

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp
    from streams.engine.table import EngineTable, OwnedPartition
    from streams.engine.writer import FencedWriter

__all__ = ["Reopening", "check_owner"]

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class Reopening:
    """Opens writers anew when it is time, between two steps of their partitions, whether or not anything is written."""

    def __init__(self, app: EngineApp, table: EngineTable) -> None:
        self._app = app
        self._table = table

    async def run(self) -> None:
        """Looks at the writers of every open partition, until the worker stops."""
        try:
            while not self._app.should_stop:
                for part in list(self._table.owned.values()):
                    if part.open and part.writer.wants_reopening and not self._app.rebalancing:
                        await self._reopen(part)
                await asyncio.sleep(LOOK_EVERY_S)
        except Exception as error:  # noqa: BLE001  # fail-stop: a writer that is half open must not write
            self._app.guard.end(error)

    async def _reopen(self, part: OwnedPartition) -> None:
        app, started = self._app, time.monotonic()
        async with part.busy:
            if self._table.owned.get(part.number) is not part:
                return  # given up while we waited for its step
            changelog = self._table.changelog_tp(part.number)
            await check_owner(app, changelog, part.writer)
            claim = await part.writer.open(app.consumer_generation_id)
            await check_owner(app, changelog, part.writer, claim)
            part.writer.last_offset = claim
        log.info("writer of partition %d opened anew in %.2f s", part.number, time.monotonic() - started)


async def check_owner(app: EngineApp, tp: Any, writer: FencedWriter, last: int | None = None) -> None:
    """Nobody else has claimed a partition of the changelog since this writer's last record, up to offset `last`.

    Raises:
        FailStop: Another process has, or the broker did not say.
    """
    try:
        records = await read_changelog(app.config, tp, writer.last_offset, last)
    except (KafkaError, TimeoutError) as error:
        raise FailStop(f"who owns partition {tp.partition} cannot be read from the changelog: {error!r}") from error
    for record in records:
        if record.key == OWNER_KEY and decode_owner(record.value).process != app.process:
            raise FailStop(
                f"partition {tp.partition} was taken over by another process "
                f"(changelog offset {record.offset}, our last record at {writer.last_offset})"
            )


async def read_changelog(config: EngineConfig, tp: Any, first: int, last: int | None) -> list[Record]:
    """Records of a partition from offset `first` to offset `last`, both included, as far as compaction left them.

    `last` None: the last one that is there now.

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
            if last is None:
                last = (await consumer.end_offsets([place]))[place] - 1
            while await consumer.position(place) <= last:
                fetched = await consumer.getmany(place, timeout_ms=200)
                records += [Record(r.offset, r.timestamp, r.key, r.value, r.headers) for r in fetched.get(place, ())]
        finally:
            await consumer.stop()
    return [record for record in records if record.offset <= last]
