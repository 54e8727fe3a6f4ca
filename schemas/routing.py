"""What route says: who has a lead, and what its clock did. Closed contracts: an unknown key is an error.

The pydantic models here are the source of the JSON Schema files; the route stage writes the same fields with the
structs of `schemas.routing_wire`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.limits import MAX_ID, MAX_INT, MAX_NAME, MAX_TEXT
from schemas.outputs import Closed, LeadName, RuleName, Time

__all__ = ["Assignment", "AssignmentReason", "RoutingPolicy", "SlaClock", "SlaEvent"]

_WHAT = "started|breached|answered|withdrawn|replaced|cancelled|(reminded|escalated):[1-9][0-9]*"
_SUFFIX = 64

Milliseconds = Annotated[int, Field(ge=0, le=MAX_INT)]


class RoutingPolicy(Closed):
    """Which policy was active."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    version: Annotated[int, Field(ge=1, le=MAX_INT)]


class AssignmentReason(Closed):
    """How the lead came to its owner, or why it has none."""

    route: Annotated[int | None, Field(ge=1, le=MAX_INT, description="Number of the route, from 1; null: none")]
    pick: Annotated[
        Literal[
            "round_robin",
            "least_loaded",
            "weighted",
            "request",
            "kept",
            "waiting",
            "reassigned",
            "by_hand",
            "merged",
            "lost",
            "unrouted",
        ],
        Field(
            description="How the owner was found: by the team's pick (`request`: because the lead asked for a person), "
            "kept, reassigned by an escalation, by hand, with a merged lead. Without one: waiting for somebody, "
            "released by hand, merged into another lead, lost because the owner is away or gone. `unrouted`: no route"
        ),
    ]
    passed: Annotated[
        dict[RuleName, Literal["away", "full", "off_hours", "present"]],
        Field(description="Who was passed over, and why; `present`: has the lead already"),
    ]
    by: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_TEXT)] | None, Field(description="Who did it by hand")
    ]


class SlaClock(Closed):
    """The lead's latest clock."""

    number: Annotated[int, Field(ge=1, le=MAX_INT, description="1, 2, 3 … per lead")]
    started_at: Time
    due_at: Time
    state: Literal["running", "breached", "answered", "withdrawn", "cancelled"]


class Assignment(Closed):
    """Who has a lead. Key: `lead_id`; the topic is compacted. One record per change; `seq` counts them."""

    lead_id: LeadName
    seq: Annotated[int, Field(ge=1, le=MAX_INT, description="1, 2, 3 … per lead")]
    owner: Annotated[RuleName | None, Field(description="Null: nobody")]
    team: RuleName | None
    tier: Annotated[RuleName | None, Field(description="Null: the lead has entered none yet")]
    since: Annotated[Time, Field(description="Log time, or the time of the record where that is later")]
    reason: AssignmentReason
    sla: Annotated[SlaClock | None, Field(description="Null: no clock has started yet")]
    tier_change: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID + _SUFFIX)] | None,
        Field(description="`id` of the tier change that routed the lead, or `event_id` of the request"),
    ]
    policy: RoutingPolicy


class SlaEvent(Closed):
    """Something a clock did. Key: `lead_id`. The same `id` always has the same body."""

    id: Annotated[
        str,
        StringConstraints(pattern=rf":[1-9][0-9]*:({_WHAT})$"),
        Field(description="`{lead_id}:{clock number}:{what}`, reminders and escalations with their number"),
    ]
    what: Literal["started", "reminded", "breached", "escalated", "answered", "withdrawn", "replaced", "cancelled"]
    lead_id: LeadName
    owner: Annotated[RuleName | None, Field(description="Who has the lead at that moment")]
    tier: RuleName
    effective_at: Annotated[Time, Field(description="When it was so; of an answer, when it happened")]
    due_at: Time
    elapsed_ms: Annotated[Milliseconds, Field(description="Plain time from the start of the clock")]
    late_ms: Annotated[Milliseconds | None, Field(description="Of a late answer: how much behind `due_at`")]
    to: Annotated[RuleName | None, Field(description="Of an escalation: the owner told, or the team reassigned to")]
