"""`worker view` on a real Kafka and a real Redis: killed, flushed, restarted, full, frozen, slow."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio

from schemas.topics import LEAD_SCORES
from streams.clock import now_ms
from streams.view.facts import DAY_MS
from streams.view.keys import Keys
from streams.view.reader import NotWhole, ReadModel
from tests.bench.view import score_record
from tests.faults.proxy import Proxy
from tests.faults.sizes import size
from tests.kafka.broker import KafkaBroker
from tests.redis_server import PREFIX, RedisServer, free_port
from tests.streams.live import metrics
from tests.view.live import LiveView, until
from tests.view.small_town import PARTITIONS, Town, a_town, last_log_time_ms

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
    steps = size(5, 51)
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


def test_a_host_whose_clock_is_ahead_looks_as_far_back_as_any(live: LiveView, town: Town) -> None:
    live.feed(town)
    live.pipeline.start("view", command=("-m", "tests.streams.wrong_clock", "view", "0", str(60 * DAY_MS // 1000)))
    live.all_seen()
    live.is_right(town)


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


def test_a_silent_broker_makes_it_unready_until_its_leaders_of_then_answer(
    own_kafka: KafkaBroker, redis_server: RedisServer, town: Town, tmp_path: Path
) -> None:
    """Silent for longer than a broker's session: partitions have leaders anew then, and the old ones are refused."""
    port = free_port()
    live = LiveView(own_kafka, redis_server, tmp_path, "silent-")
    with live.pipeline:
        live.feed(town, (0, 0.5))
        live.pipeline.start("view", metrics_port=port)
        live.all_seen()
        until(lambda: metrics(port)["leadstream_ready"] == 1, "a view that is ready")
        own_kafka.freeze()
        until(lambda: metrics(port)["leadstream_ready"] == 0, "a view that says that nobody answers", within_s=10)
        own_kafka.thaw()
        until(lambda: metrics(port)["leadstream_ready"] == 1, "a view that is ready again", within_s=20)
        live.feed(town, (0.5, 1))
        live.all_seen()
        live.is_right(town)


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


def test_a_slow_redis_is_behind_and_right(
    kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path, town: Town
) -> None:
    """Each piece of an answer takes 150 ms, then each takes longer than the worker waits for it."""
    with Proxy() as proxy:
        proxy.lead_to(redis_server.port)
        view = LiveView(kafka, redis_server, tmp_path, "slow-", redis_url=redis_server.url_at(proxy.port))
        with view.pipeline:
            proxy.delay_s = 0.15
            view.feed(town, (0, 0.5))
            view.pipeline.start("view")
            view.all_seen(60)
            proxy.delay_s = 5.0
            view.feed(town, (0.5, 1))
            until(lambda: "cannot be reached: Timeout" in view.log(), "a worker that says so")
            proxy.delay_s = 0.0
            view.all_seen()
            view.is_right(town)
            assert view.pipeline.exits == []


def test_a_hundred_thousand_leads_are_there_within_a_minute_and_never_half(live: LiveView) -> None:
    leads = 100_000
    for number in range(leads):
        record = score_record(number, number)
        live.producer.produce(
            live.pipeline.prefix + LEAD_SCORES, record.value, key=record.key, partition=number % PARTITIONS
        )
        live.producer.poll(0)
    live.producer.flush(30)
    live.pipeline.start("view")
    live.all_seen(60)
    assert _seen_by_a_reader(live.server) == leads
    epoch = live.meta()["epoch"]
    live.admin.flushall()
    begun, told = time.monotonic(), set[int | None]()
    while live.meta().get("state") != "whole" or live.meta()["epoch"] == epoch:
        told.add(_seen_by_a_reader(live.server))
        assert time.monotonic() - begun < 60
    assert _seen_by_a_reader(live.server) == leads
    assert told <= {None, leads}, "a part was taken for the whole"
    assert None in told


def test_a_backlog_is_not_held_in_memory(live: LiveView) -> None:
    live.pipeline.start("view")
    live.all_seen()
    worker = live.pipeline.workers["view"]
    before = _kib(worker.pid, "VmRSS")
    worker.send_signal(signal.SIGSTOP)
    for number in range(25_000):
        record = score_record(number % 1_000, number, 1 + number // 1_000)
        live.producer.produce(
            live.pipeline.prefix + LEAD_SCORES,
            (record.value or b"") + b" " * 2_000,
            key=record.key,
            partition=number % PARTITIONS,
        )
        live.producer.poll(0)
    live.producer.flush(30)
    worker.send_signal(signal.SIGCONT)
    live.all_seen(60)
    assert _kib(worker.pid, "VmHWM") - before < 40 << 10, "of some 65 MiB"


def _kib(pid: int, name: str) -> int:
    """What the kernel says of a process's memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _seen_by_a_reader(server: RedisServer) -> int | None:
    """How many leads the list of all has; None: a reader is told that it is not whole."""

    async def look() -> int | None:
        client = redis.asyncio.Redis.from_url(server.url)
        try:
            return (await ReadModel(client, Keys(PREFIX), now_ms).page("total"))[1].length
        except NotWhole:
            return None
        finally:
            await client.aclose()

    return asyncio.run(look())


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


def test_the_report_is_written_and_its_counts_are_metrics(live: LiveView) -> None:
    town, port = a_town(0), free_port()
    live.feed(town)
    live.pipeline.start("view", metrics_port=port)
    live.all_seen()
    report = live.report(town)
    assert sum(group["entries"] for group in report["groups"]) == sum(tier["entries"] for tier in report["tiers"]) > 0
    seen = metrics(port)
    for group in report["groups"]:
        labels = f'model="{group["model"]}",team="{group["team"]}",tier="{group["tier"]}"'
        for name, member in (("entries", "entries"), ("meetings", "meetings"), ("discarded", "discarded")):
            assert seen[f"leadstream_sales_{name}{{{labels}}}"] == group[member]
        assert seen[f"leadstream_sales_answered_within_24h{{{labels}}}"] == group["answered_within_24h"]
        if group["latency"] is not None:
            labels = labels.replace(",team", ',quantile="0.9",team')
            assert seen[f"leadstream_sales_response_seconds{{{labels}}}"] == group["latency"]["p90_ms"] / 1000
