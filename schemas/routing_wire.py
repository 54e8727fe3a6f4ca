"""Assignments and SLA events as route makes them: the fields of the contracts in `schemas.routing`, in their order.

Nothing is checked here: types are checked by mypy, and tests hold every struct against its contract.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "AssignmentOut",
    "AssignmentReasonOut",
    "PolicyRef",
    "SlaEventOut",
    "SlaOut",
    "encode_assignment",
    "encode_sla_event",
    "sla_event_headers",
]

CE_SOURCE = b"leadstream/route"
CE_SLA_EVENT = b"leadstream.sla_event.v1"


class PolicyRef(msgspec.Struct, frozen=True):
    """Which policy was active."""

    name: str
    version: int


class AssignmentReasonOut(msgspec.Struct):
    """See `schemas.routing.AssignmentReason`."""

    route: int | None
    pick: str
    passed: dict[str, str]
    by: str | None


class SlaOut(msgspec.Struct):
    """See `schemas.routing.SlaClock`."""

    number: int
    started_at: str
    due_at: str
    state: str


class AssignmentOut(msgspec.Struct):
    """See `schemas.routing.Assignment`."""

    lead_id: str
    seq: int
    owner: str | None
    team: str | None
    tier: str | None
    since: str
    reason: AssignmentReasonOut
    sla: SlaOut | None
    tier_change: str | None
    policy: PolicyRef


class SlaEventOut(msgspec.Struct):
    """See `schemas.routing.SlaEvent`."""

    id: str
    what: str
    lead_id: str
    owner: str | None
    tier: str
    effective_at: str
    due_at: str
    elapsed_ms: int
    late_ms: int | None
    to: str | None


_encode = msgspec.json.Encoder().encode


def encode_assignment(assignment: AssignmentOut) -> bytes:
    """The value of a record of `lead-assignments`."""
    return _encode(assignment)


def encode_sla_event(event: SlaEventOut) -> bytes:
    """The value of a record of `sla-events`."""
    return _encode(event)


def sla_event_headers(event: SlaEventOut) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 headers of an SLA event (Kafka binding, binary mode)."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_type", CE_SLA_EVENT),
        ("ce_source", CE_SOURCE),
        ("ce_time", event.effective_at.encode()),
        ("ce_subject", event.lead_id.encode()),
        ("content-type", b"application/json"),
    ]
