"""A random mix of all faults over the whole pipeline; the oracles recount, and Redis is what Kafka holds."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import LEAD_ASSIGNMENTS, LEAD_SCORES
from tests.faults.cluster import cluster
from tests.faults.conftest import MakeTrial, make_routed
from tests.faults.mix import Mix
from tests.faults.routed_trial import RoutedTrial
from tests.faults.routing_world import RoutingLoad
from tests.faults.sizes import SEEDS
from tests.faults.trial import Weight
from tests.redis_server import PREFIX, RedisServer
from tests.view import naive
from tests.view.live import until
from tests.view.small_town import Town

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

LENGTH_S = 60 * float(os.environ.get("LEADSTREAM_MIX_MINUTES", "0.5"))
SETTLED_S = 30
"""A process of this age has grown as it will: from here on it stays as it is."""


@pytest.mark.timeout(LENGTH_S + 1_200)
@pytest.mark.parametrize("brokers", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_mix_of_all_faults_leaves_no_trace(
    make_trial: MakeTrial,
    redis_server: RedisServer,
    tmp_path: Path,
    seed: int,
    brokers: int,
    record_property: Callable[[str, object], None],
) -> None:
    with cluster(brokers) as kafka:
        redis = {"redis_url": redis_server.url, "redis_prefix": PREFIX}
        settings = redis | {"bootstrap_servers": kafka.detour, "replication": brokers}
        trial = make_routed(make_trial, kafka.brokers[0], tmp_path, **settings)
        trial.begin()
        trial.start("view")
        for name in trial.workers:
            trial.ready(name)
        mix = Mix(seed, trial, kafka, redis_server)
        try:
            with RoutingLoad(trial, seed, rate=40, leads=25):
                mix.run(LENGTH_S)
        finally:
            (tmp_path / "timeline.json").write_text(json.dumps(mix.timeline, indent=1))
            record_property("timeline", json.dumps(mix.timeline))
        trial.judge(poison=False)
        is_shown(trial, redis_server)
        lives = {f"{name} {pid}": life for (name, pid), life in mix.lives.items()}
        grown = {name: weight for name, life in lives.items() if (weight := growth(life)) is not None}
        most = sorted(grown.items(), key=lambda one: one[1])[-10:]
        record_property("growth", json.dumps(most))
        record_property("memory", json.dumps({name: memory(lives[name]) for name, _ in most}))
        much = {name: weight for name, weight in grown.items() if is_much(weight)}
        assert not much


def is_shown(trial: RoutedTrial, redis: RedisServer) -> None:
    """Redis is right within a minute, and is what the topics hold."""
    began_ms = time.time_ns() // 1_000_000
    trial.start("view")

    def is_whole() -> bool:
        trial.tend()
        meta = redis.admin.hgetall(f"{PREFIX}meta")
        return meta.get("state") == "whole" and int(meta.get("seen_at", 0)) > began_ms

    until(is_whole, f"a whole Redis, see {trial.log('view')}", 60)
    held = Town({}, versions(trial, LEAD_SCORES), versions(trial, LEAD_ASSIGNMENTS), {}, [], [])
    assert naive.found_lists(redis.admin, PREFIX) == naive.expected_lists(held)
    assert naive.found_hashes(redis.admin, PREFIX) == naive.expected_hashes(held)


def versions(trial: RoutedTrial, topic: str) -> dict[str, list[dict[str, Any]]]:
    """What a topic says of each lead, oldest first."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in trial.read(topic):
        if record.value is not None:
            said = json.loads(record.value)
            found[said["lead_id"]].append(said)
    return found


def growth(life: list[tuple[float, Weight]]) -> Weight | None:
    """How much more a process held at last than when it had settled; None: it did not live so long."""
    # One thread alone: it is about to start, or to end.
    settled = [weight for at, weight in life if at > life[0][0] + SETTLED_S and weight.threads > 1]
    if not settled:
        return None
    return Weight(*(last - first for first, last in zip(settled[0], settled[-1], strict=True)))


def memory(life: list[tuple[float, Weight]]) -> list[tuple[int, int]]:
    """Seconds of its life, and MiB held: some thirty points."""
    return [(round(at - life[0][0]), weight.memory >> 20) for at, weight in life[:: max(1, len(life) // 30)]]


def is_much(grown: Weight) -> bool:
    """Whether that is more than what a process may move by."""
    return grown.memory > 64 << 20 or grown.files > 16 or grown.threads > 8
