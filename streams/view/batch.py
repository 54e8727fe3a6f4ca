"""Records of a poll, decoded and sorted by lead: what is told in one MULTI/EXEC."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from schemas.log import LogCodecError
from schemas.routing_lines import own_time_ms
from schemas.routing_log import LeadMerged, LogTime, RoutedActivity, decode_routing
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, LEAD_SCORES, SLA_EVENTS, TIER_CHANGES
from streams.view.entry import AssignmentIn, ScoreIn, SlaEventIn, TierChangeIn

__all__ = ["READ", "Batch", "Fed", "LogClock", "Raw"]

READ = (LEAD_SCORES, TIER_CHANGES, LEAD_ASSIGNMENTS, SLA_EVENTS, LEAD_ROUTING)
"""The topics that the view reads."""

_RESERVED = b"\0"


class Raw(NamedTuple):
    """A record as it was read; the topic without its prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Fed(NamedTuple):
    """Something for the feed."""

    body: TierChangeIn | SlaEventIn
    raw: bytes


class Kept(NamedTuple):
    """A record of a compacted topic; None: it was deleted."""

    body: ScoreIn | AssignmentIn | None
    raw: bytes


class LogClock:
    """Log time, as route counts it: the smallest of the score partitions' log times; 0 before all have told theirs.

    Attributes:
        latest_ms: The greatest own time of any row: log time of the partition that is ahead, or a record ahead of it.
    """

    def __init__(self, state: str = "") -> None:
        self.count = self.latest_ms = 0
        self.times: dict[int, int] = {}
        if state:
            self.count, self.latest_ms, times = json.loads(state)
            self.times = {int(number): time_ms for number, time_ms in times.items()}

    def take(self, row: LogTime) -> None:
        """A partition tells its time."""
        self.count = row.partitions
        self.times[row.partition] = max(row.log_time_ms, self.times.get(row.partition, 0))

    @property
    def now_ms(self) -> int:
        """The smallest."""
        times = [self.times.get(number, 0) for number in range(self.count)]
        return min(times, default=0)

    def state(self) -> str:
        """What must be remembered."""
        return json.dumps([self.count, self.latest_ms, self.times])


@dataclass(slots=True)
class Batch:
    """Decoded records.

    Attributes:
        scores: Records of `lead-scores` by lead, in order.
        assignments: The same of `lead-assignments`.
        feed: Tier changes and SLA events in the order of reading.
        facts: Rows of `lead-routing` that the report looks at.
        times: Its rows of log time.
        latest_ms: The greatest own time of any of its rows.
        positions: Behind the last record of each partition.
        refused: Places and reasons of records that cannot be read.
    """

    scores: dict[str, list[Kept]] = field(default_factory=dict)
    assignments: dict[str, list[Kept]] = field(default_factory=dict)
    feed: list[Fed] = field(default_factory=list)
    facts: list[RoutedActivity | LeadMerged] = field(default_factory=list)
    times: list[LogTime] = field(default_factory=list)
    latest_ms: int = 0
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Raw]) -> Batch:
        """Decodes records; what cannot be read is told in `refused` and passed over."""
        batch = cls()
        for record in records:
            batch.positions[record.topic, record.partition] = record.offset + 1
            try:
                batch._take(record)
            except (msgspec.MsgspecError, LogCodecError, UnicodeDecodeError, ValueError) as error:
                place = f"{record.topic}[{record.partition}] at offset {record.offset}"
                batch.refused.append((record.topic, f"{place} cannot be read: {error}"))
        return batch

    def _take(self, record: Raw) -> None:
        topic, value = record.topic, record.value
        if topic == LEAD_SCORES:
            _keep(self.scores, record, _score(value) if value is not None else None)
        elif topic == LEAD_ASSIGNMENTS:
            _keep(self.assignments, record, _assignment(value) if value is not None else None)
        elif value is None:
            return
        elif topic == TIER_CHANGES:
            self.feed.append(Fed(_change(value), value))
        elif topic == SLA_EVENTS:
            self.feed.append(Fed(_sla(value), value))
        else:
            for row in decode_routing(value):
                self.latest_ms = max(self.latest_ms, own_time_ms(row))
                if isinstance(row, LogTime):
                    self.times.append(row)
                elif isinstance(row, RoutedActivity | LeadMerged):
                    self.facts.append(row)

    @property
    def leads(self) -> list[str]:
        """Every lead whose entry is looked at."""
        names = dict.fromkeys(self.scores) | dict.fromkeys(self.assignments)
        return list(names | dict.fromkeys(fed.body.lead_id for fed in self.feed))


def _keep(by_lead: dict[str, list[Kept]], record: Raw, body: ScoreIn | AssignmentIn | None) -> None:
    if body is not None:
        by_lead.setdefault(body.lead_id, []).append(Kept(body, record.value or b""))
    elif record.key and record.key[:1] != _RESERVED:  # what a worker writes when it takes a partition is no lead's
        by_lead.setdefault(record.key.decode(), []).append(Kept(None, b""))


_score = msgspec.json.Decoder(ScoreIn).decode
_assignment = msgspec.json.Decoder(AssignmentIn).decode
_change = msgspec.json.Decoder(TierChangeIn).decode
_sla = msgspec.json.Decoder(SlaEventIn).decode
