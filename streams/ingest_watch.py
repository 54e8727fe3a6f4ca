"""What is to be seen of an ingest worker: its metrics, and whether it is ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence

from streams.breaker import Pause
from streams.engine.stage import FetchState, TopicPartition
from streams.watch import Watch

__all__ = ["IngestWatch"]

log = logging.getLogger(__name__)

SILENT_S = 5.0
"""A partition whose broker has not answered for so long makes the worker unready."""


class IngestWatch:
    """Observes the ingest stage.

    Args:
        watch: The worker's.
        prefix: Of topics; a message names a topic as a command takes it.
    """

    def __init__(self, watch: Watch, prefix: str) -> None:
        self._watch = watch
        self._prefix = prefix
        self._assigned_at = time.monotonic()
        self._paused: frozenset[str] = frozenset()
        self._silent = False

    def start(self) -> None:
        """The event loop runs."""
        self._watch.start()

    def stop(self) -> None:
        """The worker stops."""
        self._watch.stop()

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """The worker has these partitions."""
        self._assigned_at = time.monotonic()
        gauge = self._watch.metrics.lag_records
        gauge.clear()
        for topic, number in partitions:
            gauge.labels(topic, str(number)).set(0)

    def paused(self, pause: Pause) -> None:
        """The breaker, here or elsewhere, holds a topic."""
        short = pause.topic.removeprefix(self._prefix)
        why = (
            f"topic {pause.topic} is paused: {pause.dead_letters} dead letters among its last {pause.window} records "
            f"(the last: {pause.last_reason}); look with `leadstream dlq list`, mend the producer, then "
            f"`leadstream dlq release {short}`"
        )
        log.error("%s", why)
        self._watch.readiness.block(f"breaker {pause.topic}", why)
        self._watch.metrics.paused.labels(pause.topic).set(1)

    def carried(
        self,
        idle: Mapping[TopicPartition, FetchState],
        hold: frozenset[TopicPartition],
        oldest_ms: int | None,
        paused: frozenset[str],
    ) -> None:
        """A poll was decoded; its outputs are on their way."""
        for topic in self._paused - paused:
            self._watch.readiness.unblock(f"breaker {topic}")
            self._watch.metrics.paused.labels(topic).set(0)
        self._paused = paused
        waits_s = 0.0 if oldest_ms is None else (self._watch.broker_clock.now_ms() - oldest_ms) / 1000
        self._watch.metrics.lag_seconds.set(max(0.0, waits_s))
        self._look_for_silence([tp for tp, state in idle.items() if state.answered_s_ago > SILENT_S and tp not in hold])
        self._watch.readiness.step_begins()

    def acknowledged(
        self,
        events: Mapping[str, int],
        controls: Mapping[str, int],
        dead: Mapping[tuple[str, str], int],
    ) -> None:
        """What was made of the poll is on the broker.

        Args:
            events: How many, by their kind.
            controls: How many other rows, by the metric's names.
            dead: Dead letters by topic and reason.
        """
        self._watch.readiness.step_ends()
        metrics = self._watch.metrics
        for kind, count in events.items():
            metrics.events.labels(kind, "carried").inc(count)
        for what, count in controls.items():
            metrics.controls.labels(what).inc(count)
        for (topic, reason), count in dead.items():
            metrics.dead_letters.labels(topic, reason).inc(count)
            metrics.events.labels("unknown", "dead_lettered").inc(count)

    def _look_for_silence(self, silent: Sequence[TopicPartition]) -> None:
        is_silent = bool(silent) and time.monotonic() - self._assigned_at > SILENT_S
        if is_silent and not self._silent:
            tp = min(silent)
            why = f"no answer of the broker for {len(silent)} raw partitions ({tp.topic}[{tp.partition}] among them)"
            self._watch.readiness.block("broker", f"{why} for more than {SILENT_S:.0f} s")
        elif self._silent and not is_silent:
            self._watch.readiness.unblock("broker")
        self._silent = is_silent
