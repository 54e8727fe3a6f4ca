"""What the view remembers of a lead beside its records: which lists it is in, and what was told of it.

Each topic is published at least once: a worker that is killed repeats its last step. Numbers tell a repetition, so
that no older state is ever shown over a newer one.
"""

from __future__ import annotations

import msgspec

from schemas.times import parse_iso
from streams.view.keys import NOBODY

__all__ = [
    "AssignmentIn",
    "LeadEntry",
    "ScoreIn",
    "SlaEventIn",
    "SlaIn",
    "TierChangeIn",
    "decode_entry",
    "encode_entry",
]

_TOLD_SLA = 64
"""A repeated step brings back the last of a lead's SLA events: so many are remembered."""

_OPEN = ("running", "breached")


class ScoreIn(msgspec.Struct):
    """What is looked at of a record of `lead-scores`."""

    lead_id: str
    seq: int
    tier: str | None = None
    total: int = 0
    as_of: str = ""
    merged_into: str | None = None
    shared: bool = False


class SlaIn(msgspec.Struct):
    """What is looked at of a clock."""

    started_at: str
    due_at: str
    state: str


class AssignmentIn(msgspec.Struct):
    """What is looked at of a record of `lead-assignments`."""

    lead_id: str
    seq: int
    owner: str | None
    team: str | None
    tier: str | None
    since: str
    sla: SlaIn | None
    tier_change: str | None


class ModelIn(msgspec.Struct):
    """A model's name and version."""

    name: str
    version: int


class TierChangeIn(msgspec.Struct):
    """What is looked at of a record of `tier-changes`."""

    lead_id: str
    seq: int
    to_tier: str
    effective_at: str
    model: ModelIn


class SlaEventIn(msgspec.Struct):
    """What is looked at of a record of `sla-events`."""

    id: str
    lead_id: str


class LeadEntry(msgspec.Struct, array_like=True):
    """What the view remembers of a lead.

    Attributes:
        rank: Of the record of `lead-scores`: number of the last tier change; 0 a score, 1 an alias, 2 shared; log time.
        tier: Of the score; None: there is no score, or the lead is an alias.
        total: Of the score.
        assigned: `seq` of the assignment.
        owner: Of the assignment.
        routed: Tier of the assignment.
        due_ms: Of the clock, while it runs or is breached.
        told_seq: Of the last tier change in the feed.
        told_sla: The latest SLA events in the feed: their ids without the lead.
    """

    rank: tuple[int, int, str] = (-1, 0, "")
    tier: str | None = None
    total: int = 0
    assigned: int = 0
    owner: str | None = None
    routed: str | None = None
    due_ms: int | None = None
    told_seq: int = 0
    told_sla: list[str] = []

    def take_score(self, score: ScoreIn) -> bool:
        """Takes a record of `lead-scores`; False: it is older than what is known."""
        phase = 1 if score.merged_into is not None else 2 if score.shared else 0
        rank = (score.seq, phase, score.as_of)
        if rank < self.rank:
            return False
        self.rank = rank
        self.tier, self.total = (None, 0) if score.merged_into is not None else (score.tier, score.total)
        return True

    def forget_score(self) -> None:
        """The record was deleted."""
        self.rank, self.tier, self.total = (-1, 0, ""), None, 0

    def take_assignment(self, assignment: AssignmentIn) -> bool:
        """Takes a record of `lead-assignments`; False: it is older than what is known."""
        if assignment.seq < self.assigned:
            return False
        self.assigned, self.owner, self.routed = assignment.seq, assignment.owner, assignment.tier
        sla = assignment.sla
        self.due_ms = parse_iso(sla.due_at) if sla is not None and sla.state in _OPEN else None
        return True

    def forget_assignment(self) -> None:
        """The record was deleted."""
        self.assigned, self.owner, self.routed, self.due_ms = 0, None, None, None

    def tells_change(self, change: TierChangeIn) -> bool:
        """Whether this tier change is news; it is none the next time."""
        if change.seq <= self.told_seq:
            return False
        self.told_seq = change.seq
        return True

    def tells_sla(self, event: SlaEventIn) -> bool:
        """Whether this SLA event is news; it is none the next time."""
        what = event.id[len(event.lead_id) + 1 :]
        if what in self.told_sla:
            return False
        self.told_sla.append(what)
        del self.told_sla[:-_TOLD_SLA]
        return True

    def places(self) -> dict[tuple[str, str, str], int]:
        """The lists that the lead is in, as (order, tier, owner), and by what it is sorted there.

        While its clock runs, a lead counts as being in the tier for which it runs: who asked for a person is treated
        as hot, whatever the score. An alias is in no list.
        """
        if self.rank[1] == 1:
            return {}
        tier = self.routed if self.due_ms is not None else self.tier
        places: dict[tuple[str, str, str], int] = {}
        if self.tier is not None:
            _put(places, "total", tier, self.owner, self.total)
        if self.due_ms is not None:
            _put(places, "due", tier, self.owner or NOBODY, self.due_ms)
        return places


def _put(places: dict[tuple[str, str, str], int], order: str, tier: str | None, owner: str | None, by: int) -> None:
    for in_tier in ("", tier) if tier else ("",):
        places[order, in_tier, ""] = by
        if owner:
            places[order, in_tier, owner] = by


encode_entry = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(LeadEntry).decode
