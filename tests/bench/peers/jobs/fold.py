"""The job for engines in Python: an event becomes a signal, a signal moves a lead's small state.

State is a list that any engine can keep and pickle or write as JSON. It holds no more than five rules need when a
lead's events come once and in order; leadstream keeps more, and pays for it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["PROFILE", "State", "fold", "fresh", "signal_of"]

DAY = 86_400_000
VISIT, FORM, OPEN, BOUNCE, PROFILE = range(5)
SENIOR = frozenset(("c_level", "vp", "director"))
HOT, WARM, COLD = range(3)
NAMES = ("hot", "warm", "cold")

State = list[Any]
"""tier, number of changes, senior, repeated, together, last form, last hard bounce (0: never),
two last sessions [name, time] and three last messages [name, time], newest first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_PRICING = re.compile(r"[a-z]+://[^/]*/pricing", re.IGNORECASE)


def fresh() -> State:
    """The state of a lead that nobody has heard of."""
    return [COLD, 0, False, False, False, 0, 0, [], []]


def signal_of(event: dict[str, Any]) -> tuple[int, Any] | None:
    """What an event means to the rules; None for most of them."""
    kind = event["kind"]
    if kind == "page_view":
        return (VISIT, event["session_id"]) if _PRICING.match(event["url"]) else None
    if kind == "email_open":
        return None if event["machine"] else (OPEN, event["message_id"])
    if kind == "form_fill":
        return FORM, None
    if kind == "bounce":
        return (BOUNCE, None) if event["bounce_type"] == "hard" else None
    return PROFILE, event["fields"]["seniority"] in SENIOR


def fold(state: State, event: dict[str, Any], signal: tuple[int, Any]) -> dict[str, Any] | None:
    """Moves a lead's state in place; the tier change, if it is one."""
    name, what = signal
    at = (datetime.fromisoformat(event["occurred_at"]) - _EPOCH) // _MS
    if name == VISIT:
        _newest(state[7], what, at, 2)
        state[3] = state[3] or (len(state[7]) == 2 and at - state[7][1][1] < 7 * DAY)
        state[4] = state[4] or at - state[5] < DAY
    elif name == OPEN:
        _newest(state[8], what, at, 3)
    elif name == FORM:
        state[5] = at
        state[4] = state[4] or bool(state[7] and at - state[7][0][1] < DAY)
    elif name == BOUNCE:
        state[6] = at
    else:
        state[2] = what
    return _judged(state, event)


def _newest(kept: list[list[Any]], name: str, at: int, most: int) -> None:
    """Puts a name in front with its latest time; the oldest beyond `most` goes."""
    for number, (other, _) in enumerate(kept):
        if other == name:
            del kept[number]
            break
    kept.insert(0, [name, at])
    del kept[most:]


def _judged(state: State, event: dict[str, Any]) -> dict[str, Any] | None:
    tier, _, senior, repeated, together, _, bounced, _, opens = state
    streak = len(opens) == 3 and opens[0][1] - opens[2][1] < 14 * DAY and bounced < opens[2][1]
    total = 25 * together + 20 * senior + 15 * repeated + 15 * streak - 20 * (bounced > 0)
    total = min(max(total, 0), 100)
    if total >= (40 if tier == HOT else 50):
        after = HOT
    elif total >= (20 if tier <= WARM else 30):
        after = WARM
    else:
        after = COLD
    if after == tier:
        return None
    state[0] = after
    state[1] += 1
    held = (
        ("pricing_and_form", 25, together),
        ("decision_maker", 20, senior),
        ("hard_bounce", -20, bounced > 0),
        ("pricing_repeat", 15, repeated),
        ("three_opens", 15, streak),
    )
    return {
        "lead_id": event["lead"]["lead_id"],
        "seq": state[1],
        "from_tier": NAMES[tier],
        "to_tier": NAMES[after],
        "total": total,
        "reasons": [{"rule": rule, "points": points} for rule, points, holds in held if holds],
        "event_id": event["event_id"],
        "occurred_at": event["occurred_at"],
    }
