"""What a batch changes in Redis, worked out from what the view remembered of its leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis.client import Pipeline

from schemas.routing_log import RoutedActivity
from streams.view.batch import Batch, Kept
from streams.view.entry import AssignmentIn, LeadEntry, ScoreIn, TierChangeIn, encode_entry
from streams.view.facts import LeadFacts, encode_facts
from streams.view.keys import FEED_LENGTH, Keys

__all__ = ["Changes"]

Place = tuple[str, str, str]


class Changes:
    """The commands of one batch, many leads in one command where Redis takes that.

    Args:
        keys: Names of the keys.
        facts: Of every lead that has some; changed here.
    """

    def __init__(self, keys: Keys, facts: dict[str, LeadFacts]) -> None:
        self._keys = keys
        self._facts = facts
        self._entries: dict[str, LeadEntry] = {}
        self._hashes: dict[str, dict[str, bytes]] = {}
        self._dropped: list[tuple[str, str]] = []
        self._added: dict[Place, dict[str, int]] = {}
        self._removed: dict[Place, list[str]] = {}
        self._owners: set[str] = set()
        self._feed: list[dict[str, str | bytes]] = []
        self._new_facts: set[str] = set()

    @property
    def leads(self) -> int:
        """How many leads changed."""
        return len(self._entries)

    def fold(self, batch: Batch, entries: Mapping[str, LeadEntry]) -> None:
        """Works out what changes.

        Args:
            batch: What was read.
            entries: Of every lead of the batch.
        """
        before = {lead_id: entry.places() for lead_id, entry in entries.items()}
        for lead_id, kept in batch.scores.items():
            self._take_scores(lead_id, entries[lead_id], kept)
        for lead_id, kept in batch.assignments.items():
            self._take_assignments(lead_id, entries[lead_id], kept)
        for body, raw in batch.feed:
            entry = entries[body.lead_id]
            if isinstance(body, TierChangeIn):
                if entry.tells_change(body):
                    self._feed.append({"type": "tier_change", "body": raw})
                    self._of(body.lead_id).take_change(body)
            elif entry.tells_sla(body):
                self._feed.append({"type": "sla_event", "body": raw})
        for row in batch.facts:
            if isinstance(row, RoutedActivity):
                self._of(row.lead_id).take_activity(row)
            else:
                self._of(row.lead_id).take_merge(row)
        for lead_id, entry in entries.items():
            self._move(lead_id, before[lead_id], entry.places())
        self._entries.update(entries)

    def forget(self, before_ms: int) -> None:
        """Facts that are older leave."""
        self._new_facts.update(lead_id for lead_id, facts in self._facts.items() if facts.forget(before_ms))

    def write(self, pipe: Pipeline) -> None:
        """Queues the commands."""
        keys = self._keys
        for lead_id, fields in self._hashes.items():
            pipe.hset(keys.lead(lead_id), items=[item for pair in fields.items() for item in pair])
        for lead_id, name in self._dropped:
            pipe.hdel(keys.lead(lead_id), name)
        if self._entries:
            items = [item for name, entry in self._entries.items() for item in (name, encode_entry(entry))]
            pipe.hset(keys.index, items=items)
        for place, members in self._removed.items():
            pipe.zrem(keys.order(*place), *members)
        for place, scores in self._added.items():
            pipe.zadd(keys.order(*place), scores)
        if self._owners:
            pipe.sadd(keys.owners, *sorted(self._owners))
        for told in self._feed:
            pipe.xadd(keys.feed, cast("Any", told), maxlen=FEED_LENGTH)
        self._write_facts(pipe)

    def _write_facts(self, pipe: Pipeline) -> None:
        gone = [lead_id for lead_id in self._new_facts if self._facts[lead_id].empty]
        kept = sorted(self._new_facts.difference(gone))
        if kept:
            items = [item for name in kept for item in (name, encode_facts(self._facts[name]))]
            pipe.hset(self._keys.facts, items=items)
        if gone:
            pipe.hdel(self._keys.facts, *gone)
            for lead_id in gone:
                del self._facts[lead_id]

    def _of(self, lead_id: str) -> LeadFacts:
        self._new_facts.add(lead_id)
        return self._facts.setdefault(lead_id, LeadFacts())

    def _take_scores(self, lead_id: str, entry: LeadEntry, kept: list[Kept]) -> None:
        raw: bytes | None = None
        for body, value in kept:
            if not isinstance(body, ScoreIn):
                entry.forget_score()
                raw = b""
            elif entry.take_score(body):
                raw = value
        self._set(lead_id, "score", raw)

    def _take_assignments(self, lead_id: str, entry: LeadEntry, kept: list[Kept]) -> None:
        raw: bytes | None = None
        for body, value in kept:
            if not isinstance(body, AssignmentIn):
                entry.forget_assignment()
                raw = b""
                continue
            if entry.take_assignment(body):
                raw = value
            if body.owner:
                self._owners.add(body.owner)
            facts = self._facts.get(lead_id, LeadFacts())
            if facts.take_assignment(body):
                self._facts[lead_id] = facts
                self._new_facts.add(lead_id)
        self._set(lead_id, "assignment", raw)

    def _set(self, lead_id: str, name: str, raw: bytes | None) -> None:
        """None: nothing changes; empty: the record was deleted."""
        if raw:
            self._hashes.setdefault(lead_id, {})[name] = raw
        elif raw is not None:
            self._dropped.append((lead_id, name))

    def _move(self, lead_id: str, before: dict[Place, int], after: dict[Place, int]) -> None:
        for place in before.keys() - after.keys():
            self._removed.setdefault(place, []).append(lead_id)
        for place, by in after.items():
            if before.get(place) != by:
                self._added.setdefault(place, {})[lead_id] = by
