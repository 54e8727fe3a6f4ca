"""The answers of the API as its OpenAPI document has them, with examples.

They are not run: what Redis holds was checked where it was made. A test calls every operation and holds the answers
against this.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from schemas.limits import MAX_ID
from schemas.outputs import Closed, LeadName, LeadScore, RuleName, Time
from schemas.routing import Assignment

__all__ = ["LeadAnswer", "OwnersAnswer", "PageAnswer", "Problem", "ReportAnswer", "answer", "problems"]

_EXAMPLE_AT = "2026-03-02T10:15:00.000Z"
_FRESH: dict[str, Any] = {"as_of": "2026-03-02T12:00:00.000Z", "stale": None}
_MODEL: dict[str, Any] = {"name": "b2b-default", "version": 1, "sha256": "0" * 64}
_LEAD: dict[str, Any] = {
    "lead_id": "crm-17",
    "merged_into": None,
    "score": {
        "lead_id": "crm-17",
        "tier": "hot",
        "tier_since": _EXAMPLE_AT,
        "seq": 2,
        "fit": 30,
        "engagement": 50,
        "risk": 0,
        "total": 80,
        "reasons": [{"rule": "demo_request", "dimension": "engagement", "points": 30, "since": _EXAMPLE_AT}],
        "changes_next_at": "2026-03-16T10:15:00.000Z",
        "as_of": _EXAMPLE_AT,
        "profile": {"company_size": 250},
        "model": _MODEL,
    },
    "assignment": {
        "lead_id": "crm-17",
        "seq": 1,
        "owner": "senior_1",
        "team": "enterprise",
        "tier": "hot",
        "since": _EXAMPLE_AT,
        "reason": {"route": 1, "pick": "least_loaded", "passed": {}, "by": None},
        "sla": {"number": 1, "started_at": _EXAMPLE_AT, "due_at": "2026-03-03T10:15:00.000Z", "state": "running"},
        "tier_change": "crm-17:2",
        "policy": {"name": "b2b-default", "version": 1},
    },
}


class Fresh(Closed):
    """How fresh an answer is."""

    as_of: Annotated[Time | None, Field(description="Log time up to which everything is in it; null: not known yet")]
    stale: Annotated[Time | None, Field(description="Since when nothing was heard of Kafka; null: it is not stale")]


class LeadView(Closed):
    """A lead: its record of `lead-scores`, and who has it."""

    lead_id: Annotated[str, Field(min_length=1, max_length=MAX_ID + 2)]
    merged_into: Annotated[LeadName | None, Field(description="The lead that this visitor or address turned out to be")]
    score: LeadScore | None
    assignment: Assignment | None


class LeadAnswer(Fresh):
    """One lead."""

    lead: LeadView


class PageAnswer(Fresh):
    """A part of a list."""

    count: Annotated[int, Field(ge=0, description="How long the whole list is")]
    leads: list[LeadView]
    next: Annotated[str | None, Field(description="`cursor` of the next part; null: there is none")]


class OwnerView(Closed):
    """What an owner has."""

    owner: Annotated[RuleName | None, Field(description="Null: leads that wait for somebody")]
    leads: Annotated[int, Field(ge=0)]
    open: Annotated[int, Field(ge=0, description="Clocks that run or are breached")]
    overdue: Annotated[int, Field(ge=0, description="Those of them that were due at `as_of`")]
    next_due_at: Time | None


class OwnersAnswer(Fresh):
    """Everybody who has a lead."""

    owners: list[OwnerView]


class GoalsView(Closed):
    """Goals for hot leads."""

    meeting_share_at_least: float
    discarded_share_below: float
    response_within_hours: list[int]


class LatencyView(Closed):
    """Response latencies of answered entries."""

    mean_ms: int
    p50_ms: int
    p90_ms: int


class GroupView(Closed):
    """Entries into a tier, over 28 rolling days."""

    tier: RuleName
    team: Annotated[str | None, Field(description="Null: all of them; `-`: none")]
    model: Annotated[str | None, Field(description="Name and version; null: all of them")]
    entries: Annotated[int, Field(ge=1)]
    meetings: Annotated[int, Field(ge=0)]
    meeting_share: Annotated[float, Field(ge=0, le=1)]
    discarded: Annotated[int, Field(ge=0)]
    discarded_share: Annotated[float, Field(ge=0, le=1)]
    answered: Annotated[int, Field(ge=0)]
    answered_within_24h: Annotated[int, Field(ge=0)]
    answered_within_48h: Annotated[int, Field(ge=0)]
    latency: LatencyView | None


class ReportView(Closed):
    """What became of leads that entered a tier."""

    since: Time
    until: Time
    goals: GoalsView
    tiers: Annotated[list[GroupView], Field(description="By tier")]
    groups: Annotated[list[GroupView], Field(description="By tier, team and model version")]


class ReportAnswer(Fresh):
    """The report of sales."""

    report: ReportView


class Problem(Closed):
    """What is wrong, as RFC 9457 has it."""

    type: Annotated[str, Field(description="`about:blank`: the title says it")]
    title: str
    status: int
    detail: Annotated[str, Field(description="What, where, and what to do")]
    instance: Annotated[str, Field(description="The path that was asked")]
    as_of: Time | None
    stale: Time | None


_GROUP: dict[str, Any] = {
    "tier": "hot",
    "team": "enterprise",
    "model": "b2b-default 1",
    "entries": 40,
    "meetings": 30,
    "meeting_share": 0.75,
    "discarded": 4,
    "discarded_share": 0.1,
    "answered": 38,
    "answered_within_24h": 35,
    "answered_within_48h": 38,
    "latency": {"mean_ms": 21_600_000, "p50_ms": 14_400_000, "p90_ms": 72_000_000},
}
_REPORT: dict[str, Any] = {
    "since": "2026-02-02T12:00:00.000Z",
    "until": "2026-03-02T12:00:00.000Z",
    "goals": {"meeting_share_at_least": 0.7, "discarded_share_below": 0.15, "response_within_hours": [24, 48]},
    "tiers": [_GROUP | {"team": None, "model": None}],
    "groups": [_GROUP],
}
_OWNER: dict[str, Any] = {"owner": "senior_1", "leads": 7, "open": 3, "overdue": 1, "next_due_at": _EXAMPLE_AT}

EXAMPLES: dict[type[Closed], dict[str, Any]] = {
    LeadAnswer: _FRESH | {"lead": _LEAD},
    PageAnswer: _FRESH | {"count": 1, "leads": [_LEAD], "next": None},
    OwnersAnswer: _FRESH | {"owners": [_OWNER]},
    ReportAnswer: _FRESH | {"report": _REPORT},
}

_PROBLEMS = {
    401: ("Unauthorized", "send the key of LEADSTREAM_API_KEY as X-API-Key"),
    404: ("Not Found", "nobody heard of lead 'crm-18' yet"),
    422: ("Unprocessable Content", "query limit: Input should be less than or equal to 500"),
    503: ("Service Unavailable", "Redis is being filled from Kafka: 43 % of what Kafka holds are there"),
}


def answer(model: type[Closed], *codes: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of an operation: what it answers, and its problems."""
    content = {"application/json": {"example": EXAMPLES[model]}}
    return {200: {"model": model, "description": "As of `as_of`", "content": content}, **problems(*codes)}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of these problems, and of those that every operation has."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in sorted({401, 503, *codes}):
        title, detail = _PROBLEMS[code]
        example = {"type": "about:blank", "title": title, "status": code, "detail": detail, "instance": "/v1/leads"}
        schema = {"$ref": "#/components/schemas/Problem"}
        content = {"application/problem+json": {"schema": schema, "example": example | _FRESH}}
        found[code] = {"description": title, "content": content}
    return found
