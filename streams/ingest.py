"""The way of a raw record, top to bottom.

    a poll of all raw partitions
      -> the oldest first, and what is safe                        ordering
      -> each record decoded into a row, or a dead letter          schemas.wire, schemas.internal
      -> rows by the time of their raw records, controls among them
      -> records of `lead-events`, each with its `safe`            packs
      -> published; acknowledged; progress told to other workers   progress

A crash anywhere carries the same raw records again; the table counts each event once. The breaker pauses a topic that
brings mostly dead letters.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from schemas.dead_letters import dead_letter_headers, shortened
from schemas.errors import Refused
from schemas.internal import (
    AlarmRequest,
    AssignRequest,
    BackfillRequest,
    ForwardRequest,
    MergeRequest,
    ModelRequest,
    PolicyRequest,
    ReleaseRequest,
    by_hand_row,
    decode_internal,
    forwarded_rows,
    merge_row,
)
from schemas.links import Links
from schemas.log import Alarm, Backfill, ByHand, EventRow, LeadRow, Link, Merge, ModelControl, NextPolicy
from schemas.reasons import ReasonName
from schemas.wire import decode_event
from streams.breaker import Breaker, Pause
from streams.engine.stage import Carried, FetchState, Publisher, Record, TopicPartition
from streams.ingest_watch import IngestWatch
from streams.internal_checks import check_merge, check_model, check_policy
from streams.ordering import Ordering
from streams.packs import Control, Entry, Packer
from streams.progress import Progress

__all__ = ["IngestStage", "IngestTopics"]

log = logging.getLogger(__name__)

_received = attrgetter("received_at_ms")


@dataclass(frozen=True, slots=True)
class IngestTopics:
    """Names on the broker, and partitions.

    Attributes:
        raw: Of every raw topic, `lead-internal` among them, how many partitions it has.
        internal: Name of `lead-internal`.
        partitions: Of `lead-events` and of the dead letters.
    """

    raw: Mapping[str, int]
    internal: str
    lead_events: str
    dead_letters: str
    partitions: int

    def places(self) -> frozenset[TopicPartition]:
        """Every raw partition."""
        return frozenset(TopicPartition(topic, number) for topic, count in self.raw.items() for number in range(count))


@dataclass(slots=True)
class _Load:
    """What one poll brings about."""

    events: list[EventRow] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    forwarded: list[EventRow | ByHand] = field(default_factory=list)
    by_hand: list[ByHand | Backfill] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    dead: list[tuple[TopicPartition, Entry, ReasonName]] = field(default_factory=list)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    records: int = 0


class IngestStage:
    """Carries raw records into the log.

    Args:
        topics: Where from and where to.
        id_key: Key of the e-mail hash.
        packer: Makes records of rows.
        breaker: Counts dead letters.
        progress: The exchange with other ingest workers.
        watch: Metrics and readiness.
        worker: The app's name, for the headers of dead letters.
    """

    name = "ingest"

    def __init__(
        self,
        topics: IngestTopics,
        id_key: bytes,
        packer: Packer,
        breaker: Breaker,
        progress: Progress,
        watch: IngestWatch,
        worker: str,
    ) -> None:
        self.sources = tuple(topics.raw)
        self._topics, self._id_key, self._worker = topics, id_key, worker
        self._packer, self._breaker, self._progress, self._watch = packer, breaker, progress, watch
        self._ordering = Ordering()
        self._links = Links(id_key)
        self._others: frozenset[TopicPartition] = topics.places()
        self._paused: frozenset[str] = frozenset()
        self._events_at = [TopicPartition(topics.lead_events, number) for number in range(topics.partitions)]
        self._load = _Load()

    async def started(self, publisher: Publisher) -> None:
        """See `CarryStage`."""
        self._watch.start()
        await self._progress.start(publisher)

    async def stopped(self) -> None:
        """See `CarryStage`."""
        await self._progress.stop()
        self._watch.stop()

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """See `CarryStage`."""
        self._ordering.assign(partitions, self._progress.board.carried_ms)
        self._others = self._topics.places() - partitions
        self._watch.assigned(partitions)

    def carry(
        self, fetched: Mapping[TopicPartition, Sequence[Record]], idle: Mapping[TopicPartition, FetchState]
    ) -> Carried:
        """See `CarryStage`."""
        ordering = self._ordering
        self._hear()
        said_ms, others_ms = ordering.safe_ms, self._progress.board.least_of(self._others)
        taken = ordering.take(fetched, idle, others_ms)
        load = self._load = _Load()
        for tp, records in taken.records.items():
            self._decode(tp, records, load)
        for pause in load.pauses:
            self._progress.pause(pause)
        if load.pauses:
            self._apply_pauses()
            ordering.settle(others_ms)
        load.links = self._links.taken()
        load.controls.sort(key=lambda control: control[1].received_at_ms)
        hold = ordering.hold()
        self._watch.carried(idle, hold, ordering.oldest_ms, self._paused)
        return Carried(self._outputs(load, said_ms), load.positions, hold, load.records)

    def acknowledged(self, carried: Carried) -> None:
        """See `CarryStage`."""
        ordering, load = self._ordering, self._load
        self._progress.carried(ordering.bounds(), ordering.newest_ms, alone=not self._others)
        named = {"link": len(load.links), "merge": len(load.merges), "forward": len(load.forwarded)}
        named["by_hand"] = len(load.by_hand)
        self._watch.acknowledged(
            load.events, named, load.controls, Counter((tp.topic, why) for tp, _, why in load.dead)
        )

    def _hear(self) -> None:
        """What other workers, and whoever releases a topic, have said."""
        self._progress.check()
        self._ordering.saw(self._progress.board.newest_ms)
        if self._paused != self._progress.board.pauses.keys():
            self._apply_pauses()

    def _apply_pauses(self) -> None:
        pauses = self._progress.board.pauses
        for topic in self._paused - pauses.keys():
            log.warning("topic %s was released: reading on", topic)
            self._breaker.forget(topic)
        for topic in pauses.keys() - self._paused:
            self._watch.paused(pauses[topic])
        self._paused = frozenset(pauses)
        self._ordering.pause(self._paused)

    def _decode(self, tp: TopicPartition, records: list[Record], load: _Load) -> None:
        """Rows and dead letters of one partition; stops where the breaker does."""
        if any(pause.topic == tp.topic for pause in load.pauses):
            self._ordering.give_back(tp, records)
            return
        decode, id_key, append, links = decode_event, self._id_key, load.events.append, self._links
        internal = tp.topic == self._topics.internal
        good_from = 0
        for number, record in enumerate(records):
            try:
                if internal:
                    self._take_internal(tp, record, load)
                else:
                    append(decode(record[3], record[1], id_key, links))
            except Refused as refused:
                load.dead.append((tp, self._dead_letter(tp, record, refused), refused.reason))
                self._breaker.good(tp.topic, number - good_from)
                good_from = number + 1
                pause = self._breaker.dead(tp.topic, refused.reason)
                if pause is not None:
                    load.pauses.append(pause)
                    self._ordering.give_back(tp, records[good_from:])
                    records = records[:good_from]
                    break
        self._breaker.good(tp.topic, len(records) - good_from)
        load.positions[tp] = records[-1].offset + 1
        load.records += len(records)

    def _take_internal(self, tp: TopicPartition, record: Record, load: _Load) -> None:
        """Rows of a record of `lead-internal`.

        Raises:
            Refused: The record is no message, or not one that may come from there.
        """
        message = decode_internal(record.value)
        if isinstance(message, MergeRequest):
            load.merges.append(check_merge(merge_row(message, record.timestamp_ms)))
        elif isinstance(message, ForwardRequest):
            load.forwarded += forwarded_rows(message)
        elif isinstance(message, AssignRequest | ReleaseRequest):
            load.by_hand.append(by_hand_row(message, record.timestamp_ms))
        elif isinstance(message, BackfillRequest):
            load.by_hand.append(Backfill(message.lead_id, record.timestamp_ms))
        else:
            load.controls.append(self._control(tp, record.timestamp_ms, message))

    def _control(
        self, tp: TopicPartition, received_ms: int, message: AlarmRequest | ModelRequest | PolicyRequest
    ) -> Control:
        """A control row, and where it goes.

        Raises:
            Refused: It is not one that may come from there.
        """
        if isinstance(message, AlarmRequest):
            if message.partition >= self._topics.partitions:
                raise Refused(
                    "number_out_of_range", f"partition {message.partition}: there are {self._topics.partitions}"
                )
            return message.partition, Alarm(received_ms)
        if tp.partition:
            raise Refused(
                "unknown_value", f"a {message.type} is taken from partition 0 alone, so that there is one order of them"
            )
        if isinstance(message, PolicyRequest):
            check_policy(message)
            return 0, NextPolicy(received_ms, message.name, message.version, message.sha256, message.body)
        check_model(message)
        return None, ModelControl(received_ms, message.name, message.version, message.sha256, message.body)

    def _dead_letter(self, tp: TopicPartition, record: Record, refused: Refused) -> Entry:
        key, value, own, cut = shortened(record.key, record.value, record.headers)
        headers = dead_letter_headers(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp_ms,
            refused.reason,
            refused.message,
            own,
            self._worker,
        )
        return key, value, headers + cut

    def _outputs(self, load: _Load, said_ms: int) -> dict[TopicPartition, list[Entry]]:
        # Of what is equally old, who is who comes before what they did.
        rows: list[LeadRow] = [*load.links, *load.merges, *load.events, *load.forwarded, *load.by_hand]
        rows.sort(key=_received)
        packs = self._packer.pack(rows, load.controls, said_ms, self._ordering.safe_ms)
        outputs = {tp: entries for tp, entries in zip(self._events_at, packs, strict=True) if entries}
        for tp, entry, _ in load.dead:
            place = TopicPartition(self._topics.dead_letters, tp.partition % self._topics.partitions)
            outputs.setdefault(place, []).append(entry)
        return outputs
