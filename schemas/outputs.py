"""What leaves: tier changes and lead scores. Closed contracts: an unknown key is an error.

The pydantic models here are the source of the JSON Schema files; the score stage writes the same fields with the
structs of `schemas.outputs_wire`, which this module offers too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.dead_letters import DeadLetterHeaders
from schemas.limits import MAX_FIELD_NAME, MAX_FIELD_TEXT, MAX_ID, MAX_INT, MAX_NAME, MIN_INT
from schemas.outputs_wire import (
    Cause,
    LeadScoreOut,
    MergedLeadOut,
    ModelRef,
    ReasonOut,
    TierChangeOut,
    cloud_event_headers,
    encode_lead_score,
    encode_merged_lead,
    encode_tier_change,
)
from schemas.times import parse_iso

__all__ = [
    "Cause",
    "Closed",
    "DeadLetterHeaders",
    "DeadlineCause",
    "EventCause",
    "LeadName",
    "LeadScore",
    "LeadScoreOut",
    "LeadState",
    "MergedFromCause",
    "MergedIntoCause",
    "MergedLead",
    "MergedLeadOut",
    "ModelCause",
    "ModelRef",
    "PublishedName",
    "PublishedValue",
    "Reason",
    "ReasonOut",
    "RuleName",
    "ScoringModel",
    "TierChange",
    "TierChangeOut",
    "Time",
    "cloud_event_headers",
    "encode_lead_score",
    "encode_merged_lead",
    "encode_tier_change",
]

_PREFIX = 2
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"


def _is_a_time(text: str) -> str:
    parse_iso(text)
    return text


Time = Annotated[str, StringConstraints(pattern=_TIME), AfterValidator(_is_a_time)]
"""UTC with three digits: 2026-03-02T10:15:00.000Z."""

LeadName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID + _PREFIX)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Points = Annotated[int, Field(ge=MIN_INT, le=MAX_INT)]
Seq = Annotated[int, Field(ge=0, le=MAX_INT)]
PublishedText = Annotated[str, StringConstraints(max_length=MAX_FIELD_TEXT)]
PublishedValue = PublishedText | Annotated[int, Field(ge=MIN_INT, le=MAX_INT)] | bool
PublishedName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FIELD_NAME)]


class Closed(BaseModel):
    """What leaves: strict types, no unknown key."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ScoringModel(Closed):
    """Which model a score was made with."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    version: Annotated[int, Field(ge=1, le=MAX_INT)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Reason(Closed):
    """A rule that counts: the points it gives, before its dimension is clamped, and the evidence's time."""

    rule: RuleName
    dimension: Literal["fit", "engagement", "risk"]
    points: Points
    since: Time


class EventCause(Closed):
    """The change came with an event."""

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
    kind: RuleName


class DeadlineCause(Closed):
    """The change came with time alone: the first rule whose points changed, or `stay_at_least`."""

    deadline: RuleName


class ModelCause(Closed):
    """The change came with this version of the model."""

    model: Annotated[int, Field(ge=1, le=MAX_INT)]


class MergedFromCause(Closed):
    """The change came with what an alias had learnt: the lead and this visitor or address are one person."""

    merged_from: LeadName


class MergedIntoCause(Closed):
    """An alias left its tier: what it had learnt, and its tier, go on with this lead."""

    merged_into: LeadName


class TierChange(Closed):
    """One lead goes from one tier to another. Key: `lead_id`. A reader that keeps the last `seq` sees each once."""

    id: Annotated[str, StringConstraints(pattern=r":[1-9][0-9]*$"), Field(description="`{lead_id}:{seq}`")]
    lead_id: LeadName
    seq: Annotated[int, Field(ge=1, le=MAX_INT, description="1, 2, 3 … per lead")]
    from_tier: RuleName
    to_tier: RuleName
    effective_at: Annotated[Time, Field(description="Log time of the event, or exactly the deadline")]
    decided_at: Annotated[Time, Field(description="Log time at the row that brought it about")]
    fit: Points
    engagement: Points
    risk: Points
    total: Points
    reasons: Annotated[list[Reason], Field(description="Largest first")]
    cause: EventCause | DeadlineCause | ModelCause | MergedFromCause | MergedIntoCause
    profile: Annotated[
        dict[PublishedName, PublishedValue], Field(description="Profile fields that the model publishes")
    ]
    model: ScoringModel


class LeadScore(Closed):
    """Where a lead stands now. Key: `lead_id`; the topic is compacted. An alias has a `MergedLead` there."""

    lead_id: LeadName
    tier: RuleName
    tier_since: Annotated[Time | None, Field(description="Null: in the first tier from the beginning")]
    seq: Annotated[Seq, Field(description="Of the last tier change, 0 if there was none")]
    fit: Points
    engagement: Points
    risk: Points
    total: Points
    reasons: Annotated[list[Reason], Field(description="Largest first")]
    changes_next_at: Annotated[Time | None, Field(description="When time alone will change reasons or tier")]
    as_of: Annotated[Time, Field(description="Log time of the last change of content")]
    profile: Annotated[
        dict[PublishedName, PublishedValue], Field(description="Profile fields that the model publishes")
    ]
    model: ScoringModel
    names: Annotated[
        list[LeadName],
        Field(description="Visitors and addresses that are this lead, the latest last, at most 16; left out: none"),
    ] = []
    shared: Annotated[
        bool,
        Field(description="A visitor or an address that too many leads claimed: nobody's any more; left out: no"),
    ] = False


class MergedLead(Closed):
    """An alias: a visitor or an address that turned out to be a lead. What is to be known stands under that name."""

    lead_id: LeadName
    merged_into: Annotated[LeadName, Field(description="The lead; perhaps an alias itself")]
    seq: Annotated[Seq, Field(description="Of its own last tier change, 0 if there was none")]


LeadState = LeadScore | MergedLead
"""What is in `lead-scores`."""
