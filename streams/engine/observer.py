"""What the engine tells to whoever watches: figures for metrics, and whether the worker is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from streams.engine.broker_clock import BrokerClock

__all__ = ["Health", "NullObserver", "Observer", "Phase"]

Phase = Literal["fold", "publish", "write", "carry"]
"""The parts of a step whose seconds are measured."""


class Observer(Protocol):
    """Called in the worker's event loop: every method returns at once."""

    def health(self, ready: bool, why: str) -> None:
        """Readiness changed; `why` is for people."""

    def batch(self, topic: str, partition: int, records: int, behind: int) -> None:
        """A batch was fetched; `behind` records of the partition were still unread then."""

    def phase(self, phase: Phase, seconds: float) -> None:
        """A part of a step took so long."""

    def written(self, outputs: int, rows: int) -> None:
        """A step is durable: so many outputs, so many changelog records (the checkpoint is one)."""

    def recovered(self, partitions: int, records: int, seconds: float) -> None:
        """The changelogs of newly assigned partitions are read."""

    def asked_for_time(self, partition: int) -> None:
        """An alarm was published for a partition."""

    def clock(self, clock: BrokerClock) -> None:
        """The broker has said what time it is."""


class NullObserver:
    """Watches nothing; also a base for observers that care for a part."""

    def health(self, ready: bool, why: str) -> None:
        """See `Observer`."""

    def batch(self, topic: str, partition: int, records: int, behind: int) -> None:
        """See `Observer`."""

    def phase(self, phase: Phase, seconds: float) -> None:
        """See `Observer`."""

    def written(self, outputs: int, rows: int) -> None:
        """See `Observer`."""

    def recovered(self, partitions: int, records: int, seconds: float) -> None:
        """See `Observer`."""

    def asked_for_time(self, partition: int) -> None:
        """See `Observer`."""

    def clock(self, clock: BrokerClock) -> None:
        """See `Observer`."""


class Health:
    """Whether the worker is ready, and why; tells the observer when that changes."""

    def __init__(self, observer: Observer) -> None:
        self.ready, self.why = False, "starting"
        self._state = (self.ready, self.why)
        self._trouble: str | None = None
        self._observer = observer

    def set(self, ready: bool, why: str) -> None:
        """The worker has its partitions and their state, or not."""
        self._state = (ready, why)
        self._tell()

    def trouble(self, why: str | None) -> None:
        """What makes even such a worker unready, until it is over (None)."""
        self._trouble = why
        self._tell()

    def _tell(self) -> None:
        ready, why = self._state
        if ready and self._trouble is not None:
            ready, why = False, self._trouble
        if (ready, why) != (self.ready, self.why):
            self.ready, self.why = ready, why
            self._observer.health(ready, why)
