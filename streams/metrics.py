"""Every metric of the workers, declared here (those of one stage in `route_metrics` and `view.metrics`), nowhere else.

All names begin with `leadstream_`. Labels are bounded: topics, partitions, kinds, reasons, rules of the house; never a
lead, an address or an id of an event. Each worker serves the metrics of its stage at `/metrics`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Protocol

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR
from prometheus_client.metrics import Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from scoring.compiled import CompiledModel
from streams.clock import now_ms
from streams.route_metrics import RouteMetrics
from streams.view.metrics import ViewMetrics

__all__ = ["Metrics"]

_STEP_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAY_SECONDS = (0.025, 0.05, 0.08, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_RECOVERY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0)
_BATCH_RECORDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


class PartitionState(Protocol):
    """What the metrics look at of a partition's fold."""

    @property
    def log_time_ms(self) -> int:
        """What time it is in the log; 0 before the first row."""

    @property
    def leads(self) -> int:
        """How many there are."""

    @property
    def deadlines(self) -> int:
        """How many leads wait for a moment."""

    @property
    def model(self) -> CompiledModel | None:
        """The active one."""


class OwnedState(Protocol):
    """A partition of the stage, as long as it is the worker's."""

    @property
    def state(self) -> PartitionState:
        """Its fold."""


class PartitionGauges(Collector):
    """Gauges of the partitions that this worker owns, read when they are asked for; one that is gone is not told of."""

    def __init__(self) -> None:
        self._states: dict[int, weakref.ref[OwnedState]] = {}

    def show(self, partition: int, owned: OwnedState) -> None:
        """From now on, for as long as the worker owns the partition."""
        self._states[partition] = weakref.ref(owned)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry, in the thread of a scrape."""
        leads = GaugeMetricFamily("leadstream_leads", "Leads in state.", labels=("partition",))
        deadlines = GaugeMetricFamily(
            "leadstream_pending_deadlines", "Leads that wait for a moment to come.", labels=("partition",)
        )
        behind = GaugeMetricFamily(
            "leadstream_log_time_behind_seconds", "How far log time lies behind the wall clock.", labels=("partition",)
        )
        model = GaugeMetricFamily("leadstream_model_version", "Active scoring model.", labels=("partition", "model"))
        for partition, reference in list(self._states.items()):
            owned, label = reference(), str(partition)
            if owned is None:
                continue
            state = owned.state
            leads.add_metric((label,), state.leads)
            deadlines.add_metric((label,), state.deadlines)
            if state.log_time_ms:
                behind.add_metric((label,), max(0, now_ms() - state.log_time_ms) / 1000)
            if (compiled := state.model) is not None:
                model.add_metric((label, compiled.ref.name), compiled.ref.version)
        yield from (leads, deadlines, behind, model)


class Metrics:
    """The metrics of one worker, in a registry of their own.

    Args:
        stage: The worker's stage; a constant label is not needed, as each stage is a scrape job of its own.
    """

    def __init__(self, stage: str) -> None:
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)

        # --- the worker ----------------------------------------------------------------------------------------------
        self.ready = self._gauge("ready", "1 while the worker is ready (what /readyz says), else 0.")
        self.model_ignored = self._gauge(
            "model_setting_ignored", "1 where LEADSTREAM_MODEL is another model than the log's, which holds."
        )
        self.recoveries = self._histogram(
            "recovery_seconds", "Reading the changelogs of newly assigned partitions.", (), _RECOVERY_SECONDS
        )
        self.recovered = self._counter("recovered_records", "Changelog records read in recoveries.")

        # --- the flow ------------------------------------------------------------------------------------------------
        self.events = self._counter(
            "events",
            "Events that ingest carried into lead-events, by kind, or refused (whose kind is unknown).",
            ("kind", "outcome"),
        )
        self.applied = self._counter("applied_rows", "Rows of lead-events (score) or lead-routing (route) applied.")
        self.dead_letters = self._counter("dead_letters", "Raw records that cannot be used.", ("topic", "reason"))
        self.controls = self._counter(
            "control_rows",
            "Rows of lead-events that no producer sent, by what they are: alarm, model, policy, link, merge, forward, "
            "by_hand (commands, backfill too; ingest).",
            ("type",),
        )
        self.batch_records = self._histogram(
            "batch_records", "Records of one batch (score, route) or one poll (ingest).", (), _BATCH_RECORDS
        )
        self.step_seconds = self._histogram(
            "step_seconds", "Seconds of a step, by part: fold, publish, write, carry.", ("part",), _STEP_SECONDS
        )
        self.outputs = self._counter("output_records", "Records published and acknowledged.")
        self.changelog = self._counter("changelog_records", "Records written to the changelog, checkpoints among them.")
        self.lag_records = self._gauge("lag_records", "Source records not yet read.", ("topic", "partition"))
        self.lag_seconds = self._gauge(
            "lag_seconds",
            "Age of the oldest record that waits in hand (ingest), or of the last batch while more waits (others).",
        )

        # --- time ----------------------------------------------------------------------------------------------------
        self.log_time_ahead = self._gauge(
            "log_time_ahead_seconds", "How far log time lies ahead of the wall clock: brokers' clocks disagree."
        )
        self.broker_clock = self._gauge("broker_clock_offset_seconds", "The brokers' clock minus this worker's.")
        self.alarms = self._counter("alarms", "Requests for time published.", ("partition",))
        self.lateness = self._histogram(
            "deadline_lateness_seconds",
            "Log time at which a deadline was applied, minus the deadline.",
            (),
            _DELAY_SECONDS,
        )

        # --- results -------------------------------------------------------------------------------------------------
        self.partitions = PartitionGauges()
        if stage == "score":
            self.registry.register(self.partitions)
        self.tier_changes = self._counter("tier_changes", "Tier changes published.", ("from_tier", "to_tier"))
        self.shared_aliases = self._counter(
            "shared_aliases", "Visitors and addresses that too many leads claimed: they are nobody's from then on."
        )
        self.event_to_tier_change = self._histogram(
            "event_to_tier_change_seconds",
            "From the broker's time of a raw record to the published tier change that it caused.",
            (),
            _DELAY_SECONDS,
        )

        # Of the others nobody sees them.
        self.route = RouteMetrics(self.registry if stage == "route" else CollectorRegistry())
        self.view = ViewMetrics(self.registry if stage == "view" else CollectorRegistry())

        # --- the breaker ---------------------------------------------------------------------------------------------
        self.paused = self._gauge("topic_paused", "1 while the breaker holds a raw topic.", ("topic",))
        self._name_stage(stage)

    def _name_stage(self, stage: str) -> None:
        info = self._gauge("worker", "Always 1; which stage this worker runs.", ("stage",))
        info.labels(stage).set(1)

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"leadstream_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"leadstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        return Histogram(f"leadstream_{name}", text, labels, buckets=buckets, registry=self.registry)
