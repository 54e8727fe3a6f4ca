"""What leaves the kernel: SLA events as they happen, and one assignment per lead and step that changed it."""

from __future__ import annotations

from schemas.routing_wire import AssignmentOut, AssignmentReasonOut, PolicyRef, SlaEventOut, SlaOut
from schemas.times import iso
from scoring.routing.state import STATES, Clock, LeadRow

__all__ = ["Told", "assignment_of", "content_of", "sla_event"]

Told = AssignmentOut | SlaEventOut

Content = tuple[str | None, str | None, str | None, int | None]


def content_of(row: LeadRow) -> Content:
    """What an assignment is about: it is told anew when this changes."""
    clock = row.clock
    return row.owner, row.team, row.counted_tier, None if clock is None else (clock.number << 3 | clock.state)


def assignment_of(lead_id: str, row: LeadRow, since_ms: int, policy: PolicyRef) -> AssignmentOut:
    """The assignment of a lead as it stands; counts it."""
    row.seq_out += 1
    clock = row.clock
    sla = None if clock is None else SlaOut(clock.number, iso(clock.started_ms), iso(clock.due_ms), STATES[clock.state])
    return AssignmentOut(
        lead_id=lead_id,
        seq=row.seq_out,
        owner=row.owner,
        team=row.team,
        tier=row.counted_tier,
        since=iso(since_ms),
        reason=AssignmentReasonOut(row.route, row.pick, row.passed, row.by),
        sla=sla,
        tier_change=row.cause,
        policy=policy,
    )


def sla_event(
    lead_id: str,
    owner: str | None,
    clock: Clock,
    what: str,
    effective_ms: int,
    number: int = 0,
    to: str | None = None,
) -> SlaEventOut:
    """Something that a clock does; `number` counts reminders and escalations."""
    late = what == "answered" and clock.breached
    return SlaEventOut(
        id=f"{lead_id}:{clock.number}:{what}:{number}" if number else f"{lead_id}:{clock.number}:{what}",
        what=what,
        lead_id=lead_id,
        owner=owner,
        tier=clock.tier,
        effective_at=iso(effective_ms),
        due_at=iso(clock.due_ms),
        elapsed_ms=max(effective_ms - clock.started_ms, 0),
        late_ms=effective_ms - clock.due_ms if late else None,
        to=to,
    )
