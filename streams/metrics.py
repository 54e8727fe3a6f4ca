"""Every metric of the workers, declared here and nowhere else.

All names begin with `leadstream_`. Labels are bounded: topics, partitions, kinds, reasons, rules of the house; never a
lead, an address or an id of an event. Each worker serves the metrics of its stage at `/metrics`.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR
from prometheus_client.metrics import Counter, Gauge, Histogram
from prometheus_client.registry import CollectorRegistry

__all__ = ["Metrics"]

_STEP_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAY_SECONDS = (0.025, 0.05, 0.08, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_RECOVERY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0)
_BATCH_RECORDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


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
        self.model = self._gauge(
            "model_version", "Active scoring model of a partition of lead-events.", ("partition", "model")
        )
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
            "Events: carried into lead-events by ingest (by kind) or refused (kind is unknown), applied by score.",
            ("kind", "outcome"),
        )
        self.dead_letters = self._counter("dead_letters", "Raw records that cannot be used.", ("topic", "reason"))
        self.controls = self._counter(
            "control_rows", "Rows of lead-events that are no events, by what they are (ingest).", ("type",)
        )
        self.batch_records = self._histogram(
            "batch_records", "Records of one batch (score) or one poll (ingest).", (), _BATCH_RECORDS
        )
        self.step_seconds = self._histogram(
            "step_seconds", "Seconds of a step, by part: fold, publish, write, carry.", ("part",), _STEP_SECONDS
        )
        self.outputs = self._counter("output_records", "Records published and acknowledged.")
        self.changelog = self._counter("changelog_records", "Records written to the changelog, checkpoints among them.")
        self.lag_records = self._gauge("lag_records", "Source records not yet read.", ("topic", "partition"))
        self.lag_seconds = self._gauge(
            "lag_seconds",
            "Age of the oldest source record in hand (ingest) or of the last one applied while more wait (score).",
        )

        # --- time ----------------------------------------------------------------------------------------------------
        self.log_time_behind = self._gauge(
            "log_time_behind_seconds", "How far log time lies behind the wall clock.", ("partition",)
        )
        self.log_time_ahead = self._gauge(
            "log_time_ahead_seconds", "How far log time lies ahead of the wall clock: brokers' clocks disagree."
        )
        self.broker_clock = self._gauge("broker_clock_offset_seconds", "The brokers' clock minus this worker's.")
        self.alarms = self._counter("alarms", "Requests for time published.", ("partition",))
        self.deadlines = self._gauge("pending_deadlines", "Leads that wait for a moment to come.", ("partition",))
        self.lateness = self._histogram(
            "deadline_lateness_seconds",
            "Log time at which a deadline was applied, minus the deadline.",
            (),
            _DELAY_SECONDS,
        )

        # --- results -------------------------------------------------------------------------------------------------
        self.leads = self._gauge("leads", "Leads in state.", ("partition",))
        self.tier_changes = self._counter("tier_changes", "Tier changes published.", ("from_tier", "to_tier"))
        self.event_to_tier_change = self._histogram(
            "event_to_tier_change_seconds",
            "From the broker's time of a raw record to the published tier change that it caused.",
            (),
            _DELAY_SECONDS,
        )

        # --- the breaker ---------------------------------------------------------------------------------------------
        self.paused = self._gauge("topic_paused", "1 while the breaker holds a raw topic.", ("topic",))
        self._name_stage(stage)

    def forget_partition(self, partition: int) -> None:
        """A partition went to another worker: its gauges would tell old news."""
        label = str(partition)
        for gauge in (self.log_time_behind, self.deadlines, self.leads):
            _remove(gauge, (label,))
        for topic, number in _label_values(self.lag_records):
            if number == label:
                _remove(self.lag_records, (topic, number))
        for number, model in _label_values(self.model):
            if number == label:
                _remove(self.model, (number, model))

    def _name_stage(self, stage: str) -> None:
        info = self._gauge("worker", "Always 1; which stage this worker runs.", ("stage",))
        info.labels(stage).set(1)

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"leadstream_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"leadstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        return Histogram(f"leadstream_{name}", text, labels, buckets=buckets, registry=self.registry)


def _label_values(gauge: Gauge) -> list[tuple[str, ...]]:
    (family,) = gauge.collect()
    names = gauge._labelnames
    return [tuple(sample.labels[name] for name in names) for sample in family.samples]


def _remove(gauge: Gauge, labels: tuple[str, ...]) -> None:
    if labels in _label_values(gauge):
        gauge.remove(*labels)
