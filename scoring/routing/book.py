"""The leads of route, and who has how many: rows in memory, with every index that hangs on them kept right."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.points import NEVER
from scoring.routing.desk import Desk
from scoring.routing.state import LeadRow, decode_lead, encode_lead

__all__ = ["Book"]


class Book:
    """All leads by name.

    Rows are read when they are asked for. Whoever changes owner or openness of a row does it through `give` and
    `set_open`, so that loads and the leads of each owner stay what the rows say.

    Attributes:
        dirty: Leads whose rows must be written.
        freed: Somebody has room who had none: the waiting line must be tried.
    """

    def __init__(self, desk: Desk, max_live: int) -> None:
        self._desk, self._max_live = desk, max_live
        self._stored: dict[str, bytes] = {}
        self._live: dict[str, LeadRow] = {}
        self._owned: dict[str, set[str]] = {}
        self.dirty: dict[str, None] = {}
        self.freed = False

    def __len__(self) -> int:
        return len(self._stored)

    def store(self, lead_id: str, value: bytes | None) -> None:
        """Takes a row as the table has it; None deletes."""
        if value is None:
            self._stored.pop(lead_id, None)
        else:
            self._stored[lead_id] = value

    def load(self) -> Iterator[tuple[str, LeadRow]]:
        """Reads every row once, and makes the indexes of them.

        Raises:
            RowCodecError: A row cannot be read.
        """
        for lead_id, value in self._stored.items():
            row = decode_lead(value)
            if row.owner is not None:
                self._owned.setdefault(row.owner, set()).add(lead_id)
                self._count(row, +1)
            yield lead_id, row

    def known(self, lead_id: str) -> bool:
        """Whether anything was heard of a lead."""
        return lead_id in self._live or lead_id in self._stored

    def row(self, lead_id: str) -> LeadRow:
        """The row of a lead, a new one if nothing was heard of it; for looking at it, see `changing`."""
        row = self._live.get(lead_id)
        if row is None:
            value = self._stored.get(lead_id)
            row = self._live[lead_id] = LeadRow() if value is None else decode_lead(value)
        return row

    def due(self, lead_id: str) -> int:
        """The next moment of a lead's clock."""
        row = self._live.get(lead_id)
        if row is not None:
            return row.due
        value = self._stored.get(lead_id)
        return NEVER if value is None else int.from_bytes(value[1:9], "big", signed=True)

    def give(self, lead_id: str, row: LeadRow, owner: str | None) -> None:
        """The lead's owner is this one from now on."""
        if row.owner == owner:
            return
        if row.owner is not None:
            self._count(row, -1)
            self._owned[row.owner].discard(lead_id)
        row.owner = owner
        if owner is not None:
            self._count(row, +1)
            self._owned.setdefault(owner, set()).add(lead_id)

    def set_open(self, row: LeadRow, is_open: bool) -> None:
        """The lead is open, or no longer."""
        if row.open != is_open:
            self._count(row, -1)
            row.open = is_open
            self._count(row, +1)

    def _count(self, row: LeadRow, step: int) -> None:
        if row.open and row.owner is not None:
            loads = self._desk.loads
            loads[row.owner] = loads.get(row.owner, 0) + step
            if step < 0:
                self.freed = True

    def leads_of(self, owner: str) -> list[str]:
        """Every lead of an owner, by name."""
        return sorted(self._owned.get(owner, ()))

    def owners(self) -> list[str]:
        """Everybody who has a lead."""
        return sorted(owner for owner, leads in self._owned.items() if leads)

    def lead_ids(self) -> list[str]:
        """Every lead, sorted."""
        return sorted(self._stored.keys() | self._live.keys())

    def written(self) -> list[tuple[bytes, bytes]]:
        """The rows that changed since the last call."""
        rows = []
        for lead_id in self.dirty:
            value = self._stored[lead_id] = encode_lead(self._live[lead_id])
            rows.append((lead_id.encode(), value))
        self.dirty = {}
        if len(self._live) > self._max_live:
            self._live.clear()
        return rows
