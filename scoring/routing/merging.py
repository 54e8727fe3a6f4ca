"""Two leads that turned out to be one: owner and running clock go to the stronger name."""

from __future__ import annotations

from scoring.routing.state import CANCELLED, Clock, LeadRow
from scoring.routing.steps import Steps

__all__ = ["merge"]


def merge(steps: Steps, lead_id: str, into: str, at_ms: int) -> None:
    """Moves what the lead has to the other one, within a step.

    Where both have a running clock, the one that is due earlier wins (in a tie that of `into`) and the other ends.
    Whoever works on the clock that goes on has the lead. A clock keeps its number, unless `into` has used it already:
    then it gets the next one, so that no id of an event comes twice.
    """
    book = steps.book
    weak, strong = steps.changing(lead_id), steps.changing(into)
    moving, staying = weak.running, strong.running
    wins = moving is not None and (staying is None or moving.due_ms < staying.due_ms)
    if moving is not None and staying is not None:
        loser = (into, strong, staying) if wins else (lead_id, weak, moving)
        steps.end_clock(*loser, "replaced", at_ms)
    if weak.owner is not None and (wins or strong.owner is None):
        owner, team, passed = weak.owner, weak.team, weak.passed
        book.give(lead_id, weak, None)
        steps.take(into, strong, owner, team, "merged", passed)
    if wins and moving is not None:
        strong.clock = _moved(moving, strong.clock)
        strong.route, strong.cause, strong.entered_ms = weak.route, weak.cause, weak.entered_ms
        book.set_open(strong, True)
    elif weak.open and moving is None and not strong.open:
        strong.route, strong.cause, strong.entered_ms = weak.route, weak.cause, weak.entered_ms
        book.set_open(strong, True)
    if steps.rank(weak.tier) < steps.rank(strong.tier) or strong.tier is None:
        # The better tier holds; the tier change that says so finds the lead there already.
        strong.tier = weak.tier
    if weak.answered_ms is not None:
        strong.answered_ms = max(weak.answered_ms, strong.answered_ms or 0)
    passed = strong.passed if strong.waiting else weak.passed
    _empty(steps, lead_id, weak)
    if strong.open and strong.owner is None:
        strong.pick, strong.passed, strong.by = "waiting", passed, None
        book.freed = True
        steps.join_line(into, strong)


def _moved(clock: Clock, latest: Clock | None) -> Clock:
    """The clock as the other lead has it."""
    number = clock.number if latest is None else max(clock.number, latest.number + 1)
    return Clock(
        number,
        clock.tier,
        clock.started_ms,
        clock.due_ms,
        clock.answers,
        clock.steps,
        clock.state,
        clock.request,
        clock.breached,
    )


def _empty(steps: Steps, lead_id: str, row: LeadRow) -> None:
    """The lead has nothing any more; its clock's number is remembered, so that its ids stay its own."""
    if row.clock is not None:
        row.clock.state, row.clock.breached, row.clock.steps = CANCELLED, False, []
    steps.close(lead_id, row)
    steps.book.give(lead_id, row, None)
    row.team, row.pick, row.passed, row.by, row.entered_ms = None, "merged", {}, None, None
