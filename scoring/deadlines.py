"""The next moments of all leads of a partition, earliest first.

Most deadlines only ever move later, with each new event of their lead. So an entry is left in the queue until its time
comes, and only then is it asked whether it still holds: a lead costs nothing here as long as it is busy.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from scoring.points import NEVER

__all__ = ["Deadlines"]


class Deadlines:
    """A queue of (moment, lead), each lead once.

    Args:
        due_of: The true next moment of a lead.

    Attributes:
        queue: A heap; its first entry is no later than the true first moment.
    """

    def __init__(self, due_of: Callable[[str], int]) -> None:
        self._due_of = due_of
        self.queue: list[tuple[int, str]] = []
        self._queued: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._queued)

    def load(self, dues: Iterable[tuple[int, str]]) -> None:
        """Starts anew with these."""
        self.queue[:] = [one for one in dues if one[0] < NEVER]
        self._queued = {lead_id: moment for moment, lead_id in self.queue}
        heapq.heapify(self.queue)

    def note(self, lead_id: str, moment: int) -> None:
        """The next moment of a lead is this."""
        if moment < self._queued.get(lead_id, NEVER):
            self._queued[lead_id] = moment
            heapq.heappush(self.queue, (moment, lead_id))

    def pop(self, until: int) -> str | None:
        """The lead whose moment comes first, no later than `until`; ties in the order of their names."""
        queue, queued = self.queue, self._queued
        while queue and queue[0][0] <= until:
            moment, lead_id = heapq.heappop(queue)
            if queued.get(lead_id) != moment:
                continue
            del queued[lead_id]
            due = self._due_of(lead_id)
            if due <= moment:
                return lead_id
            self.note(lead_id, due)
        return None

    def first(self) -> int | None:
        """The earliest true moment, or None."""
        queue, queued = self.queue, self._queued
        while queue:
            moment, lead_id = queue[0]
            due = self._due_of(lead_id) if queued.get(lead_id) == moment else None
            if due == moment:
                return moment
            heapq.heappop(queue)
            if due is not None:
                del queued[lead_id]
                self.note(lead_id, due)
        return None
