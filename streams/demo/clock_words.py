"""Owners and clocks in plain words."""

from __future__ import annotations

from typing import Any

from schemas.routing_wire import AssignmentOut, SlaEventOut
from schemas.times import parse_iso
from streams.demo.words import lead_name, printable

__all__ = ["left_until", "owner_of", "sla_detail", "sla_line", "sla_words", "time_left"]

_HOUR_MS = 3_600_000
_MARKS = {"breached": "✗", "escalated": "↗", "answered": "✓", "reminded": "!"}


def time_left(sla: dict[str, Any] | None, now: int) -> tuple[str, str]:
    """Time to the due time of a clock that runs or is breached, and its colour; nothing for other clocks.

    >>> time_left({"state": "running", "due_at": "1970-01-01T05:30:00.000Z"}, 0)
    ('5 h 30 min', 'green')
    >>> time_left({"state": "breached", "due_at": "1970-01-01T00:00:00.000Z"}, 90_000_000)
    ('25 h over', 'bold red')
    """
    if sla is None or sla["state"] not in ("running", "breached"):
        return "", ""
    return left_until(parse_iso(sla["due_at"]), now)


def left_until(due_ms: int, now: int) -> tuple[str, str]:
    """Time to a moment, and its colour by urgency."""
    left_ms = due_ms - now
    if left_ms <= 0:
        return f"{length(-left_ms)} over", "bold red"
    return length(left_ms), "red" if left_ms < _HOUR_MS else "yellow" if left_ms < 4 * _HOUR_MS else "green"


def length(ms: int) -> str:
    """A length of time in its two largest units; two days are the first that are called so.

    >>> length(93_600_000), length(180_000_000), length(61_000), length(0)
    ('26 h', '2 d 2 h', '1 min 1 s', '0 s')
    """
    hours, seconds = divmod(ms // 1000, 3_600)
    days, hours = divmod(hours, 24) if hours >= 2 * 24 else (0, hours)
    parts = [(days, "d"), (hours, "h"), (seconds // 60, "min"), (seconds % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def owner_of(has: AssignmentOut | None) -> str:
    """Who has a lead."""
    if has is None:
        return ""
    return printable(has.owner) if has.owner else "waiting"


def sla_words(event: SlaEventOut, *, mark: bool = True) -> str:
    """What a clock did: `✗ breached`; without its mark on request."""
    what = "answered late" if event.late_ms is not None else "clock started" if event.what == "started" else event.what
    return f"{_MARKS.get(event.what, '·')} {what}" if mark else what


def sla_detail(event: SlaEventOut) -> str:
    """What that means, in plain words."""
    owner = printable(event.owner) if event.owner else "nobody"
    elapsed = length(event.elapsed_ms)
    return {
        "started": f"{owner} has it, an answer is due by {event.due_at[:16].replace('T', ' ')}",
        "reminded": f"{owner} has not answered for {elapsed}, due by {event.due_at[:16].replace('T', ' ')}",
        "breached": f"nobody answered within {elapsed}; {owner} has it",
        "escalated": f"on to {printable(event.to) if event.to else 'nobody'}; {owner} has it",
        "answered": f"after {elapsed}" + (f", {length(event.late_ms)} too late" if event.late_ms is not None else ""),
        "withdrawn": f"the answer came in time, after {elapsed}, and was heard of late",
    }.get(event.what, f"after {elapsed}")


def sla_line(event: SlaEventOut) -> str:
    """An SLA event as one plain line."""
    what = f"{lead_name(event.lead_id):<12} {sla_words(event, mark=False)}: {sla_detail(event)}"
    return f"{event.effective_at[:19]}Z  {what}"
