"""Good events of every kind: one with every field, one with the required ones alone."""

from __future__ import annotations

from typing import Any

from schemas.times import iso

__all__ = ["BROKER_MS", "FULL", "KEY", "REQUIRED", "event"]

BROKER_MS = 1_772_446_500_000
"""2026-03-02T10:15:00Z."""

KEY = b"a key of the tests"

_ACTIVITY = {
    "message_id": "m-1",
    "campaign_id": "spring",
    "url": "https://example.com/x",
    "machine": True,
    "in_reply_to": "m-0",
}

FULL: dict[str, dict[str, Any]] = {
    "page_view": {
        "url": "https://example.com/pricing",
        "title": "Prices",
        "referrer": "https://example.org/",
        "dwell_ms": 34_000,
        "user_agent": "Mozilla/5.0",
        "session_id": "s-1",
    },
    "download": {"asset": "guide.pdf", "url": "https://example.com/guide"},
    "email_open": {"message_id": "m-1", "campaign_id": "spring", "machine": True, "user_agent": "Mozilla/5.0"},
    "email_sent": _ACTIVITY,
    "email_click": _ACTIVITY,
    "email_reply": _ACTIVITY,
    "unsubscribe": _ACTIVITY,
    "resubscribe": _ACTIVITY,
    "complaint": _ACTIVITY,
    "form_fill": {"form_id": "f-1", "form_type": "demo", "fields": {"seats": 20, "company": "Ünïcödé 株式会社 🚀"}},
    "bounce": {"message_id": "m-1", "bounce_type": "hard", "reason": "550 no such user"},
    "profile": {"fields": {"title": "VP Sales", "company_size": 200, "customer": False, "industry": None, "note": " "}},
    "sales_activity": {"activity": "meeting_held", "by": "sam", "reason": "on site"},
}
"""Fields of the kind, all of them."""

_REQUIRED = {
    "page_view": ("url",),
    "download": ("asset",),
    "form_fill": ("form_id",),
    "bounce": ("message_id", "bounce_type"),
    "profile": ("fields",),
    "sales_activity": ("activity",),
}

REQUIRED: dict[str, dict[str, Any]] = {
    kind: {name: fields[name] for name in _REQUIRED.get(kind, ("message_id",))} for kind, fields in FULL.items()
}
"""Fields of the kind that must be there."""


def event(kind: str = "page_view", **members: Any) -> dict[str, Any]:
    """An event that is taken, with other members where they are given."""
    whole = {
        "event_id": "ev-1",
        "kind": kind,
        "occurred_at": iso(BROKER_MS - 1_000),
        "lead": {"lead_id": "crm-17"},
    }
    return whole | REQUIRED.get(kind, {}) | members
