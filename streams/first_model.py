"""The first scoring model of a log: found there, or published and waited for.

Which model is active is a fact of the log. The first one of a partition holds from its first row, so it must be known
before that row is applied, wherever in the partition it lies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiokafka

from schemas.internal import encode_model
from schemas.log import MODEL_KEY, LogCodecError, ModelControl, decode_record
from scoring.model import Model
from scoring.reading import ModelError, read_model
from streams.engine.errors import StateRefused
from streams.engine.stage import Publisher

__all__ = ["FirstModel"]

log = logging.getLogger(__name__)

POLL_MS = 200
PUBLISH_AGAIN_S = 30.0


class FirstModel:
    """Finds the first model of partitions.

    Args:
        topic: `lead-events` on the broker.
        internal: `lead-internal` on the broker.
        model: Published where the log has none.
        client_settings: Of an aiokafka client: broker and security.
        stamp_ms: Time of the request; None: the broker's.
    """

    publisher: Publisher

    def __init__(
        self,
        topic: str,
        internal: str,
        model: Model,
        client_settings: Mapping[str, Any],
        stamp_ms: int | None = None,
    ) -> None:
        self._topic, self._internal, self._model = topic, internal, model
        self._client_settings = client_settings
        self._stamp_ms = stamp_ms
        self._published_at: float | None = None

    async def find(self, partition: int) -> ModelControl:
        """The first model in a partition of the log; where there is none, publishes ours and waits for it to come.

        Raises:
            StateRefused: A record that says it is a model cannot be read.
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
                        if record.key == MODEL_KEY and (control := self._control(partition, record)) is not None:
                            return control
                await self._publish()
                await asyncio.sleep(POLL_MS / 1000)
        finally:
            await consumer.stop()

    def _control(self, partition: int, record: Any) -> ModelControl | None:
        """The model of a record; None where it has errors, which nobody would apply."""
        try:
            _, rows = decode_record(record.value)
        except LogCodecError as error:
            raise StateRefused(f"{self._topic}[{partition}], offset {record.offset}: {error}") from error
        (control,) = rows
        if not isinstance(control, ModelControl):
            raise StateRefused(
                f"{self._topic}[{partition}], offset {record.offset}: keyed as a model, but it is none; only ingest "
                "may write this topic"
            )
        try:
            read_model(control.body, control.model)
        except ModelError as error:
            log.warning("model %s version %d in the log is passed over: %s", control.model, control.version, error)
            return None
        return control

    async def _publish(self) -> None:
        """At most once in a while for all partitions: doubles do nothing, but need not be."""
        now = asyncio.get_running_loop().time()
        if self._published_at is not None and now - self._published_at < PUBLISH_AGAIN_S:
            return
        self._published_at = now
        model = self._model
        log.info(
            "the log has no model yet: publishing %s version %d through %s; waiting for ingest to carry it",
            model.name,
            model.version,
            self._internal,
        )
        value = encode_model(model.name, model.version, model.sha256, model.text)
        await self.publisher.publish(self._internal, 0, None, value, self._stamp_ms)
