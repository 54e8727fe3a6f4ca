"""What ingest workers tell each other, in the compacted topic `ingest-progress`.

* `progress/TOPIC/PARTITION`: every record of this raw partition with an older time is in the log, and the newest time
  that its worker read. Published a few times a second, after the acknowledgement of what was carried.
* `breaker/TOPIC`: the topic is paused, and why; no value: it was released.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import aiokafka
import msgspec

from streams.breaker import BREAKER_PREFIX, Pause, breaker_key, decode_pause, encode_pause
from streams.engine.errors import FailStop, StateRefused
from streams.engine.stage import Publisher, TopicPartition

__all__ = ["KafkaProgress", "Progress", "ProgressBoard"]

log = logging.getLogger(__name__)

PROGRESS_PREFIX = b"progress/"
TELL_OTHERS_EVERY_S = 0.25
TELL_NOBODY_EVERY_S = 5.0
READ_TIMEOUT_S = 30.0


class _Carried(msgspec.Struct, frozen=True):
    carried_ms: int
    newest_ms: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Carried).decode


class ProgressBoard:
    """What is known of all raw partitions and topics. Pure.

    Attributes:
        carried_ms: By raw partition, up to where it is in the log. True for ever, whoever said it.
        newest_ms: The newest time that any worker read.
        pauses: Topics that the breaker holds.
    """

    def __init__(self) -> None:
        self.carried_ms: dict[TopicPartition, int] = {}
        self.newest_ms = 0
        self.pauses: dict[str, Pause] = {}

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """One record of the topic.

        Raises:
            StateRefused: It cannot be read.
        """
        try:
            if key is not None and key.startswith(BREAKER_PREFIX):
                self._take_pause(key.removeprefix(BREAKER_PREFIX).decode(), value)
            elif key is not None and key.startswith(PROGRESS_PREFIX) and value is not None:
                topic, _, number = key.removeprefix(PROGRESS_PREFIX).decode().rpartition("/")
                told = _decode(value)
                tp = TopicPartition(topic, int(number))
                self.carried_ms[tp] = max(self.carried_ms.get(tp, 0), told.carried_ms)
                self.newest_ms = max(self.newest_ms, told.newest_ms)
        except (ValueError, msgspec.MsgspecError) as error:
            raise StateRefused(
                f"ingest-progress has a record with key {key!r} that cannot be read ({error}); was it written by a "
                "newer version, or by somebody else?"
            ) from error

    def _take_pause(self, topic: str, value: bytes | None) -> None:
        if value is None:
            self.pauses.pop(topic, None)
        else:
            self.pauses[topic] = decode_pause(value)

    def least_of(self, partitions: Iterable[TopicPartition]) -> int | None:
        """The least progress of these partitions, paused topics left out; None where there are none."""
        return min((self.carried_ms.get(tp, 0) for tp in partitions if tp.topic not in self.pauses), default=None)


class Progress(Protocol):
    """What the ingest stage needs of the exchange; tests give it one without a broker."""

    board: ProgressBoard

    async def start(self, publisher: Publisher) -> None:
        """Reads what is known, to the end, and goes on reading."""

    async def stop(self) -> None:
        """Tells a last time."""

    def check(self) -> None:
        """Raises what ended the exchange, if anything did."""

    def carried(self, bounds: Mapping[TopicPartition, int], newest_ms: int, *, alone: bool) -> None:
        """This is in the log now; `alone`: no other worker waits to hear it."""

    def pause(self, pause: Pause) -> None:
        """Tells every worker, this one included, that a topic is paused."""


class KafkaProgress:
    """The exchange through a topic of one partition.

    Args:
        topic: Its name on the broker.
        client_settings: Of an aiokafka client: broker and security.
    """

    def __init__(self, topic: str, client_settings: Mapping[str, Any]) -> None:
        self.board = ProgressBoard()
        self._place = aiokafka.TopicPartition(topic, 0)
        self._client_settings = client_settings
        self._tasks: list[asyncio.Task[None]] = []
        self._error: BaseException | None = None
        self._told: dict[TopicPartition, _Carried] = {}
        self._to_tell: dict[TopicPartition, _Carried] = {}
        self._alone = True
        self._pauses: asyncio.Queue[Pause] = asyncio.Queue()

    async def start(self, publisher: Publisher) -> None:
        """See `Progress`."""
        self._publisher = publisher
        self._consumer = aiokafka.AIOKafkaConsumer(
            enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=500, **self._client_settings
        )
        async with asyncio.timeout(READ_TIMEOUT_S):
            await self._consumer.start()
            self._consumer.assign([self._place])
            await self._consumer.seek_to_beginning(self._place)
            end = (await self._consumer.end_offsets([self._place]))[self._place]
            while await self._consumer.position(self._place) < end:
                await self._read()
        log.info(
            "progress of %d raw partitions is known; paused topics: %s",
            len(self.board.carried_ms),
            list(self.board.pauses) or "none",
        )
        self._tasks = [
            asyncio.create_task(self._watched(work), name=f"progress-{work.__name__}")
            for work in (self._go_on_reading, self._tell, self._tell_pauses)
        ]

    async def stop(self) -> None:
        """See `Progress`."""
        for task in self._tasks:
            task.cancel()
        await self._tell_now()
        await self._consumer.stop()

    def check(self) -> None:
        """See `Progress`."""
        if self._error is not None:
            raise FailStop(f"the exchange with other ingest workers ended: {self._error!r}") from self._error

    def carried(self, bounds: Mapping[TopicPartition, int], newest_ms: int, *, alone: bool) -> None:
        """See `Progress`."""
        self._alone = alone
        self._to_tell = {tp: _Carried(bound, newest_ms) for tp, bound in bounds.items()}

    def pause(self, pause: Pause) -> None:
        """See `Progress`."""
        self.board.pauses[pause.topic] = pause
        self._pauses.put_nowait(pause)

    async def _watched(self, work: Any) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # told by `check`, which ends the worker
            self._error = error

    async def _read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=500)).values():
            for record in records:
                self.board.take(record.key, record.value)

    async def _go_on_reading(self) -> None:
        while True:
            await self._read()

    async def _tell(self) -> None:
        while True:
            waited = 0.0
            while waited < (TELL_NOBODY_EVERY_S if self._alone else TELL_OTHERS_EVERY_S):
                await asyncio.sleep(TELL_OTHERS_EVERY_S)
                waited += TELL_OTHERS_EVERY_S
            await self._tell_now()

    async def _tell_now(self) -> None:
        news = {tp: told for tp, told in self._to_tell.items() if self._told.get(tp) != told}
        publish, place = self._publisher.publish, self._place
        await asyncio.gather(
            *(
                publish(
                    place.topic, place.partition, PROGRESS_PREFIX + f"{tp.topic}/{tp.partition}".encode(), _encode(told)
                )
                for tp, told in news.items()
            )
        )
        self._told |= news

    async def _tell_pauses(self) -> None:
        while True:
            pause = await self._pauses.get()
            value = encode_pause(pause)
            await self._publisher.publish(self._place.topic, self._place.partition, breaker_key(pause.topic), value)
