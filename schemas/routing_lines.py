"""Rows of `lead-routing` as lines of JSON.

A line says where the row is (`partition`, `offset`, `index` in its record) and what it is:

    {"partition": 0, "offset": 7, "index": 0, "type": "tier_change", "lead_id": "crm-17", "seq": 1, "to_tier": "hot",
     "effective_at": "2026-03-02T10:15:00.000Z", "profile": {"company_size": 250}}

Other types: `request`, `sales_activity`, `merged`, `assign`, `release`, `policy` and `log_time`. All of them may stand
in a file without a place, too; a `tier_change` may be what `leadstream score` prints.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, TypeAdapter

from schemas.errors import Refused
from schemas.events import Activity, Id, Text, Time
from schemas.judging import validate
from schemas.limits import MAX_INT, MAX_MODEL_BYTES, MAX_NAME, MAX_TIME_MS
from schemas.outputs import LeadName, PublishedName, PublishedValue, RuleName
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
from schemas.times import iso, parse_iso

__all__ = ["ROUTING_TYPES", "own_time_ms", "read_routing_line", "routing_lines", "routing_members"]

_encode = msgspec.json.Encoder().encode
_LAST_PARTITION = 2**31 - 1

Profile = dict[PublishedName, PublishedValue]
Partition = Annotated[int, Field(ge=0, le=_LAST_PARTITION)]


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Tier(_Line):
    type: Literal["tier_change"]
    lead_id: LeadName
    seq: Annotated[int, Field(ge=1, le=MAX_INT)]
    to_tier: RuleName
    effective_at: Time
    profile: Profile = {}

    def row(self) -> RoutingRow:
        return RoutedTier(self.lead_id, self.seq, self.to_tier, _ms(self.effective_at, "effective_at"), self.profile)


class _Request(_Line):
    type: Literal["request"]
    lead_id: LeadName
    event_id: Id
    occurred_at: Time
    received_at: Time
    profile: Profile = {}

    def row(self) -> RoutingRow:
        occurred, received = _ms(self.occurred_at, "occurred_at"), _ms(self.received_at, "received_at")
        return RoutedRequest(self.lead_id, self.event_id, occurred, received, self.profile)


class _Activity(_Line):
    type: Literal["sales_activity"]
    lead_id: LeadName
    event_id: Id
    occurred_at: Time
    received_at: Time
    activity: Activity
    by: Text | None = None

    def row(self) -> RoutingRow:
        occurred, received = _ms(self.occurred_at, "occurred_at"), _ms(self.received_at, "received_at")
        return RoutedActivity(self.lead_id, self.event_id, occurred, received, self.activity, self.by)


class _Merged(_Line):
    type: Literal["merged"]
    lead_id: LeadName
    into: LeadName
    received_at: Time

    def row(self) -> RoutingRow:
        return LeadMerged(self.lead_id, self.into, _ms(self.received_at, "received_at"))


class _Release(_Line):
    type: Literal["release"]
    lead_id: LeadName
    event_id: Id
    received_at: Time
    by: Text | None = None

    def row(self) -> RoutingRow:
        return HandCommand(self.lead_id, self.event_id, _ms(self.received_at, "received_at"), by=self.by)


class _Assign(_Line):
    type: Literal["assign"]
    lead_id: LeadName
    event_id: Id
    received_at: Time
    owner: RuleName | None = None
    team: RuleName | None = None
    by: Text | None = None

    def row(self) -> RoutingRow:
        if (self.owner is None) == (self.team is None):
            raise Refused("missing_field", "assign needs an owner or a team, and not both")
        received = _ms(self.received_at, "received_at")
        return HandCommand(self.lead_id, self.event_id, received, self.owner, self.team, self.by)


class _Policy(_Line):
    type: Literal["policy"]
    received_at: Time
    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    version: Annotated[int, Field(ge=1, le=MAX_INT)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    body: Annotated[str, StringConstraints(min_length=1, max_length=MAX_MODEL_BYTES)]

    def row(self) -> RoutingRow:
        if hashlib.sha256(self.body.encode()).hexdigest() != self.sha256:
            raise Refused("digest_mismatch", f"sha256 of policy version {self.version} is not that of its body")
        return PolicyControl(_ms(self.received_at, "received_at"), self.name, self.version, self.sha256, self.body)


class _LogTime(_Line):
    type: Literal["log_time"]
    score_partition: Partition
    score_partitions: Annotated[int, Field(ge=1, le=_LAST_PARTITION)]
    log_time: Time

    def row(self) -> RoutingRow:
        return LogTime(self.score_partition, self.score_partitions, _ms(self.log_time, "log_time"))


_AnyLine = _Tier | _Request | _Activity | _Merged | _Release | _Assign | _Policy | _LogTime
_lines: TypeAdapter[_AnyLine] = TypeAdapter(Annotated[_AnyLine, Discriminator("type")])

ROUTING_TYPES = frozenset(
    ("tier_change", "request", "sales_activity", "merged", "release", "assign", "policy", "log_time")
)
"""What `type` of a line may be."""


def _ms(text: str, name: str) -> int:
    ms = parse_iso(text)
    if not 0 <= ms <= MAX_TIME_MS:
        raise Refused("bad_time", f"{name} is not between 1970 and 9999")
    return ms


def read_routing_line(members: dict[str, Any]) -> RoutingRow:
    """The row of a line.

    Args:
        members: As `schemas.lines.load_line` gives them.

    Raises:
        Refused: It is none.
    """
    return validate(_lines, members).row()


def own_time_ms(row: RoutingRow) -> int:
    """The own time of a row: when a tier was entered, when anything else was received."""
    if isinstance(row, RoutedTier):
        return row.effective_at_ms
    return row.log_time_ms if isinstance(row, LogTime) else row.received_at_ms


def routing_lines(partition: int, offset: int, value: bytes | None) -> list[bytes]:
    """The lines of one record of `lead-routing`, without line ends.

    Raises:
        LogCodecError: The value is no record of the topic.
    """
    return [
        _encode({"partition": partition, "offset": offset, "index": index} | routing_members(row))
        for index, row in enumerate(decode_routing(value))
    ]


def routing_members(row: RoutingRow) -> dict[str, Any]:
    """What the line of a row says, without its place."""
    if isinstance(row, LogTime):
        place = {"score_partition": row.partition, "score_partitions": row.partitions}
        return {"type": "log_time"} | place | {"log_time": iso(row.log_time_ms)}
    if isinstance(row, PolicyControl):
        policy = {"name": row.policy, "version": row.version, "sha256": row.sha256, "body": row.body}
        return {"type": "policy", "received_at": iso(row.received_at_ms)} | policy
    if isinstance(row, RoutedTier):
        tier = {"seq": row.seq, "to_tier": row.tier, "effective_at": iso(row.effective_at_ms)}
        return {"type": "tier_change", "lead_id": row.lead_id} | tier | {"profile": row.profile}
    lead: dict[str, Any] = {"lead_id": row.lead_id, "received_at": iso(row.received_at_ms)}
    if isinstance(row, LeadMerged):
        return {"type": "merged"} | lead | {"into": row.into}
    lead["event_id"] = row.event_id
    if isinstance(row, RoutedRequest):
        return {"type": "request"} | lead | {"occurred_at": iso(row.occurred_at_ms), "profile": row.profile}
    by = {} if row.by is None else {"by": row.by}
    if isinstance(row, RoutedActivity):
        return (
            {"type": "sales_activity"} | lead | {"occurred_at": iso(row.occurred_at_ms), "activity": row.activity} | by
        )
    whom = {name: value for name, value in (("owner", row.owner), ("team", row.team)) if value is not None}
    return {"type": "assign" if whom else "release"} | lead | whom | by
