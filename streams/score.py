"""The way of one event through the score stage, top to bottom.

    a batch of one partition of `lead-events`
      -> PartitionFold: due deadlines, then the rows                scoring.partition
      -> `lead-scores`, `tier-changes` and `lead-routing`, acknowledged   the outputs of a step
      -> rows of the leads and the checkpoint, acknowledged         the rows of a step
      -> where a deadline has passed and no row came: an alarm      `alarm`, carried by ingest

What route must know goes to `lead-routing`, in each lead's order, with log time behind it (`routing_copy`).

Among the outputs is what an alias had learnt, and what came for it later: to `lead-internal`, from where ingest carries
it to the owner's partition. It is acknowledged before the alias's row is empty; doubled, it changes nothing there.

The engine makes each step durable in this order. Before a partition's first batch, `prepare` sees to it that there is
a scoring model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from schemas.internal import MAX_FORWARD_BYTES, encode_alarm, encode_forward, encode_merge
from schemas.log import ByHand, EventRow, LogCodecError, Merge
from schemas.outputs_wire import cloud_event_headers, encode_lead_score, encode_merged_lead, encode_tier_change
from scoring.partition import FoldStep, PartitionFold
from scoring.row_codec import RowCodecError
from streams.engine.errors import StateRefused
from streams.engine.stage import Output, Position, Publisher, Record, Step, TablePartition
from streams.first_model import FirstModel
from streams.routing_copy import ROUTING_PARTITION, RoutingCopy
from streams.score_watch import ScoreWatch

__all__ = ["ScorePartition", "ScoreStage", "ScoreTopics"]


@dataclass(frozen=True, slots=True)
class ScoreTopics:
    """Names on the broker, and partitions.

    Attributes:
        internal_partitions: Of `lead-internal`.
        partitions: Of `lead-events`.
        stamped: What goes to `lead-internal` has the log time of its sender: a past stream moves no time by itself.
    """

    lead_events: str
    changelog: str
    lead_scores: str
    tier_changes: str
    internal: str
    internal_partitions: int
    lead_routing: str
    partitions: int
    stamped: bool = False


class ScorePartition:
    """The leads of one partition: the kernel's fold, as the engine takes it."""

    def __init__(self, number: int, topics: ScoreTopics, watch: ScoreWatch) -> None:
        self.number = number
        self.state = PartitionFold()
        self.routing = RoutingCopy(number, topics.partitions)
        self._topics, self._watch = topics, watch

    def restore(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """See `TablePartition`."""
        try:
            self.state.restore(rows)
        except RowCodecError as error:
            raise self._refused(error) from error

    def restore_memo(self, memo: bytes) -> None:
        """See `TablePartition`."""
        try:
            self.state.restore_memo(memo)
        except RowCodecError as error:
            raise self._refused(error) from error

    def opened(self) -> None:
        """See `TablePartition`."""
        try:
            self.state.opened()
        except RowCodecError as error:
            raise self._refused(error) from error
        self._watch.opened(self.number, self)

    def next_deadline_ms(self) -> int | None:
        """See `TablePartition`."""
        return self.state.next_deadline_ms()

    def fold(self, records: Sequence[Record], start: Position) -> Step:
        """See `TablePartition`."""
        self._watch.step_begins(records)
        try:
            # Record.value is None for a tombstone, which is no record of the log: the decoder says so.
            done = self.state.fold([(record.offset, cast(bytes, record.value)) for record in records], start)
        except LogCodecError as error:
            raise StateRefused(
                f"{self._topics.lead_events}[{self.number}]: {error}; only ingest may write this topic"
            ) from error
        except RowCodecError as error:
            raise self._refused(error) from error
        self._watch.folded(self.number, self.state, done)
        return Step(Position(*done.position), done.memo, self._outputs(done), list(done.rows), done.applied)

    def _outputs(self, done: FoldStep) -> list[Output]:
        """One record per lead that changed, every tier change, and what goes to other leads."""
        scores, changes = self._topics.lead_scores, self._topics.tier_changes
        outputs = [Output(scores, score.lead_id.encode(), encode_lead_score(score)) for score in done.scores]
        outputs += [Output(scores, merged.lead_id.encode(), encode_merged_lead(merged)) for merged in done.merged]
        outputs += [
            Output(changes, change.lead_id.encode(), encode_tier_change(change), cloud_event_headers(change))
            for change in done.changes
        ]
        entries = self.routing.step(done.routing, self.state.done_until_ms, asked=done.asked_for_time)
        routing = self._topics.lead_routing
        outputs += [Output(routing, key, value) for key, value in entries]
        if done.sent:
            stamp_ms = self.state.log_time_ms if self._topics.stamped else None
            internal = self._topics.internal
            outputs += [Output(internal, None, value, (), stamp_ms) for value in messages_of(done.sent)]
        return outputs

    def _refused(self, error: RowCodecError) -> StateRefused:
        return StateRefused(
            f"{self._topics.changelog}[{self.number}]: {error}; run the version that wrote it, or a newer one"
        )


def messages_of(sent: Sequence[Merge | EventRow | ByHand]) -> list[bytes]:
    """Messages of `lead-internal`, in order; what is no merge shares one with what follows, up to its size."""
    messages = []
    events: list[EventRow | ByHand] = []
    for row in sent:
        if isinstance(row, Merge):
            messages += _forwarded(events)
            messages.append(encode_merge(row))
            events = []
        else:
            events.append(row)
    return messages + _forwarded(events)


def _forwarded(events: list[EventRow | ByHand]) -> list[bytes]:
    """Rows as messages: halved as long as they are too many bytes for one."""
    if not events:
        return []
    message = encode_forward(events)
    if len(message) <= MAX_FORWARD_BYTES or len(events) == 1:
        return [message]
    half = len(events) // 2
    return _forwarded(events[:half]) + _forwarded(events[half:])


class ScoreStage:
    """Folds the log into scores and tier changes.

    Args:
        topics: Where from and where to.
        first_model: Finds or publishes the model of a log that has none.
        watch: Metrics and readiness.
    """

    name = "score"

    def __init__(self, topics: ScoreTopics, first_model: FirstModel, watch: ScoreWatch) -> None:
        self.source, self.changelog = topics.lead_events, topics.changelog
        self.outputs: tuple[str, ...] = (topics.lead_scores, topics.tier_changes, topics.internal)
        self.gathered: tuple[str, ...] = (topics.lead_routing,)
        self.claimed: tuple[str, ...] = (topics.lead_scores,)
        self._topics, self._first_model, self._watch = topics, first_model, watch
        self._publisher: Publisher | None = None

    async def started(self, publisher: Publisher) -> None:
        """See `TableStage`."""
        self._watch.start()
        self._publisher = self._first_model.publisher = publisher

    async def stopped(self) -> None:
        """See `TableStage`."""
        self._watch.stop()

    def partition(self, partition: int) -> ScorePartition:
        """See `TableStage`."""
        return ScorePartition(partition, self._topics, self._watch)

    async def prepare(self, partition: int, state: TablePartition, start: Position) -> None:
        """The first model of the partition, where its state has none yet; then tells route what time it is here."""
        assert isinstance(state, ScorePartition)
        fold = state.state
        if fold.model is None:
            first = await self._first_model.find(partition)
            fold.start_with(first.body, first.model)
        assert fold.model is not None
        self._watch.model_in_use(fold.model.ref)
        entry = state.routing.start(fold.done_until_ms)
        if entry is not None and self._publisher is not None:
            await self._publisher.publish(self._topics.lead_routing, ROUTING_PARTITION, *entry)

    def alarms(self, partition: int, state: TablePartition) -> Sequence[tuple[str, int, bytes]]:
        """See `TableStage`."""
        return [(self._topics.internal, partition % self._topics.internal_partitions, encode_alarm(partition))]
