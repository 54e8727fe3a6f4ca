"""Hot leads that nobody called: their 24 hours end while somebody watches, and a call comes too late.

The terms are those of the shipped policy; what is staged is only the day before. Each asked for a demo 24 hours before
a moment of the show, so that its clock runs out at that moment, in the route worker and by log time as in production.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.times import iso
from streams.demo.person import DAY, HOUR, MINUTE, SITE, Event

__all__ = ["Forgotten"]

_BREACHES_S = (5, 20, 35, 55, 80, 120, 180, 300)
"""When their time is over, counted from the end of the past."""
_CALLED_AFTER_MS = 15_000
_SIZES = (180, 320, 40, 450, 75, 90)


class Forgotten:
    """Who was forgotten.

    Args:
        end_ms: The end of the past, by which the show begins.
        respond_within_ms: How long sales has.
    """

    def __init__(self, end_ms: int, respond_within_ms: int = DAY) -> None:
        due = [end_ms + after_s * 1000 for after_s in _BREACHES_S]
        self.past: list[Event] = [
            event
            for number, due_ms in enumerate(due, 1)
            for event in _story(number, due_ms - respond_within_ms)
            if event[0] < end_ms
        ]
        self._calls = [(due_ms + _CALLED_AFTER_MS, number) for number, due_ms in enumerate(due, 1)]

    def late_calls(self, now_ms: int) -> Iterator[dict[str, Any]]:
        """The calls that somebody remembers to make by now."""
        while self._calls and self._calls[0][0] <= now_ms:
            _, number = self._calls.pop(0)
            event = _event(number, 9, "sales_activity", activity="contacted", by="senior_1")
            yield event | {"source": "crm", "occurred_at": iso(now_ms)}


def _story(number: int, asked_ms: int) -> Iterator[Event]:
    size = _SIZES[number % len(_SIZES)]
    fields = {"seniority": "director", "industry": "saas", "company_size": size, "country": "ES"}
    steps: list[tuple[int, dict[str, Any]]] = [
        (asked_ms - 3 * HOUR, _event(number, 1, "profile", fields=fields)),
        (asked_ms - 5 * MINUTE, _event(number, 2, "page_view", url=f"{SITE}/pricing", session_id=f"s-late-{number}")),
        (asked_ms, _event(number, 3, "form_fill", form_id="demo-form", form_type="demo")),
    ]
    for at_ms, event in steps:
        yield at_ms, event | {"occurred_at": iso(at_ms)}


def _event(number: int, place: int, kind: str, **fields: Any) -> dict[str, Any]:
    name = f"lead-90{number:02d}"
    return {"event_id": f"{name}-{place}", "kind": kind, "source": "web", "lead": {"lead_id": name}, **fields}
