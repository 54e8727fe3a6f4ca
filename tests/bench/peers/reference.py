"""What the job is: the five rules and the tiers, read off everything a lead has done so far. Naive on purpose.

Shares no code with leadstream and none with the peers' jobs; `README.md` beside it says the same in words.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["Change", "Lead", "Reference"]

HOUR = 3_600_000
DAY = 24 * HOUR
TIERS = ("hot", "warm", "cold")
ENTER = {"hot": 50, "warm": 30}
LEAVE = {"hot": 40, "warm": 20}


class Change(NamedTuple):
    """A tier change, as far as every engine tells it the same way."""

    lead: str
    seq: int
    before: str
    after: str
    total: int
    reasons: tuple[tuple[str, int], ...]
    event: str


class Lead:
    """All that a lead has done: (key, time in ms), oldest first."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, int]] = []
        self.forms: list[int] = []
        self.opens: list[tuple[str, int]] = []
        self.bounces: list[int] = []
        self.seniority = ""
        self.repeated = self.together = False
        self.tier, self.seq = "cold", 0

    def learn(self, event: dict[str, Any]) -> None:
        """Writes down what the event says."""
        at = round(datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000)
        match event["kind"]:
            case "page_view" if urlsplit(event["url"]).path.lower().startswith("/pricing"):
                self.visits.append((event["session_id"], at))
                self.repeated = self.repeated or self._second_visit(at)
                self.together = self.together or any(at - form < DAY for form in self.forms[-1:])
            case "form_fill":
                self.forms.append(at)
                self.together = self.together or any(at - visit < DAY for _, visit in self.visits[-1:])
            case "email_open" if not event["machine"]:
                self.opens.append((event["message_id"], at))
            case "bounce" if event["bounce_type"] == "hard":
                self.bounces.append(at)
            case "profile":
                self.seniority = event["fields"]["seniority"]

    def _second_visit(self, at: int) -> bool:
        """A visit in another session less than 7 days before the newest one."""
        session = self.visits[-1][0]
        for other, when in reversed(self.visits):
            if at - when >= 7 * DAY:
                return False
            if other != session:
                return True
        return False

    def _three_opens(self) -> bool:
        """Three different messages, each at its latest open: within 14 days, and no hard bounce since the first."""
        latest: dict[str, int] = {}
        for message, when in reversed(self.opens):
            latest.setdefault(message, when)
            if len(latest) == 3:
                newest, oldest = self.opens[-1][1], when
                return newest - oldest < 14 * DAY and not (self.bounces and self.bounces[-1] >= oldest)
        return False

    def reasons(self) -> list[tuple[str, int]]:
        """Rules that hold and their points: the largest first, and in the model's order."""
        held = [
            ("pricing_and_form", 25, self.together),
            ("decision_maker", 20, self.seniority in ("c_level", "vp", "director")),
            ("hard_bounce", -20, bool(self.bounces)),
            ("pricing_repeat", 15, self.repeated),
            ("three_opens", 15, self._three_opens()),
        ]
        return [(rule, points) for rule, points, holds in held if holds]


class Reference:
    """Every lead's story, one event after the other."""

    def __init__(self) -> None:
        self.leads: dict[str, Lead] = {}

    def take(self, value: bytes) -> Change | None:
        """One raw event; the tier change that it causes."""
        event = json.loads(value)
        name = event["lead"]["lead_id"]
        lead = self.leads.setdefault(name, Lead())
        lead.learn(event)
        reasons = lead.reasons()
        total = min(max(sum(points for _, points in reasons), 0), 100)
        before, lead.tier = lead.tier, _tier(lead.tier, total)
        if lead.tier == before:
            return None
        lead.seq += 1
        return Change(name, lead.seq, before, lead.tier, total, tuple(reasons), event["event_id"])


def _tier(now: str, total: int) -> str:
    """The best tier whose bar is met; who is in it or above stays down to the lower bar."""
    for tier in TIERS[:-1]:
        bar = LEAVE[tier] if TIERS.index(now) <= TIERS.index(tier) else ENTER[tier]
        if total >= bar:
            return tier
    return TIERS[-1]
