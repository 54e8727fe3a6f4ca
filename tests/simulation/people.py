"""What people do in a story."""

from __future__ import annotations

import random
from typing import Any

from schemas.times import iso

__all__ = ["an_event"]

_HOUR_MS = 3_600_000
_LEADS = 8


def an_event(chance: random.Random, number: int, clock_ms: int) -> dict[str, Any]:
    """Something that one of a few people does; some days late, now and then, and under any of their names."""
    person = chance.randrange(_LEADS)
    names = {
        "lead_id": {"lead_id": f"lead-{person}"},
        "visitor": {"anonymous_id": f"visitor-{person}"},
        "address": {"email": f"p{person}@example.com"},
        "visitor and address": {"anonymous_id": f"visitor-{person}", "email": f"p{person}@example.com"},
        "all": {"anonymous_id": f"visitor-{person}", "email": f"p{person}@example.com", "lead_id": f"lead-{person}"},
        "another's visitor": {"anonymous_id": f"visitor-{(person + 1) % _LEADS}", "lead_id": f"lead-{person}"},
    }
    lead = names[chance.choices(list(names), (10, 4, 2, 2, 2, 1))[0]]
    occurred_ms = clock_ms - chance.choice([0, 0, 0, 1, 50_000, 40 * _HOUR_MS])
    kind = chance.choice(["page_view", "page_view", "form_fill"])
    fields = {"url": chance.choice(["/pricing", "/blog"])}
    if kind == "form_fill":
        fields = {"form_id": "f", "form_type": chance.choice(["demo", "contact"])}
    place = {"event_id": f"e{number}", "kind": kind, "source": "simulation", "occurred_at": iso(occurred_ms)}
    return place | {"lead": lead} | fields
