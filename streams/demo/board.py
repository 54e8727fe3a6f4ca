"""What the board knows: the current score of every lead, the latest tier changes and events, as read from Kafka."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from schemas.log import EVENT_ROWS, EventRow, LogCodecError, decode_record
from schemas.outputs_wire import LeadScoreOut, TierChangeOut
from schemas.times import parse_iso
from schemas.topics import LEAD_EVENTS, LEAD_SCORES, LEADS_CHANGELOG, TIER_CHANGES
from scoring.model import Model
from streams.demo.feed import Record
from streams.demo.outlook import Outlook, Outlooks

__all__ = ["TOPICS", "Board", "Change"]

TOPICS = (LEAD_EVENTS, LEADS_CHANGELOG, LEAD_SCORES, TIER_CHANGES)
"""What the board reads."""

_KEPT = 200
_KINDS = {row_type: kind for kind, row_type in EVENT_ROWS.items()}


class Change(NamedTuple):
    """A tier change, and how long after its moment it was read here; None: it was there before."""

    body: TierChangeOut
    after_ms: int | None


class _Alias(msgspec.Struct):
    """What a record of `lead-scores` says of names; `merged_into` stands for a lead that has another name now."""

    lead_id: str
    merged_into: str | None = None


class Board:
    """What the board knows.

    Attributes:
        tiers: Names, best first.
        changes: The latest tier changes, newest first.
        events: The latest events (lead, kind), newest first.
        event_count: How many events are in the log.
        live_changes: How many tier changes came while somebody watched.
    """

    def __init__(self, model: Model) -> None:
        self.tiers = [tier.name for tier in model.tiers]
        self.changes: deque[Change] = deque(maxlen=_KEPT)
        self.events: deque[tuple[str, str]] = deque(maxlen=20)
        self.event_count = self.live_changes = 0
        self._outlooks = Outlooks(model)
        self._leads: dict[str, LeadScoreOut] = {}
        self._seq: dict[str, int] = {}
        self._alias = msgspec.json.Decoder(_Alias).decode
        self._score = msgspec.json.Decoder(LeadScoreOut).decode
        self._change = msgspec.json.Decoder(TierChangeOut).decode

    def take(self, record: Record, now_ms: int | None = None) -> TierChangeOut | None:
        """Takes a record; the tier change in it, if there is one that was not known.

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
        after_ms = None
        if now_ms is not None:
            after_ms = max(0, now_ms - parse_iso(change.effective_at))
            self.live_changes += 1
        self.changes.appendleft(Change(change, after_ms))
        return change

    def sort(self) -> None:
        """Newest first: what was there before the board was comes by partition."""
        newest = sorted(self.changes, key=lambda change: change.body.effective_at, reverse=True)
        self.changes = deque(newest, maxlen=_KEPT)

    def counts(self) -> dict[str, int]:
        """Leads by tier, best first."""
        counts = dict.fromkeys(self.tiers, 0)
        for score in self._leads.values():
            counts[score.tier] = counts.get(score.tier, 0) + 1
        return counts

    def best(self, limit: int) -> list[LeadScoreOut]:
        """The leads of the best tier, highest total first."""
        top = [score for score in self._leads.values() if score.tier == self.tiers[0]]
        return sorted(top, key=lambda score: (-score.total, score.tier_since or "", score.lead_id))[:limit]

    def outlook(self, score: LeadScoreOut) -> Outlook | None:
        """What time alone will change of a score; None: nothing."""
        return self._outlooks.of(score)
