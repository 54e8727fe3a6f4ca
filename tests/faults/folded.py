"""What score promises, recounted from the log: by the fold in one go, and by the naive reference.

The reference shares no code with the fold. Whatever was killed in between, and whenever, must not show.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.log import EVENT_ROWS, Alarm, Backfill, ByHand, EventRow, Link, LogRow, Merge, ModelControl, NextPolicy
from schemas.naming import partition_of
from schemas.outputs_wire import TierChangeOut, encode_tier_change
from scoring.outcomes import merged_of, score_of
from scoring.partition import FoldStep, PartitionFold
from scoring.row_codec import encode_row, row_members
from streams.engine.checkpoint import CHECKPOINT_KEY, Checkpoint, decode_checkpoint
from tests.faults.ledger import Ledger
from tests.pipeline import Kept, LogRecord
from tests.property.comparing import plain_change
from tests.reference.evaluator import evaluate
from tests.reference.plain_yaml import plain_model

__all__ = ["not_as_folded"]

_KINDS = {row_type: kind for kind, row_type in EVENT_ROWS.items()}
_CONTENT = ("lead_id", "tier", "tier_since", "seq", "fit", "engagement", "risk", "total", "names", "shared")
_MOST_NAIVE_ROWS = 10_000
"""The reference looks at every lead at every row: a longer log takes it minutes."""

Plain = dict[str, Any]


def not_as_folded(ledger: Ledger, partitions: int) -> Iterator[str]:
    """Everything that score did not do as it promised."""
    for partition in range(partitions):
        yield from _partition(ledger, partition)
    yield from _bodies(ledger.changes)
    for record in ledger.changes:
        lead = msgspec.json.decode(record.value or b"")["lead_id"]
        if partition_of(lead, partitions) != record.partition:
            yield f"tier change of {lead} is in partition {record.partition}"


def _partition(ledger: Ledger, partition: int) -> Iterator[str]:
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
    yield from _tier_changes([one for one in ledger.changes if one.partition == partition], step)
    yield from _lead_scores([one for one in ledger.scores if one.partition == partition], fold)
    changelog = [one for one in ledger.changelog if one.partition == partition]
    yield from _rows(changelog, partition, fold)
    yield from _checkpoints(changelog, partition, log[-1].offset + 1)
    yield from _sent(ledger, step)
    yield from _reference(log, first, step, fold)


def _tier_changes(records: list[Kept], step: FoldStep) -> Iterator[str]:
    expected = {change.id: encode_tier_change(change) for change in step.changes}
    published: dict[str, bytes] = {}
    seqs: dict[str, int] = defaultdict(int)
    for record in records:
        assert record.value is not None
        change = msgspec.json.decode(record.value, type=TierChangeOut)
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


def _lead_scores(records: list[Kept], fold: PartitionFold) -> Iterator[str]:
    latest: dict[str, Plain] = {}
    for record in records:
        if record.value is not None:
            score = msgspec.json.decode(record.value)
            latest[score["lead_id"]] = score
    leads = fold.lead_ids()
    for lead_id in latest.keys() - set(leads):
        yield f"score of {lead_id}, of whom the log knows nothing"
    assert fold.kernel is not None
    for lead_id in leads:
        row = fold.row(lead_id)
        assert row is not None
        expected = _content(msgspec.to_builtins(merged_of(row) or score_of(fold.kernel, row, 0)))
        found = latest.get(lead_id)
        if found is None:
            if expected.get("reasons", True) or expected["seq"]:
                yield f"score of {lead_id} is missing"
        elif _content(found) != expected:
            yield f"score of {lead_id} is {_content(found)}, expected {expected}"


def _content(score: Plain) -> Plain:
    """What a score says, apart from times that move without a record."""
    if "merged_into" in score:
        return score
    kept = {name: score.get(name) or None for name in _CONTENT}
    return kept | {"reasons": [(reason["rule"], reason["points"]) for reason in score["reasons"]]}


def _rows(changelog: list[Kept], partition: int, fold: PartitionFold) -> Iterator[str]:
    """The latest row of each lead."""
    latest = {record.key: record.value for record in changelog if record.key and not record.key.startswith(b"\0")}
    assert fold.kernel is not None
    for lead_id in fold.lead_ids():
        value, row = latest.pop(lead_id.encode(), None), fold.row(lead_id)
        assert row is not None
        if value is None:
            yield f"row of {lead_id} is missing"
            continue
        # When to look again is a bound that depends on when a row was looked at; nothing else does.
        found, expected = row_members(value), row_members(encode_row(fold.kernel.model, row))
        if found | {"due": None} != expected | {"due": None}:
            yield f"row of {lead_id} is {found}, expected {expected}"
    for key in latest:
        yield f"row of {key!r} in partition {partition}, of whom the log knows nothing"


def _checkpoints(changelog: list[Kept], partition: int, end: int) -> Iterator[str]:
    """They go forward only, to the end of the log: what an older worker wrote lies before what its heir wrote."""
    latest: Checkpoint | None = None
    for record in changelog:
        if record.key == CHECKPOINT_KEY:
            found = decode_checkpoint(record.value)
            if latest is not None and (found.offset, found.index) < (latest.offset, latest.index):
                yield f"checkpoint of partition {partition} goes back from {latest.offset} to {found.offset}"
            latest = found
    if latest is None or latest.offset != end:
        yield f"checkpoint of partition {partition} is not at the end of the log, {end}"


def _sent(ledger: Ledger, step: FoldStep) -> Iterator[str]:
    """What aliases had learnt went to their owners. (What came for them later is looked for in the log.)"""
    if not step.sent:
        return
    # A row says of itself when to look at it again, and that depends on steps: a merge is known by its number.
    messages = [msgspec.json.decode(record.value) for record in ledger.internal if record.value]
    told = {(one["merged_from"], one["lead_id"], one["number"]) for one in messages if one.get("type") == "merge"}
    encode = msgspec.msgpack.encode
    carried = {encode(row) for record in ledger.log for row in record.rows}
    for one in step.sent:
        if isinstance(one, Merge):
            if (one.merged_from, one.lead_id, one.number) not in told:
                yield f"merge of {one.merged_from} for {one.lead_id} was not sent"
        elif encode(one) not in carried:
            yield f"{one} was not sent on to {one.lead_id}"


def _reference(log: list[LogRecord], first: ModelControl, step: FoldStep, fold: PartitionFold) -> Iterator[str]:
    """The naive reference reads the same log. It knows neither merges nor commands: then the fold must do."""
    rows = [row for record in log for row in record.rows]
    if len(rows) > _MOST_NAIVE_ROWS or any(isinstance(row, Link | Merge | ByHand | Backfill) for row in rows):
        return
    plain = [_plain_row(row) | {"safe": record.safe_ms} for record in log for row in record.rows]
    outcome = evaluate(plain, plain_model(first.body))
    for one, other in itertools.zip_longest((plain_change(change) for change in step.changes), outcome.changes):
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
        given = {name: value for name, value in members.items() if value is not None}
        return given | times | {"kind": _KINDS[type(row)]}
    if isinstance(row, ModelControl):
        return {"model": plain_model(row.body), "received_at": row.received_at_ms}
    assert isinstance(row, Alarm | NextPolicy)
    return {"alarm": True, "received_at": row.received_at_ms}


def _bodies(changes: list[Kept]) -> Iterator[str]:
    """An id has one body."""
    bodies: dict[str, bytes] = {}
    for record in changes:
        assert record.value is not None
        name = msgspec.json.decode(record.value)["id"]
        if bodies.setdefault(name, record.value) != record.value:
            yield f"id {name} has two bodies"
