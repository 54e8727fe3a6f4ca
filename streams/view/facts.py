"""What the report is made of, by lead: entries into tiers, sales activities, the team of each entry.

Facts are sets, filled from topics that come in any order beside each other: `tier-changes` (when a lead entered which
tier, under which model), `lead-routing` (what sales did, who turned out to be whom), `lead-assignments` (which team).
A repetition changes nothing. What is older than the window is forgotten.
"""

from __future__ import annotations

import msgspec

from schemas.routing_log import LeadMerged, RoutedActivity
from schemas.times import parse_iso
from streams.view.entry import AssignmentIn, TierChangeIn

__all__ = ["KEPT_MS", "WINDOW_MS", "Activity", "Entered", "LeadFacts", "decode_facts", "encode_facts"]

DAY_MS = 86_400_000

WINDOW_MS = 28 * DAY_MS
"""The report looks at entries into tiers of so many rolling days before log time."""

KEPT_MS = WINDOW_MS + DAY_MS
"""Facts are kept a day longer: a partition may lag."""


class Entered(msgspec.Struct, array_like=True, frozen=True):
    """A lead entered a tier.

    Attributes:
        seq: Of the tier change.
        at_ms: `effective_at`.
        model: Name and version.
    """

    seq: int
    tier: str
    at_ms: int
    model: str


class Activity(msgspec.Struct, array_like=True, frozen=True):
    """Sales did something.

    Attributes:
        at_ms: When; not after it was received.
        read_ms: When it was received.
    """

    event_id: str
    activity: str
    at_ms: int
    read_ms: int


class LeadFacts(msgspec.Struct, array_like=True):
    """The facts of one lead.

    Attributes:
        entered: By number.
        activities: By event id.
        teams: Of an entry by its number: `seq` of the first assignment that it caused, the team, and since when.
        began: By the moment at which a clock started, or an assignment without one: `seq` of the first one, the team.
        merged_ms: When the lead turned out to be another one.
    """

    entered: dict[int, Entered] = {}
    activities: dict[str, Activity] = {}
    teams: dict[int, tuple[int, str | None, int]] = {}
    began: dict[int, tuple[int, str | None]] = {}
    merged_ms: int | None = None

    def take_change(self, change: TierChangeIn) -> None:
        """From `tier-changes`."""
        model = f"{change.model.name} {change.model.version}"
        self.entered[change.seq] = Entered(change.seq, change.to_tier, parse_iso(change.effective_at), model)

    def take_activity(self, row: RoutedActivity) -> None:
        """From `lead-routing`."""
        at_ms = min(row.occurred_at_ms, row.received_at_ms)
        self.activities.setdefault(row.event_id, Activity(row.event_id, row.activity, at_ms, row.received_at_ms))

    def take_merge(self, row: LeadMerged) -> None:
        """From `lead-routing`."""
        if self.merged_ms is None or row.received_at_ms < self.merged_ms:
            self.merged_ms = row.received_at_ms

    def take_assignment(self, assignment: AssignmentIn) -> bool:
        """From `lead-assignments`; whether it says something new about teams."""
        since_ms = parse_iso(assignment.since)
        began_ms = since_ms if assignment.sla is None else parse_iso(assignment.sla.started_at)
        known = self.began.get(began_ms)
        news = known is None or assignment.seq < known[0]
        if news:
            self.began[began_ms] = (assignment.seq, assignment.team)
        lead, _, number = (assignment.tier_change or "").rpartition(":")
        if lead == assignment.lead_id and number.isdigit():
            caused = self.teams.get(int(number))
            if caused is None or assignment.seq < caused[0]:
                self.teams[int(number)] = (assignment.seq, assignment.team, since_ms)
                return True
        return news

    def team(self, entry: Entered, after_ms: int) -> str | None:
        """The team of an entry: of the first assignment that it caused, else of the clock that ran already.

        Who asked for a person has one before the points for that make it hot. What began at `after_ms` or before it is
        not looked at.
        """
        if entry.seq in self.teams:
            return self.teams[entry.seq][1]
        began = max((at_ms for at_ms in self.began if after_ms < at_ms <= entry.at_ms), default=None)
        return None if began is None else self.began[began][1]

    def forget(self, before_ms: int) -> bool:
        """Forgets what is older; whether anything was."""
        entered = [seq for seq, entry in self.entered.items() if entry.at_ms < before_ms]
        done = [event_id for event_id, activity in self.activities.items() if activity.read_ms < before_ms]
        teams = [seq for seq, (_, _, since_ms) in self.teams.items() if since_ms < before_ms]
        began = [at_ms for at_ms in self.began if at_ms < before_ms]
        merged = self.merged_ms is not None and self.merged_ms < before_ms
        for seq in entered:
            del self.entered[seq]
        for event_id in done:
            del self.activities[event_id]
        for seq in teams:
            del self.teams[seq]
        for at_ms in began:
            del self.began[at_ms]
        if merged:
            self.merged_ms = None
        return bool(entered or done or teams or began or merged)

    @property
    def empty(self) -> bool:
        """Nothing is left."""
        return not (self.entered or self.activities or self.teams or self.began) and self.merged_ms is None


encode_facts = msgspec.msgpack.Encoder().encode
decode_facts = msgspec.msgpack.Decoder(LeadFacts).decode
