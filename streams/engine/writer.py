"""All writes of one partition, by one writer at a time.

A `FencedWriter` is an idempotent producer whose id and epoch come from a transactional id. Opening it raises the
epoch; its first record in a topic partition (the claim) teaches the partition's leader that epoch, and from then on
the broker refuses every older writer. So the order is the proof:

    open -> claim changelog and compacted outputs -> read the changelog to its end -> fold

What an older writer managed to write lies before the claim, and is read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError, ProducerFenced

from streams.engine.checkpoint import OWNER_KEY, Owner, encode_owner
from streams.engine.config import EngineConfig
from streams.engine.errors import FailStop
from streams.engine.stage import Output

__all__ = ["FencedWriter", "build_batches", "writing"]

log = logging.getLogger(__name__)

MAX_RECORDS_PER_EPOCH = 1 << 30
"""aiokafka's sequence numbers do not wrap as Kafka's do at 2^31: a new epoch starts at zero in time."""

Entry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


MAX_OUTPUT_BATCH_BYTES = 900_000
"""Of outputs: a topic takes batches of 1 MiB unless it was told otherwise."""


def build_batches(
    producer: Any, entries: Sequence[Entry], timestamp_ms: int | None = None, most_bytes: int | None = None
) -> list[Any]:
    """Packs records into as few record batches as their size, and `most_bytes`, allow."""
    batches: list[Any] = []
    batch: Any = None
    for key, value, given in entries:
        headers = list(given) if given else []  # aiokafka takes lists alone
        if batch is not None and most_bytes is not None and batch.size() + len(value or b"") > most_bytes:
            batch = None
        if batch is None or batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers) is None:
            batch = producer.create_batch()
            batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
            batches.append(batch)
    for batch in batches:
        batch.close()
    return batches


@contextmanager
def writing(where: str) -> Iterator[None]:
    """What the broker does not take ends the process, under a name.

    Raises:
        FailStop: There is a newer writer, or the broker refused a write or did not answer.
    """
    try:
        yield
    except ProducerFenced as error:
        raise FailStop(
            f"{where} has a newer writer: another worker has taken over, the time of this one is up"
        ) from error
    except (KafkaError, TimeoutError) as error:
        raise FailStop(f"the broker did not take a write to {where}: {str(error) or type(error).__name__}") from error


class FencedWriter:
    """The only writer of one partition of the changelog and of the outputs.

    Attributes:
        last_offset: A changelog offset at or before our last record: where a take-over begins to read.
        opened_at: Monotonic time of the last `open`.
    """

    def __init__(
        self,
        config: EngineConfig,
        process: str,
        partition: int,
        changelog: str,
        claimed: Sequence[str],
        gathered: Sequence[str] = (),
    ) -> None:
        self.partition = partition
        self.last_offset = -1
        self.opened_at = 0.0
        self.owner: Owner | None = None
        self._config = config
        self._process = process
        self._changelog = changelog
        self._claimed, self._gathered = tuple(claimed), frozenset(gathered)
        self._producer: Any = None
        self._written = 0

    async def open(self, generation: int) -> int:
        """Fences every older writer, this one's own former producer included.

        Returns:
            The offset of the claim in the changelog: what an older writer wrote lies before it.
        """
        former, self._producer = self._producer, await self._start_producer()
        if former is not None:
            await self._stop(former)
        self._config.crash_point("opened")
        state = self._producer._txn_manager
        self.owner = Owner(self._process, generation, state.producer_id, state.producer_epoch)
        claim = encode_owner(self.owner)
        claims = [self._send(topic, [(OWNER_KEY, None, ())]) for topic in self._claimed]
        offsets = await asyncio.gather(self._send(self._changelog, [(OWNER_KEY, claim, ())]), *claims)
        self._config.crash_point("claimed")
        self.opened_at = time.monotonic()
        self._written = 0
        if offsets[0] < 0:
            raise FailStop(f"the broker did not say where the claim of partition {self.partition} lies")
        return offsets[0]

    @property
    def wants_reopening(self) -> bool:
        """Its epoch is old, or has many records."""
        age = time.monotonic() - self.opened_at
        return age > self._config.reopen_after_s or self._written > MAX_RECORDS_PER_EPOCH

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Publishes outputs, in order within each topic, and waits for the broker."""
        by_topic: dict[tuple[str, int | None], list[Entry]] = {}
        for topic, key, value, headers, timestamp_ms in outputs:
            by_topic.setdefault((topic, timestamp_ms), []).append((key, value, headers))
        sent = (
            self._send(topic, entries, timestamp_ms, output=True) for (topic, timestamp_ms), entries in by_topic.items()
        )
        await asyncio.gather(*sent)

    async def write(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Writes rows, the checkpoint last, as one record batch: all of them or none.

        Raises:
            FailStop: They do not fit into one batch.
        """
        last = await self._send(self._changelog, [(key, value, ()) for key, value in rows], whole=True)
        if last >= 0:
            self.last_offset = last

    async def close(self) -> None:
        """Lets go; never waits for a broker that does not answer."""
        if self._producer is not None:
            await self._stop(self._producer)

    async def _start_producer(self) -> Any:
        producer = aiokafka.AIOKafkaProducer(
            **self._config.producer_settings(),
            transactional_id=f"{self._config.app_id}-{self.partition}",
            transaction_timeout_ms=30_000,
        )
        with writing(f"{self._changelog}[{self.partition}]"):
            await asyncio.wait_for(producer.start(), self._config.write_timeout_s)
        # From here on a plain idempotent producer that keeps the id and the epoch: no transactions, no markers.
        producer._txn_manager.transactional_id = None
        return producer

    async def _stop(self, producer: Any) -> None:
        try:
            await asyncio.wait_for(producer.stop(), 5)
        except (TimeoutError, KafkaError) as error:
            log.warning("writer of partition %d: closing failed: %r", self.partition, error)

    async def _send(
        self,
        topic: str,
        entries: Sequence[Entry],
        timestamp_ms: int | None = None,
        *,
        output: bool = False,
        whole: bool = False,
    ) -> int:
        """Sends and waits; returns the last record's offset, or -1 where the broker only knows that it has it."""
        batches = build_batches(self._producer, entries, timestamp_ms, MAX_OUTPUT_BATCH_BYTES if output else None)
        if whole and len(batches) != 1:
            raise FailStop(
                f"{len(entries)} rows of partition {self.partition} do not fit into one batch of "
                f"{self._config.max_batch_bytes} bytes: the stage's steps are too large"
            )
        self._written += len(entries)
        partition = 0 if topic in self._gathered else self.partition
        with writing(f"{topic}[{partition}]"):
            async with asyncio.timeout(self._config.write_timeout_s):
                futures = [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches]
                metadata = await asyncio.gather(*futures)
        last = metadata[-1]
        return int(last.offset) + batches[-1].record_count() - 1 if last.offset >= 0 else -1
