"""A clock from its start: when it is due, what follows when, and which answers end it."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.routing.calendars import Calendar
from scoring.routing.language.routes import ACTIVITIES
from scoring.routing.policy import Policy, Sla
from scoring.routing.state import BREACH, REASSIGN, REMIND, TELL, WITHDRAWN, Clock, Moment

__all__ = ["answer_bits", "start_clock", "takes_back"]

_BITS = {activity: 1 << number for number, activity in enumerate(ACTIVITIES)}


def answer_bits(activities: Iterable[str]) -> int:
    """Activities as bits, in the order of the contract.

    >>> answer_bits(["contacted", "meeting_booked"])
    5
    """
    return sum(_BITS[activity] for activity in activities)


def start_clock(policy: Policy, sla: Sla, number: int, start_ms: int, calendar: Calendar, *, request: bool) -> Clock:
    """A clock that starts now.

    Args:
        policy: The active one: the clock runs to its end by it.
        sla: Of the tier.
        number: Of the clock, per lead.
        start_ms: When it starts.
        calendar: Working time of the owner that it starts with.
        request: A request starts it.
    """

    def at(duration_ms: int) -> int:
        return calendar.due(start_ms, duration_ms) if sla.business else start_ms + duration_ms

    due_ms = at(sla.respond_within_ms)
    steps: list[Moment] = [(at(ms), REMIND, place, None) for place, ms in enumerate(sla.remind_at_ms, 1)]
    steps.append((due_ms, BREACH, 0, None))
    for place, escalation in enumerate(sla.escalate, 1):
        what, whom = (TELL, escalation.tell) if escalation.tell is not None else (REASSIGN, escalation.reassign)
        steps.append((at(escalation.after_ms), what, place, whom))
    # At one millisecond: reminders, breach, escalations in the order of their lists, which is the order of `steps`.
    steps.sort(key=lambda step: (step[0], min(step[1], TELL)))
    answers = answer_bits(policy.answered_by)
    return Clock(number, sla.tier, start_ms, due_ms, answers, steps, request=request)


def takes_back(clock: Clock, answered_ms: int) -> bool:
    """Whether an answer that turns up now happened in time, so that the breach is withdrawn."""
    return clock.breached and clock.state != WITHDRAWN and clock.started_ms <= answered_ms < clock.due_ms
