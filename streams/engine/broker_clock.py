"""What time it is at the broker, as far as a worker knows."""

from __future__ import annotations

import time

__all__ = ["BrokerClock"]


class BrokerClock:
    """Set by what the broker says, carried on by the monotonic clock.

    A host whose wall clock jumps asks for time neither early nor late. Until the broker has said something it is the
    clock of this host.
    """

    def __init__(self) -> None:
        self._ahead_ms = self._wall_ms() - time.monotonic() * 1000

    def set(self, broker_ms: int, at_s: float) -> None:
        """At this moment of the monotonic clock it was so late at the broker."""
        self._ahead_ms = broker_ms - at_s * 1000

    def now_ms(self) -> int:
        """Milliseconds since the epoch, at the broker."""
        return int(self._ahead_ms + time.monotonic() * 1000)

    def offset_ms(self) -> int:
        """How far the broker's clock is ahead of this host's, just now."""
        return self.now_ms() - int(self._wall_ms())

    @staticmethod
    def _wall_ms() -> float:
        return time.time() * 1000  # noqa: TID251  # the first guess, and what the offset is told against
