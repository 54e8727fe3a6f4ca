"""The way of a tier change through the route stage, top to bottom.

    a batch of `lead-routing`
      -> RoutingFold: rows in order, and what time brings about     scoring.routing.fold
      -> `lead-assignments` and `sla-events`, acknowledged          the outputs of a step
      -> rows of leads, owners and teams, the policy, and the checkpoint, acknowledged
      -> where a clock is due and no time came: alarms              `alarms`, through ingest and score

The engine makes each step durable in this order. Log time is the smallest of the score partitions' log times, so
alarms go to all of them together: through `lead-internal`, ingest, `lead-events` and score, which says in
`lead-routing` what time it is. Before the first batch, `prepare` sees to it that there is a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from schemas.internal import encode_alarm
from schemas.log import LogCodecError
from schemas.routing_wire import SlaEventOut, encode_assignment, encode_sla_event, sla_event_headers
from scoring.routing.fold import RoutingFold, RoutingStep
from scoring.routing.telling import Told
from scoring.row_codec import RowCodecError
from streams.engine.errors import StateRefused
from streams.engine.stage import Output, Position, Publisher, Record, Step, TablePartition
from streams.first_policy import FirstPolicy
from streams.route_watch import RouteWatch
from streams.routing_copy import ROUTING_PARTITION

__all__ = ["RoutePartition", "RouteStage", "RouteTopics"]

MAX_STEP_LEADS = 2_000
"""Of one step: its rows are one record batch."""


@dataclass(frozen=True, slots=True)
class RouteTopics:
    """Names on the broker, and partitions.

    Attributes:
        internal_partitions: Of `lead-internal`.
    """

    lead_routing: str
    changelog: str
    lead_assignments: str
    sla_events: str
    internal: str
    internal_partitions: int


class RoutePartition:
    """All leads: the kernel's fold, as the engine takes it."""

    def __init__(self, number: int, topics: RouteTopics, watch: RouteWatch) -> None:
        self.number = number
        self.state = RoutingFold(MAX_STEP_LEADS)
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
        if self.number == ROUTING_PARTITION:
            self._watch.opened(self.state)

    def next_deadline_ms(self) -> int | None:
        """See `TablePartition`."""
        return self.state.next_deadline_ms()

    def fold(self, records: Sequence[Record], start: Position) -> Step:
        """See `TablePartition`."""
        self._watch.step_begins(records)
        try:
            # Record.value is None for a tombstone, which is no record of the topic: the decoder says so.
            done = self.state.fold([(record.offset, cast(bytes, record.value)) for record in records], start)
        except LogCodecError as error:
            raise StateRefused(
                f"{self._topics.lead_routing}[{self.number}]: {error}; only score may write this topic"
            ) from error
        except RowCodecError as error:
            raise self._refused(error) from error
        self._watch.folded(self.state, done)
        return Step(Position(*done.position), done.memo, self._outputs(done), list(done.rows), done.applied)

    def _outputs(self, done: RoutingStep) -> list[Output]:
        """Everything that was told, in its order within each topic."""
        return [self._output(one) for one in done.told]

    def _output(self, one: Told) -> Output:
        key = one.lead_id.encode()
        if isinstance(one, SlaEventOut):
            return Output(self._topics.sla_events, key, encode_sla_event(one), sla_event_headers(one))
        return Output(self._topics.lead_assignments, key, encode_assignment(one))

    def _refused(self, error: RowCodecError) -> StateRefused:
        return StateRefused(
            f"{self._topics.changelog}[{self.number}]: {error}; run the version that wrote it, or a newer one"
        )


class RouteStage:
    """Folds `lead-routing` into owners and clocks.

    Args:
        topics: Where from and where to.
        first_policy: Finds or publishes the policy of a log that has none.
        watch: Metrics and readiness.
    """

    name = "route"

    def __init__(self, topics: RouteTopics, first_policy: FirstPolicy, watch: RouteWatch) -> None:
        self.source, self.changelog = topics.lead_routing, topics.changelog
        self.outputs: tuple[str, ...] = (topics.lead_assignments, topics.sla_events)
        self.claimed: tuple[str, ...] = (topics.lead_assignments,)
        self.gathered: tuple[str, ...] = ()
        self._topics, self._first_policy, self._watch = topics, first_policy, watch

    async def started(self, publisher: Publisher) -> None:
        """See `TableStage`."""
        self._watch.start()
        self._first_policy.publisher = publisher

    async def stopped(self) -> None:
        """See `TableStage`."""
        self._watch.stop()

    def partition(self, partition: int) -> RoutePartition:
        """See `TableStage`."""
        return RoutePartition(partition, self._topics, self._watch)

    async def prepare(self, partition: int, state: TablePartition, start: Position) -> None:
        """The first policy, where the state has none yet. Further partitions, of an embedded broker, stay empty."""
        assert isinstance(state, RoutePartition)
        fold = state.state
        if partition != ROUTING_PARTITION:
            return
        if fold.policy is None:
            first = await self._first_policy.find(ROUTING_PARTITION)
            fold.start_with(first.body, first.policy)
        assert fold.policy is not None
        self._watch.policy_in_use(fold.policy)

    def alarms(self, partition: int, state: TablePartition) -> Sequence[tuple[str, int, bytes]]:
        """See `TableStage`."""
        assert isinstance(state, RoutePartition)
        topics = self._topics
        # All of them, also those that are ahead: log time is the smallest of their times, and of partitions that were
        # asked by turns one would always lie behind. Before the first time was heard, any answer sets the clock.
        asked = state.state.score_partitions or [ROUTING_PARTITION]
        return [(topics.internal, number % topics.internal_partitions, encode_alarm(number)) for number in asked]
