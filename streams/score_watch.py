"""What is to be seen of a score worker: its metrics, and which model holds."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.outputs_wire import ModelRef
from schemas.times import parse_iso
from scoring.model import Model
from scoring.partition import FoldStep, PartitionFold
from streams.engine.stage import Record
from streams.metrics import OwnedState
from streams.watch import Watch

__all__ = ["ScoreWatch"]

log = logging.getLogger(__name__)


class ScoreWatch:
    """Observes the score stage.

    Args:
        watch: The worker's; it tells when a step is durable.
        model: What the settings name.
    """

    def __init__(self, watch: Watch, model: Model) -> None:
        self._watch = watch
        self._model = model
        self._told: set[tuple[str, str]] = set()
        self._caused_at_ms: list[int] = []
        watch.on_written(self._written)

    def start(self) -> None:
        """The event loop runs."""
        self._watch.start()

    def stop(self) -> None:
        """The worker stops."""
        self._watch.stop()

    def opened(self, number: int, owned: OwnedState) -> None:
        """A partition's state is recovered."""
        self._watch.metrics.partitions.show(number, owned)

    def model_in_use(self, used: ModelRef) -> None:
        """This model holds in a partition; says once where the settings name another."""
        model = self._model
        other = (used.name, used.sha256) != (model.name, model.sha256)
        if other and (used.name, used.sha256) not in self._told:
            self._told.add((used.name, used.sha256))
            log.warning(
                "LEADSTREAM_MODEL is %s version %d (sha256 %.12s), but the log has %s version %d (sha256 %.12s), which "
                "holds; make another the next one with `leadstream model publish`",
                *(model.name, model.version, model.sha256),
                *(used.name, used.version, used.sha256),
            )
        self._watch.metrics.model_ignored.set(other)

    def step_begins(self, records: Sequence[Record]) -> None:
        """A batch, or the rest of one, is folded."""
        self._watch.readiness.step_begins()
        late_ms = self._watch.broker_clock.now_ms() - records[0].timestamp_ms
        self._watch.metrics.lag_seconds.set(max(0, late_ms) / 1000)

    def folded(self, number: int, fold: PartitionFold, step: FoldStep) -> None:
        """A step was folded; nothing of it is durable yet."""
        metrics = self._watch.metrics
        metrics.applied.inc(step.applied)
        for late_ms in step.lateness_ms:
            metrics.lateness.observe(late_ms / 1000)
        for change in step.changes:
            metrics.tier_changes.labels(change.from_tier, change.to_tier).inc()
            if "event_id" in change.cause:
                self._caused_at_ms.append(parse_iso(change.effective_at))
        metrics.shared_aliases.inc(step.shared)
        for problem in step.problems:
            log.error("partition %d: %s", number, problem)
        ahead_ms = fold.log_time_ms - self._watch.broker_clock.now_ms()
        metrics.log_time_ahead.set(max(0, ahead_ms) / 1000)

    def _written(self) -> None:
        """A step is durable. Steps of several partitions overlap by milliseconds: their delays are told together."""
        now = self._watch.broker_clock.now_ms()
        for caused_ms in self._caused_at_ms:
            self._watch.metrics.event_to_tier_change.observe(max(0, now - caused_ms) / 1000)
        self._caused_at_ms.clear()
        if not self._watch.has_backlog:
            self._watch.metrics.lag_seconds.set(0)
