"""A pipeline with route behind it: people who own leads, and clocks of seconds."""

from __future__ import annotations

from typing import get_args

import msgspec

from schemas.routing_log import RoutingRow, decode_routing
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, ROUTES_CHANGELOG, SLA_EVENTS
from tests.faults.ledger import Ledger
from tests.faults.routing_oracle import routing_violations
from tests.faults.routing_world import ROUTED_MODEL
from tests.faults.trial import Trial

__all__ = ["RoutedTrial"]


class RoutedTrial(Trial):
    """A trial in which owners and clocks are judged too."""

    stages = (*Trial.stages, "route")

    def violations(self, ledger: Ledger, *, doubles: bool = True) -> list[str]:
        """Everything that is not as promised, of route too."""
        found = [*super().violations(ledger, doubles=doubles), *routing_violations(self, ROUTED_MODEL, self.partitions)]
        if found:
            self._keep(LEAD_ROUTING, SLA_EVENTS, LEAD_ASSIGNMENTS, ROUTES_CHANGELOG)
        return [one[:2_000] for one in found]

    def _keep(self, *topics: str) -> None:
        """Topics as files beside the logs: the broker is gone when somebody asks what was wrong."""
        for topic in topics:
            (self.folder / f"{topic}.msgpack").write_bytes(msgspec.msgpack.encode(self.read(topic)))

    def has_seen_everything(self) -> None:
        """Each kind of news and of row came by."""
        whats = {str(record.value).split('"what":"')[1].split('"')[0] for record in self.read(SLA_EVENTS)}
        assert whats >= {"started", "reminded", "breached", "escalated", "answered"}, "too little happened"
        kinds = {type(row) for record in self.read(LEAD_ROUTING) for row in decode_routing(record.value)}
        assert kinds == set(get_args(RoutingRow)), "not everything that there is came by"
