"""`worker view` on a real Kafka and a real Redis: killed, flushed, restarted, full, frozen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import KafkaBroker
from tests.redis_server import RedisServer
from tests.view.live import LiveView, until
from tests.view.small_town import Town, a_town, last_log_time_ms

pytestmark = pytest.mark.kafka


@pytest.fixture
def live(
    kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[LiveView]:
    name = request.node.name.replace("[", "-").replace("]", "")[-60:]
    view = LiveView(kafka, redis_server, tmp_path, f"{name}-")
    with view.pipeline:
        yield view


@pytest.fixture
def town() -> Town:
    return a_town(7, length=300)


@pytest.mark.kill
def test_a_killed_view_goes_on_where_redis_stands(live: LiveView, town: Town) -> None:
    live.pipeline.start("view")
    steps = 5
    for step in range(steps):
        live.feed(town, (step / steps, (step + 1) / steps))
        time.sleep(0.05 * step)
        if step:
            live.pipeline.end("view", signal.SIGKILL)
            live.pipeline.start("view")
        else:
            live.all_seen()
    live.all_seen()
    live.is_right(town)
    until(lambda: int(live.meta()["as_of"]) == last_log_time_ms(town), "log time")
    assert live.pipeline.end("view", signal.SIGTERM) == 0


def test_redis_is_filled_again_after_flushall_and_is_not_whole_before(live: LiveView, town: Town) -> None:
    live.feed(town)
    live.pipeline.start("view")
    live.all_seen()
    report = live.report(town)
    epoch = live.meta()["epoch"]
    live.admin.flushall()
    until(lambda: live.meta().get("state"), "a worker that notices")
    assert live.meta()["epoch"] != epoch
    live.all_seen()
    live.is_right(town)
    assert live.report(town) == report, "replayed, it is the same"


def test_a_new_redis_and_one_that_is_away(live: LiveView, town: Town) -> None:
    live.feed(town, (0, 0.5))
    live.pipeline.start("view")
    live.all_seen()
    live.server.kill()
    live.feed(town, (0.5, 1))
    until(lambda: "cannot be reached" in live.log(), "a worker that says so")
    live.server.start()
    live.all_seen()
    live.is_right(town)
    assert live.pipeline.exits == []


def test_a_full_redis_is_waited_for(live: LiveView, town: Town) -> None:
    live.feed(town, (0, 0.5))
    live.pipeline.start("view")
    live.all_seen()
    live.admin.config_set("maxmemory-policy", "noeviction")
    live.admin.config_set("maxmemory", "1mb")
    live.feed(town, (0.5, 1))
    until(lambda: "is full" in live.log(), "a worker that says so")
    seen_at = live.meta()["seen_at"]
    time.sleep(1.5)
    assert live.meta()["seen_at"] == seen_at, "what readers see is stale, and says since when"
    live.admin.config_set("maxmemory", "0")
    live.all_seen()
    live.is_right(town)


def test_a_frozen_redis_is_waited_for(live: LiveView, town: Town) -> None:
    live.feed(town, (0, 0.5))
    live.pipeline.start("view")
    live.all_seen()
    live.server.freeze()
    live.feed(town, (0.5, 1))
    until(lambda: "cannot be reached" in live.log(), "a worker that says so")
    live.server.thaw()
    live.all_seen()
    live.is_right(town)


def test_a_second_worker_takes_over_when_the_first_is_gone(live: LiveView, town: Town) -> None:
    live.feed(town, (0, 0.5))
    live.pipeline.start("view")
    live.all_seen()
    live.pipeline.start("view-2")
    time.sleep(1.0)
    assert live.meta()["writer"] == "view"
    live.pipeline.end("view", signal.SIGKILL)
    live.feed(town, (0.5, 1))
    until(lambda: live.meta()["writer"] == "view-2", "the second one")
    live.all_seen()
    live.is_right(town)


def test_the_report_is_written(live: LiveView) -> None:
    town = a_town(0)
    live.feed(town)
    live.pipeline.start("view")
    live.all_seen()
    report = live.report(town)
    assert sum(group["entries"] for group in report["groups"]) == sum(tier["entries"] for tier in report["tiers"]) > 0
