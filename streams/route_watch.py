"""What is to be seen of a route worker: its metrics, and which policy holds."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence

from schemas.routing_wire import SlaEventOut
from schemas.times import parse_iso
from scoring.routing.fold import RoutingFold, RoutingStep
from scoring.routing.policy import Policy
from streams.engine.stage import Record
from streams.watch import Watch

__all__ = ["RouteWatch"]

log = logging.getLogger(__name__)

DUE_AFTER_MS = 2_000
"""Log time lies about a second behind the clock: what is due for less than this does not wait."""


class RouteWatch:
    """Observes the route stage.

    Args:
        watch: The worker's; it tells when a step is durable.
        policy: What the settings name.
        live: Time is the wall clock's; else a past stream runs, in which nothing is late.
    """

    def __init__(self, watch: Watch, policy: Policy, *, live: bool = True) -> None:
        self._watch = watch
        self._metrics = watch.metrics.route
        self._policy = policy
        self._told: set[tuple[str, str]] = set()
        self._live = live
        # What clocks did in steps that are not durable yet, and when.
        self._happened: list[tuple[str, int]] = []
        self._next_ms: int | None = None
        self._time_ms = 0
        self._moved_at = time.monotonic()
        watch.on_written(self._written)
        if live:
            self._metrics.stopped.set_function(self._stopped_s)

    def start(self) -> None:
        """The event loop runs."""
        self._watch.start()

    def stop(self) -> None:
        """The worker stops."""
        self._watch.stop()

    def opened(self, fold: RoutingFold) -> None:
        """The state is recovered."""
        self._metrics.show(fold)
        self._look_at(fold)

    def policy_in_use(self, used: Policy) -> None:
        """This policy holds; says once where the settings name another."""
        policy = self._policy
        other = (used.name, used.sha256) != (policy.name, policy.sha256)
        if other and (used.name, used.sha256) not in self._told:
            self._told.add((used.name, used.sha256))
            log.warning(
                "LEADSTREAM_POLICY is %s version %d (sha256 %.12s), but the log has %s version %d (sha256 %.12s), "
                "which holds; make another the next one with `leadstream policy publish`",
                *(policy.name, policy.version, policy.sha256),
                *(used.name, used.version, used.sha256),
            )
        self._metrics.policy_ignored.set(other)

    def step_begins(self, records: Sequence[Record]) -> None:
        """A batch, or the rest of one, is folded."""
        self._watch.readiness.step_begins()
        late_ms = self._watch.broker_clock.now_ms() - records[0].timestamp_ms
        self._watch.metrics.lag_seconds.set(max(0, late_ms) / 1000)

    def folded(self, fold: RoutingFold, step: RoutingStep) -> None:
        """A step was folded; nothing of it is durable yet."""
        metrics = self._metrics
        self._watch.metrics.applied.inc(step.applied)
        for late_ms in step.lateness_ms:
            self._watch.metrics.lateness.observe(late_ms / 1000)
        events = [one for one in step.told if isinstance(one, SlaEventOut)]
        for (what, tier), count in Counter((one.what, one.tier) for one in events).items():
            metrics.sla_events.labels(what, tier).inc(count)
        if self._live:
            timed = [one for one in events if one.what in metrics.until_told]
            self._happened += [(one.what, parse_iso(one.effective_at)) for one in timed]
        picks = Counter(one.reason.pick for one in step.told if not isinstance(one, SlaEventOut))
        for pick, count in picks.items():
            metrics.assignments.labels(pick).inc(count)
        metrics.unmatched.inc(step.unmatched)
        metrics.unknown.inc(step.unknown)
        metrics.repeated.inc(step.repeated)
        for problem in step.problems:
            log.error("%s", problem)
        if fold.policy is not None:
            self.policy_in_use(fold.policy)
        self._look_at(fold)

    def _look_at(self, fold: RoutingFold) -> None:
        # A scrape comes in a thread of its own, in which the fold must not be asked.
        self._next_ms = fold.next_deadline_ms()
        if fold.log_time_ms != self._time_ms:
            self._time_ms, self._moved_at = fold.log_time_ms, time.monotonic()

    def _stopped_s(self) -> float:
        """How long log time has stood still while something is due."""
        due_ms = self._next_ms
        if due_ms is None or self._watch.broker_clock.now_ms() < due_ms + DUE_AFTER_MS:
            return 0.0
        return time.monotonic() - self._moved_at

    def _written(self) -> None:
        """A step is durable."""
        now = self._watch.broker_clock.now_ms()
        for what, at_ms in self._happened:
            self._metrics.until_told[what].observe(max(0, now - at_ms) / 1000)
        self._happened.clear()
        if not self._watch.has_backlog:
            self._watch.metrics.lag_seconds.set(0)
