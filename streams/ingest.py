"""The way of a raw record, top to bottom.

    a poll of all raw partitions
      -> the oldest first, and what is safe                        ordering
      -> a slice of time after the other:
           each record decoded into a row, or a dead letter        schemas.wire, slices
           rows by the time of their raw records, controls among them
           records of `lead-events`, each with its `safe`          packs
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
from schemas.links import Links
from schemas.reasons import ReasonName
from schemas.wire import log_row
from streams.breaker import Breaker, Pause
from streams.engine.stage import Block, Carried, FetchState, Publisher, RawRecord, TopicPartition
from streams.ingest_watch import IngestWatch
from streams.ordering import Ordering
from streams.packs import Entry, Packer
from streams.progress import Progress
from streams.slices import Slice

__all__ = ["IngestStage", "IngestTopics"]

log = logging.getLogger(__name__)

_kind = attrgetter("kind")


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
    """What one poll brings about.

    Attributes:
        packer: Has the rows.
        events: How many, by their kind.
        named: Other rows, by what the metrics call them.
        back: What is not carried after all.
    """

    packer: Packer
    events: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    dead: list[tuple[TopicPartition, Entry, ReasonName]] = field(default_factory=list)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    back: dict[TopicPartition, list[Block]] = field(default_factory=dict)
    records: int = 0


class IngestStage:
    """Carries raw records into the log.

    Args:
        topics: Where from and where to.
        id_key: Key of the e-mail hash.
        pack_rows: Most rows of one record of the log.
        breaker: Counts dead letters.
        progress: The exchange with other ingest workers.
        watch: Metrics and readiness.
        worker: The app's name, for the headers of dead letters.
        together: About so many raw records are made into rows, and these into records of the log, before the next ones:
            what is made of them fits into the second cache of a processor, of a large poll it does not.
    """

    name = "ingest"

    def __init__(
        self,
        topics: IngestTopics,
        id_key: bytes,
        pack_rows: int,
        breaker: Breaker,
        progress: Progress,
        watch: IngestWatch,
        worker: str,
        together: int = 1_000,
    ) -> None:
        self.sources = tuple(topics.raw)
        self._topics, self._id_key, self._worker = topics, id_key, worker
        self._pack_rows, self._together = pack_rows, together
        self._breaker, self._progress, self._watch = breaker, progress, watch
        self._ordering = Ordering()
        self._links = Links(id_key)
        self._others: frozenset[TopicPartition] = topics.places()
        self._paused: frozenset[str] = frozenset()
        self._events_at = [TopicPartition(topics.lead_events, number) for number in range(topics.partitions)]
        self._load = self._new_load(0, 0)

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
        self, fetched: Mapping[TopicPartition, Sequence[Block]], idle: Mapping[TopicPartition, FetchState]
    ) -> Carried:
        """See `CarryStage`."""
        ordering = self._ordering
        self._hear()
        said_ms, others_ms = ordering.safe_ms, self._progress.board.least_of(self._others)
        taken = ordering.take(fetched, idle, others_ms)
        load = self._load = self._new_load(said_ms, taken.safe_ms)
        for blocks in taken.slices(self._together):
            self._take_slice(blocks, load)
        for tp, back in load.back.items():
            ordering.give_back(tp, back)
        for pause in load.pauses:
            self._progress.pause(pause)
        if load.pauses:
            self._apply_pauses()
            ordering.settle(others_ms)
        hold = ordering.hold()
        self._watch.carried(idle, hold, ordering.oldest_ms, self._paused)
        return Carried(self._outputs(load), load.positions, hold, load.records)

    def acknowledged(self, carried: Carried) -> None:
        """See `CarryStage`."""
        ordering, load = self._ordering, self._load
        self._progress.carried(ordering.bounds(), ordering.newest_ms, alone=not self._others)
        self._watch.acknowledged(load.events, load.named, Counter((tp.topic, why) for tp, _, why in load.dead))

    def _new_load(self, said_ms: int, safe_ms: int) -> _Load:
        return _Load(Packer(self._topics.partitions, self._pack_rows, said_ms, safe_ms))

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

    def _take_slice(self, fetched: Mapping[TopicPartition, list[Block]], load: _Load) -> None:
        """All that came in one slice of time, in the order of the log."""
        part = Slice()
        for tp, blocks in fetched.items():
            self._decode(tp, blocks, part, load)
        part.links = self._links.taken()
        load.packer.add(part.rows(), part.ordered_controls())
        load.events.update(map(_kind, part.events))
        load.named.update(part.named())

    def _decode(self, tp: TopicPartition, blocks: list[Block], part: Slice, load: _Load) -> None:
        """Rows and dead letters of one partition; stops where the breaker does."""
        if any(pause.topic == tp.topic for pause in load.pauses):
            load.back.setdefault(tp, []).extend(blocks)
            return
        decode, id_key, append, links = log_row, self._id_key, part.events.append, self._links
        internal = tp.topic == self._topics.internal
        count = good_from = 0
        for number, (at_ms, end, _, records) in enumerate(blocks, 1):
            for record in records:
                count += 1
                try:
                    if internal:
                        part.take_message(record, at_ms, tp.partition, self._topics.partitions)
                    else:
                        append(decode(record.value, at_ms, id_key, links))
                except Refused as refused:
                    load.dead.append((tp, self._dead_letter(tp, record, at_ms, refused), refused.reason))
                    self._breaker.good(tp.topic, count - 1 - good_from)
                    good_from = count
                    pause = self._breaker.dead(tp.topic, refused.reason)
                    if pause is not None:
                        load.pauses.append(pause)
                        rest = list(records)
                        load.back[tp] = [Block(at_ms, end, len(rest), iter(rest))] if rest else []
                        load.back[tp] += blocks[number:]
                        load.positions[tp] = record.offset + 1
                        load.records += count
                        return
        self._breaker.good(tp.topic, count - good_from)
        load.positions[tp] = blocks[-1].end
        load.records += count

    def _dead_letter(self, tp: TopicPartition, record: RawRecord, at_ms: int, refused: Refused) -> Entry:
        key, value, own, cut = shortened(record.key, record.value, record.headers)
        headers = dead_letter_headers(
            tp.topic,
            tp.partition,
            record.offset,
            at_ms,
            refused.reason,
            refused.message,
            own,
            self._worker,
        )
        return key, value, headers + cut

    def _outputs(self, load: _Load) -> dict[TopicPartition, list[Entry]]:
        packs = load.packer.finish()
        outputs = {tp: entries for tp, entries in zip(self._events_at, packs, strict=True) if entries}
        for tp, entry, _ in load.dead:
            place = TopicPartition(self._topics.dead_letters, tp.partition % self._topics.partitions)
            outputs.setdefault(place, []).append(entry)
        return outputs
