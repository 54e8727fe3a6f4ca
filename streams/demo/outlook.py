"""What time alone will change of a lead's score, from its row in the changelog: the same kernel, ahead of its time."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.outputs_wire import LeadScoreOut
from schemas.times import parse_iso
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.model import Model
from scoring.points import NEVER
from scoring.row_codec import RowCodecError

__all__ = ["Outlook", "Outlooks"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What happens to a lead if it does nothing more.

    Attributes:
        total_at_ms: When reasons or tier change next.
        total: The total from then on; None where nobody knows.
        tier_at_ms: When the tier changes; None: never.
        tier: The tier from then on.
    """

    total_at_ms: int
    total: int | None
    tier_at_ms: int | None = None
    tier: str | None = None


class Outlooks:
    """Keeps the latest row of each lead, and looks ahead when it is asked.

    Args:
        model: The model that the demo began with; scores of another one are told without what follows from them.
    """

    def __init__(self, model: Model) -> None:
        self._kernel = Kernel(CompiledModel(model))
        self._rows: dict[str, bytes] = {}
        self._known: dict[str, tuple[bytes, str, Outlook]] = {}

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Takes a record of the changelog."""
        if key is not None and value is not None and not key.startswith(b"\0"):
            self._rows[key.decode()] = value

    def of(self, score: LeadScoreOut) -> Outlook | None:
        """What time alone will change; None: nothing."""
        if score.changes_next_at is None:
            return None
        row = self._rows.get(score.lead_id)
        if row is None or score.model.sha256 != self._kernel.model.ref.sha256:
            return Outlook(parse_iso(score.changes_next_at), None)
        known = self._known.get(score.lead_id)
        if known is None or known[0] is not row or known[1] != score.changes_next_at:
            known = (row, score.changes_next_at, self._look_ahead(score.lead_id, row, parse_iso(score.changes_next_at)))
            self._known[score.lead_id] = known
        return known[2]

    def _look_ahead(self, lead_id: str, value: bytes, next_ms: int) -> Outlook:
        """Lives through the deadlines of a copy of the row until its tier changes."""
        try:
            row = self._kernel.read(lead_id, value)
        except RowCodecError:
            return Outlook(next_ms, None)
        tier, total = row.tier_name, None
        while row.due < NEVER and row.tier_name == tier:
            if total is None and row.due > next_ms:
                total = row.scores[3]
            self._kernel.deadline(row)
        if row.tier_name == tier:
            return Outlook(next_ms, row.scores[3] if total is None else total)
        return Outlook(next_ms, row.scores[3] if total is None else total, row.at, row.tier_name)
