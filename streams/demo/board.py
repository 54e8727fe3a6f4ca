"""What the board knows: scores, owners and clocks of every lead, what happened last, as read from Kafka."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from schemas.log import EVENT_ROWS, EventRow, LogCodecError, decode_record
from schemas.outputs_wire import LeadScoreOut, TierChangeOut
from schemas.routing_wire import AssignmentOut, SlaEventOut
from schemas.times import parse_iso
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_EVENTS, LEAD_SCORES, LEADS_CHANGELOG, SLA_EVENTS, TIER_CHANGES
from scoring.model import Model
from streams.demo.desk import Desk
from streams.demo.feed import Record
from streams.demo.outlook import Outlook, Outlooks

__all__ = ["TOPICS", "Board", "Hot", "News"]

TOPICS = (LEAD_EVENTS, LEADS_CHANGELOG, LEAD_SCORES, TIER_CHANGES, LEAD_ASSIGNMENTS, SLA_EVENTS)
"""What the board reads."""

_KEPT = 200
_KINDS = {row_type: kind for kind, row_type in EVENT_ROWS.items()}


class News(NamedTuple):
    """A tier change or an SLA event, and how long after its moment it was read here; None: it was there before."""

    body: TierChangeOut | SlaEventOut
    after_ms: int | None


class Hot(NamedTuple):
    """A lead that sales should call: its score, who has it, and when its clock runs out; None: no clock is open."""

    score: LeadScoreOut
    has: AssignmentOut | None
    due_ms: int | None


class _Alias(msgspec.Struct):
    """What a record of `lead-scores` says of names; `merged_into` stands for a lead that has another name now."""

    lead_id: str
    merged_into: str | None = None


class Board:
    """What the board knows.

    Attributes:
        tiers: Names, best first.
        news: The latest tier changes, and SLA events of the best tier but the start of a clock, newest first.
        events: The latest events (lead, kind), newest first.
        event_count: How many events are in the log.
        live_news: How much of the news came while somebody watched.
    """

    def __init__(self, model: Model) -> None:
        self.tiers = [tier.name for tier in model.tiers]
        self.news: deque[News] = deque(maxlen=_KEPT)
        self.events: deque[tuple[str, str]] = deque(maxlen=20)
        self.event_count = self.live_news = 0
        self._desk = Desk()
        self._outlooks = Outlooks(model)
        self._leads: dict[str, LeadScoreOut] = {}
        self._seq: dict[str, int] = {}
        self._alias = msgspec.json.Decoder(_Alias).decode
        self._score = msgspec.json.Decoder(LeadScoreOut).decode
        self._change = msgspec.json.Decoder(TierChangeOut).decode

    def take(self, record: Record, now_ms: int | None = None) -> TierChangeOut | SlaEventOut | None:
        """Takes a record; the tier change or SLA event in it, if there is one that was not known.

        Args:
            record: Of any of `TOPICS`.
            now_ms: The moment of reading; None while the past is read.
        """
        if record.topic == LEADS_CHANGELOG:
            self._outlooks.take(record.key, record.value)
        elif record.value is None:
            pass
        elif record.topic == LEAD_EVENTS:
            self._take_events(record.value)
        elif record.topic == LEAD_SCORES:
            self._take_score(record.value)
        elif record.topic == LEAD_ASSIGNMENTS:
            self._desk.take_assignment(record.value)
        elif record.topic == SLA_EVENTS:
            return self._take_sla(self._desk.take_event(record.value), now_ms)
        else:
            return self._take_change(self._change(record.value), now_ms)
        return None

    def _take_score(self, value: bytes) -> None:
        alias = self._alias(value)
        if alias.merged_into is None:
            self._leads[alias.lead_id] = self._score(value)
        else:
            # What is to be known of it stands under its owner's name.
            self._leads.pop(alias.lead_id, None)

    def _take_events(self, value: bytes) -> None:
        try:
            _, rows = decode_record(value)
        except LogCodecError:
            return
        for row in rows:
            if isinstance(row, EventRow):
                self.event_count += 1
                self.events.appendleft((row.lead_id, _KINDS[type(row)].replace("_", " ")))

    def _take_change(self, change: TierChangeOut, now_ms: int | None) -> TierChangeOut | None:
        # Tier changes are published at least once; their number per lead tells a repetition.
        if change.seq <= self._seq.get(change.lead_id, 0):
            return None
        self._seq[change.lead_id] = change.seq
        self._tell(change, now_ms)
        return change

    def _take_sla(self, event: SlaEventOut | None, now_ms: int | None) -> SlaEventOut | None:
        # Clocks of other tiers run for days, and would be most of what is told.
        if event is None or event.tier != self.tiers[0]:
            return None
        if event.what != "started":
            self._tell(event, now_ms)
        return event

    def _tell(self, body: TierChangeOut | SlaEventOut, now_ms: int | None) -> None:
        after_ms = None
        if now_ms is not None:
            after_ms = max(0, now_ms - parse_iso(body.effective_at))
            self.live_news += 1
        self.news.appendleft(News(body, after_ms))

    def sort(self) -> None:
        """Newest first: what was there before the board was comes by partition."""
        newest = sorted(self.news, key=lambda news: news.body.effective_at, reverse=True)
        self.news = deque(newest, maxlen=_KEPT)

    def counts(self) -> dict[str, int]:
        """Leads by tier, best first."""
        counts = dict.fromkeys(self.tiers, 0)
        for score in self._leads.values():
            counts[score.tier] = counts.get(score.tier, 0) + 1
        return counts

    def best(self, limit: int) -> list[Hot]:
        """The leads of the best tier, or with a clock of it: the earliest due time first, then the highest total."""
        desk = self._desk
        names = {lead_id for lead_id, score in self._leads.items() if score.tier == self.tiers[0]}
        names |= desk.open_for(self.tiers[0]) & self._leads.keys()
        top = [Hot(self._leads[name], desk.of(name), desk.due_ms(name)) for name in names]
        return sorted(top, key=_urgency)[:limit]

    def overdue(self, now_ms: int) -> int:
        """How many clocks of the best tier have run out and nobody has answered yet."""
        return sum((self._desk.due_ms(name) or 0) <= now_ms for name in self._desk.open_for(self.tiers[0]))

    def outlook(self, score: LeadScoreOut) -> Outlook | None:
        """What time alone will change of a score; None: nothing."""
        return self._outlooks.of(score)


def _urgency(hot: Hot) -> tuple[bool, int, int, str, str]:
    score = hot.score
    return hot.due_ms is None, hot.due_ms or 0, -score.total, score.tier_since or "", score.lead_id
