"""One step: a record, a deadline or a change of absence or hours, then the waiting line, then what is told.

Between `begin` and `end` leads change and SLA events are told as they happen; `end` tries the waiting line once and
tells one assignment for each lead that the step changed.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.routing_wire import PolicyRef
from scoring.matching import all_fit
from scoring.routing.book import Book
from scoring.routing.desk import Desk
from scoring.routing.line import Line, Teams
from scoring.routing.policy import Policy, Route
from scoring.routing.presence import Presence
from scoring.routing.state import CANCELLED, Clock, LeadRow
from scoring.routing.telling import Content, Told, assignment_of, content_of, sla_event

__all__ = ["Steps"]


class Steps:
    """Steps over the leads of a book, by the active policy.

    Args:
        book: The leads.
        desk: Teams, picks and loads.
        moved: Told when a lead's clock does something at another moment next.

    Attributes:
        line: Who waits.
        told: What was told and not fetched yet.
    """

    def __init__(self, book: Book, desk: Desk, moved: Callable[[str, int], None]) -> None:
        self.book, self.desk, self.line = book, desk, Line()
        self.told: list[Told] = []
        self._moved = moved
        self._policy: Policy | None = None
        self._presence: Presence | None = None
        self._ref = PolicyRef("", 0)
        self._ranks: dict[str, int] = {}
        self._before: dict[str, Content] = {}
        self._at = 0
        # Nobody comes or goes from here to there; the line was tried meanwhile.
        self._tried = (0, 0)

    @property
    def policy(self) -> Policy:
        """The active policy."""
        assert self._policy is not None, "the first policy comes before the first row"
        return self._policy

    @property
    def presence(self) -> Presence:
        """Its owners over time."""
        assert self._presence is not None, "the first policy comes before the first row"
        return self._presence

    def open_with(self, policy: Policy, presence: Presence) -> None:
        """The active policy is this; leads, teams and the line are to be restored with it."""
        self._policy, self._presence = policy, presence
        self._ref = PolicyRef(policy.name, policy.version)
        self._ranks = {tier: rank for rank, tier in enumerate(policy.sla)}
        self._tried = (0, 0)
        self.desk.open_with(policy, presence)

    # --- a step -----------------------------------------------------------------------------------------------------

    def begin(self, at_ms: int) -> None:
        """A step begins; who is free is asked at this moment."""
        self._at = at_ms

    def changing(self, lead_id: str) -> LeadRow:
        """The row of a lead, which the step may change."""
        row = self.book.row(lead_id)
        if lead_id not in self._before:
            self._before[lead_id] = content_of(row)
            self.book.dirty[lead_id] = None
        return row

    def end(self) -> None:
        """The step is over."""
        self._try_line()
        for lead_id, before in self._before.items():
            row = self.book.row(lead_id)
            if content_of(row) != before:
                self.told.append(assignment_of(lead_id, row, self._at, self._ref))
            self._moved(lead_id, row.due)
        self._before = {}

    def _try_line(self) -> None:
        """Everybody in the line once, from its head; nobody, where nobody can have become free since it was tried."""
        book, at, line = self.book, self._at, self.line
        same = self._tried[0] <= at < self._tried[1]
        if not line or (same and not book.freed):
            book.freed = False
            return
        if not same:
            self._tried = (at, self.presence.next_change(at))
        hopeful = [teams for teams in line.files() if self.desk.has_candidate(teams, at)]
        for lead_id, teams in line.from_head(hopeful):
            picked = self.desk.pick(teams, at)
            if picked.owner is not None and picked.team is not None:
                row = self.changing(lead_id)
                self.take(lead_id, row, picked.owner, picked.team, self.policy.teams[picked.team].pick, picked.passed)
        book.freed = False

    # --- what steps are made of -------------------------------------------------------------------------------------

    def route_of(self, row: LeadRow, tier: str | None) -> tuple[int, Route] | None:
        """The first route that a lead in this tier matches, with its number."""
        for number, route in enumerate(self.policy.routes, 1):
            if route.tier == tier and all_fit(route.where, row.profile):
                return number, route
        return None

    def teams_of(self, route: Route | None) -> Teams:
        """The teams to ask: the route's, its `else`, the fallback."""
        names = (None, None) if route is None else (route.team, route.otherwise)
        return tuple(dict.fromkeys(name for name in (*names, self.policy.fallback) if name is not None))

    def rank(self, tier: str | None) -> int:
        """Smaller is better; a tier without `sla` is below all that have one."""
        return self._ranks.get(tier or "", len(self._ranks))

    def find_owner(self, lead_id: str, row: LeadRow, route: Route | None, *, request: bool = False) -> None:
        """Keeps the lead's owner, or picks one; else the lead waits. The line is joined when the clock is known."""
        owner, at = row.owner, self._at
        keeps = route is not None and route.keep_owner and owner is not None and owner in self.policy.owners
        if keeps and owner is not None and route is not None and not self.presence.away(owner, at):
            self.take(lead_id, row, owner, row.team or route.team, "kept", {})
            return
        picked = self.desk.pick(self.teams_of(route), at, own=owner if row.open else None)
        if picked.owner is not None and picked.team is not None:
            pick = "request" if request else self.policy.teams[picked.team].pick
            self.take(lead_id, row, picked.owner, picked.team, pick, picked.passed)
            return
        self.book.give(lead_id, row, None)
        row.team = None if route is None else route.team
        row.pick, row.passed, row.by, row.waiting = "waiting", picked.passed, None, True

    def take(self, lead_id: str, row: LeadRow, owner: str, team: str | None, pick: str, passed: dict[str, str]) -> None:
        """Somebody has the lead."""
        self.book.give(lead_id, row, owner)
        row.team, row.pick, row.passed, row.by = team, pick, passed, None
        self.leave_line(lead_id, row)

    def join_line(self, lead_id: str, row: LeadRow) -> None:
        """The lead waits, or does so under another clock."""
        row.waiting = True
        found, clock = self.route_of(row, row.counted_tier), row.running
        teams = self.teams_of(None if found is None else found[1])
        self.line.join(lead_id, teams, None if clock is None else clock.due_ms)

    def leave_line(self, lead_id: str, row: LeadRow) -> None:
        """The lead waits no longer."""
        if row.waiting:
            row.waiting = False
            self.line.leave(lead_id)

    def close(self, lead_id: str, row: LeadRow) -> None:
        """The lead is no longer open; it keeps its owner."""
        self.leave_line(lead_id, row)
        self.book.set_open(row, False)

    def end_clock(self, lead_id: str, row: LeadRow, clock: Clock, what: str, at_ms: int) -> None:
        """The clock ends without an answer."""
        self.tell(lead_id, row, clock, what, at_ms)
        clock.state = CANCELLED

    def tell(
        self,
        lead_id: str,
        row: LeadRow,
        clock: Clock,
        what: str,
        effective_ms: int,
        number: int = 0,
        to: str | None = None,
    ) -> None:
        """Tells what a clock does."""
        self.told.append(sla_event(lead_id, row.owner, clock, what, effective_ms, number, to))

    def lose_owner(self, lead_id: str) -> None:
        """The owner is away or gone: an open lead joins the line, another one has nobody."""
        row = self.changing(lead_id)
        self.book.give(lead_id, row, None)
        row.passed, row.by = {}, None
        if row.open:
            found = self.route_of(row, row.counted_tier)
            row.team = None if found is None else found[1].team
            row.pick = "waiting"
            self.join_line(lead_id, row)
            # The others in the line may be tried with it: it is one step.
            self.book.freed = True
        else:
            row.team, row.pick = None, "lost"
