"""The read model: leads a second of CPU into Redis, and how long one lead of the API takes at 500 requests a second."""

from __future__ import annotations

import json
import time

import redis

from schemas.topics import LEAD_ASSIGNMENTS, LEAD_SCORES
from streams.view.batch import Batch, Raw
from streams.view.keys import Keys
from streams.view.store import Store
from tests.redis_server import PREFIX, RedisServer

__all__ = ["leads_into_redis"]

_BATCH = 2_000
_AT = "2026-03-02T10:15:00.000Z"
_REASONS = [
    {"rule": rule, "dimension": "engagement", "points": points, "since": _AT}
    for rule, points in (("demo_request", 30), ("pricing_and_form", 20), ("opens", 10), ("senior", 10))
]
_MODEL = {"name": "b2b-default", "version": 1, "sha256": "0" * 64}


def score_record(number: int, offset: int, seq: int = 1) -> Raw:
    """A record of `lead-scores`, with four reasons."""
    lead_id = f"lead-{number:07}"
    tier = "hot" if number % 50 == 0 else "warm" if number % 10 == 0 else "cold"
    body = {
        "lead_id": lead_id,
        "tier": tier,
        "tier_since": _AT,
        "seq": seq,
        "fit": 30,
        "engagement": 40,
        "risk": 0,
        "total": 70 + (number + seq) % 20,
        "reasons": _REASONS,
        "changes_next_at": _AT,
        "as_of": _AT,
        "profile": {"company_size": 250, "country": "ES"},
        "model": _MODEL,
    }
    return Raw(LEAD_SCORES, 0, offset, lead_id.encode(), json.dumps(body).encode())


def assignment_record(number: int, offset: int) -> Raw:
    """A record of `lead-assignments` of a hot lead, its clock running."""
    lead_id = f"lead-{number:07}"
    body = {
        "lead_id": lead_id,
        "seq": 1,
        "owner": f"senior_{number % 7}",
        "team": "enterprise",
        "tier": "hot",
        "since": _AT,
        "reason": {"route": 1, "pick": "weighted", "passed": {}, "by": None},
        "sla": {"number": 1, "started_at": _AT, "due_at": "2026-03-03T10:15:00.000Z", "state": "running"},
        "tier_change": f"{lead_id}:1",
        "policy": {"name": "b2b-default", "version": 1},
    }
    return Raw(LEAD_ASSIGNMENTS, 0, offset, lead_id.encode(), json.dumps(body).encode())


def leads_into_redis(leads: int = 100_000) -> dict[str, float]:
    """Leads a second of the view's CPU: each new, and each again with another total and an owner for some."""
    found = {}
    with RedisServer() as server:
        store = Store(redis.Redis.from_url(server.url), Keys(PREFIX), "bench", "topics", lambda: 1, time.monotonic)
        hold = store.take()
        assert hold is not None
        rounds = {
            "new": [score_record(number, number) for number in range(leads)],
            "again": [score_record(number, leads + number, 2) for number in range(leads)]
            + [assignment_record(number, number) for number in range(0, leads, 50)],
        }
        for name, records in rounds.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for start in range(0, len(records), _BATCH):
                store.apply(hold, Batch.of(records[start : start + _BATCH]))
            found[name] = len(records) / (time.process_time() - cpu)
            found[f"{name}, wall"] = len(records) / (time.perf_counter() - wall)
    return found
