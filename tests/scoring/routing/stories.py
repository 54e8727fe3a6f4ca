"""A short story of leads, played by the fold of route: what is told of whom, and when."""

from __future__ import annotations

from typing import Any, Self

from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
)
from schemas.routing_wire import AssignmentOut, SlaEventOut
from schemas.times import iso, parse_iso
from scoring.routing.fold import RoutingFold
from scoring.routing.policy import Policy
from scoring.routing.reading import read_policy
from scoring.routing.telling import Told
from tests.scoring.routing.builders import policy_text

BEGIN = "2026-06-15T08:00:00Z"
"""A Monday."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


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
        self._seqs: dict[str, int] = {}
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

    # --- rows at a time after the begin

    def tier(self, lead_id: str, tier: str, after_ms: int = 0, **profile: Any) -> Self:
        """The lead enters a tier then; log time is there too."""
        seq = self._seqs[lead_id] = self._seqs.get(lead_id, 0) + 1
        return self.after(after_ms).take(RoutedTier(lead_id, seq, tier, self.begin + after_ms, profile))

    def request(self, lead_id: str, after_ms: int = 0, event_id: str = "r", **profile: Any) -> Self:
        """The lead asks for a person."""
        at = self.begin + after_ms
        return self.after(after_ms).take(RoutedRequest(lead_id, event_id, at, at, profile))

    def activity(
        self, lead_id: str, after_ms: int, received_after_ms: int | None = None, what: str = "contacted"
    ) -> Self:
        """Sales does something; it is heard of then, or later."""
        heard = after_ms if received_after_ms is None else received_after_ms
        row = RoutedActivity(lead_id, f"{what}-{after_ms}-{heard}", self.begin + after_ms, self.begin + heard, what)
        return self.after(heard).take(row)

    def hand(self, lead_id: str, after_ms: int = 0, owner: str | None = None, team: str | None = None) -> Self:
        """Somebody assigns the lead, or releases it."""
        at = self.begin + after_ms
        return self.after(after_ms).take(HandCommand(lead_id, f"h-{after_ms}", at, owner, team, "eve"))

    def merged(self, lead_id: str, into: str, after_ms: int) -> Self:
        """The lead turns out to be another one."""
        return self.after(after_ms).take(LeadMerged(lead_id, into, self.begin + after_ms))

    def policy(self, version: int, after_ms: int = 0, **sections: Any) -> Self:
        """The next policy."""
        text = policy_text(version=version, **sections)
        policy = read_policy(text, "p.yaml")
        control = PolicyControl(self.begin + after_ms, policy.name, version, policy.sha256, text)
        return self.after(after_ms).take(control)

    def after(self, after_ms: int) -> Self:
        """Log time moves on to so long after the begin."""
        return self.at(self.begin + after_ms)
