"""An ingest worker: the stage as it is, over the simulated broker; at least once, as its engine carries it."""

from __future__ import annotations

import random
from typing import Any, cast

from schemas.topics import DEAD_LETTERS, LEAD_EVENTS, LEAD_INTERNAL, RAW_TOPICS
from streams.breaker import Breaker
from streams.engine.stage import FetchState, Record, TopicPartition
from streams.health import Readiness
from streams.ingest import IngestStage, IngestTopics
from streams.ingest_watch import IngestWatch
from streams.metrics import Metrics
from streams.progress import ProgressBoard
from streams.watch import Watch
from tests.pipeline import ID_KEY
from tests.simulation.broker import Broker
from tests.simulation.worker import Task, pause
from tests.streams.polls import blocks_of

__all__ = ["Ingest"]

SOURCES = (*RAW_TOPICS, LEAD_INTERNAL)
_WATCH = IngestWatch(Watch(Metrics("ingest"), Readiness()), "")


class _Alone:
    """There is no other ingest worker."""

    def __init__(self) -> None:
        self.board = ProgressBoard()

    def check(self) -> None: ...

    def carried(self, *_: Any, **__: Any) -> None: ...


class Ingest:
    """One process; a new one goes on where the group committed."""

    def __init__(self, broker: Broker, partitions: int, chance: random.Random) -> None:
        self._broker, self._chance = broker, chance
        topics = IngestTopics(dict.fromkeys(SOURCES, 1), LEAD_INTERNAL, LEAD_EVENTS, DEAD_LETTERS, partitions)
        pack_rows, together = chance.choice([1, 3, 100]), chance.choice([1, 4, 1000])
        breaker, progress = Breaker(1000, 1.0), cast(Any, _Alone())
        self._stage = IngestStage(
            topics, ID_KEY.encode(), pack_rows, breaker, progress, _WATCH, "ingest", together=together
        )
        self._stage.assigned(topics.places())
        self._held: frozenset[TopicPartition] = frozenset()
        self.positions = {topic: broker.committed.get((topic, 0), 0) for topic in SOURCES}
        self.task: Task | None = None

    def begin(self) -> None:
        """Polls: of each topic a part of what there is."""
        fetched, idle = {}, {}
        for topic in SOURCES:
            tp = TopicPartition(topic, 0)
            if tp in self._held:
                continue
            there = self._broker.read(topic, 0, self.positions[topic])
            taken = there[: self._chance.choice([1, 5, 1000])]
            if taken:
                fetched[tp] = [
                    Record(record.offset, record.timestamp_ms, record.key, record.value, record.headers)
                    for record in taken
                ]
                self.positions[topic] = taken[-1].offset + 1
            else:
                idle[tp] = FetchState(True, 0.0, 0.0)
        self.task = self._carry(fetched, idle)

    def go_on(self) -> str | None:
        """Until it waits for the broker again: where that is; None where the poll is carried."""
        assert self.task is not None
        try:
            return str(self.task.send(None))
        except StopIteration:
            self.task = None
            return None

    def close(self) -> None:
        """What is under way never goes on."""
        if self.task is not None:
            self.task.close()

    async def _carry(self, fetched: dict[TopicPartition, list[Record]], idle: dict[TopicPartition, FetchState]) -> None:
        carried = self._stage.carry({tp: blocks_of(records) for tp, records in fetched.items()}, idle)
        self._held = carried.hold
        for tp, entries in carried.outputs.items():
            half = len(entries) // 2
            for part in (entries[:half], entries[half:]):
                if part:
                    await pause("on its way")
                    self._broker.append(tp.topic, tp.partition, part)
        await pause("carried")
        self._stage.acknowledged(carried)
        if carried.positions:
            await pause("acknowledged")
        for tp, offset in carried.positions.items():
            self._broker.committed[tp.topic, tp.partition] = offset
