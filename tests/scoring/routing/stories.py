"""A short story of leads, played by the fold of route: what is told of whom, and when."""

from __future__ import annotations

from typing import Any, Self

from schemas.routing_log import RoutingRow
from schemas.routing_wire import AssignmentOut, SlaEventOut
from schemas.times import iso, parse_iso
from scoring.routing.fold import RoutingFold
from scoring.routing.policy import Policy
from scoring.routing.reading import read_policy
from scoring.routing.telling import Told
from tests.scoring.routing.builders import policy_text

BEGIN = "2026-06-15T08:00:00Z"
"""A Monday."""


class Story:
    """Plays rows one after the other.

    Args:
        policy: A policy, or else the sections that differ from the plain one.
        begin: Log time when the story begins.
    """

    def __init__(self, policy: Policy | None = None, begin: str = BEGIN, **sections: Any) -> None:
        if policy is None:
            policy = read_policy(policy_text(**sections), "p.yaml")
        self.begin = parse_iso(begin)
        self.fold = RoutingFold()
        self.fold.opened()
        self.fold.start_with(policy.text, policy.name)
        self.told: list[Told] = []
        self.problems: list[str] = []
        self.at(self.begin)

    def at(self, time_ms: int) -> Self:
        """Log time moves on."""
        while not self.fold.advance(time_ms):
            self._finish()
        self._finish()
        return self

    def take(self, *rows: RoutingRow) -> Self:
        """The next rows."""
        for row in rows:
            while not self.fold.take(row):
                self._finish()
        self._finish()
        return self

    def _finish(self) -> None:
        step = self.fold.finish()
        self.told += step.told
        self.problems += step.problems

    def assignments(self, lead_id: str) -> list[AssignmentOut]:
        return [one for one in self.told if isinstance(one, AssignmentOut) and one.lead_id == lead_id]

    def events(self, lead_id: str) -> list[SlaEventOut]:
        return [one for one in self.told if isinstance(one, SlaEventOut) and one.lead_id == lead_id]

    def owner(self, lead_id: str) -> str | None:
        """Who has the lead now."""
        return self.assignments(lead_id)[-1].owner

    def owners(self, *lead_ids: str) -> list[str | None]:
        return [self.owner(lead_id) for lead_id in lead_ids]

    def state(self, lead_id: str) -> str | None:
        """How the lead's clock stands now."""
        sla = self.assignments(lead_id)[-1].sla
        return None if sla is None else sla.state

    def whats(self, lead_id: str) -> list[str]:
        """What the lead's clocks did, in order."""
        return [one.what for one in self.events(lead_id)]

    def since(self, text: str) -> int:
        """Milliseconds from the begin of the story to a time."""
        return parse_iso(text) - self.begin

    def text(self, after_ms: int) -> str:
        """The time so long after the begin."""
        return iso(self.begin + after_ms)
