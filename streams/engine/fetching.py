"""The consumer's thread: when which partition is read, and what a fetch becomes.

Faust reads on while its streams work, until their queues are full. Here what is in work holds back the next fetch, so
that what arrives meanwhile becomes one larger batch.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.ends import Ends
from streams.engine.errors import EngineError
from streams.engine.gathering import Gathering
from streams.engine.records import Batch, Poll, to_batch, to_blocks, to_chunk
from streams.engine.stage import FetchState, TopicPartition

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["CarryThread", "EngineThread", "TableThread"]


class ActiveView:
    """The partitions to read from now: those that Faust wants, without those that must wait; always up to date."""

    def __init__(self, active: Iterable[Any], waits: Callable[[Any], bool]) -> None:
        self._active = active
        self._waits = waits

    def __contains__(self, tp: object) -> bool:
        return tp in self._active and not self._waits(tp)


class EngineThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread: its own event loop, in which aiokafka fetches and keeps the group's session alive.

    Attributes:
        unpack: What a record batch of the broker becomes.
    """

    unpack: Any

    @property
    def engine_app(self) -> EngineApp:
        """The app, as ours."""
        return cast("EngineApp", self.app)

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        """What Faust does not hand on: a bound for a whole answer, and what a record batch becomes."""
        consumer = super()._create_worker_consumer(transport)
        config = self.engine_app.config
        consumer._fetch_max_bytes = 4 * config.fetch_max_bytes
        consumer._key_deserializer = type(self).unpack
        return consumer

    async def on_start(self) -> None:
        """Nobody looks at aiokafka's tasks: where one dies, the worker would live on without a group, or deaf.

        Faust hard-wires a wait of 1.5 s, in which a partition that was just emptied is in no request: `Gathering` says
        another one, before anything is assigned.
        """
        await super().on_start()
        consumer = self._ensure_consumer()
        consumer._fetcher._prefetch_backoff = 0.0
        Gathering(consumer._fetcher, self.engine_app.config)
        guard = self.engine_app.guard
        guard.watch_task(consumer._coordinator._coordination_task, "the group coordinator's task")
        guard.watch_task(consumer._fetcher._fetch_task, "the fetcher's task")
        guard.watch_task(consumer._client._sync_task, "the task that keeps the cluster's metadata")

    async def committed(self, partitions: Iterable[TP]) -> dict[TP, int | None]:
        """The group's committed offsets."""
        found = await self.call_thread(self._committed, tuple(partitions))
        return cast("dict[TP, int | None]", found)

    async def _committed(self, partitions: tuple[TP, ...]) -> dict[TP, int | None]:
        consumer = self._ensure_consumer()
        return {tp: await consumer.committed(driver.ensure_aiokafka_TP(tp)) for tp in partitions}

    async def _fetch(
        self, consumer: Any, view: ActiveView, timeout_s: float | None, max_records: int | None
    ) -> Mapping[Any, list[Any]]:
        """What Faust would fetch of some partitions, unpacked."""
        try:
            found = await super()._fetch_records(consumer, cast(Any, view), timeout=timeout_s, max_records=max_records)
        except EngineError as error:
            self.engine_app.guard.end(error)
        return cast("Mapping[Any, list[Any]]", found)

    def silent_s(self) -> float:
        """Seconds since the broker's newest answer to a fetch; 0 while this worker fetches nothing."""
        states = tuple(_partition_states(self._ensure_consumer()).values())
        now_ms = time.time() * 1000  # noqa: TID251  # aiokafka stamps its answers so
        # An answer of later than now is older than a jump of this host's clock.
        past = [at for state in states if (at := state.timestamp) is not None and at <= now_ms]
        return (now_ms - max(past)) / 1000 if past else 0.0

    def _behind(self, consumer: Any, tp: Any) -> int:
        """How many records of a partition were not read at the broker's last answer."""
        state = _partition_states(consumer).get(tp)
        if state is None or state.highwater is None or not state.has_valid_position:
            return 0
        return max(0, int(state.highwater - state.position))

    def _soon(self, call: Callable[..., None], *args: object) -> None:
        """Calls something in this thread."""
        self.thread_loop.call_soon_threadsafe(call, *args)

    def _wake(self) -> None:
        """What was fetched while everybody waited can be taken now."""
        fetcher = self._ensure_consumer()._fetcher
        for waiter in tuple(fetcher._fetch_waiters):
            fetcher._notify(waiter)


def _partition_states(consumer: Any) -> Mapping[Any, Any]:
    subscription = consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return {}
    return cast("Mapping[Any, Any]", subscription.assignment._tp_state)


class TableThread(EngineThread):
    """At most one batch of a partition is in work: what arrives meanwhile becomes one larger batch."""

    unpack = staticmethod(to_chunk)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.busy: dict[Any, Batch] = {}

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109  # aiokafka's name
        max_records: int | None = None,
    ) -> Any:
        """One batch per partition instead of its records."""
        view = ActiveView(active_partitions or (), self.busy.__contains__)
        fetched = await self._fetch(consumer, view, timeout, max_records)
        batches = {tp: to_batch(tp, chunks, self._behind(consumer, tp)) for tp, chunks in fetched.items()}
        source = self.engine_app.source_topics
        self.busy.update((tp, batch) for tp, batch in batches.items() if batch.topic in source)
        return batches

    def free(self, tp: Any, batch: Batch) -> None:
        """The batch is done; its partition may be read again."""
        self._soon(self._free, tp, batch)

    def forget(self) -> None:
        """Nothing is in work any more."""
        self._soon(self.busy.clear)

    def _free(self, tp: Any, batch: Batch) -> None:
        if self.busy.get(tp) is batch:
            del self.busy[tp]
            self._wake()


class CarryThread(EngineThread):
    """One poll over all partitions is in work at a time, and one comes at least every tick."""

    unpack = staticmethod(to_blocks)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_work: Poll | None = None
        self.hold: frozenset[Any] = frozenset()
        self._ends = Ends(self.engine_app.config.tick_ms / 1000)
        # Beyond every offset: Faust drops a message whose offset lies before its partition's position.
        self._numbers = itertools.count(1 << 62)

    async def on_start(self) -> None:
        """Leaders are asked where partitions end, as long as there is a consumer."""
        await super().on_start()
        consumer = self._ensure_consumer()
        self.add_future(self._ends.keep_asking(consumer, partial(_partition_states, consumer)))

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109  # aiokafka's name
        max_records: int | None = None,
    ) -> Any:
        """One poll of everything, with what is known of the silent partitions at this very moment."""
        active = active_partitions or ()
        view = ActiveView(active, lambda tp: self.in_work is not None or tp in self.hold)
        tick_s = self.engine_app.config.tick_ms / 1000
        fetched = await self._fetch(consumer, view, min(timeout or tick_s, tick_s), max_records)
        if self.in_work is not None or not active or not self.consumer.flow_active:
            return {}
        first = next(iter(fetched), None) or min(active)
        poll = Poll(
            TopicPartition(first.topic, first.partition),
            next(self._numbers),
            {TopicPartition(tp.topic, tp.partition): list(itertools.chain(*blocks)) for tp, blocks in fetched.items()},
            self._idle(consumer, fetched),
            {TopicPartition(tp.topic, tp.partition): self._behind(consumer, tp) for tp in fetched},
        )
        self.in_work = poll
        return {first: poll}

    def _idle(self, consumer: Any, fetched: Mapping[Any, Any]) -> dict[TopicPartition, FetchState]:
        """Partitions with nothing in hand; taken in this thread, where no fetch can come between."""
        places = {
            TopicPartition(tp.topic, tp.partition): state
            for tp, state in _partition_states(consumer).items()
            if tp not in fetched and state.has_valid_position
        }
        return {place: self._ends.of(place, state) for place, state in places.items()}

    def free(self, poll: Poll, hold: frozenset[TopicPartition]) -> None:
        """The poll is done; the next one may come."""
        self._soon(self._free, poll, hold)

    def forget(self) -> None:
        """Nothing is in work any more."""
        self._soon(self._free, None, frozenset())

    def _free(self, poll: Poll | None, hold: frozenset[TopicPartition]) -> None:
        if poll is None or self.in_work is poll:
            self.in_work = None
            self.hold = hold
            self._wake()
