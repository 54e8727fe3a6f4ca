"""All of `lead-routing`: rows in, assignments and SLA events out.

The fold is a pure function of the topic. Wherever it is cut and taken up again (from the rows, and the memo of what
else must be remembered) it tells the same with the same ids.

Log time is the smallest of the score partitions' log times. It begins when all of them have told theirs, and then
moves through every millisecond: at each, absences and hours come first, then the waiting line, then deadlines by lead.
A record is applied when it is read, also one that is ahead of log time; before a tier change, a hand command, a merge
or a late answer its lead's clock does what was due before it, so that no breach is lost because a partition lags, and
an answer in time is one however late it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.log import LogCodecError
from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    LogTime,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
    decode_routing,
)
from scoring.deadlines import Deadlines
from scoring.points import NEVER
from scoring.routing.book import Book
from scoring.routing.desk import OWNER_PREFIX, TEAM_PREFIX, Desk
from scoring.routing.memo import MEMO_CODEC, POLICY_KEY, RoutingMemo, decode_memo, encode_memo
from scoring.routing.policy import Policy
from scoring.routing.policy_store import PolicyStore
from scoring.routing.presence import Presence
from scoring.routing.reading import PolicyError, read_policy
from scoring.routing.router import Router
from scoring.routing.telling import Told

__all__ = ["RoutingFold", "RoutingStep"]


@dataclass(slots=True)
class RoutingStep:
    """What a step of the fold brought about.

    Attributes:
        position: Where the next step goes on: offset of a record, and how many of its rows are done.
        memo: What must be remembered beside the rows.
        told: Assignments and SLA events, in the order in which they came.
        rows: Changed rows of the table; None deletes.
        applied: How many rows of the topic were applied.
        lateness_ms: Of each deadline: how far log time had come when it was applied, minus the deadline.
        problems: What could not be done, for people.
        unmatched: Answers that met no clock.
        unknown: Sales activities of leads that nobody had heard of.
        repeated: Rows that had come before.
    """

    position: tuple[int, int] = (0, 0)
    memo: bytes = b""
    told: list[Told] = field(default_factory=list)
    rows: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    applied: int = 0
    lateness_ms: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unmatched: int = 0
    unknown: int = 0
    repeated: int = 0


class RoutingFold:
    """The state of route.

    Args:
        max_step_leads: A step ends after it changed so many leads.
        max_live: So many leads are kept ready in memory; of all others only the bytes.
    """

    def __init__(self, max_step_leads: int = 5_000, max_live: int = 100_000) -> None:
        self._desk = Desk()
        self._book = Book(self._desk, max_live)
        self._deadlines = Deadlines(self._book.due)
        self._router = Router(self._book, self._desk, self._deadlines.note)
        self._max_leads = max_step_leads
        self._policies = PolicyStore()
        self._partitions = 0
        self._times: dict[int, int] = {}
        self._losing: list[tuple[str, int]] = []
        self._step = RoutingStep()

    # --- state ------------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy | None:
        """The active policy; None before the first."""
        return None if self._policies.version is None else self._router.policy

    @property
    def log_time_ms(self) -> int:
        """The moment up to which everything is done; 0 before every score partition has told its time."""
        return self._router.log_time_ms

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return len(self._book)

    @property
    def waiting(self) -> int:
        """How many leads wait for somebody."""
        return len(self._router.line)

    @property
    def deadlines(self) -> int:
        """How many clocks will do something."""
        return len(self._deadlines)

    @property
    def loads(self) -> dict[str, int]:
        """Open leads of each owner of the policy."""
        policy = self.policy
        return {} if policy is None else {owner: self._desk.loads.get(owner, 0) for owner in policy.owners}

    @property
    def score_partitions(self) -> range:
        """Those whose times log time is made of; none before the first was heard."""
        return range(self._partitions)

    def restore(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Takes rows of the table, oldest first; None deletes."""
        for key, value in rows:
            if key == POLICY_KEY:
                self._policies.restore(value)
            elif key.startswith((OWNER_PREFIX, TEAM_PREFIX)):
                self._desk.restore(key, value)
            elif key[:1] != b"\0":
                self._book.store(key.decode(), value)

    def restore_memo(self, memo: bytes) -> None:
        """Takes what was remembered beside the rows.

        Raises:
            RowCodecError: It cannot be read, or is of a newer version.
        """
        found = decode_memo(memo)
        self._router.log_time_ms, self._policies.version = found.log_time_ms, found.version
        self._partitions, self._times, self._losing = found.partitions, found.times, list(found.losing)

    def opened(self) -> None:
        """Everything is restored.

        Raises:
            RowCodecError: A row cannot be read, or the policy that the memo names is not there.
        """
        if self._policies.version is not None:
            policy = self._policies.active()
            self._router.open_with(policy, Presence(policy))
        dues = []
        for lead_id, row in self._book.load():
            if row.due < NEVER:
                dues.append((row.due, lead_id))
            if row.waiting:
                self._router.join_line(lead_id, row)
        self._deadlines.load(dues)

    def start_with(self, text: str, name: str = "policy") -> None:
        """The first policy: it holds from the first row.

        Raises:
            PolicyError: Everything that is wrong with it.
        """
        policy = read_policy(text, name)
        self._policies.switch(policy)
        self._router.open_with(policy, Presence(policy))

    def next_deadline_ms(self) -> int | None:
        """The earliest moment at which time alone may change something."""
        if self._policies.version is None:
            return None
        first = self._deadlines.first()
        change = self._next_change()
        return change if first is None else first if change is None else min(first, change)

    def _next_change(self) -> int | None:
        """The next moment at which absences or hours may change something."""
        router = self._router
        if router.line:
            change = router.presence.next_change(router.log_time_ms)
            return change if change < NEVER else None
        place = router.presence.first_edge(router.log_time_ms)
        return router.presence.edges[place][0] if place < len(router.presence.edges) else None

    # --- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, records: Sequence[tuple[int, bytes]], start: tuple[int, int] = (0, 0)) -> RoutingStep:
        """Applies records (offset, value) from `start` on, until they are done or the step is large enough.

        Raises:
            LogCodecError: A record cannot be read; the message says which.
        """
        position = start
        for offset, value in records:
            if offset < start[0]:
                continue
            try:
                rows = decode_routing(value)
            except LogCodecError as error:
                raise LogCodecError(f"offset {offset}: {error}") from error
            done = start[1] if offset == start[0] else 0
            for number in range(done, len(rows)):
                if not self.take(rows[number]):
                    return self._end_step((offset, number))
            if not self._catch_up(self._router.log_time_ms):
                return self._end_step((offset, len(rows)))
            position = (offset + 1, 0)
        return self._end_step(position)

    def take(self, row: RoutingRow) -> bool:
        """Applies a row. False: the step is full, `finish` it and call again with the same row."""
        router = self._router
        if not self._catch_up(router.log_time_ms):
            return False
        if isinstance(row, LogTime):
            if not self._time(row):
                return False
        elif isinstance(row, RoutedTier):
            router.tier(row)
        elif isinstance(row, RoutedActivity):
            router.activity(row)
        elif isinstance(row, RoutedRequest):
            router.request(row)
        elif isinstance(row, HandCommand):
            router.hand(row)
        elif isinstance(row, LeadMerged):
            router.merged(row)
        else:
            self._control(row)
        self._step.applied += 1
        return True

    def advance(self, until_ms: int) -> bool:
        """Log time moves to a moment. False: the step is full, `finish` it and call again."""
        return self._catch_up(max(until_ms, self._router.log_time_ms))

    def finish(self) -> RoutingStep:
        """Ends a step that was made of `take` and `advance`; what it brought about."""
        return self._end_step((0, 0))

    def _time(self, row: LogTime) -> bool:
        self._partitions = max(self._partitions, row.partitions)
        self._times[row.partition] = max(row.log_time_ms, self._times.get(row.partition, 0))
        return len(self._times) < self._partitions or self.advance(min(self._times.values()))

    def _control(self, row: PolicyControl) -> None:
        """The next policy, if it is one. A version that is not greater than the active one does nothing."""
        router, version = self._router, self._policies.version
        if version is not None and row.version <= version:
            if (row.version, row.sha256) != (version, router.policy.sha256):
                told = f"version {row.version} (sha256 {row.sha256[:12]}) does nothing"
                self._step.problems.append(f"policy {row.policy} {told}: version {version} holds already")
            return
        try:
            policy = read_policy(row.body, row.policy)
        except PolicyError as error:
            self._step.problems.append(f"policy {row.policy} version {row.version} is refused: {error}")
            return
        at = max(router.log_time_ms, row.received_at_ms)
        self._losing += [(owner, at) for owner in router.switch(policy, Presence(policy), at)]
        self._policies.switch(policy)

    def _catch_up(self, until_ms: int) -> bool:
        """Finishes what is under way and goes through time up to a moment; False if the step is full before."""
        router, deadlines = self._router, self._deadlines
        if self._policies.version is None:
            router.log_time_ms = until_ms
            return True
        if router.log_time_ms == 0 and until_ms > 0:
            # Time begins: what came and went before is nobody's business.
            router.log_time_ms = until_ms
            self._leave(router.presence.all_away(until_ms), until_ms)
        while self._losing or router.log_time_ms < until_ms or self._is_due(until_ms):
            if not self._lose() or self._is_full():
                return False
            change, first = self._next_change(), deadlines.first()
            moment = min(change or NEVER, NEVER if first is None else first)
            if moment > until_ms:
                break
            router.log_time_ms = max(router.log_time_ms, moment)
            if moment == change:
                self._change(moment)
            else:
                lead_id = deadlines.pop(moment)
                assert lead_id is not None
                router.deadline(lead_id)
                self._step.lateness_ms.append(until_ms - moment)
        router.log_time_ms = max(router.log_time_ms, until_ms)
        return not self._is_full()

    def _is_due(self, until_ms: int) -> bool:
        first = self._deadlines.first()
        return first is not None and first <= until_ms

    def _change(self, moment: int) -> None:
        """Absences or hours change."""
        presence = self._router.presence
        place = presence.first_edge(moment) - 1
        leaving = presence.edges[place][1] if place >= 0 and presence.edges[place][0] == moment else ()
        self._leave(leaving, moment)

    def _leave(self, owners: tuple[str, ...], moment: int) -> None:
        self._router.absent(owners, moment)
        self._losing += [(owner, moment) for owner in owners]

    def _lose(self) -> bool:
        """Takes from those who are away the leads that are not open; False if the step is full before."""
        while self._losing:
            owner, at = self._losing[0]
            for lead_id in self._book.leads_of(owner):
                if self._is_full():
                    return False
                self._router.lost(lead_id, at)
            del self._losing[0]
        return True

    # --- steps ------------------------------------------------------------------------------------------------------

    def _is_full(self) -> bool:
        return len(self._book.dirty) >= self._max_leads

    def _end_step(self, position: tuple[int, int]) -> RoutingStep:
        step, router = self._step, self._router
        step.position = position
        step.told, router.told = router.told, []
        step.problems += router.problems
        step.unmatched, step.unknown, step.repeated = router.unmatched, router.unknown, router.repeated
        router.problems, router.unmatched, router.unknown, router.repeated = [], 0, 0, 0
        step.rows += self._book.written()
        step.rows += self._desk.changed_rows()
        step.rows += self._policies.unwritten()
        memo = RoutingMemo(
            MEMO_CODEC,
            router.log_time_ms,
            self._policies.version,
            self._partitions,
            dict(self._times),
            list(self._losing),
        )
        step.memo = encode_memo(memo)
        self._step = RoutingStep()
        return step
