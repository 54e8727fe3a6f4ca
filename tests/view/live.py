"""A view worker over a real Kafka and a real Redis, fed with a town's records."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import Producer

from schemas.routing_lines import own_time_ms
from schemas.times import iso
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline
from tests.redis_server import PREFIX, RedisServer
from tests.view import naive
from tests.view.small_town import PARTITIONS, Town

__all__ = ["LiveView", "until"]


def until(holds: Callable[[], object], what: str, within_s: float = 30) -> None:
    """Waits for a condition.

    Raises:
        TimeoutError: It did not come.
    """
    end = time.monotonic() + within_s
    while not _holds(holds):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within_s:g} s")
        time.sleep(0.05)


def _holds(holds: Callable[[], object]) -> bool:
    try:
        return bool(holds())
    except redis.RedisError:
        return False


class LiveView:
    """Topics, a view worker, Redis."""

    def __init__(self, kafka: KafkaBroker, server: RedisServer, folder: Path, prefix: str, **settings: object) -> None:
        self.server, self.admin = server, server.admin
        given: dict[str, object] = {"partitions": PARTITIONS, "redis_url": server.url, "redis_prefix": PREFIX}
        self.pipeline = Pipeline(kafka.bootstrap, prefix, folder, given | settings)
        self.pipeline.command("topics", "create")
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 2})

    def feed(self, town: Town, share: tuple[float, float] = (0.0, 1.0)) -> None:
        """Writes a part of every partition, in order."""
        for (topic, partition), records in town.records.items():
            begin, end = (int(len(records) * part) for part in share)
            for record in records[begin:end]:
                self.producer.produce(self.pipeline.prefix + topic, record.value, key=record.key, partition=partition)
        self.producer.flush(30)

    def meta(self) -> dict[str, str]:
        """What the worker says of Redis."""
        found: dict[str, str] = self.admin.hgetall(f"{PREFIX}meta")
        return found

    def seen_since(self, moment_ms: int, within_s: float = 30) -> None:
        """Waits until Redis is whole, and everything up to that moment is there; tends the worker meanwhile."""

        def seen() -> bool:
            self.pipeline.tend()
            meta = self.meta()
            return meta.get("state") == "whole" and int(meta.get("seen_at", 0)) > moment_ms

        until(seen, f"a whole Redis; {self.log()}", within_s)

    def all_seen(self, within_s: float = 30) -> None:
        """Waits until everything that is in Kafka now is in Redis."""
        self.seen_since(time.time_ns() // 1_000_000, within_s)

    def report(self, town: Town) -> Any:
        """The report, waited for, of all that the town has done."""
        last = iso(max(map(own_time_ms, town.rows)))
        until(lambda: self._report().get("until") == last, "the report", 20)
        return self._report()

    def _report(self) -> Any:
        return json.loads(self.admin.get(f"{PREFIX}report") or "{}")

    def log(self) -> str:
        """The end of what the worker said."""
        path = self.pipeline.log("view")
        return path.read_text()[-2_000:] if path.exists() else ""

    def is_right(self, town: Town) -> None:
        """Redis is what the truth of the town says."""
        assert naive.found_lists(self.admin, PREFIX) == naive.expected_lists(town)
        assert naive.found_hashes(self.admin, PREFIX) == naive.expected_hashes(town)
        told = naive.found_feed(self.admin, PREFIX)
        for lead_id, ids in town.told.items():
            found = [*_ids(told["tier_change"], lead_id), *_ids(told["sla_event"], lead_id)]
            assert sorted(found) == sorted(ids), "each once"


def _ids(told: dict[str, list[str]], lead_id: str) -> Iterable[Any]:
    return told.get(lead_id, [])
