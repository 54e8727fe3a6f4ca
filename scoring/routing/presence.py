"""Who is there at a moment: absences, hours, and when that changes next."""

from __future__ import annotations

from bisect import bisect_right

from scoring.points import NEVER
from scoring.routing.calendars import Calendar
from scoring.routing.policy import Owner, Policy
from scoring.routing.zones import day_begins

__all__ = ["Presence"]


class Presence:
    """The owners of a policy over time.

    Attributes:
        edges: Moments at which somebody's absence begins or ends: (moment, those who go away then), in order.
        policy_calendar: Working time where there is no owner.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # By owner: moments at which absences begin and end, in turn.
        self._absences = {key: _absences(owner, policy) for key, owner in policy.owners.items()}
        moments = sorted({moment for turns in self._absences.values() for moment in turns})
        self.edges = [(moment, self._leaving(moment)) for moment in moments]
        self._moments = moments
        self.policy_calendar = Calendar(policy.timezone, policy.hours, policy.holidays)
        self._calendars = {key: self._calendar(owner) for key, owner in policy.owners.items()}
        watched = {name for team in policy.teams.values() if team.working_only for name in team.members}
        self._watched = [calendar for key, calendar in self._calendars.items() if key in watched]

    def _calendar(self, owner: Owner) -> Calendar:
        policy = self._policy
        hours = owner.hours if owner.hours is not None else policy.hours
        return Calendar(owner.timezone or policy.timezone, hours, policy.holidays)

    def _leaving(self, moment: int) -> tuple[str, ...]:
        return tuple(sorted(key for key, turns in self._absences.items() if moment in turns[::2]))

    def calendar(self, owner: str | None) -> Calendar:
        """Working time of an owner; of the policy where there is none."""
        return self.policy_calendar if owner is None else self._calendars[owner]

    def away(self, owner: str, at_ms: int) -> bool:
        """Whether an owner is absent."""
        return bool(bisect_right(self._absences[owner], at_ms) % 2)

    def all_away(self, at_ms: int) -> tuple[str, ...]:
        """Everybody who is absent, by name."""
        return tuple(sorted(owner for owner in self._absences if self.away(owner, at_ms)))

    def working(self, owner: str, at_ms: int) -> bool:
        """Whether a moment is within an owner's hours."""
        return self._calendars[owner].working(at_ms)

    def first_edge(self, after_ms: int) -> int:
        """The place in `edges` of the first one behind a moment."""
        return bisect_right(self._moments, after_ms)

    def next_change(self, at_ms: int) -> int:
        """The first moment after this one at which an absence, or hours that a team looks at, begin or end."""
        place = self.first_edge(at_ms)
        first = self._moments[place] if place < len(self._moments) else NEVER
        for calendar in self._watched:
            change = calendar.next_change(at_ms)
            if change is not None and change < first:
                first = change
        return first


def _absences(owner: Owner, policy: Policy) -> list[int]:
    zone = owner.timezone or policy.timezone
    turns: list[int] = []
    for first, last in owner.away:
        begin, end = day_begins(zone, first), day_begins(zone, last + 1)
        if turns and begin <= turns[-1]:
            turns[-1] = max(turns[-1], end)
        else:
            turns += (begin, end)
    return turns
