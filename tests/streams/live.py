"""Small things that tests of live workers need: events of now, waiting, and what a worker says of itself."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from confluent_kafka import Producer

from schemas.times import iso
from schemas.topics import topic_of_kind
from tests.pipeline import LogRecord, Pipeline

T = TypeVar("T")

SHORT_MODEL = """
model: short
version: {version}
signals:
  visit: {{on: page_view}}
  form: {{on: form_fill}}
rules:
  engagement:
    visited: {{each: visit, points: 20}}
    form: {{each: form, points: {form_points}}}
  risk:
    quiet: {{silence: visit, within: 2s, points: -40}}
tiers:
  hot: {{at_least: 40}}
  cold: {{}}
"""


def event(
    number: int, lead: str, kind: str = "page_view", *, at_ms: int | None = None, **fields: Any
) -> dict[str, Any]:
    """An event that happens now, or then."""
    given = {"page_view": {"url": "https://example.com/pricing"}, "form_fill": {"form_id": "f"}}.get(kind, {})
    return {
        "event_id": f"{kind}-{number}",
        "kind": kind,
        "occurred_at": iso(int(time.time() * 1000) if at_ms is None else at_ms),
        "source": "test",
        "lead": {"lead_id": lead},
        **given,
        **fields,
    }


def send_raw(pipeline: Pipeline, topic: str, values: list[bytes | None], **more: Any) -> None:
    """Sends bytes as they are."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 5})
    for value in values:
        producer.produce(pipeline.prefix + topic, value, **more)
    assert not producer.flush(20)


def send_then(pipeline: Pipeline, events: list[tuple[int, dict[str, Any]]]) -> None:
    """Sends events with the times of then on their records."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 5})
    for at_ms, one in events:
        topic = pipeline.prefix + topic_of_kind(one["kind"])
        producer.produce(topic, msgspec.json.encode(one), timestamp=at_ms)
    assert not producer.flush(20)


def wait_for(what: Callable[[], T], within_s: float = 30) -> T:
    """The first answer that is not empty."""
    end = time.monotonic() + within_s
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {within_s:.0f} s")
        time.sleep(0.2)


def get(port: int, path: str) -> tuple[int, str]:
    """What a worker answers; (0, "") while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def metrics(port: int) -> Mapping[str, float]:
    """Every sample by its name and labels."""
    lines = get(port, "metrics")[1].splitlines()
    pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def rows_of(records: list[LogRecord], kind: type[T]) -> list[T]:
    """Rows of one type, in log order within partitions."""
    return [row for record in records for row in record.rows if isinstance(row, kind)]
