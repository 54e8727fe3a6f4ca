"""The metrics of the route stage. Labels are bounded by the policy: owners, tiers, what clocks do."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Protocol

from prometheus_client.metrics import Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from scoring.routing.policy import Policy
from streams.clock import now_ms

__all__ = ["RouteMetrics", "RouteState"]

_DELAY_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class RouteState(Protocol):
    """What the metrics look at of route's fold; all of it may be asked while the fold is at work."""

    @property
    def leads(self) -> int:
        """How many there are."""

    @property
    def waiting(self) -> int:
        """How many wait for somebody."""

    @property
    def deadlines(self) -> int:
        """How many clocks will do something."""

    @property
    def loads(self) -> dict[str, int]:
        """Open leads of each owner."""

    @property
    def log_time_ms(self) -> int:
        """The moment up to which everything is done."""

    @property
    def policy(self) -> Policy | None:
        """The active one."""


class _Gauges(Collector):
    """Read when they are asked for; those of a state that this worker no longer has are not told."""

    def __init__(self) -> None:
        self._state: weakref.ref[RouteState] | None = None

    def show(self, state: RouteState) -> None:
        self._state = weakref.ref(state)

    def collect(self) -> Iterator[Metric]:
        state = None if self._state is None else self._state()
        leads = GaugeMetricFamily("leadstream_routed_leads", "Leads in route's state.")
        waiting = GaugeMetricFamily("leadstream_waiting_leads", "Leads in the waiting line: nobody could take them.")
        clocks = GaugeMetricFamily("leadstream_running_clocks", "Clocks that will still do something.")
        behind = GaugeMetricFamily(
            "leadstream_routing_time_behind_seconds", "How far route's log time lies behind the wall clock."
        )
        open_leads = GaugeMetricFamily("leadstream_open_leads", "Open leads of each owner.", labels=("owner",))
        policy = GaugeMetricFamily("leadstream_policy_version", "Active routing policy.", labels=("policy",))
        if state is not None:
            leads.add_metric((), state.leads)
            waiting.add_metric((), state.waiting)
            clocks.add_metric((), state.deadlines)
            if state.log_time_ms:
                behind.add_metric((), max(0, now_ms() - state.log_time_ms) / 1000)
            for owner, count in state.loads.items():
                open_leads.add_metric((owner,), count)
            if (active := state.policy) is not None:
                policy.add_metric((active.name,), active.version)
        yield from (leads, waiting, clocks, behind, open_leads, policy)


class RouteMetrics:
    """What is counted of route.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = _Gauges()
        registry.register(self._gauges)
        self.assignments = Counter(
            "leadstream_assignments",
            "Assignments published, by how the owner was found (waiting: it was not).",
            ("pick",),
            registry=registry,
        )
        self.sla_events = Counter(
            "leadstream_sla_events", "What clocks did: breached, answered, …", ("what", "tier"), registry=registry
        )
        self.until_told = {
            "started": Histogram(
                "leadstream_event_to_assignment_seconds",
                "From the moment at which a lead entered a tier or asked for a person to its published owner.",
                buckets=_DELAY_SECONDS,
                registry=registry,
            ),
            "breached": Histogram(
                "leadstream_breach_told_after_seconds",
                "From the due time of a clock that nobody answered to its published breach.",
                buckets=_DELAY_SECONDS,
                registry=registry,
            ),
        }
        self.unmatched = Counter(
            "leadstream_unmatched_answers", "Answers that met no clock and no open lead.", registry=registry
        )
        self.unknown = Counter(
            "leadstream_unknown_leads_answered",
            "Sales activities of leads that route had not heard of.",
            registry=registry,
        )
        self.repeated = Counter(
            "leadstream_repeated_routing_rows",
            "Rows of lead-routing that had come before, as after a restart of score.",
            registry=registry,
        )
        self.policy_ignored = Gauge(
            "leadstream_policy_setting_ignored",
            "1 where LEADSTREAM_POLICY is another policy than the log's, which holds.",
            registry=registry,
        )
        self.stopped = Gauge(
            "leadstream_clocks_stopped_seconds",
            "Seconds since log time moved, while a clock is due; 0 where none is. A score partition is dead or behind.",
            registry=registry,
        )

    def show(self, state: RouteState) -> None:
        """The gauges are those of this state from now on, for as long as it lives."""
        self._gauges.show(state)
