"""The waiting line: leads that nobody could take, by earliest due, then name; leads without a clock last.

Leads that would ask the same teams stand in one file of the line: where the first of them finds nobody, the others
will not either, so trying the whole line costs no more than what it brings about.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator

from scoring.points import NEVER

__all__ = ["Line", "Teams"]

Teams = tuple[str, ...]
"""The teams that a lead asks, in order."""

_Key = tuple[int, str]


class Line:
    """Leads by the teams that they would ask."""

    def __init__(self) -> None:
        self._files: dict[Teams, list[_Key]] = {}
        self._places: dict[str, tuple[Teams, _Key]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, lead_id: str) -> bool:
        return lead_id in self._places

    def leads(self) -> list[str]:
        """Everybody in it, in no particular order."""
        return [*self._places]

    def join(self, lead_id: str, teams: Teams, due_ms: int | None) -> None:
        """A lead begins to wait, or waits for other teams or another due time."""
        self.leave(lead_id)
        key = (NEVER if due_ms is None else due_ms, lead_id)
        insort(self._files.setdefault(teams, []), key)
        self._places[lead_id] = (teams, key)

    def leave(self, lead_id: str) -> None:
        """A lead waits no longer."""
        place = self._places.pop(lead_id, None)
        if place is not None:
            teams, key = place
            waiting = self._files[teams]
            del waiting[bisect_left(waiting, key)]
            if not waiting:
                del self._files[teams]

    def files(self) -> list[Teams]:
        """Which teams leads wait for."""
        return [*self._files]

    def from_head(self, hopeful: list[Teams]) -> Iterator[tuple[str, Teams]]:
        """Leads from the head, of these files alone.

        Whoever iterates takes the lead out of the line if it found somebody; if it did not, its file is left out.
        """
        heads = [(self._files[teams][0], teams) for teams in hopeful]
        heapq.heapify(heads)
        while heads:
            (_, lead_id), teams = heapq.heappop(heads)
            yield lead_id, teams
            waiting = self._files.get(teams)
            if waiting and waiting[0][1] != lead_id:
                heapq.heappush(heads, (waiting[0], teams))
