"""A small world for route under fire: a model with requests, clocks of seconds, and a load of all kinds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.internal import encode_assign, encode_release
from schemas.times import iso
from schemas.topics import LEAD_INTERNAL, topic_of_kind
from streams.clock import now_ms
from tests.faults.load import Load
from tests.faults.small_world import MODEL

__all__ = ["POLICY", "ROUTED_MODEL", "RoutingLoad"]

ROUTED_MODEL = (
    MODEL.format(version=1, demo_points=20, quiet="3s")
    .replace(", hold: 60d", "")
    .replace("{form_type: demo}}", "{form_type: demo}, keep: 4, request: true}")
)

POLICY = """
policy: faults
version: {version}
owners:
  ann: {{capacity: {capacity}, weight: 2}}
  bob: {{capacity: 6}}
  cid: {{}}
teams:
  red:  {{members: [ann, bob], pick: weighted}}
  blue: {{members: [bob, ann], pick: least_loaded}}
  last: {{members: [cid], pick: round_robin}}
routes:
  - {{tier: hot, team: red, else: blue}}
  - {{tier: warm, team: blue}}
requests: hot
sla:
  hot:
    respond_within: 2s
    remind_at: [500ms, 1s]
    escalate: [{{after: 3s, tell: ann}}, {{after: 4s, reassign: last}}]
  warm: {{respond_within: 4s, escalate: [{{after: 5s, reassign: last}}]}}
answered_by: [contacted, meeting_booked]
"""


class RoutingLoad(Load):
    """Views, forms, what sales does and commands by hand, of now, by several names; one in twenty comes twice."""

    def _messages(self) -> Iterator[tuple[str, bytes, None]]:
        chance, number = self._chance, 0
        while True:
            number += 1
            person = chance.randrange(self._leads)
            made = _by_hand(chance, person, number) if chance.random() < 0.03 else _event(chance, person, number)
            for _ in range(2 if chance.random() < 0.05 else 1):
                yield *made, None


def _names(chance: random.Random, person: int) -> dict[str, str]:
    """A third of the people browse before they say who they are; their browsers are theirs alone."""
    names = {"lead_id": f"lead-{person}"}
    if person % 3 == 0:
        browser = {"anonymous_id": f"b{person}-{now_ms() // 8_000}"}
        names = chance.choice([names, browser, browser, names | browser])
    return names


def _event(chance: random.Random, person: int, number: int) -> tuple[str, bytes]:
    kind = chance.choice(["page_view", "page_view", "form_fill", "sales_activity"])
    fields: dict[str, Any] = {"url": chance.choice(["/pricing", "/blog"])}
    if kind == "form_fill":
        fields = {"form_id": "f", "form_type": chance.choice(["demo", "contact", "contact"])}
    if kind == "sales_activity":
        fields = {"activity": chance.choice(["contacted", "proposal_sent"]), "by": "ann"}
    occurred_ms = now_ms() - chance.choice([0, 0, 300, 2_500])
    head: dict[str, Any] = {"event_id": f"e{number}", "kind": kind, "occurred_at": iso(occurred_ms)}
    head["lead"] = _names(chance, person)
    return topic_of_kind(kind), msgspec.json.encode(head | fields)


def _by_hand(chance: random.Random, person: int, number: int) -> tuple[str, bytes]:
    command, lead = f"h{number}", f"lead-{person}"
    values = (
        encode_assign(lead, command, owner=chance.choice(["ann", "cid"]), by="eve"),
        encode_assign(lead, command, team=chance.choice(["red", "last"])),
        encode_release(lead, command, by="eve"),
    )
    return LEAD_INTERNAL, chance.choice(values)
