"""Short words for writing streams by hand in tests."""

from itertools import count
from typing import Any

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
T0 = 1_767_261_600_000
"""2026-01-01T10:00:00Z"""

_ids = count(1)


def event(kind: str, at: int, *, lead: str = "lead-1", received_at: int | None = None, **fields: Any) -> dict[str, Any]:
    """One row with an event; received when it occurred, unless said otherwise. Times count from `T0`."""
    return {
        "lead_id": lead,
        "received_at": T0 + (at if received_at is None else received_at),
        "event_id": fields.pop("event_id", f"event-{next(_ids)}"),
        "kind": kind,
        "occurred_at": T0 + at,
        **fields,
    }


def visit(at: int, path: str = "/pricing", **fields: Any) -> dict[str, Any]:
    """A page view of the shop."""
    return event("page_view", at, url=f"https://shop.example{path}", **fields)


def form(at: int, form_type: str = "contact", **fields: Any) -> dict[str, Any]:
    """A form fill."""
    return event("form_fill", at, form_id="f", form_type=form_type, **fields)


def opened(at: int, message_id: str, **fields: Any) -> dict[str, Any]:
    """An e-mail opening."""
    return event("email_open", at, message_id=message_id, **fields)


def sent(at: int, message_id: str, **fields: Any) -> dict[str, Any]:
    """An e-mail sent."""
    return event("email_sent", at, message_id=message_id, **fields)


def bounced(at: int, bounce_type: str = "hard", **fields: Any) -> dict[str, Any]:
    """A bounce."""
    return event("bounce", at, message_id="m", bounce_type=bounce_type, **fields)


def profile(at: int, received_at: int | None = None, lead: str = "lead-1", **fields: Any) -> dict[str, Any]:
    """Profile fields."""
    return event("profile", at, received_at=received_at, lead=lead, fields=fields)


def alarm(at: int) -> dict[str, Any]:
    """Nothing but time."""
    return {"alarm": True, "received_at": T0 + at}


def model_row(at: int, model: dict[str, Any]) -> dict[str, Any]:
    """A new model."""
    return {"model": model, "received_at": T0 + at}
