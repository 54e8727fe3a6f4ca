"""What the board knows of owners and clocks, as read from `lead-assignments` and `sla-events`."""

from __future__ import annotations

from collections import deque

import msgspec

from schemas.routing_wire import AssignmentOut, SlaEventOut
from schemas.times import parse_iso

__all__ = ["Desk"]

_REMEMBERED = 5_000
_OPEN = ("running", "breached")


class Desk:
    """Who has each lead, and until when."""

    def __init__(self) -> None:
        self._assignments: dict[str, AssignmentOut] = {}
        self._told: deque[str] = deque(maxlen=_REMEMBERED)
        self._known: set[str] = set()
        self._assignment = msgspec.json.Decoder(AssignmentOut).decode
        self._event = msgspec.json.Decoder(SlaEventOut).decode

    def take_assignment(self, value: bytes) -> None:
        """Takes a record of `lead-assignments`."""
        one = self._assignment(value)
        known = self._assignments.get(one.lead_id)
        if known is None or known.seq < one.seq:
            self._assignments[one.lead_id] = one

    def take_event(self, value: bytes) -> SlaEventOut | None:
        """Takes a record of `sla-events`; None: it is a repetition, which its id tells."""
        event = self._event(value)
        if event.id in self._known:
            return None
        if len(self._told) == _REMEMBERED:
            self._known.discard(self._told[0])
        self._told.append(event.id)
        self._known.add(event.id)
        return event

    def of(self, lead_id: str) -> AssignmentOut | None:
        """Who has a lead; None: it was never routed."""
        return self._assignments.get(lead_id)

    def due_ms(self, lead_id: str) -> int | None:
        """When a lead's clock runs out or ran out; None: no clock is open."""
        has = self._assignments.get(lead_id)
        if has is None or has.sla is None or has.sla.state not in _OPEN:
            return None
        return parse_iso(has.sla.due_at)

    def open_for(self, tier: str) -> set[str]:
        """Leads with an open clock of this tier."""
        return {lead_id for lead_id, has in self._assignments.items() if has.tier == tier and self.due_ms(lead_id)}
