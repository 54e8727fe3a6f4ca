"""What one record or one deadline does to a lead, by the policy."""

from __future__ import annotations

from collections.abc import Callable

import xxhash

from schemas.routing_log import HandCommand, LeadMerged, RoutedActivity, RoutedRequest, RoutedTier
from scoring.routing.book import Book
from scoring.routing.clocks import answer_bits, start_clock, takes_back
from scoring.routing.desk import Desk
from scoring.routing.merging import merge
from scoring.routing.policy import Policy
from scoring.routing.presence import Presence
from scoring.routing.state import (
    ANSWERED,
    BREACH,
    BREACHED,
    KEPT_IDS,
    REMIND,
    TELL,
    WITHDRAWN,
    Clock,
    LeadRow,
)
from scoring.routing.steps import Steps

__all__ = ["Router"]


class Router(Steps):
    """Decides, record by record.

    Attributes:
        log_time_ms: Log time, as the fold moves it.
        problems: What could not be done, for people.
        unmatched: Answers that met no clock.
        unknown: Sales activities of leads that nobody had heard of.
        repeated: Records that had come before.
    """

    def __init__(self, book: Book, desk: Desk, moved: Callable[[str, int], None]) -> None:
        super().__init__(book, desk, moved)
        self.log_time_ms = 0
        self.problems: list[str] = []
        self.unmatched = self.unknown = self.repeated = 0
        self._answers = 0

    def open_with(self, policy: Policy, presence: Presence) -> None:
        """See `Steps`."""
        super().open_with(policy, presence)
        self._answers = answer_bits(policy.answered_by)

    # --- tiers and requests -----------------------------------------------------------------------------------------

    def tier(self, record: RoutedTier) -> None:
        """A lead entered a tier."""
        lead_id, own = record.lead_id, record.effective_at_ms
        if record.seq <= self.book.row(lead_id).seq_in:
            self.repeated += 1
            return
        self.fire(lead_id, own)
        self.begin(max(self.log_time_ms, own))
        row = self.changing(lead_id)
        before, row.tier, row.seq_in, row.profile = row.tier, record.tier, record.seq, record.profile
        clock = row.running
        started = False
        held = clock is not None and clock.request and self.rank(record.tier) >= self.rank(clock.tier)
        if record.tier != before and not held:
            started = self._enter(lead_id, row, record.tier, own, own, f"{lead_id}:{record.seq}")
        elif row.waiting:
            # What it asks for may be another team by its profile.
            self.book.freed = True
            self.join_line(lead_id, row)
        self.end()
        if started:
            self._answer_late(lead_id, own, row.answered_ms)

    def request(self, record: RoutedRequest) -> None:
        """A lead asked for a person: without a running clock it is routed as if it entered the tier of requests."""
        lead_id, own = record.lead_id, record.received_at_ms
        if self._repeats(lead_id, record.event_id):
            return
        row, tier = self.book.row(lead_id), self.policy.requests
        if tier is None or row.running is not None:
            return
        self.begin(max(self.log_time_ms, own))
        row = self.changing(lead_id)
        row.profile = record.profile or row.profile
        occurred = min(record.occurred_at_ms, own)
        started = self._enter(lead_id, row, tier, own, occurred, record.event_id, request=True)
        self.end()
        if started:
            self._answer_late(lead_id, own, row.answered_ms)

    def _enter(
        self,
        lead_id: str,
        row: LeadRow,
        tier: str,
        start_ms: int,
        answers_from_ms: int,
        cause: str,
        *,
        request: bool = False,
    ) -> bool:
        """The lead is routed anew; True where a clock starts."""
        policy, running = self.policy, row.running
        found = self.route_of(row, tier)
        sla = policy.sla.get(tier) if found is not None else None
        if running is not None:
            better = sla is not None and self.rank(tier) < self.rank(running.tier)
            self.end_clock(lead_id, row, running, "replaced" if better else "cancelled", start_ms)
        row.cause = cause
        if found is None:
            row.route, row.pick, row.passed, row.by, row.entered_ms = None, "unrouted", {}, None, None
            self.close(lead_id, row)
            return False
        row.route, row.entered_ms = found[0], start_ms
        self.find_owner(lead_id, row, found[1], request=request)
        self.book.set_open(row, True)
        answered = row.answered_ms if row.answered_ms is not None and row.answered_ms >= answers_from_ms else None
        if sla is not None:
            number = 1 if row.clock is None else row.clock.number + 1
            calendar = self.presence.calendar(row.owner)
            clock = row.clock = start_clock(policy, sla, number, start_ms, calendar, request=request)
            self.tell(lead_id, row, clock, "started", start_ms)
            if answered is not None and answered < clock.due_ms:
                self._end_answered(lead_id, row, clock, answered)
        elif answered is not None:
            self.close(lead_id, row)
        if row.waiting:
            self.join_line(lead_id, row)
            # In the line the lead counts as being in its tier, which without a clock is not that of the request.
            self.book.freed |= request and sla is None
        return sla is not None

    # --- answers ----------------------------------------------------------------------------------------------------

    def activity(self, record: RoutedActivity) -> None:
        """Sales did something; some of it answers a lead."""
        lead_id = record.lead_id
        self.unknown += not self.book.known(lead_id)
        if self._repeats(lead_id, record.event_id):
            return
        bit = answer_bits([record.activity])
        answers_now = bool(bit & self._answers)
        own, row = record.received_at_ms, self.book.row(lead_id)
        happened = min(record.occurred_at_ms, own)
        if answers_now:
            row.answered_ms = max(happened, row.answered_ms or 0)
        clock = row.clock
        if clock is not None and clock.open and clock.answers & bit and happened >= clock.started_ms:
            if happened >= clock.due_ms:
                self._answer_late(lead_id, own, happened)
                return
            self.begin(max(self.log_time_ms, own))
            self.changing(lead_id)
            if clock.breached:
                self._withdraw(lead_id, row, clock, happened)
            else:
                self._end_answered(lead_id, row, clock, happened)
            self.end()
        elif clock is not None and not clock.open and clock.answers & bit and takes_back(clock, happened):
            self.begin(max(self.log_time_ms, own))
            self.changing(lead_id)
            self._withdraw(lead_id, row, clock, happened)
            self.end()
        elif answers_now and row.open and row.running is None and happened >= (row.entered_ms or 0):
            self.begin(max(self.log_time_ms, own))
            self.changing(lead_id)
            self.close(lead_id, row)
            self.end()
        elif answers_now:
            self.unmatched += 1

    def _end_answered(self, lead_id: str, row: LeadRow, clock: Clock, happened_ms: int) -> None:
        self.tell(lead_id, row, clock, "answered", happened_ms)
        clock.state = ANSWERED
        self.close(lead_id, row)

    def _withdraw(self, lead_id: str, row: LeadRow, clock: Clock, happened_ms: int) -> None:
        was_open = clock.open
        self.tell(lead_id, row, clock, "withdrawn", happened_ms)
        clock.state = WITHDRAWN
        if was_open or (row.entered_ms is not None and happened_ms >= row.entered_ms and row.running is None):
            self.close(lead_id, row)

    def _answer_late(self, lead_id: str, own_ms: int, happened: int | None) -> None:
        """An answer at the due time of the lead's clock or later, if it is one: what was due before it comes first."""
        clock = self.book.row(lead_id).running
        if happened is None or clock is None or happened < clock.due_ms:
            return
        self.fire(lead_id, happened)
        self.begin(max(self.log_time_ms, own_ms))
        self._end_answered(lead_id, self.changing(lead_id), clock, happened)
        self.end()

    # --- deadlines --------------------------------------------------------------------------------------------------

    def fire(self, lead_id: str, until_ms: int) -> None:
        """What the lead's clock does up to a moment, each a step of its own."""
        while self.book.due(lead_id) <= until_ms:
            self.deadline(lead_id)

    def deadline(self, lead_id: str) -> None:
        """The next thing that the lead's clock does."""
        row = self.book.row(lead_id)
        clock = row.running
        assert clock is not None, "only a clock that runs has deadlines"
        moment, what, number, whom = clock.steps[0]
        self.begin(max(self.log_time_ms, moment))
        self.changing(lead_id)
        del clock.steps[0]
        if what == REMIND:
            self.tell(lead_id, row, clock, "reminded", moment, number)
        elif what == BREACH:
            clock.state, clock.breached = BREACHED, True
            self.tell(lead_id, row, clock, "breached", moment)
        else:
            if what != TELL and whom is not None and whom in self.policy.teams:
                self._reassign(lead_id, row, whom)
            self.tell(lead_id, row, clock, "escalated", moment, number, whom)
        self.end()

    def _reassign(self, lead_id: str, row: LeadRow, team: str) -> None:
        """Another one of the team has the lead; if nobody can, nothing changes."""
        picked = self.desk.pick((team,), self._at, own=row.owner, never=row.owner)
        if picked.owner is not None:
            self.take(lead_id, row, picked.owner, team, "reassigned", picked.passed)

    # --- people and policies ----------------------------------------------------------------------------------------

    def hand(self, record: HandCommand) -> None:
        """Somebody gives the lead to an owner or to a team's pick, or takes it from everybody."""
        lead_id, own, policy = record.lead_id, record.received_at_ms, self.policy
        if self._repeats(lead_id, record.event_id):
            return
        owner, team = record.owner, record.team
        if (owner is not None and owner not in policy.owners) or (team is not None and team not in policy.teams):
            self.problems.append(
                f"lead {lead_id} cannot be assigned to {owner or team}: policy {policy.name} version "
                f"{policy.version} has no such {'owner' if owner else 'team'}"
            )
            return
        self.fire(lead_id, own)
        self.begin(max(self.log_time_ms, own))
        row = self.changing(lead_id)
        if owner is None and team is None:
            self._release(lead_id, row, own)
            row.by = record.by
        else:
            picked, passed = owner, dict[str, str]()
            if picked is None and team is not None:
                found = self.desk.pick((team,), self._at, own=row.owner if row.open else None)
                picked, passed = found.owner, found.passed
            if picked is None:
                self.problems.append(f"lead {lead_id} cannot be assigned to {team}: nobody of the team is free")
            else:
                self.take(lead_id, row, picked, team or row.team, "by_hand", passed)
                row.by = record.by
                if row.clock is None and row.entered_ms is None:
                    row.entered_ms = own
                    self.book.set_open(row, True)
        self.end()

    def _release(self, lead_id: str, row: LeadRow, at_ms: int) -> None:
        clock = row.running
        if clock is not None:
            self.end_clock(lead_id, row, clock, "cancelled", at_ms)
        self.close(lead_id, row)
        self.book.give(lead_id, row, None)
        row.team, row.pick, row.passed, row.entered_ms = None, "by_hand", {}, None

    def merged(self, record: LeadMerged) -> None:
        """The lead is another one: its owner and its running clock go there."""
        lead_id, into, own = record.lead_id, record.into, record.received_at_ms
        if lead_id == into or not self.book.known(lead_id):
            return
        self.fire(lead_id, own)
        self.fire(into, own)
        self.begin(max(self.log_time_ms, own))
        merge(self, lead_id, into, own)
        self.end()

    def absent(self, owners: tuple[str, ...], at_ms: int) -> None:
        """Absences or hours change at this moment; these go away."""
        self.begin(at_ms)
        self.book.freed = True
        for owner in owners:
            self._lose_open(owner)
        self.end()

    def lost(self, lead_id: str, at_ms: int) -> None:
        """A lead that is not open loses an owner who is away or gone."""
        self.begin(at_ms)
        self.lose_owner(lead_id)
        self.end()

    def switch(self, policy: Policy, presence: Presence, at_ms: int) -> list[str]:
        """The next policy; those who are gone or away by it."""
        before = self._presence
        self.begin(at_ms)
        self.desk.switch(policy, presence)
        self.open_with(policy, presence)
        gone = [
            owner
            for owner in self.book.owners()
            if owner not in policy.owners
            or (presence.away(owner, at_ms) and not (before is not None and before.away(owner, at_ms)))
        ]
        for owner in gone:
            self._lose_open(owner)
        for lead_id in self.line.leads():
            self.join_line(lead_id, self.book.row(lead_id))
        self.book.freed = True
        self.end()
        return gone

    def _lose_open(self, owner: str) -> None:
        for lead_id in self.book.leads_of(owner):
            if self.book.row(lead_id).open:
                self.lose_owner(lead_id)

    def _repeats(self, lead_id: str, event_id: str) -> bool:
        """Whether this came before; else it is remembered."""
        row, digest = self.book.row(lead_id), xxhash.xxh3_64_intdigest(event_id.encode())
        if digest in row.ids:
            self.repeated += 1
            return True
        row.ids = [*row.ids[1 - KEPT_IDS :], digest]
        self.book.dirty[lead_id] = None
        return False
