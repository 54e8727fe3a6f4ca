"""A pipeline for faults: real workers whose metrics can be asked for, and a judgement at the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from streams.demo.workers import free_port
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.pipeline import Pipeline
from tests.streams.live import metrics

__all__ = ["PARTITIONS", "SESSION_S", "Trial", "Weight"]

PARTITIONS = 4
SESSION_S = 4.0
WAITING = ("leadstream_pending_deadlines", "leadstream_running_clocks")


class Weight(NamedTuple):
    """What a process holds: bytes of memory, open files and connections, threads."""

    memory: int
    files: int
    threads: int


class Trial(Pipeline):
    """A pipeline that is judged."""

    partitions = PARTITIONS
    stages: tuple[str, ...] = ("ingest", "score")

    def __init__(self, bootstrap: str, prefix: str, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(bootstrap, prefix, folder, settings)
        self._ports: dict[str, int] = {}

    def start(self, name: str, *, command: tuple[str, ...] = (), **settings: object) -> None:
        """Starts a worker whose metrics can be asked for."""
        self._ports[name] = free_port()
        super().start(name, command=command, metrics_port=self._ports[name], **settings)

    def begin(self) -> None:
        """Starts one worker of each stage."""
        for stage in self.stages:
            self.start(stage)

    def ready(self, name: str, within_s: float = 40) -> None:
        """Waits until a worker is."""
        end = time.monotonic() + within_s
        while metrics(self._ports[name]).get("leadstream_ready") != 1:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is not ready, see {self.log(name)}")
            time.sleep(0.1)

    def seen(self, name: str) -> Mapping[str, float]:
        """Metrics of a worker."""
        return metrics(self._ports[name])

    def weights(self) -> dict[tuple[str, int], Weight]:
        """What each worker holds now, by its name and process; those that have just ended are left out."""
        found = {}
        for name, worker in self.workers.items():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                process = psutil.Process(worker.pid)
                found[name, worker.pid] = Weight(process.memory_info().rss, process.num_fds(), process.num_threads())
        return found

    def settled(self, *, timers: bool = True) -> None:
        """Everything is worked off, the timers too unless they are long; then everybody stops."""
        for name in self.stages:
            if name not in self.workers:
                self.start(name)
        self.drained(90, stages=self.stages)
        end = time.monotonic() + 60
        while timers and (waiting := self._waiting()):
            if time.monotonic() > end:
                raise TimeoutError(f"still waiting: {', '.join(waiting)}; logs in {self.folder}")
            time.sleep(0.3)
        self.drained(60, stages=self.stages)
        self.stop()

    def _waiting(self) -> list[str]:
        """Workers that are not ready, leads that wait for a moment, and clocks that run."""
        self.tend()
        found = []
        for name in self.workers:
            if not name.startswith("ingest"):
                seen = metrics(self._ports[name])
                found += [f"{name} is not ready"] if seen.get("leadstream_ready") != 1 else []
                found += [
                    f"{name}: {key} {value:.0f}" for key, value in seen.items() if key.startswith(WAITING) and value
                ]
        return found

    def judge(self, *, doubles: bool = True, poison: bool = True, timers: bool = True, changes: int = 10) -> Ledger:
        """Everything is as promised; what lies on the broker.

        Args:
            doubles: Whether ingest may have carried a record twice.
            poison: Whether dead letters are expected.
            timers: Whether all are to be waited for.
            changes: At least so many tier changes are expected.
        """
        self.settled(timers=timers)
        ledger = Ledger.of(self)
        found = self.violations(ledger, doubles=doubles)
        assert not found, "\n".join(["", *found[:20], f"logs in {self.folder}"])
        assert len(ledger.changes) >= changes, "too little happened to say anything"
        assert ledger.letters or not poison, "the poison left no trace"
        return ledger

    def violations(self, ledger: Ledger, *, doubles: bool = True) -> list[str]:
        """Everything that is not as promised."""
        return violations(ledger, prefix=self.prefix, partitions=self.partitions, doubles=doubles)
