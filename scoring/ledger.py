"""What a step of the fold brings about: gathered while it is under way, in the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from schemas.log import ByHand, EventRow, Merge
from schemas.outputs_wire import Cause, LeadScoreOut, MergedLeadOut, TierChangeOut
from schemas.routing_log import RoutedRequest, RoutedTier, RoutingRow
from scoring.kernel import Kernel
from scoring.outcomes import merged_of, score_of, tier_change_of
from scoring.row import Row
from scoring.row_codec import encode_row
from scoring.signals import Sighting

__all__ = ["AFTER_ROW", "AT_ROW", "BEFORE_ROW", "FoldStep", "Ledger", "Place", "bytes_of"]

_NEW_BYTES: Final = 200
_RECORD_BYTES: Final = 40
"""Of a new row without its evidence; of what Kafka adds to a record."""

Place = tuple[int, int, int, str]
"""Number of the event, before, at or behind it, deadline, lead."""

BEFORE_ROW: Final = 0
AT_ROW: Final = 1
AFTER_ROW: Final = 2


@dataclass(slots=True)
class FoldStep:
    """What a step of the fold brought about.

    Attributes:
        position: Where the next step goes on: offset of a record, and how many of its rows are done.
        memo: What must be remembered beside the rows.
        changes: Tier changes, in the order in which they were decided.
        scores: Leads whose tier, scores or reasons changed, each once.
        rows: Changed rows of the table.
        applied: How many rows of the log were applied.
        lateness_ms: Of each deadline that changed something: log time minus deadline.
        problems: What was wrong with rows that could not be applied, for people.
        merged: Aliases that changed, each once: where they went.
        sent: Rows for other leads, to be carried through ingest: what an alias had learnt, and what came for it later.
        shared: How many aliases have become nobody's.
        routing: What route must know, in each lead's order: what sales did and who asked for a person before the tier
            changes that follow from it, behind those that deadlines brought about before it.
        asked_for_time: A row was there only to bring time.
    """

    position: tuple[int, int] = (0, 0)
    memo: bytes = b""
    changes: list[TierChangeOut] = field(default_factory=list)
    scores: list[LeadScoreOut] = field(default_factory=list)
    rows: list[tuple[bytes, bytes]] = field(default_factory=list)
    applied: int = 0
    lateness_ms: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    merged: list[MergedLeadOut] = field(default_factory=list)
    sent: list[Merge | EventRow | ByHand] = field(default_factory=list)
    shared: int = 0
    routing: list[RoutingRow] = field(default_factory=list)
    asked_for_time: bool = False


class Ledger:
    """The step that is under way.

    Args:
        max_bytes: It is full before its rows could be larger than this.
        max_deadlines: And after so many deadlines.
        with_scores: Whether it has scores.

    Attributes:
        step: What it has brought about so far, but for rows and scores.
        log_time_ms: What time it is in the log.
        place: Where among the rows that are being applied what is told next belongs.
        dirty: Rows to write, or their bytes; None: something waits for the lead.
        size: Bytes of the rows to write, at most.
        expected: Bytes that the events that wait may add.
        fired: Deadlines that changed something.
    """

    def __init__(self, max_bytes: int, max_deadlines: int, *, with_scores: bool) -> None:
        self.max_bytes, self.max_deadlines = max_bytes, max_deadlines
        self._with_scores = with_scores
        self.log_time_ms = 0
        self.place: Place = (0, 0, 0, "")
        self._ordered: list[tuple[Place, RoutingRow, TierChangeOut | None]] | None = None
        self.begin()

    def begin(self) -> None:
        """A new step."""
        self.step = FoldStep()
        self.dirty: dict[str, Row | bytes | None] = {}
        # Scores to publish: as they stand at the end of the step, with the log time of the last change of content.
        self._scored: dict[str, tuple[Row, int] | LeadScoreOut | MergedLeadOut] = {}
        self.size = self.expected = self.fired = 0

    @property
    def is_full(self) -> bool:
        """Whether the step must end."""
        return self.size > self.max_bytes or self.fired > self.max_deadlines

    def touch(self, lead_id: str, known: Row | bytes | None) -> None:
        """The lead's row must be written at the end of the step."""
        if lead_id not in self.dirty:
            self.size += bytes_of(lead_id, known)
            self.dirty[lead_id] = None

    def scored(self, row: Row) -> None:
        """The content of a lead's score changed now."""
        self._scored[row.lead_id] = (row, self.log_time_ms)

    def put_away(self, kernel: Kernel, row: Row) -> None:
        """The bytes of a lead's row, and its score: it changes no more in this step, or before the next model."""
        lead_id = row.lead_id
        kernel.rest(row)
        row.value = self.dirty[lead_id] = encode_row(kernel.model, row)
        scored = self._scored.get(lead_id)
        if isinstance(scored, tuple) and self._with_scores:
            self._scored[lead_id] = merged_of(scored[0]) or score_of(kernel, scored[0], scored[1])

    def put_all_away(self, kernel: Kernel) -> None:
        """The same for all rows that are not yet."""
        for row in list(self.dirty.values()):
            if isinstance(row, Row):
                self.put_away(kernel, row)

    def finish(self) -> FoldStep:
        """The step, with its rows and scores, which are put away."""
        step = self.step
        step.rows = [(lead_id.encode(), row) for lead_id, row in self.dirty.items() if isinstance(row, bytes)]
        if self._with_scores:
            said = self._scored.values()
            step.scores = [score for score in said if isinstance(score, LeadScoreOut)]
            step.merged = [merged for merged in said if isinstance(merged, MergedLeadOut)]
        return step

    def begin_order(self) -> None:
        """What is told from now on is told lead by lead."""
        self._ordered = []

    def end_order(self) -> None:
        """What was told lead by lead leaves in the order of the log: that of the rows, at each row deadlines first."""
        assert self._ordered is not None
        self._ordered.sort(key=itemgetter(0))
        self.step.routing += [row for _, row, _ in self._ordered]
        self.step.changes += [change for _, _, change in self._ordered if change is not None]
        self._ordered = None

    def note_change(self, kernel: Kernel, row: Row, before: str, cause: Cause) -> None:
        """A lead has changed its tier."""
        change = tier_change_of(kernel, row, before, cause, self.log_time_ms)
        self.note(RoutedTier(row.lead_id, row.seq, row.tier_name, row.at, change.profile), change)

    def note_request(self, kernel: Kernel, row: Row, sighting: Sighting) -> None:
        """A lead has asked for a person."""
        times = sighting.occurred_at_ms, sighting.received_at_ms
        self.note(RoutedRequest(row.lead_id, sighting.event_id, *times, kernel.published(row)))

    def note(self, row: RoutingRow, change: TierChangeOut | None = None) -> None:
        """Something that route must know; a tier change is told to everybody, too."""
        if self._ordered is not None:
            self._ordered.append((self.place, row, change))
            return
        self.step.routing.append(row)
        if change is not None:
            self.step.changes.append(change)


def bytes_of(lead_id: str, known: Row | bytes | None) -> int:
    """Bytes of a lead's row as a record, as it was last written."""
    value = known.value if isinstance(known, Row) else known
    return 4 * len(lead_id) + (len(value) + _RECORD_BYTES if value else _NEW_BYTES)
