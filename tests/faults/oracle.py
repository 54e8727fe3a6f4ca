"""The oracle: recounts what lies on the broker and names everything that is not as promised.

What ingest promises is recounted from the raw topics, what score promises from the log: by the fold in one go, and by
the naive reference, which shares no code with it. Whatever was killed in between, and whenever, must not show.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.dead_letters import DeadLetterHeaders, HeaderError
from schemas.errors import Refused
from schemas.log import EVENT_ROWS, Alarm, EventRow, LogRow, ModelControl
from schemas.naming import partition_of
from schemas.outputs_wire import TierChangeOut, encode_tier_change
from schemas.times import parse_iso
from schemas.wire import decode_event
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.row import encode_row, row_members
from streams.engine.checkpoint import CHECKPOINT_KEY, decode_checkpoint
from tests.faults.ledger import Ledger
from tests.pipeline import ID_KEY, Kept
from tests.reference.evaluator import evaluate
from tests.reference.plain_yaml import plain_model

__all__ = ["violations"]

_KINDS = {row_type: kind for kind, row_type in EVENT_ROWS.items()}
_CONTENT = ("lead_id", "tier", "seq", "fit", "engagement", "risk", "total")

Plain = dict[str, Any]
Place = tuple[str, int, int]
"""Topic, partition and offset; in the log: partition, number of the record, index of the row."""


def violations(ledger: Ledger, *, prefix: str, partitions: int, doubles: bool = True) -> list[str]:
    """Everything that is not as promised; empty where all is well.

    Args:
        ledger: What lies on the broker, once everything is worked off.
        prefix: Of the topics.
        partitions: Of the log.
        doubles: Whether ingest may have carried a record twice (it was killed); the same event counts once.
    """
    found = [*_conservation(ledger, prefix, partitions, doubles=doubles), *_safe(ledger)]
    for partition in range(partitions):
        found += _score(ledger, partition)
    return [*found, *_bodies(ledger.changes)]


# --- ingest -----------------------------------------------------------------------------------------------------------


def _conservation(ledger: Ledger, prefix: str, partitions: int, *, doubles: bool) -> Iterator[str]:
    """Every raw record is a row of the log or a dead letter, in the order of its partition."""
    good: list[tuple[Place, EventRow]] = []
    bad: set[tuple[str, int, int, str]] = set()
    for topic, records in ledger.raw.items():
        for record in records:
            place = (prefix + topic, record.partition, record.offset)
            try:
                good.append((place, decode_event(record.value, record.timestamp_ms, ID_KEY.encode())))
            except Refused as refused:
                bad.add((*place, refused.reason))
    yield from _letters(ledger, prefix, bad, doubles=doubles)
    carried: dict[bytes, list[Place]] = defaultdict(list)
    for number, packed in enumerate(ledger.log):
        for index, row in enumerate(packed.rows):
            if isinstance(row, EventRow):
                carried[_bytes(row)].append((str(packed.partition), number, index))
    sent = Counter(_bytes(row) for _, row in good)
    for name, places in carried.items():
        if not sent[name]:
            yield f"conservation: the event in the log at {places[0]} was never sent"
        elif len(places) > sent[name] and not doubles:
            yield f"conservation: the event at {places[0]} is in the log {len(places)} times, sent {sent[name]} times"
    yield from _carried(good, carried, partitions)


def _letters(ledger: Ledger, prefix: str, bad: set[tuple[str, int, int, str]], *, doubles: bool) -> Iterator[str]:
    letters = Counter(_place_of(letter) for letter in ledger.letters)
    for place in bad - letters.keys():
        yield f"conservation: {place} is no dead letter"
    for place, count in letters.items():
        if place not in bad and place[0].removeprefix(prefix) in ledger.raw:
            yield f"conservation: dead letter {place} of a good record"
        elif count > 1 and not doubles:
            yield f"conservation: {place} is a dead letter {count} times"


def _carried(good: list[tuple[Place, EventRow]], carried: dict[bytes, list[Place]], partitions: int) -> Iterator[str]:
    """What was sent is in the log, in its partition, and what was sent to one partition comes in its order."""
    latest: dict[tuple[str, int, str], Place] = {}
    seen: set[bytes] = set()
    for place, row in good:
        name = _bytes(row)
        if name not in carried:
            yield f"conservation: {place}, event {row.event_id}, is not in the log"
            continue
        found = carried[name][0]
        if found[0] != str(partition_of(row.lead_id, partitions)):
            yield f"conservation: event {row.event_id} is in partition {found[0]} of the log"
        way = (*place[:2], found[0])
        if name not in seen and found < latest.get(way, found):
            yield f"order: event {row.event_id} of {place} came before an older record of its partition"
        seen.add(name)
        latest[way] = max(found, latest.get(way, found))


def _bytes(row: EventRow) -> bytes:
    return msgspec.msgpack.encode(row)


def _place_of(letter: Kept) -> tuple[str, int, int, str]:
    try:
        why = DeadLetterHeaders.read(letter.headers)
    except HeaderError:
        return ("?", letter.partition, letter.offset, "no headers")
    return (why.topic, why.partition, why.offset, why.reason)


def _safe(ledger: Ledger) -> Iterator[str]:
    """No event is carried for the first time behind a `safe` that is later than it."""
    told: dict[int, int] = {}
    seen: set[bytes] = set()
    for record in ledger.log:
        before = told.get(record.partition, 0)
        for row in record.rows:
            if isinstance(row, EventRow) and (name := _bytes(row)) not in seen:
                seen.add(name)
                if row.received_at_ms < before:
                    yield f"safe: event {row.event_id} came {before - row.received_at_ms} ms behind a safe"
        told[record.partition] = max(before, record.safe_ms)


# --- score ------------------------------------------------------------------------------------------------------------


def _score(ledger: Ledger, partition: int) -> Iterator[str]:
    """What score made of one partition of the log."""
    log = [record for record in ledger.log if record.partition == partition]
    first = next((row for record in log for row in record.rows if isinstance(row, ModelControl)), None)
    if first is None:
        if any(isinstance(row, EventRow) for record in log for row in record.rows):
            yield f"model: partition {partition} has events and no model"
        return
    fold = PartitionFold(max_step_bytes=1 << 40, max_step_deadlines=1 << 40)
    fold.start_with(first.body, first.model)
    step = fold.fold([(record.offset, record.value) for record in log], (log[0].offset, 0))
    expected = {change.id: encode_tier_change(change) for change in step.changes}
    leads = set(fold.lead_ids())
    yield from _tier_changes(ledger, leads, expected)
    yield from _lead_scores(ledger, fold)
    yield from _rows(ledger, partition, fold, log[-1].offset + 1)
    yield from _reference(log, first, step.changes, fold)


def _tier_changes(ledger: Ledger, leads: set[str], expected: dict[str, bytes]) -> Iterator[str]:
    published: dict[str, bytes] = {}
    seqs: dict[str, int] = defaultdict(int)
    for record in ledger.changes:
        assert record.value is not None
        change = msgspec.json.decode(record.value, type=TierChangeOut)
        if change.lead_id not in leads:
            continue
        if change.id not in published:
            if change.seq != seqs[change.lead_id] + 1:
                yield f"seq: {change.id} follows number {seqs[change.lead_id]}"
            seqs[change.lead_id] = change.seq
        published.setdefault(change.id, record.value)
    for name in expected.keys() - published.keys():
        yield f"tier change {name} is missing"
    for name in published.keys() - expected.keys():
        yield f"tier change {name} should not be"
    for name in expected.keys() & published.keys():
        if expected[name] != published[name]:
            yield f"tier change {name} is {published[name].decode()}, expected {expected[name].decode()}"


def _lead_scores(ledger: Ledger, fold: PartitionFold) -> Iterator[str]:
    latest: dict[str, Plain] = {}
    for record in ledger.scores:
        if record.value is not None:
            score = msgspec.json.decode(record.value)
            latest[score["lead_id"]] = score
    for lead_id in fold.lead_ids():
        row = fold.row(lead_id)
        assert row is not None
        assert fold.kernel is not None
        expected = _content(msgspec.to_builtins(score_of(fold.kernel, row, 0)))
        found = latest.get(lead_id)
        if found is None:
            if expected["reasons"]:
                yield f"score of {lead_id} is missing"
        elif _content(found) != expected:
            yield f"score of {lead_id} is {_content(found)}, expected {expected}"


def _content(score: Plain) -> Plain:
    kept = {name: score[name] for name in _CONTENT}
    return kept | {"reasons": [(reason["rule"], reason["points"]) for reason in score["reasons"]]}


def _rows(ledger: Ledger, partition: int, fold: PartitionFold, end: int) -> Iterator[str]:
    """The changelog's latest rows, and its checkpoint."""
    latest = {record.key: record.value for record in ledger.changelog if record.partition == partition}
    checkpoint = latest.get(CHECKPOINT_KEY)
    if checkpoint is None or decode_checkpoint(checkpoint).offset != end:
        yield f"checkpoint of partition {partition} is not at the end of the log, {end}"
    for lead_id in fold.lead_ids():
        value, row = latest.get(lead_id.encode()), fold.row(lead_id)
        assert row is not None
        assert fold.kernel is not None
        if value is None:
            yield f"row of {lead_id} is missing"
            continue
        # When to look again is a bound that depends on when a row was looked at; nothing else does.
        found, expected = row_members(value), row_members(encode_row(fold.kernel.model, row))
        if found | {"due": None} != expected | {"due": None}:
            yield f"row of {lead_id} is {found}, expected {expected}"


def _reference(log: list[Any], first: ModelControl, changes: list[TierChangeOut], fold: PartitionFold) -> Iterator[str]:
    """The naive reference reads the same log."""
    rows = [_plain_row(row) | {"safe": record.safe_ms} for record in log for row in record.rows]
    outcome = evaluate(rows, plain_model(first.body))
    mine = [(change.id, change.to_tier, parse_iso(change.effective_at), change.total) for change in changes]
    told = [
        (f"{change['lead_id']}:{change['seq']}", change["to_tier"], change["effective_at"], change["total"])
        for change in outcome.changes
    ]
    for one, other in itertools.zip_longest(mine, told):
        if one != other:
            yield f"reference: the fold says {one}, the reference says {other}"
            break
    for lead_id, score in outcome.scores.items():
        row = fold.row(lead_id)
        if row is None or (row.tier_name, row.scores[3]) != (score["tier"], score["total"]):
            yield f"reference: {lead_id} is {score['tier']} with {score['total']}"


def _plain_row(row: LogRow) -> Plain:
    if isinstance(row, EventRow):
        members = msgspec.structs.asdict(row)
        times = {"received_at": members.pop("received_at_ms"), "occurred_at": members.pop("occurred_at_ms")}
        given = {name: value for name, value in members.items() if value is not None and name != "source"}
        return given | times | {"kind": _KINDS[type(row)]} | ({"source": row.source} if row.source else {})
    if isinstance(row, ModelControl):
        return {"model": plain_model(row.body), "received_at": row.received_at_ms}
    assert isinstance(row, Alarm)
    return {"alarm": True, "received_at": row.received_at_ms}


def _bodies(changes: list[Kept]) -> Iterator[str]:
    """An id has one body."""
    bodies: dict[str, bytes] = {}
    for record in changes:
        assert record.value is not None
        name = msgspec.json.decode(record.value)["id"]
        if bodies.setdefault(name, record.value) != record.value:
            yield f"id {name} has two bodies"
