"""The leads of a partition: each one's row, ready in memory or as its bytes, and when time may change something."""

from __future__ import annotations

from collections.abc import Callable

from scoring.deadlines import Deadlines
from scoring.kernel import Kernel
from scoring.row import Row
from scoring.row_codec import kept_due

__all__ = ["Leads"]


class Leads:
    """All leads of a partition.

    Args:
        max_live: So many rows are kept ready in memory; of all others only the bytes.

    Attributes:
        known: Each lead's row, where it is ready in memory, or its bytes.
        deadlines: The next moment of each.
    """

    def __init__(self, max_live: int) -> None:
        self.known: dict[str, Row | bytes] = {}
        self.due_of = _due_reader(self.known)
        self.deadlines = Deadlines(self.due_of)
        self._kernel: Kernel | None = None
        self._live: list[str] = []
        self._max_live = max_live

    @property
    def kernel(self) -> Kernel:
        """Of the active model."""
        assert self._kernel is not None, "the first model comes before the first row"
        return self._kernel

    @kernel.setter
    def kernel(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @property
    def has_kernel(self) -> bool:
        """Whether there is one: not before the first model."""
        return self._kernel is not None

    def restore(self, lead_id: str, value: bytes | None) -> None:
        """Takes the bytes of a row; None deletes.

        Raises:
            RowCodecError: No row, or of a newer version.
        """
        if value is None:
            self.known.pop(lead_id, None)
        else:
            kept_due(value)
            self.known[lead_id] = value

    def restored(self) -> None:
        """All rows are here."""
        self.deadlines.load((self.due_of(lead_id), lead_id) for lead_id in self.known)

    def row(self, lead_id: str) -> Row | None:
        """The row of a lead; None if nobody has heard of it."""
        known = self.known.get(lead_id)
        if isinstance(known, bytes):
            return self.keep(self.kernel.read(lead_id, known))
        return known

    def keep(self, row: Row) -> Row:
        """The row is ready in memory from now on."""
        self.known[row.lead_id] = row
        self._live.append(row.lead_id)
        return row

    def ids(self) -> list[str]:
        """Every lead, sorted."""
        return sorted(self.known)

    def let_go(self) -> None:
        """Of rows that are written, only the bytes are kept."""
        for lead_id in self._live:
            row = self.known[lead_id]
            if isinstance(row, Row):
                self.known[lead_id] = row.value
        self._live.clear()

    def let_go_of_many(self) -> None:
        """The same, where there are more than may be ready."""
        if len(self._live) > self._max_live:
            self.let_go()


def _due_reader(known: dict[str, Row | bytes]) -> Callable[[str], int]:
    """What gives the next moment of a lead. It knows no fold: one that is given up is free at once, without cycles."""

    def due_of(lead_id: str) -> int:
        row = known[lead_id]
        return row.due if isinstance(row, Row) else kept_due(row)

    return due_of
