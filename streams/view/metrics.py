"""Metrics that the view alone has; all others are in `streams.metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics import Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from streams.view.report import Group, Report

__all__ = ["SalesGauges", "ViewMetrics"]

_LABELS = ("tier", "team", "model")


class SalesGauges(Collector):
    """The report of sales, as gauges; none before the first report."""

    def __init__(self) -> None:
        self._groups: list[Group] = []

    def show(self, report: Report) -> None:
        """From now on this one."""
        self._groups = report.groups

    def collect(self) -> Iterator[Metric]:
        """Called by the registry, in the thread of a scrape."""
        entries = _gauge("entries", "Entries into a tier over 28 rolling days.")
        meetings = _gauge("meetings", "Of these, those that reached a meeting.")
        discarded = _gauge("discarded", "Of these, those that sales discarded.")
        answered = _gauge("answered", "Of these, those that were answered.")
        day = _gauge("answered_within_24h", "Of these, those that were answered within 24 hours.")
        two_days = _gauge("answered_within_48h", "Of these, those that were answered within 48 hours.")
        latency = GaugeMetricFamily(
            "leadstream_sales_response_seconds", "Response latency of answered entries.", labels=(*_LABELS, "quantile")
        )
        for group in self._groups:
            labels = (group.tier, group.team or "", group.model or "")
            entries.add_metric(labels, group.entries)
            meetings.add_metric(labels, group.meetings)
            discarded.add_metric(labels, group.discarded)
            answered.add_metric(labels, group.answered)
            day.add_metric(labels, group.answered_within_24h)
            two_days.add_metric(labels, group.answered_within_48h)
            if group.latency is not None:
                latency.add_metric((*labels, "0.5"), group.latency.p50_ms / 1000)
                latency.add_metric((*labels, "0.9"), group.latency.p90_ms / 1000)
        yield from (entries, meetings, discarded, answered, day, two_days, latency)


class ViewMetrics:
    """The metrics of a view worker.

    Args:
        registry: Of the worker.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = Counter("leadstream_view_leads", "Leads changed in Redis.", registry=registry)
        self.records = Counter("leadstream_view_records", "Records read into Redis.", ("topic",), registry=registry)
        self.refused = Counter(
            "leadstream_view_refused_records",
            "Records passed over: they cannot be read.",
            ("topic",),
            registry=registry,
        )
        self.rebuilds = Counter(
            "leadstream_view_rebuilds", "Times that Redis was empty or of another time and filled.", registry=registry
        )
        self.redis_errors = Counter(
            "leadstream_view_redis_errors", "Times that Redis was away, full or slow.", registry=registry
        )
        self.caught_up = Gauge(
            "leadstream_view_caught_up_time_seconds",
            "The last moment (Unix time) of which everything that Kafka held is in Redis.",
            registry=registry,
        )
        self.sales = SalesGauges()
        registry.register(self.sales)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"leadstream_sales_{name}", text, labels=_LABELS)
