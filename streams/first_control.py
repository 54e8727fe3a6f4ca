"""The first model or policy of a topic: found there, or published and waited for.

Which one is active is a fact of the log. The first one holds from the first row, so it must be known before that row
is applied, wherever in the partition it lies.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import aiokafka

from schemas.log import LogCodecError
from streams.engine.errors import StateRefused
from streams.engine.stage import Publisher

__all__ = ["FirstControl"]

log = logging.getLogger(__name__)

POLL_MS = 200
PUBLISH_AGAIN_S = 30.0

Row = TypeVar("Row")


class FirstControl(ABC, Generic[Row]):
    """Finds the first row of its kind in a partition.

    Args:
        topic: Where it is looked for, on the broker.
        key: Of the records that hold one, and nothing else.
        internal: `lead-internal` on the broker.
        what: What is published, for people.
        request: Published where there is none.
        client_settings: Of an aiokafka client: broker and security.
        stamp_ms: Time of the request; None: the broker's.
    """

    publisher: Publisher

    def __init__(
        self,
        topic: str,
        key: bytes,
        internal: str,
        what: str,
        request: bytes,
        client_settings: Mapping[str, Any],
        stamp_ms: int | None = None,
    ) -> None:
        self._topic, self._key, self._internal = topic, key, internal
        self._what, self._request = what, request
        self._client_settings = client_settings
        self._stamp_ms = stamp_ms
        self._published_at: float | None = None

    @abstractmethod
    def read(self, value: bytes | None) -> Row | str:
        """The row of a record; words about it where it has errors, so that nobody would apply it.

        Raises:
            LogCodecError: The record cannot be read, or holds something else.
        """

    async def find(self, partition: int) -> Row:
        """The first one in a partition; where there is none, publishes ours and waits for it to come.

        Raises:
            StateRefused: A record that says that it holds one cannot be read.
        """
        consumer = aiokafka.AIOKafkaConsumer(
            enable_auto_commit=False, auto_offset_reset="earliest", **self._client_settings
        )
        await consumer.start()
        try:
            place = aiokafka.TopicPartition(self._topic, partition)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            while True:
                end = (await consumer.end_offsets([place]))[place]
                while await consumer.position(place) < end:
                    for record in (await consumer.getmany(place, timeout_ms=POLL_MS)).get(place, ()):
                        if record.key == self._key and (row := self._row(record)) is not None:
                            return row
                await self._publish()
                await asyncio.sleep(POLL_MS / 1000)
        finally:
            await consumer.stop()

    def _row(self, record: Any) -> Row | None:
        try:
            row = self.read(record.value)
        except LogCodecError as error:
            raise StateRefused(f"{self._topic}[{record.partition}], offset {record.offset}: {error}") from error
        if isinstance(row, str):
            log.warning("%s is passed over", row)
            return None
        return row

    async def _publish(self) -> None:
        """At most once in a while for all partitions: doubles do nothing, but need not be."""
        now = asyncio.get_running_loop().time()
        if self._published_at is not None and now - self._published_at < PUBLISH_AGAIN_S:
            return
        self._published_at = now
        log.info(
            "%s has none yet: publishing %s through %s; waiting for it to come", self._topic, self._what, self._internal
        )
        await self.publisher.publish(self._internal, 0, None, self._request, self._stamp_ms)
