"""Outbound records as the hot path makes them: the same fields as the contracts in `schemas.outputs`, in their order.

Nothing is checked here: types are checked by mypy, and tests hold every struct against its contract.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Cause",
    "LeadScoreOut",
    "MergedLeadOut",
    "ModelRef",
    "ReasonOut",
    "TierChangeOut",
    "cloud_event_headers",
    "encode_lead_score",
    "encode_merged_lead",
    "encode_tier_change",
]

Cause = dict[str, str | int]
"""`{"event_id", "kind"}`, `{"deadline": rule}`, `{"model": version}`, `{"merged_from": alias}` or
`{"merged_into": owner}`."""

Published = dict[str, str | int | bool]
"""Profile fields that the model publishes."""

CE_SOURCE = b"leadstream/score"
CE_TIER_CHANGE = b"leadstream.tier_change.v1"


class ModelRef(msgspec.Struct, frozen=True):
    """Which model a score was made with."""

    name: str
    version: int
    sha256: str


class ReasonOut(msgspec.Struct):
    """A rule, the points it gives now, and since when."""

    rule: str
    dimension: str
    points: int
    since: str


class TierChangeOut(msgspec.Struct):
    """See `schemas.outputs.TierChange`."""

    id: str
    lead_id: str
    seq: int
    from_tier: str
    to_tier: str
    effective_at: str
    decided_at: str
    fit: int
    engagement: int
    risk: int
    total: int
    reasons: list[ReasonOut]
    cause: Cause
    profile: Published
    model: ModelRef


class LeadScoreOut(msgspec.Struct, omit_defaults=True):
    """See `schemas.outputs.LeadScore`."""

    lead_id: str
    tier: str
    tier_since: str | None
    seq: int
    fit: int
    engagement: int
    risk: int
    total: int
    reasons: list[ReasonOut]
    changes_next_at: str | None
    as_of: str
    profile: Published
    model: ModelRef
    names: list[str] = []
    shared: bool = False


class MergedLeadOut(msgspec.Struct):
    """See `schemas.outputs.MergedLead`."""

    lead_id: str
    merged_into: str
    seq: int


_encode = msgspec.json.Encoder().encode


def encode_tier_change(change: TierChangeOut) -> bytes:
    """The value of a record of `tier-changes`."""
    return _encode(change)


def encode_lead_score(score: LeadScoreOut) -> bytes:
    """The value of a record of `lead-scores`."""
    return _encode(score)


def encode_merged_lead(merged: MergedLeadOut) -> bytes:
    """The value of a record of `lead-scores` of an alias."""
    return _encode(merged)


def cloud_event_headers(change: TierChangeOut) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 headers of a tier change (Kafka binding, binary mode)."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", change.id.encode()),
        ("ce_type", CE_TIER_CHANGE),
        ("ce_source", CE_SOURCE),
        ("ce_time", change.effective_at.encode()),
        ("ce_subject", change.lead_id.encode()),
        ("content-type", b"application/json"),
    ]
