"""The five topics that the view reads, small and full of edges, and what must be in Redis when all is read.

Each topic repeats itself here and there, as it does when a worker is killed between what it published and what it
remembered: the same ids again, and of `lead-scores` also states that had been left out the first time.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, NamedTuple

import msgspec

from schemas.routing_log import LogTime, RoutedTier, RoutingRow, encode_routing
from schemas.times import iso
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, LEAD_SCORES, SLA_EVENTS, TIER_CHANGES
from scoring.routing.fold import RoutingFold
from streams.view.batch import Raw
from tests.property.routing_world import World, row_of

PARTITIONS = 3
ALIASES = 2
MODEL = {"name": "small", "version": 1, "sha256": "0" * 64}

_encode = msgspec.json.Encoder().encode


class Town(NamedTuple):
    """Records by topic and partition, and the truth: every version of each lead's score, assignment and told ids."""

    records: dict[tuple[str, int], list[Raw]]
    scores: dict[str, list[dict[str, Any]]]
    assignments: dict[str, list[dict[str, Any]]]
    told: dict[str, list[str]]
    rows: list[RoutingRow]
    changes: list[dict[str, Any]]


def a_town(seed: int, length: int = 60) -> Town:
    """A random one."""
    chance, world = Random(seed), World(seed)
    policy = world.policy()
    rows = [row_of(record) for record in world.stream(policy, length)]
    fold = RoutingFold()
    fold.opened()
    fold.start_with(json.dumps(policy))
    told: list[Any] = []
    values, position = [(number, encode_routing([row])) for number, row in enumerate(rows)], (0, 0)
    while position[0] < len(values):
        step = fold.fold(values[position[0] :], position)
        told, position = [*told, *step.told], step.position
    bodies = [msgspec.to_builtins(one) for one in told]
    assignments = _by_lead(one for one in bodies if "policy" in one)
    events = [one for one in bodies if "what" in one]
    changes = _tier_changes(rows)
    scores = {lead_id: _versions(lead_id, chance, changes) for lead_id in world.leads}
    scores |= {f"a:{number}": _alias(f"a:{number}", chance, world.leads) for number in range(ALIASES)}
    town = Town({}, scores, assignments, _by_lead_ids([*changes, *events]), rows, changes)
    _write_scores(town, chance)
    _write(town, LEAD_ASSIGNMENTS, 0, [(one["lead_id"], one) for one in bodies if "policy" in one], chance)
    _write(town, SLA_EVENTS, 0, [(one["lead_id"], one) for one in events], chance)
    for number in range(PARTITIONS):
        mine = [(one["lead_id"], one) for one in changes if _partition(one["lead_id"]) == number]
        _write(town, TIER_CHANGES, number, mine, chance)
    town.records[LEAD_ROUTING, 0] = [Raw(LEAD_ROUTING, 0, number, None, value) for number, value in values]
    return town


def _partition(lead_id: str) -> int:
    return sum(lead_id.encode()) % PARTITIONS


def _by_lead(bodies: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for body in bodies:
        found.setdefault(body["lead_id"], []).append(body)
    return found


def _by_lead_ids(bodies: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {lead_id: [body["id"] for body in mine] for lead_id, mine in _by_lead(bodies).items()}


def _tier_changes(rows: list[RoutingRow]) -> list[dict[str, Any]]:
    """Numbers only rise: of rows that come again, the first one is the change."""
    last: dict[str, int] = {}
    changes = []
    for row in rows:
        if isinstance(row, RoutedTier) and row.seq > last.get(row.lead_id, 0):
            last[row.lead_id] = row.seq
            changes.append(
                {
                    "id": f"{row.lead_id}:{row.seq}",
                    "lead_id": row.lead_id,
                    "seq": row.seq,
                    "to_tier": row.tier,
                    "effective_at": iso(row.effective_at_ms),
                    "model": MODEL | {"version": 1 + row.seq % 2},
                }
            )
    return changes


def _versions(lead_id: str, chance: Random, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    versions, at, tier, seq = [], 1_000_000, "cold", 0
    entered = [change for change in changes if change["lead_id"] == lead_id]
    for _ in range(chance.randint(1, 8)):
        at += chance.choice((1, 60_000))
        if entered and chance.random() < 0.5:
            change = entered.pop(0)
            tier, seq = change["to_tier"], change["seq"]
        total = chance.choice((0, 10, 10, 55, -5))
        versions.append(_score(lead_id, tier, seq, total, at))
    return versions


def _alias(lead_id: str, chance: Random, leads: list[str]) -> list[dict[str, Any]]:
    """A visitor that becomes a lead, or too many of them."""
    versions = _versions(lead_id, chance, [])
    seq = versions[-1]["seq"]
    versions.append({"lead_id": lead_id, "merged_into": chance.choice(leads), "seq": seq})
    if chance.random() < 0.3:
        versions.append(_score(lead_id, "cold", seq, 0, 2_000_000) | {"shared": True})
    return versions


def _score(lead_id: str, tier: str, seq: int, total: int, at_ms: int) -> dict[str, Any]:
    reasons = [{"rule": "opens", "dimension": "engagement", "points": total, "since": iso(at_ms)}] if total else []
    return {
        "lead_id": lead_id,
        "tier": tier,
        "tier_since": None,
        "seq": seq,
        "fit": 0,
        "engagement": total,
        "risk": 0,
        "total": total,
        "reasons": reasons,
        "changes_next_at": None,
        "as_of": iso(at_ms),
        "profile": {},
        "model": MODEL,
    }


def _write_scores(town: Town, chance: Random) -> None:
    """Of each lead some states are left out, and come when its worker was killed and says more of them again."""
    by_partition: dict[int, list[tuple[str, dict[str, Any]]]] = {number: [] for number in range(PARTITIONS)}
    for lead_id, versions in town.scores.items():
        place = 0
        records = by_partition[_partition(lead_id)]
        while place < len(versions):
            end = min(len(versions), place + chance.randint(1, 3))
            records.append((lead_id, versions[end - 1]))
            if chance.random() < 0.3:
                records += [(lead_id, version) for version in versions[place:end]]
            place = end
    for number, records in by_partition.items():
        _write(town, LEAD_SCORES, number, records, Random(0), again=False)


def _write(
    town: Town, topic: str, number: int, bodies: list[tuple[str, dict[str, Any]]], chance: Random, *, again: bool = True
) -> None:
    written: list[tuple[str, dict[str, Any]]] = []
    for body in bodies:
        written.append(body)
        if again and chance.random() < 0.1:
            written += written[-chance.randint(1, 5) :]
    town.records[topic, number] = [
        Raw(topic, number, offset, lead_id.encode(), _encode(one)) for offset, (lead_id, one) in enumerate(written)
    ]


def last_log_time_ms(town: Town) -> int:
    """Log time when everything is read."""
    times: dict[int, int] = {}
    for row in town.rows:
        if isinstance(row, LogTime):
            times[row.partition] = max(row.log_time_ms, times.get(row.partition, 0))
    return min(times.values())
