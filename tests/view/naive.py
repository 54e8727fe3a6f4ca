"""What must be in Redis, counted from the truth without the view's code."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from schemas.times import parse_iso
from tests.view.small_town import Town


def expected_lists(town: Town) -> dict[str, dict[str, float]]:
    """Every sorted set with its members."""
    lists: dict[str, dict[str, float]] = defaultdict(dict)
    for lead_id in town.scores.keys() | town.assignments.keys():
        score = town.scores.get(lead_id, [{}])[-1]
        if "merged_into" in score:
            continue
        has = town.assignments.get(lead_id, [None])[-1]
        sla = has["sla"] if has else None
        runs = sla is not None and sla["state"] in ("running", "breached")
        owner = has["owner"] if has else None
        tier = has["tier"] if has and runs else score.get("tier")
        if score:
            for name in names("total", tier, owner):
                lists[name][lead_id] = score["total"]
        if sla is not None and runs:
            for name in names("due", tier, owner or "-"):
                lists[name][lead_id] = parse_iso(sla["due_at"])
    return dict(lists)


def names(order: str, tier: str | None, owner: str | None) -> set[str]:
    return {f"{order}:{a}:{b}" for a in ("", tier or "") for b in ("", owner or "")}


def found_lists(admin: Any, prefix: str) -> dict[str, dict[str, float]]:
    found = {}
    for order in ("total", "due"):
        for key in admin.scan_iter(f"{prefix}{order}:*"):
            found[key.removeprefix(prefix)] = dict(admin.zrange(key, 0, -1, withscores=True))
    return found


def expected_hashes(town: Town) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, truth in (("score", town.scores), ("assignment", town.assignments)):
        for lead_id, versions in truth.items():
            found[lead_id][name] = versions[-1]
    return dict(found)


def found_hashes(admin: Any, prefix: str) -> dict[str, dict[str, Any]]:
    return {
        key.removeprefix(f"{prefix}lead:"): {name: json.loads(value) for name, value in admin.hgetall(key).items()}
        for key in admin.scan_iter(f"{prefix}lead:*")
    }


def found_feed(admin: Any, prefix: str) -> dict[str, dict[str, list[str]]]:
    """Ids in the feed, by type and lead."""
    found: dict[str, dict[str, list[str]]] = {"tier_change": {}, "sla_event": {}}
    for _, entry in admin.xrange(f"{prefix}feed"):
        body = json.loads(entry["body"])
        found[entry["type"]].setdefault(body["lead_id"], []).append(body["id"])
    return found
