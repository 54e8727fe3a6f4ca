"""What the engine tells to whoever watches: figures for metrics, and whether the worker is ready."""

from __future__ import annotations

import time
from typing import Literal, Protocol

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

    def clock(self, offset_ms: int) -> None:
        """The broker's clock is ahead of ours by so much."""


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

    def clock(self, offset_ms: int) -> None:
        """See `Observer`."""


class Health:
    """Whether the worker is ready, why, and when it last got on; read from any thread."""

    def __init__(self, observer: Observer) -> None:
        self.ready = False
        self.why = "starting"
        self.since = self.progress_at = time.monotonic()
        self._observer = observer

    def set(self, ready: bool, why: str) -> None:
        """Changes the state, and tells the observer."""
        if (ready, why) == (self.ready, self.why):
            return
        if ready != self.ready:
            self.since = time.monotonic()
        self.ready, self.why = ready, why
        self._observer.health(ready, why)

    def progress(self) -> None:
        """Something was done, or nothing was there to do."""
        self.progress_at = time.monotonic()
