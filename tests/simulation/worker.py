"""A score worker: the engine's own batch step and checks on the score stage's own fold, over the simulated broker.

Its work is coroutines that stop wherever the real ones wait for the broker; who goes on next, and who never does, is
the world's to say. The order of a take-over (open, claim, read to the end, check) is told anew here, as in
`streams/engine/table.py` and `recovery.py`: there it lies in callbacks of Faust.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator, Sequence
from typing import Any, cast

from schemas.internal import encode_alarm
from schemas.log import ModelControl, decode_record
from schemas.topics import (
    LEAD_EVENTS,
    LEAD_INTERNAL,
    LEAD_ROUTING,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    TIER_CHANGES,
)
from streams.engine.batch_step import BatchSteps
from streams.engine.checkpoint import OWNER_KEY, Owner, encode_owner
from streams.engine.errors import FailStop
from streams.engine.records import Batch, Chunk
from streams.engine.recovery import start_of
from streams.engine.stage import Output, Record, TopicPartition
from streams.engine.table import OwnedPartition
from streams.score import ScorePartition, ScoreTopics
from tests.simulation.broker import Broker, Entry, Fence, FencedError

__all__ = ["BUGS", "Bugs", "Task", "Worker", "pause"]

Task = Coroutine[Any, Any, None]


BUGS = (
    "no fence",
    "commit first",
    "checkpoint lost",
    "recovery passes rows over",
    "outputs skipped",
    "one event dropped",
    "rows before outputs",
    "claim left out",
)
"""Faults that are put in to see that the oracle finds them; none is set in a real run."""


class Bugs:
    """Those of `BUGS` that are in."""

    def __init__(self, *names: str) -> None:
        assert set(names) <= set(BUGS)
        self.names = frozenset(names)

    def __contains__(self, name: str) -> bool:
        return name in self.names


@types.coroutine
def pause(where: str) -> Generator[str, None, None]:
    """The broker takes its time; whoever waits may not live to hear of it."""
    yield where


class SimulatedWriter:
    """A `FencedWriter` on the simulated broker."""

    def __init__(self, broker: Broker, partition: int, bugs: Bugs) -> None:
        self._broker, self._partition, self._bugs = broker, partition, bugs
        self._fence: Fence | None = None
        self.owner: Owner | None = None
        self._left: Sequence[Output] = ()
        self.last_offset = -1

    async def open(self, process: str, generation: int) -> int:
        """Opens and claims; the offset of the claim."""
        self._fence = self._broker.open_writer(f"leadstream-score-{self._partition}")
        await pause("opened")
        if "claim left out" in self._bugs:
            return self._broker.end(LEADS_CHANGELOG, self._partition) - 1
        self.owner = Owner(process, generation, 1, self._fence.epoch)
        claim = encode_owner(self.owner)
        self._append(LEAD_SCORES, self._partition, [(OWNER_KEY, None, ())])
        await pause("claimed in part")
        offset = self._append(LEADS_CHANGELOG, self._partition, [(OWNER_KEY, claim, ())])
        await pause("claimed")
        return offset

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Each topic in order; a crash between them leaves a part."""
        if "rows before outputs" in self._bugs:
            self._left = outputs
        else:
            await self._publish(outputs)

    async def _publish(self, outputs: Sequence[Output]) -> None:
        by_topic: dict[str, list[Entry]] = {}
        for output in outputs:
            by_topic.setdefault(output.topic, []).append((output.key, output.value, output.headers))
        for topic, entries in by_topic.items():
            if "outputs skipped" in self._bugs and topic == TIER_CHANGES:
                continue
            half = len(entries) // 2
            for part in (entries[:half], entries[half:]):
                if part:
                    await pause("on its way")
                    self._append(topic, 0 if topic in (LEAD_ROUTING, LEAD_INTERNAL) else self._partition, part)
        await pause("published")

    async def write(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """One record batch: all or nothing; its acknowledgement may be lost."""
        await pause("rows on their way")
        entries: list[Entry] = [(key, value, ()) for key, value in rows]
        if "checkpoint lost" in self._bugs:
            entries = entries[:-1]
        self.last_offset = self._append(LEADS_CHANGELOG, self._partition, entries)
        await pause("written")
        left, self._left = self._left, ()
        if left:
            await self._publish(left)

    def _append(self, topic: str, partition: int, entries: Sequence[Entry]) -> int:
        try:
            return self._broker.append(topic, partition, entries, None if "no fence" in self._bugs else self._fence)
        except FencedError as error:
            raise FailStop(str(error)) from error


class Worker:
    """A process with some partitions.

    Attributes:
        awake: Hears of rebalances; one that is asleep goes on as before, until it is told or refused.
        tasks: What is under way, by partition: a take-over or a batch.
    """

    def __init__(self, name: str, broker: Broker, partitions: int, bugs: Bugs) -> None:
        self.name, self.awake = name, True
        self.owned: dict[int, OwnedPartition] = {}
        self.tasks: dict[int, Task] = {}
        self.done: dict[int, int] = {}
        self.generation = 0
        self._broker, self._bugs = broker, bugs
        topics = ScoreTopics(
            LEAD_EVENTS,
            LEADS_CHANGELOG,
            LEAD_SCORES,
            TIER_CHANGES,
            LEAD_INTERNAL,
            1,
            LEAD_ROUTING,
            partitions,
        )
        self._topics = topics
        config = types.SimpleNamespace(crash_point=lambda _: None)
        app = types.SimpleNamespace(
            observer=_Quiet(),
            config=config,
            check_ours=self._check_ours,
        )
        table = types.SimpleNamespace(owned=self.owned, changelog_tp=lambda number: (LEADS_CHANGELOG, number))
        self._steps = BatchSteps(cast(Any, app), cast(Any, table))

    def assign(self, numbers: frozenset[int], generation: int) -> None:
        """A rebalance: what it keeps goes on; what it lost, it closes; what is new, it takes over."""
        self.generation = generation
        for number in self.owned.keys() - numbers:
            task, part = self.tasks.pop(number, None), self.owned.pop(number)
            if task is not None:
                # A step ends before its partition is closed; a take-over is given up where it stands.
                if part.open:
                    _run_out(task)
                else:
                    task.close()
        for number in sorted(numbers - self.owned.keys()):
            writer = SimulatedWriter(self._broker, number, self._bugs)
            part = self.owned[number] = OwnedPartition(
                number, ScorePartition(number, self._topics, cast(Any, _Quiet())), cast(Any, writer)
            )
            self.tasks[number] = self._take_over(part, writer)

    def begin(self, number: int, most: int) -> bool:
        """Begins with the next batch of a partition; False where there is nothing to do."""
        part = self.owned[number]
        records = self._broker.read(LEAD_EVENTS, number, part.position.offset)[:most] if part.open else []
        if not records:
            return False
        fetched = [Record(record.offset, record.timestamp_ms, record.key, record.value) for record in records]
        chunk = Chunk(part.position.offset, records[-1].offset + 1, fetched)
        batch = Batch(TopicPartition(LEAD_EVENTS, number), [chunk], 0)
        self.tasks[number] = self._work(part, batch, self.generation)
        return True

    def go_on(self, number: int) -> str | None:
        """Until it waits for the broker again: where that is; None where the work is done.

        Raises:
            FailStop: The process ends.
        """
        try:
            return str(self.tasks[number].send(None))
        except StopIteration:
            del self.tasks[number]
            return None

    def close(self) -> None:
        """What is under way never goes on."""
        for task in self.tasks.values():
            task.close()
        self.tasks.clear()

    def alarms(self) -> list[tuple[int, bytes]]:
        """Partitions that wait for a moment that has come, and what they ask for time with."""
        return [
            (number, encode_alarm(number))
            for number, part in self.owned.items()
            if part.open and number not in self.tasks
            for moment in [part.state.next_deadline_ms()]
            if moment is not None and moment <= self._broker.clock_ms
        ]

    async def _work(self, part: OwnedPartition, batch: Batch, generation: int) -> None:
        if "commit first" in self._bugs:
            self.done[part.number] = batch.end
        if "one event dropped" in self._bugs and len(batch.records) > 1:
            del batch.records[0]
        await self._steps.apply(part, batch, generation)
        self.done[part.number] = batch.end

    def _check_ours(self, generation: int) -> None:
        if generation > self.generation:
            raise FailStop("another generation")

    async def _take_over(self, part: OwnedPartition, writer: SimulatedWriter) -> None:
        number = part.number
        writer.last_offset = await writer.open(self.name, self.generation)
        end = self._broker.end(LEADS_CHANGELOG, number)
        await pause("reading the changelog")
        records = [record for record in self._broker.read(LEADS_CHANGELOG, number) if record.offset < end]
        if "recovery passes rows over" in self._bugs:
            del records[-3:-1]
        rows = [Record(record.offset, record.timestamp_ms, record.key, record.value) for record in records]
        part.read(Batch(TopicPartition(LEADS_CHANGELOG, number), [Chunk(0, end, rows)], 0))
        if "claim left out" not in self._bugs:
            part.check_whole(0)
        log_end = self._broker.end(LEAD_EVENTS, number)
        tp: Any = types.SimpleNamespace(topic=LEAD_EVENTS, partition=number)
        stage: Any = types.SimpleNamespace(changelog=LEADS_CHANGELOG)
        committed = self._broker.committed.get((LEAD_EVENTS, number))
        part.load(start_of(part, tp, stage, committed, (0, log_end)))
        fold = cast(ScorePartition, part.state).state
        while fold.model is None:
            first = self._first_model(number)
            if first is None:
                await pause("no model yet")
            else:
                fold.start_with(first.body, first.model)
        part.open = True

    def _first_model(self, number: int) -> ModelControl | None:
        for record in self._broker.read(LEAD_EVENTS, number):
            for row in decode_record(record.value or b"")[1]:
                if isinstance(row, ModelControl):
                    return row
        return None


class _Quiet:
    """Metrics that nobody reads."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _run_out(task: Task) -> None:
    """A step that is under way ends before its partition is given up."""
    try:
        while True:
            task.send(None)
    except StopIteration:
        return
