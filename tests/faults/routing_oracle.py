"""The oracle of route: recounts what lies on the broker and names everything that is not as promised.

What score copies is recounted from the log, what route says from `lead-routing`: by the fold in one go, and by the
naive reference, which shares no code with it. Whatever was killed in between, and whenever, must not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from schemas.naming import partition_of
from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    LogTime,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
    decode_routing,
)
from schemas.routing_wire import SlaEventOut, encode_assignment, encode_sla_event
from schemas.times import iso
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, ROUTES_CHANGELOG, SLA_EVENTS
from scoring.partition import PartitionFold
from scoring.routing.fold import RoutingFold
from tests.pipeline import Kept, LogRecord, Pipeline
from tests.reference.plain_yaml import plain_model
from tests.reference.routing.router import Reference

__all__ = ["copy_violations", "route_violations", "routing_violations"]

Bodies = list[bytes]


def routing_violations(run: Pipeline, model: str, partitions: int) -> list[str]:
    """Everything that is not as promised of score's copies and of route; empty where all is well.

    Args:
        run: Once everything is worked off.
        model: The first one of the log.
        partitions: Of the log.
    """
    topic = run.read(LEAD_ROUTING)
    rows = [row for record in topic for row in decode_routing(record.value)]
    return [
        *copy_violations(rows, run.log_records(), model, partitions),
        *route_violations(topic, run.read(SLA_EVENTS), run.read(LEAD_ASSIGNMENTS), run.read(ROUTES_CHANGELOG)),
    ]


# --- score ------------------------------------------------------------------------------------------------------------


def copy_violations(rows: list[RoutingRow], log: list[LogRecord], model: str, partitions: int) -> Iterator[str]:
    """Each lead's rows are in the topic in its order; a step that came again repeats what was there."""
    for partition in range(partitions):
        fold = PartitionFold()
        fold.start_with(model)
        own = [(record.offset, record.value) for record in log if record.partition == partition]
        expected, position = list[RoutingRow](), (0, 0)
        while own and position[0] <= own[-1][0]:
            step = fold.fold([one for one in own if one[0] >= position[0]], position)
            position = step.position
            expected += step.routing
        for name, told in _by_lead(expected).items():
            found = _by_lead(row for row in rows if _name(row) == name).get(name, [])
            if found != told:
                yield f"lead-routing: {name} is told {_shown(found)}, the log says {_shown(told)}"
        unknown = {_name(row) for row in rows} - {_name(row) for row in expected} - {""}
        for name in unknown:
            if partition_of(name, partitions) == partition:
                yield f"lead-routing: nothing in the log is about {name}"
        times = [row.log_time_ms for row in rows if isinstance(row, LogTime) and row.partition == partition]
        if any(time > fold.log_time_ms for time in times):
            yield f"lead-routing: partition {partition} is told later than the log is"


def _name(row: RoutingRow) -> str:
    return "" if isinstance(row, LogTime | PolicyControl) else row.lead_id


def _by_lead(rows: Iterable[RoutingRow]) -> dict[str, list[bytes]]:
    """By lead: its rows, each at the place where it first came."""
    found: dict[str, dict[bytes, None]] = {}
    for row in rows:
        if name := _name(row):
            found.setdefault(name, {})[msgspec.msgpack.encode(row)] = None
    return {name: list(own) for name, own in found.items()}


def _shown(rows: list[bytes]) -> str:
    return str([msgspec.msgpack.decode(row) for row in rows])


# --- route ------------------------------------------------------------------------------------------------------------


def told_by_route(topic: list[Kept]) -> tuple[Bodies, Bodies, dict[bytes, bytes]]:
    """SLA events, assignments and the rows of the table, as the fold makes them of the topic in one go."""
    rows = [row for record in topic for row in decode_routing(record.value)]
    first = next(row for row in rows if isinstance(row, PolicyControl))
    fold = RoutingFold(max_step_leads=1_000_000)
    fold.opened()
    fold.start_with(first.body, first.policy)
    step = fold.fold([(record.offset, record.value or b"") for record in topic])
    events = [encode_sla_event(one) for one in step.told if isinstance(one, SlaEventOut)]
    assignments = [encode_assignment(one) for one in step.told if not isinstance(one, SlaEventOut)]
    return events, assignments, {key: value for key, value in step.rows if value is not None}


def reference_tells(rows: list[RoutingRow]) -> list[dict[str, Any]]:
    """What the naive reference makes of the rows."""
    first = next(row for row in rows if isinstance(row, PolicyControl))
    reference = Reference(plain_model(first.body))
    for row in rows:
        reference.play(_record(row))
    return [_in_text(one) for one in reference.out]


def _record(row: RoutingRow) -> dict[str, Any]:
    if isinstance(row, RoutedTier):
        what = {"seq": row.seq, "tier": row.tier, "at": row.effective_at_ms, "profile": row.profile}
        return {"type": "tier", "lead_id": row.lead_id} | what
    if isinstance(row, LogTime):
        return {"type": "time", "partition": row.partition, "partitions": row.partitions, "at": row.log_time_ms}
    if isinstance(row, PolicyControl):
        return {"type": "policy_change", "received_at": row.received_at_ms, "policy": plain_model(row.body)}
    kinds = {RoutedRequest: "request", RoutedActivity: "activity", HandCommand: "hand", LeadMerged: "merged"}
    members = {name.removesuffix("_ms"): getattr(row, name) for name in row.__struct_fields__}
    return {"type": kinds[type(row)]} | members


def _in_text(told: dict[str, Any]) -> dict[str, Any]:
    times = ("since", "effective_at", "due_at", "started_at")
    made = {name: iso(value) if name in times else value for name, value in told.items()}
    return made | ({"sla": _in_text(told["sla"])} if told.get("sla") else {})


def route_violations(
    topic: list[Kept], events: list[Kept], assignments: list[Kept], changelog: list[Kept]
) -> Iterator[str]:
    """What route says is what the fold and the reference make of the topic; the table is that of the fold."""
    rows = [row for record in topic for row in decode_routing(record.value)]
    told_events, told_assignments, table = told_by_route(topic)
    reference = reference_tells(rows)
    for what, ours, theirs in (
        ("sla-events", told_events, [one for one in reference if "id" in one]),
        ("lead-assignments", told_assignments, [one for one in reference if "id" not in one]),
    ):
        if [msgspec.json.decode(body) for body in ours] != theirs:
            yield f"{what}: the fold and the reference do not tell the same"
    yield from _bodies("sla-events", events, told_events)
    yield from _bodies("lead-assignments", assignments, told_assignments)
    for record in events:
        if dict(record.headers).get("ce_id") != msgspec.json.decode(record.value or b"{}")["id"].encode():
            yield f"sla-events: offset {record.offset} has another ce_id than id"
    kept = {record.key: record.value for record in changelog if record.value is not None}
    for key, value in table.items():
        if kept.get(key) != value:
            yield f"the changelog has another row of {key!r} than the fold"


def _id_of(body: bytes) -> str:
    members = msgspec.json.decode(body)
    return str(members["id"]) if "id" in members else f"{members['lead_id']}:{members['seq']}"


def _bodies(what: str, records: list[Kept], told: Bodies) -> Iterator[str]:
    """Each id has one body, and they first came in the order in which the fold tells them."""
    first: dict[str, Kept] = {}
    for record in records:
        if record.value is None:
            continue  # a claim of the partition
        name = _id_of(record.value)
        if first.setdefault(name, record).value != record.value:
            yield f"{what}: {name} has two bodies"
    for number, (record, body) in enumerate(zip_longest(first.values(), told)):
        if record is None or record.value != body:
            yield f"{what}: not what the fold tells; number {number} is {record}, should be {body!r}"
            return
