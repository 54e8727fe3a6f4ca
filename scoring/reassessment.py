"""A new model: every lead is looked at anew behind it, in order of their names, over as many steps as it takes."""

from __future__ import annotations

from bisect import bisect_right

from scoring.kernel import Kernel
from scoring.leads import Leads
from scoring.ledger import Ledger
from scoring.outcomes import content_of
from scoring.row import Row

__all__ = ["Reassessment"]


class Reassessment:
    """Leads that wait to be looked at.

    Args:
        leads: Of the partition.
        ledger: Takes what it brings about.

    Attributes:
        at: When the model came; None where no lead waits.
        after: The latest lead that was looked at; None before the first.
    """

    def __init__(self, leads: Leads, ledger: Ledger) -> None:
        self._leads, self._ledger = leads, ledger
        self.at: int | None = None
        self.after: str | None = None
        self._before: Kernel | None = None
        self._waiting: list[str] = []

    def begin(self, before: Kernel, at: int, after: str | None = None) -> None:
        """The model before has ended; with `after` goes on behind that lead."""
        self._before, self.at, self.after = before, at, after
        waiting = self._leads.ids()
        self._waiting = waiting if after is None else waiting[bisect_right(waiting, after) :]

    def go_on(self) -> bool:
        """Looks at leads anew; False if the step is full before all are done."""
        if self.at is None:
            return True
        for place, lead_id in enumerate(self._waiting):
            if self._ledger.is_full:
                del self._waiting[:place]
                return False
            self._look_at(lead_id, self.at)
            self.after = lead_id
        self._waiting = []
        self._before = self.at = self.after = None
        return True

    def _look_at(self, lead_id: str, at: int) -> None:
        leads, ledger, kernel, known = self._leads, self._ledger, self._leads.kernel, self._leads.known[lead_id]
        value = known.value if isinstance(known, Row) else known
        assert self._before is not None
        row = kernel.read(lead_id, value)
        if row.is_merged:
            return
        content = content_of(self._before, self._before.read(lead_id, value))
        leads.keep(row)
        before = row.tier_name
        kernel.model_changed(row, at)
        ledger.touch(lead_id, row)
        ledger.dirty[lead_id] = row
        if content_of(kernel, row) != content:
            ledger.scored(row)
        if row.tier_name != before:
            ledger.note_change(kernel, row, before, {"model": kernel.model.ref.version})
        leads.deadlines.note(lead_id, row.due)
