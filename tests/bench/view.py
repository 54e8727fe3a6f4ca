"""The read model: leads a second of CPU into Redis, Redis filled anew, one lead of the API at 500 requests a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from pathlib import Path

import redis
from confluent_kafka import Producer

from schemas.topics import LEAD_ASSIGNMENTS, LEAD_SCORES
from streams.view.batch import Batch, Raw
from streams.view.keys import Keys
from streams.view.store import Store
from tests.pipeline import Pipeline
from tests.redis_server import PREFIX, RedisServer
from tests.view.served import KEY, Api

__all__ = ["api_latency_ms", "leads_into_redis", "rebuild_s"]

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


def rebuild_s(bootstrap: str, folder: Path, leads: int = 100_000) -> float:
    """Seconds from FLUSHALL to a whole Redis."""
    with RedisServer() as server:
        settings = {"redis_url": server.url, "redis_prefix": PREFIX}
        with Pipeline(bootstrap, "view-", folder, settings) as run:
            run.command("topics", "create")
            producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20})
            for number in range(leads):
                record = score_record(number, number)
                producer.produce(f"view-{LEAD_SCORES}", record.value, key=record.key, partition=number % 8)
                producer.poll(0)
            producer.flush(60)
            run.start("view")
            _whole(server, leads)
            server.admin.flushall()
            begun = time.perf_counter()
            _whole(server, leads)
            return time.perf_counter() - begun


def _whole(server: RedisServer, leads: int) -> None:
    end = time.monotonic() + 300
    while server.admin.hget(f"{PREFIX}meta", "state") != "whole" or server.admin.hlen(f"{PREFIX}index") != leads:
        if time.monotonic() > end:
            raise TimeoutError("the view did not fill Redis in 300 s")
        time.sleep(0.02)


def api_latency_ms(rate: int = 500, seconds: float = 20, leads: int = 20_000) -> tuple[float, float]:
    """p50 and p99 of `GET /v1/leads/{lead_id}` in milliseconds, from the moment at which a request was due."""
    with RedisServer() as server:
        store = Store(redis.Redis.from_url(server.url), Keys(PREFIX), "bench", "topics", lambda: 1, time.monotonic)
        hold = store.take()
        assert hold is not None
        for start in range(0, leads, _BATCH):
            store.apply(hold, Batch.of([score_record(number, number) for number in range(start, start + _BATCH)]))
        store.caught_up(hold, time.time_ns() // 1_000_000, 1, None, 0)
        with Api(server, log_level="warning") as api:
            asyncio.run(_load(api.port, rate, 1, leads))  # connections, warm code
            found = sorted(asyncio.run(_load(api.port, rate, seconds, leads)))
    return found[len(found) // 2] * 1000, found[len(found) * 99 // 100] * 1000


async def _load(port: int, rate: int, seconds: float, leads: int) -> list[float]:
    """Requests when they are due, whatever became of the ones before, over as many connections as that takes."""
    idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()
    found: list[float] = []

    async def one(number: int, due: float) -> None:
        reader, writer = idle.popleft() if idle else await asyncio.open_connection("127.0.0.1", port)
        lead_id = f"lead-{number * 7919 % leads:07}"
        writer.write(f"GET /v1/leads/{lead_id} HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        found.append(time.perf_counter() - due)
        idle.append((reader, writer))

    begun = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return found
