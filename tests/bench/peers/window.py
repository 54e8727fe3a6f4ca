"""Between two moments of an engine's work: what its processes used, and how many events they did."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench.peers.processes import cpu_s

__all__ = ["Window"]


class Window:
    """Some processes between the moment when so many events were done and the one when as many more were.

    A moment is noted when the news has ended or for a quarter of a second: who tells tier changes in bursts is
    further than the first of them says.
    """

    def __init__(self, pids: list[int], done: Callable[[], int], each_s: float) -> None:
        self._pids, self._done, self._each_s = pids, done, each_s
        self._next = self._since = self._last = 0.0
        self.ends: list[tuple[int, float, float]] = []

    def reached(self, goal: int) -> bool:
        """Whether they are there; notes what has been used until then."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._each_s
        done, before = self._done(), self._last
        self._last = done
        if done < goal:
            return False
        self._since = self._since or now
        if done > before and now < self._since + 0.25:
            return False
        self.ends.append((done, cpu_s(self._pids), now))
        self._since = 0.0
        return True

    @property
    def cpu_us(self) -> float:
        """Of an event."""
        (done, cpu, _), (later, more, _) = self.ends
        return (more - cpu) / (later - done) * 1e6
