"""Pipelines for faults: quick sessions, a model with short silences, and a judgement at the end."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
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

    def begin(self) -> None:
        """Starts one worker of each stage."""
        self.start("ingest")
        self.start("score")

    def settled(self) -> None:
        """Everything is worked off, the timers too; then everybody stops."""
        for name in ("ingest", "score"):
            if name not in self.workers:
                self.start(name)
        self.drained(90)
        port = free_port()
        self.end_all("score")
        self.start("score", metrics_port=port)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            seen = metrics(port)
            waiting = [value for name, value in seen.items() if name.startswith("leadstream_pending_deadlines")]
            if seen.get("leadstream_ready") == 1 and waiting and not sum(waiting):
                break
            time.sleep(0.3)
        else:
            raise TimeoutError(f"timers are still waiting, see {self.log('score')}")
        self.drained(60)
        self.stop()

    def end_all(self, stage: str) -> None:
        """Stops every worker of a stage, gracefully."""
        for name in [name for name in self.workers if name.partition("-")[0] == stage]:
            self.end(name, signal.SIGTERM)

    def judge(self, *, doubles: bool = True) -> Ledger:
        """Everything is as promised; what lies on the broker."""
        self.settled()
        ledger = Ledger.of(self)
        found = violations(ledger, prefix=self.prefix, partitions=self.partitions, doubles=doubles)
        assert not found, "\n".join(["", *found[:20], f"logs in {self.folder}"])
        assert len(ledger.changes) > 10, "too little happened to say anything"
        assert ledger.letters, "the poison left no trace"
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
