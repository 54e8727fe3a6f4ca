"""Pipelines for faults: quick sessions, a model with short silences, and a judgement at the end."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from streams.demo.workers import free_port
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.faults.small_world import MODEL
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline
from tests.streams.live import metrics

PARTITIONS = 4
SESSION_S = 4.0

_numbers = itertools.count(1)


class Trial(Pipeline):
    """A pipeline that is judged."""

    partitions = PARTITIONS

    def __init__(self, bootstrap: str, prefix: str, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(bootstrap, prefix, folder, settings)
        self._ports: dict[str, int] = {}

    def start(self, name: str, *, command: tuple[str, ...] = (), **settings: object) -> None:
        """Starts a worker whose metrics can be asked for."""
        self._ports[name] = free_port()
        super().start(name, command=command, metrics_port=self._ports[name], **settings)

    def begin(self) -> None:
        """Starts one worker of each stage."""
        self.start("ingest")
        self.start("score")

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

    def settled(self) -> None:
        """Everything is worked off, the timers too; then everybody stops."""
        for name in ("ingest", "score"):
            if name not in self.workers:
                self.start(name)
        self.drained(90)
        end = time.monotonic() + 60
        while self._waiting():
            if time.monotonic() > end:
                raise TimeoutError(f"timers are still waiting, see {self.log('score')}")
            time.sleep(0.3)
        self.drained(60)
        self.stop()

    def _waiting(self) -> bool:
        """Whether a worker is not ready, or leads still wait for a moment."""
        self.tend()
        for name in self.workers:
            if name.startswith("score"):
                seen = metrics(self._ports[name])
                waiting = [
                    value > 0 for sample, value in seen.items() if sample.startswith("leadstream_pending_deadlines")
                ]
                if seen.get("leadstream_ready") != 1 or any(waiting):
                    return True
        return False

    def judge(self, *, doubles: bool = True, poison: bool = True, changes: int = 10) -> Ledger:
        """Everything is as promised; what lies on the broker.

        Args:
            doubles: Whether ingest may have carried a record twice.
            poison: Whether dead letters are expected.
            changes: At least so many tier changes are expected.
        """
        self.settled()
        ledger = Ledger.of(self)
        found = violations(ledger, prefix=self.prefix, partitions=self.partitions, doubles=doubles)
        assert not found, "\n".join(["", *found[:20], f"logs in {self.folder}"])
        assert len(ledger.changes) >= changes, "too little happened to say anything"
        assert ledger.letters or not poison, "the poison left no trace"
        return ledger


MakeTrial = Callable[..., Trial]


@pytest.fixture
def make_trial(tmp_path: Path) -> Iterator[MakeTrial]:
    """Makes a trial on a broker, with topics of its own; its workers end with the test."""
    with ExitStack() as stack:

        def make(broker: KafkaBroker, **settings: object) -> Trial:
            model = tmp_path / "faults.yaml"
            model.write_text(MODEL.format(version=1, demo_points=20, quiet="3s").replace(", hold: 60d", ""))
            given = {
                "model": model,
                "partitions": PARTITIONS,
                "session_timeout_ms": int(SESSION_S * 1000),
                "heartbeat_ms": 1000,
                "breaker_share": 1.0,
            }
            trial = Trial(broker.bootstrap, f"faults{next(_numbers)}-", tmp_path, given | settings)
            trial.command("topics", "create")
            return stack.enter_context(trial)

        yield make
