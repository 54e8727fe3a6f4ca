"""Scores and tier changes in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.outputs_wire import Cause, ReasonOut, TierChangeOut
from streams.demo.outlook import Outlook

__all__ = ["ago", "because", "change_line", "lead_name", "moment", "outlook_words", "printable", "span", "who", "why"]

_MAX_TEXT = 40


def printable(text: object) -> str:
    """What somebody else wrote, for a terminal: short, and nothing that moves its cursor."""
    shown = "".join(char if char.isprintable() else "?" for char in str(text))
    return shown if len(shown) <= _MAX_TEXT else shown[: _MAX_TEXT - 3] + "..."


def lead_name(lead_id: str) -> str:
    """A lead's name, short: the hash of an address says nothing to anybody."""
    return f"{lead_id[:8]}..." if lead_id.startswith("e:") else printable(lead_id)


def moment(text: str) -> datetime:
    """A time of a contract."""
    return datetime.fromisoformat(text)


def span(length: timedelta) -> str:
    """A length of time in its largest unit.

    >>> span(timedelta(days=12, hours=3)), span(timedelta(minutes=90)), span(timedelta(seconds=40))
    ('12 d', '1 h', '40 s')
    """
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(now: datetime, text: str | None) -> str:
    """How long ago a time of a contract was."""
    return "" if text is None else f"{span(now - moment(text))} ago"


def why(reasons: list[ReasonOut]) -> str:
    """Reasons in a few words, largest first."""
    return ", ".join(f"{reason.rule.replace('_', ' ')} {reason.points:+d}" for reason in reasons) or "no points"


def because(cause: Cause) -> str:
    """What brought a change about.

    >>> because({"event_id": "e-1", "kind": "form_fill"}), because({"deadline": "gone_quiet"})
    ('form fill', 'time alone, gone quiet')
    """
    if "kind" in cause:
        return str(cause["kind"]).replace("_", " ")
    if "deadline" in cause:
        return f"time alone, {str(cause['deadline']).replace('_', ' ')}"
    if "merged_from" in cause:
        return f"is {lead_name(str(cause['merged_from']))}"
    if "merged_into" in cause:
        return f"is {lead_name(str(cause['merged_into']))} now"
    return f"model {cause.get('model')}"


def who(profile: dict[str, Any]) -> str:
    """What the model publishes of a profile, without the names of its fields.

    >>> who({"industry": "saas", "company_size": 120, "country": "ES"})
    'saas, 120, ES'
    """
    return ", ".join(printable(profile[field]) for field in ("industry", "company_size", "country") if field in profile)


def outlook_words(now: datetime, outlook: Outlook | None, *, short: bool = False) -> str:
    """What time alone will change: `65 in 4 d, warm in 34 d`; short: only what matters most."""
    if outlook is None:
        return "nothing"
    next_in = f"in {span(_from_ms(outlook.total_at_ms) - now)}"
    if outlook.total is None:
        return next_in
    if outlook.tier_at_ms is None:
        return f"{outlook.total} {next_in}"
    tier = f"{outlook.tier} in {span(_from_ms(outlook.tier_at_ms) - now)}"
    return tier if short or outlook.tier_at_ms == outlook.total_at_ms else f"{outlook.total} {next_in}, {tier}"


def change_line(change: TierChangeOut) -> str:
    """A tier change as one plain line."""
    return (
        f"{change.effective_at[:19]}Z  {lead_name(change.lead_id):<12} {change.from_tier} -> {change.to_tier}"
        f"  total {change.total}  ({because(change.cause)}: {why(change.reasons)})"
    )


def _from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
