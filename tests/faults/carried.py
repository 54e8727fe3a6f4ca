"""What ingest promises, recounted from the raw topics: all is in the log or a dead letter, in order, in time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from schemas.dead_letters import DeadLetterHeaders, HeaderError, original_headers, shortened
from schemas.errors import Refused
from schemas.internal import (
    AlarmRequest,
    AssignRequest,
    BackfillRequest,
    ForwardRequest,
    MergeRequest,
    PolicyRequest,
    ReleaseRequest,
    by_hand_row,
    decode_internal,
    forwarded_rows,
    merge_row,
)
from schemas.links import Links
from schemas.log import Alarm, Backfill, EventRow, Link, LogRow, Merge, ModelControl, NextPolicy
from schemas.naming import partition_of
from schemas.topics import LEAD_INTERNAL
from schemas.wire import decode_event
from streams.internal_checks import check_merge, check_model, check_policy
from tests.faults.ledger import Ledger
from tests.pipeline import ID_KEY, Kept

__all__ = ["Plan", "not_as_carried"]

AnyRow = LogRow | EventRow
Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


class Wanted(NamedTuple):
    """A row that a raw record asks for.

    Attributes:
        late: It may come behind a `safe` that is later than itself.
    """

    place: Place
    partition: int
    row: AnyRow
    name: bytes
    late: bool


@dataclass(slots=True)
class Plan:
    """What must become of the raw records.

    Attributes:
        links: Who belongs to whom since when, by partition: each may be said, and said again.
        letters: By place, reason and the record itself.
    """

    partitions: int
    rows: list[Wanted] = field(default_factory=list)
    links: set[tuple[int, str, str, int]] = field(default_factory=set)
    letters: dict[Place, tuple[str, Kept]] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, prefix: str, partitions: int) -> Plan:
        """Reads every raw record once more."""
        plan = cls(partitions)
        for topic, records in ledger.raw.items():
            for record in records:
                plan._take((prefix + topic, record.partition, record.offset), record, plan._event)
        for record in ledger.internal:
            plan._take((prefix + LEAD_INTERNAL, record.partition, record.offset), record, plan._message)
        return plan

    def _take(self, place: Place, record: Kept, asks: Callable[[Place, Kept], None]) -> None:
        try:
            asks(place, record)
        except Refused as refused:
            self.letters[place] = (refused.reason, record)

    def _event(self, place: Place, record: Kept) -> None:
        links = Links(ID_KEY.encode())
        row = decode_event(record.value, record.timestamp_ms, ID_KEY.encode(), links)
        self._want(place, partition_of(row.lead_id, self.partitions), row)
        for link in links.taken():
            self.links.add((partition_of(link.lead_id, self.partitions), link.lead_id, link.owner, link.hour_ms))

    def _message(self, place: Place, record: Kept) -> None:
        message, at_ms = decode_internal(record.value), record.timestamp_ms
        if isinstance(message, AlarmRequest):
            if message.partition >= self.partitions:
                raise Refused("number_out_of_range", "partition")
            self._want(place, message.partition, Alarm(at_ms))
        elif isinstance(message, MergeRequest):
            merge = check_merge(merge_row(message, at_ms))
            self._want(place, partition_of(merge.lead_id, self.partitions), merge)
        elif isinstance(message, ForwardRequest):
            for row in forwarded_rows(message):
                self._want(place, partition_of(row.lead_id, self.partitions), row, late=True)
        elif isinstance(message, AssignRequest | ReleaseRequest):
            self._want(place, partition_of(message.lead_id, self.partitions), by_hand_row(message, at_ms))
        elif isinstance(message, BackfillRequest):
            self._want(place, partition_of(message.lead_id, self.partitions), Backfill(message.lead_id, at_ms))
        else:
            if record.partition:
                raise Refused("unknown_value", "models and policies come from partition 0")
            if isinstance(message, PolicyRequest):
                check_policy(message)
                policy = NextPolicy(at_ms, message.name, message.version, message.sha256, message.body)
                self._want(place, 0, policy)
                return
            check_model(message)
            for partition in range(self.partitions):
                control = ModelControl(at_ms, message.name, message.version, message.sha256, message.body)
                self._want(place, partition, control)

    def _want(self, place: Place, partition: int, row: AnyRow, *, late: bool = False) -> None:
        self.rows.append(Wanted(place, partition, row, _bytes(row), late))


def not_as_carried(ledger: Ledger, plan: Plan, *, doubles: bool) -> Iterator[str]:
    """Everything that ingest did not do as it promised.

    Args:
        ledger: What lies on the broker.
        plan: What should have become of it.
        doubles: Whether records may have been carried more than once (an ingest worker was killed).
    """
    yield from _letters(ledger, plan, doubles=doubles)
    yield from _links(ledger, plan)
    places: dict[tuple[int, bytes], list[tuple[int, int]]] = defaultdict(list)
    for number, record in enumerate(ledger.log):
        for index, row in enumerate(record.rows):
            if not isinstance(row, Link):
                places[record.partition, _bytes(row)].append((number, index))
    wanted = Counter((one.partition, one.name) for one in plan.rows)
    for where, found in places.items():
        if where not in wanted:
            yield f"conservation: nobody sent {_told(ledger, found[0])} to partition {where[0]} of the log"
        elif len(found) > wanted[where] and not doubles:
            yield f"conservation: {_told(ledger, found[0])} is in the log {len(found)} times, not {wanted[where]} times"
    for one in plan.rows:
        if len(places.get((one.partition, one.name), ())) < wanted[one.partition, one.name]:
            yield f"conservation: {one.row} of {one.place} is not in partition {one.partition} of the log"
    yield from _order(plan, places)
    yield from _safe(ledger, {(one.partition, one.name) for one in plan.rows if not one.late})


def _order(plan: Plan, places: dict[tuple[int, bytes], list[tuple[int, int]]]) -> Iterator[str]:
    """What came to one partition of a raw topic is in the log in its order, counted by first occurrences.

    Rows of one millisecond stand by what they are: who is who, what was done, what moves time. The same row out of two
    partitions cannot be told apart in the log.
    """
    ways: dict[tuple[int, bytes], set[tuple[str, int]]] = defaultdict(set)
    for one in plan.rows:
        ways[one.partition, one.name].add(one.place[:2])
    latest: dict[tuple[str, int, int], tuple[int, tuple[int, int]]] = {}
    before: dict[tuple[str, int, int], tuple[int, int]] = {}
    of_kind: dict[tuple[str, int, int, type], tuple[int, int]] = {}
    seen: set[tuple[int, bytes]] = set()
    for one in plan.rows:
        where, way = (one.partition, one.name), (*one.place[:2], one.partition)
        # Alarms of one millisecond are one and the same.
        if where in seen or where not in places or one.late or len(ways[where]) > 1:
            continue
        seen.add(where)
        found, at_ms, kind = places[where][0], one.row.received_at_ms, (*way, type(one.row))
        last_ms, last = latest.get(way, (at_ms, found))
        if at_ms > last_ms:
            before[way] = last
        if found < max(before.get(way, found), of_kind.get(kind, found)):
            yield f"order: {one.row} of {one.place} came before an older record of its partition"
        latest[way] = at_ms, max(found, last)
        of_kind[kind] = found


def _safe(ledger: Ledger, timely: set[tuple[int, bytes]]) -> Iterator[str]:
    """No row is carried for the first time behind a `safe` that is later than it."""
    told: dict[int, int] = {}
    seen: set[tuple[int, bytes]] = set()
    for record in ledger.log:
        before = told.get(record.partition, 0)
        for row in record.rows:
            where = (record.partition, _bytes(row))
            if where in timely and where not in seen:
                seen.add(where)
                if row.received_at_ms < before:
                    yield f"safe: {row} came {before - row.received_at_ms} ms behind a safe"
        told[record.partition] = max(before, record.safe_ms)


def _links(ledger: Ledger, plan: Plan) -> Iterator[str]:
    """Who is who: nothing that no event said, and everything that an event said, if only once."""
    said = {
        (record.partition, row.lead_id, row.owner, row.hour_ms)
        for record in ledger.log
        for row in record.rows
        if isinstance(row, Link)
    }
    for link in said - plan.links:
        yield f"link: nobody said {link}"
    for partition, alias, owner, _ in plan.links:
        if not any(one[:3] == (partition, alias, owner) for one in said):
            yield f"link: that {alias} is {owner} is not in partition {partition} of the log"


def _letters(ledger: Ledger, plan: Plan, *, doubles: bool) -> Iterator[str]:
    """What cannot be used is a dead letter, as it was; nothing else is."""
    found: Counter[Place] = Counter()
    for letter in ledger.letters:
        try:
            why = DeadLetterHeaders.read(letter.headers)
        except HeaderError as error:
            yield f"conservation: {letter} is no dead letter: {error}"
            continue
        place = (why.topic, why.partition, why.offset)
        found[place] += 1
        if place not in plan.letters:
            yield f"conservation: dead letter of {place}, a record that can be used"
            continue
        reason, record = plan.letters[place]
        *kept, cut = shortened(record.key, record.value, record.headers)
        if [letter.key, letter.value, original_headers(letter.headers)] != kept or why.whole_bytes != (
            int(cut[0][1]) if cut else None
        ):
            yield f"conservation: the dead letter of {place} is not the record that it was"
        if (why.reason, why.timestamp_ms) != (reason, record.timestamp_ms):
            yield f"conservation: the dead letter of {place} says {why.reason}, not {reason}"
    for place in plan.letters.keys() - found.keys():
        yield f"conservation: {place} is no dead letter"
    if not doubles:
        yield from (f"conservation: {place} is a dead letter {n} times" for place, n in found.items() if n > 1)


def _bytes(row: AnyRow) -> bytes:
    """What makes rows the same; a merge is told by its bytes too."""
    return msgspec.msgpack.encode(row)


def _told(ledger: Ledger, place: tuple[int, int]) -> str:
    row = ledger.log[place[0]].rows[place[1]]
    return f"a merge of {row.merged_from}" if isinstance(row, Merge) else str(row)
