"""Route on a real Kafka, timed: a backlog, how long until an owner can be read, breaches among many clocks, a recovery.

Backlogs are written into `lead-routing` as score would: packed, with log time behind them.
"""

from __future__ import annotations

import hashlib
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from schemas.log import POLICY_KEY
from schemas.routing_log import LogTime, PolicyControl, RoutedActivity, RoutedTier, RoutingRow, encode_routing
from schemas.times import parse_iso
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, SLA_EVENTS
from streams.clock import now_ms
from streams.demo.workers import free_port
from tests.bench.pipeline import scrape, send_steadily
from tests.pipeline import Pipeline

__all__ = ["RoutedBacklog", "breaches", "owners", "routed_backlog", "routed_recovery"]

HOUR = 3_600_000
PARTITIONS = 8
PACK = 200
STAGES = ("ingest", "score", "route")

POLICY = """
policy: bench
version: 1
owners: {ann: {}, bob: {weight: 2}, cid: {}, dan: {}}
teams:
  red: {members: [ann, bob, cid], pick: weighted}
  blue: {members: [cid, dan], pick: least_loaded}
routes: [{tier: hot, where: {company_size: 200..}, team: red, else: blue}, {tier: hot, team: blue}]
requests: hot
sla: {hot: {respond_within: 1h, remind_at: [30m, 50m], escalate: [{after: 1h, tell: ann}, {after: 2h, reassign: blue}]}}
answered_by: [contacted, meeting_booked]
"""


class RoutedBacklog(NamedTuple):
    """What route needed for a backlog, after the first quarter of it: microseconds of its processor time a row."""

    rows: int
    cpu_us: float


class Delays(NamedTuple):
    """In ms."""

    told: int
    p50_ms: float
    p99_ms: float


def with_policy(run: Pipeline) -> Callable[[Iterable[RoutingRow]], None]:
    """Makes the topics, and the policy; what writes rows into `lead-routing`."""
    run.command("topics", "create")
    producer = Producer({"bootstrap.servers": run.bootstrap, "linger.ms": 5, "enable.idempotence": True})

    def put(rows: Iterable[RoutingRow], key: bytes | None = None) -> None:
        listed = list(rows)
        for place in range(0, len(listed), PACK):
            producer.produce(run.prefix + LEAD_ROUTING, encode_routing(listed[place : place + PACK]), key=key)
            producer.poll(0)
        if producer.flush(60):
            raise SystemExit("the broker did not take every row in 60 s")

    put([PolicyControl(0, "bench", 1, hashlib.sha256(POLICY.encode()).hexdigest(), POLICY)], POLICY_KEY)
    return put


def everywhere(at_ms: int) -> list[RoutingRow]:
    """The log time of every score partition."""
    return [LogTime(number, PARTITIONS, at_ms) for number in range(PARTITIONS)]


def routed_backlog(run: Pipeline, rows: int) -> RoutedBacklog:
    """Tier changes and answers of many leads over a day, each clock with what it does; log time in every record."""
    put, begin = with_policy(run), now_ms() - 30 * HOUR
    backlog: list[RoutingRow] = []
    for number in range(rows):
        at = begin + number * 24 * HOUR // rows
        lead = f"lead-{number // 3:08d}"
        if number % 3 == 2:
            backlog.append(RoutedActivity(lead, f"e{number}", at, at, "contacted", "rep-1"))
        else:
            profile: dict[str, str | int | bool] = {"company_size": number % 400, "country": "ES"}
            backlog.append(RoutedTier(lead, number % 3 + 1, ("warm", "hot")[number % 3], at, profile))
        if not number % PACK:
            backlog += everywhere(at)
    put(backlog)
    port = free_port()
    run.start("route", metrics_port=port)
    first: tuple[float, float] | None = None
    done = cpu = 0.0
    while done < len(backlog):
        time.sleep(0.1)
        now = scrape(port)
        done, cpu = now.get("leadstream_applied_rows_total", 0.0), now.get("process_cpu_seconds_total", 0.0)
        if first is None and done >= rows / 4:
            first = done, cpu
    run.stop()
    if first is None or done == first[0]:
        raise RuntimeError("route was done before it could be watched: take more rows")
    return RoutedBacklog(int(done - first[0]), (cpu - first[1]) / (done - first[0]) * 1e6)


def routed_recovery(run: Pipeline, clocks: int) -> float:
    """Seconds from the start of a route worker until it is ready over so many running clocks."""
    put, at = with_policy(run), now_ms()
    for begin in range(0, clocks, 100_000):
        leads = range(begin, min(begin + 100_000, clocks))
        put([RoutedTier(f"lead-{number:08d}", 1, "hot", at + number % HOUR, {}) for number in leads])
    run.start("route")
    run.drained(600, stages=["route"])
    run.stop()
    port, began = free_port(), time.monotonic()
    run.start("route", metrics_port=port)
    while not (now := scrape(port)).get("leadstream_ready"):
        time.sleep(0.05)
    seconds = time.monotonic() - began
    assert now["leadstream_running_clocks"] == clocks
    run.stop()
    return seconds


def owners(run: Pipeline, rate: float, seconds: float, leads: int) -> Delays:
    """Events at a steady rate: from a demo request's acknowledgement until its owner can be read."""
    with_policy(run)
    _start(run)
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(run, seen, stop))
    follower.start()
    time.sleep(1.0)
    began = time.monotonic()
    send_steadily(run, rate, seconds, leads, sent)
    time.sleep(2.0)
    stop.set()
    follower.join()
    run.stop()
    return _delays([(seen[event] - at) * 1000 for event, at in sent.items() if event in seen and at > began + 5])


def breaches(run: Pipeline, clocks: int, due: int, over_s: int) -> Delays:
    """So many running clocks, some of which come due within so many seconds: until each breach is published."""
    put = with_policy(run)
    _start(run)
    begin = now_ms() + 15_000 - HOUR
    put(
        RoutedTier(f"lead-{n:08d}", 1, "hot", begin + (n * over_s * 1000 // due if n < due else HOUR), {})
        for n in range(clocks)
    )
    time.sleep(15 + over_s)
    end, told = time.monotonic() + 60, list[float]()
    while len(told) < due and time.monotonic() < end:
        time.sleep(2)
        records = [one for one in run.read(SLA_EVENTS) if one.value and b'"breached"' in one.value]
        told = [one.timestamp_ms - parse_iso(msgspec.json.decode(one.value or b"")["due_at"]) for one in records]
    run.stop()
    return _delays(told)


def _start(run: Pipeline) -> None:
    ports = {stage: free_port() for stage in STAGES}
    for stage, port in ports.items():
        run.start(stage, metrics_port=port)
    while not all(scrape(port).get("leadstream_ready") for port in ports.values()):
        time.sleep(0.2)


def _delays(found: list[float]) -> Delays:
    if len(found) < 20:
        raise RuntimeError(f"only {len(found)} were told: run longer")
    ordered = sorted(found)
    return Delays(len(ordered), statistics.median(ordered), ordered[int(len(ordered) * 0.99)])


def _follow(run: Pipeline, seen: dict[str, float], stop: threading.Event) -> None:
    """Notes when the assignment that a request caused could be read."""
    consumer = Consumer(
        {"bootstrap.servers": run.bootstrap, "group.id": f"{run.prefix}bench", "fetch.wait.max.ms": 100}
    )
    consumer.assign([TopicPartition(run.prefix + LEAD_ASSIGNMENTS, 0, OFFSET_END)])
    while not stop.is_set():
        # One at a time: a wait for many would be part of what is measured.
        message = consumer.poll(0.05)
        if message is None:
            continue
        value = message.value()
        if message.error() is None and value is not None:
            seen.setdefault(msgspec.json.decode(value)["tier_change"], time.monotonic())
    consumer.close()
