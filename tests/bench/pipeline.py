"""The workers on a real Kafka, timed: a backlog, a steady stream, a recovery.

Processor time is the worker's own account of it (`process_cpu_seconds_total`), read together with what it has done, so
both ends of a window belong to the same moment. The broker's is not counted.
"""

from __future__ import annotations

import signal
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import TIER_CHANGES
from streams.demo.workers import free_port
from tests.bench.load import TOPICS, fill, raw_events
from tests.pipeline import Pipeline

__all__ = [
    "Backlog",
    "Latency",
    "Recovery",
    "backlog",
    "filled",
    "latency",
    "pipeline",
    "recovery",
    "scrape",
    "send_steadily",
]

DONE = {"ingest": "leadstream_events_total", "score": "leadstream_applied_rows_total"}


class Backlog(NamedTuple):
    """What a worker needed for a backlog, after the first part of it.

    Attributes:
        events: In the window.
        cpu_us: Microseconds of processor time an event.
        wall_rate: Events a second of the clock on the wall.
        memory_mb: Of the process, at the end.
        leads: In state at the end (score).
        rows: Changelog records an event: a lead with several events in a batch is written once.
    """

    events: int
    cpu_us: float
    wall_rate: float
    memory_mb: float
    leads: int
    rows: float


class Latency(NamedTuple):
    """From the raw record's acknowledgement to the tier change in a consumer's hand, in ms; and load."""

    events: int
    changes: int
    p50_ms: float
    p99_ms: float
    cpu_share: dict[str, float]


class Recovery(NamedTuple):
    """A score worker's start over a full changelog."""

    leads: int
    seconds: float
    memory_mb: float


def scrape(port: int) -> dict[str, float]:
    """Sums of all samples by name; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def backlog(run: Pipeline, stage: str, events: int, *, warm: float = 0.25, within_s: float = 300) -> Backlog:
    """Starts a worker before a backlog of so many events and waits until it is done."""
    port = free_port()
    if stage == "score":
        run.start("ingest")  # it carries the first model; it has nothing else to do
    run.start(stage, metrics_port=port)
    end = time.monotonic() + within_s
    first: tuple[float, float, float, float] | None = None
    try:
        while True:
            time.sleep(0.5)  # the answer is work of the worker's own
            if time.monotonic() > end:
                raise TimeoutError(f"{stage} did not finish in {within_s:.0f} s, see {run.log(stage)}")
            now = scrape(port)
            done, cpu = now.get(DONE[stage], 0.0), now.get("process_cpu_seconds_total", 0.0)
            rows = now.get("leadstream_changelog_records_total", 0.0)
            if first is None and done >= events * warm:
                first = done, cpu, time.monotonic(), rows
            if done >= events:
                break
        assert first is not None
        count = done - first[0]
        if not count:
            raise RuntimeError(f"{stage} was done before it could be watched: take more events")
        return Backlog(
            int(count),
            (cpu - first[1]) / count * 1e6,
            count / (time.monotonic() - first[2]),
            now.get("process_resident_memory_bytes", 0.0) / 2**20,
            int(now.get("leadstream_leads", 0)),
            (rows - first[3]) / count,
        )
    finally:
        time.sleep(1.5)  # positions are committed once a second
        run.stop()


def latency(run: Pipeline, rate: float, seconds: float, leads: int, *, warm_s: float = 5.0) -> Latency:
    """Sends events at a steady rate; how long until the tier changes that they cause can be read."""
    ports = {stage: free_port() for stage in DONE}
    for stage, port in ports.items():
        run.start(stage, metrics_port=port)
    while not all(scrape(port).get("leadstream_ready") for port in ports.values()):
        time.sleep(0.2)
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(run, seen, stop))
    follower.start()
    time.sleep(1.0)
    before = {stage: scrape(port)["process_cpu_seconds_total"] for stage, port in ports.items()}
    began = time.monotonic()
    events = send_steadily(run, rate, warm_s + seconds, leads, sent)
    spent = time.monotonic() - began
    share = {
        stage: (scrape(port)["process_cpu_seconds_total"] - before[stage]) / spent for stage, port in ports.items()
    }
    time.sleep(2.0)
    stop.set()
    follower.join()
    run.stop()
    delays = sorted((seen[event] - at) * 1000 for event, at in sent.items() if event in seen and at > began + warm_s)
    if len(delays) < 20:
        raise RuntimeError(f"only {len(delays)} tier changes: run longer")
    return Latency(events, len(delays), statistics.median(delays), delays[int(len(delays) * 0.99)], share)


def send_steadily(run: Pipeline, rate: float, seconds: float, leads: int, sent: dict[str, float]) -> int:
    """Sends at the rate; notes when each event was acknowledged."""
    producer = Producer({"bootstrap.servers": run.bootstrap, "linger.ms": 0, "acks": "all"})

    def acknowledged_as(event_id: str) -> Callable[[object, object], None]:
        return lambda error, message: sent.__setitem__(event_id, time.monotonic())

    began, count = time.monotonic(), 0
    for kind, _, value in raw_events(int(rate * seconds), leads, seed=int(time.time())):
        while time.monotonic() < began + count / rate:
            producer.poll(0.0005)
        event_id = msgspec.json.decode(value)["event_id"]
        topic = run.prefix + TOPICS[kind]
        producer.produce(topic, value, on_delivery=acknowledged_as(event_id))
        count += 1
    producer.flush(10)
    return count


def _follow(run: Pipeline, seen: dict[str, float], stop: threading.Event) -> None:
    """Notes when the tier change that an event caused could be read."""
    consumer = Consumer(
        {"bootstrap.servers": run.bootstrap, "group.id": f"{run.prefix}bench", "fetch.wait.max.ms": 100}
    )
    topic = run.prefix + TIER_CHANGES
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, OFFSET_END) for partition in partitions])
    while not stop.is_set():
        # One at a time: a wait for many would be part of what is measured.
        message = consumer.poll(0.05)
        if message is None:
            continue
        value = message.value()
        if message.error() is None and value is not None:
            cause = msgspec.json.decode(value)["cause"]
            if "event_id" in cause:
                seen.setdefault(cause["event_id"], time.monotonic())
    consumer.close()


def recovery(run: Pipeline, within_s: float = 120) -> Recovery:
    """Starts a score worker over what its changelog holds; from the process's start until it is ready."""
    port = free_port()
    began = time.monotonic()
    run.start("score", metrics_port=port)
    try:
        while not (now := scrape(port)).get("leadstream_ready"):
            if time.monotonic() > began + within_s:
                raise TimeoutError(f"score was not ready in {within_s:.0f} s, see {run.log('score')}")
            time.sleep(0.05)
        seconds = time.monotonic() - began
        return Recovery(int(now["leadstream_leads"]), seconds, now["process_resident_memory_bytes"] / 2**20)
    finally:
        run.end("score", number=signal.SIGTERM)


def filled(run: Pipeline, events: int, leads: int, *, even: bool = False, names: int = 1) -> float:
    """Makes topics and a raw backlog; mean bytes of an event."""
    run.command("topics", "create")
    return fill(run.bootstrap, run.prefix, events, leads, even=even, names=names) / events


def pipeline(bootstrap: str, prefix: str, folder: Path, **settings: object) -> Pipeline:
    """A pipeline of its own folder."""
    place = folder / prefix
    place.mkdir(parents=True, exist_ok=True)
    return Pipeline(bootstrap, prefix, place, settings)
