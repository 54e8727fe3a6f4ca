"""All leads in one fold: who is who takes effect at once.

Where leads lie in several partitions, what an alias had learnt goes to its owner through ingest. Where all of them are
here, as when a file is scored, a link moves it there before the next row is taken, and nothing needs to be forwarded.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas.log import EventRow, Link, LogRow, Merge
from scoring.partition import FoldStep, PartitionFold

__all__ = ["People"]


class People:
    """Takes rows as a fold does; see `PartitionFold.take`.

    Args:
        fold: Has its first model.
        merged: Told of each merge, before it is applied.
    """

    def __init__(self, fold: PartitionFold, merged: Callable[[Merge], None] | None = None) -> None:
        self.fold = fold
        self._merged = merged
        self._owners: dict[str, str] = {}
        self._waiting: list[Merge] = []
        self._linked: Link | None = None

    def owner_of(self, name: str) -> str:
        """The lead that a name belongs to now; the name itself where it is nobody's alias."""
        while name in self._owners:
            name = self._owners[name]
        return name

    def take(self, row: LogRow | EventRow, safe_ms: int) -> bool:
        """Time is `safe_ms`, or later already; then the row. False: the step is full, `finish` it and call again."""
        if isinstance(row, EventRow):
            if row.lead_id in self._owners:
                row = msgspec.structs.replace(row, lead_id=self.owner_of(row.lead_id))
            return self.fold.take(row, safe_ms)
        if not isinstance(row, Link):
            return self.fold.take(row, safe_ms)
        if row is not self._linked:
            if not self.fold.take(row, safe_ms):
                return False
            self._follow(row)
        while self._waiting:
            if not self.fold.take(self._waiting[0], safe_ms):
                return False
            del self._waiting[0]
        self._linked = None
        return True

    def advance(self, safe_ms: int) -> bool:
        """See `PartitionFold.advance`."""
        return self.fold.advance(safe_ms)

    def finish(self) -> FoldStep:
        """See `PartitionFold.finish`."""
        return self.fold.finish()

    def _follow(self, link: Link) -> None:
        """Notes where the alias belongs now, and what it sent."""
        self._linked = link
        for message in self.fold.sent():
            assert isinstance(message, Merge), "events of aliases go to their owners at once"
            merge = msgspec.structs.replace(message, lead_id=self.owner_of(message.lead_id))
            if self._merged is not None:
                self._merged(merge)
            self._waiting.append(merge)
        row = self.fold.row(link.lead_id)
        if row is not None and row.is_merged and row.identity is not None:
            self._owners[link.lead_id] = row.identity.owner
        else:
            self._owners.pop(link.lead_id, None)
