"""What leads are called, write and look at stays in records: none of it in logs, metrics, headers or error texts."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.topics import DEAD_LETTERS, topic_of_kind
from streams.demo.workers import free_port
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Kept, Pipeline
from tests.schemas.samples import FULL

pytestmark = pytest.mark.kafka

CANARY = "canary"
NAMES = {"lead_id": f"{CANARY}-lead", "email": f"ann.{CANARY}@example.com", "anonymous_id": f"{CANARY}-visitor"}
CLOSED = {"bounce_type", "activity"}
"""Fields with a closed list of values."""


def test_nothing_personal_leaves_the_records(kafka: KafkaBroker, tmp_path: Path) -> None:
    ports = {stage: free_port() for stage in ("ingest", "score")}
    good, bad = list(_good()), list(_bad())
    with Pipeline(kafka.bootstrap, "private-", tmp_path, {"partitions": 2, "breaker_share": 1}) as run:
        run.command("topics", "create")
        producer = Producer({"bootstrap.servers": kafka.bootstrap})
        for topic, value in good + bad:
            producer.produce(run.prefix + topic, value, key=NAMES["email"], headers={"trace": CANARY})
        producer.flush(30)
        for stage, port in ports.items():
            run.start(stage, metrics_port=port, log_level="debug")
        run.drained(stages=tuple(ports))
        metrics = "".join(_get(port) for port in ports.values())
        letters = run.read(DEAD_LETTERS)
        scored = run.lead_scores()
        logs = "".join(run.log(stage).read_text() for stage in ports)

    assert len(letters) == len(bad)
    assert scored, "the good ones were scored"
    assert CANARY not in logs
    assert CANARY not in metrics
    assert not [said for letter in letters for said in _added(letter) if CANARY in said]


def test_an_error_of_the_command_line_repeats_nothing_personal(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(value.replace(b"\n", b" ") for _, value in _bad()) + b"\n")
    with Pipeline("127.0.0.1:1", "", tmp_path) as run:
        run.start("score-file", command=("-m", "streams.cli", "score", "--model", "b2b-default", str(file)))
        run.ended("score-file", 60)
        said = run.log("score-file").read_text()

    assert said.count('"reason"') == len(list(_bad()))
    assert CANARY not in said


def _good() -> Iterator[tuple[str, bytes]]:
    for number, (kind, fields) in enumerate(FULL.items()):
        yield topic_of_kind(kind), json.dumps(_event(kind, number, fields)).encode()


def _bad() -> Iterator[tuple[str, bytes]]:
    for number, (kind, fields) in enumerate(FULL.items()):
        event = _event(kind, 100 + number, fields)
        topic = topic_of_kind(kind)
        yield topic, json.dumps(event).encode()[:-2]
        for spoilt in (
            {"occurred_at": f"{CANARY} o'clock"},
            {"lead": NAMES | {"email": f"{CANARY} at example"}},
            {"lead": {"lead_id": CANARY * 100}},
            {"kind": f"{CANARY}_kind"},
            {"source": [CANARY]},
        ):
            yield topic, json.dumps(event | spoilt).encode()


def _event(kind: str, number: int, fields: dict[str, Any]) -> dict[str, Any]:
    place = {"event_id": f"e{number}", "kind": kind, "occurred_at": "2026-03-02T10:15:00Z", "source": f"web-{CANARY}"}
    return place | {"lead": NAMES} | {name: _marked(name, value) for name, value in fields.items()}


def _marked(name: str, value: Any) -> Any:
    """Every text with the canary behind it."""
    if isinstance(value, dict):
        return {key: _marked(key, inner) for key, inner in value.items()}
    return f"{value}-{CANARY}" if isinstance(value, str) and name not in CLOSED else value


def _added(letter: Kept) -> list[str]:
    """Headers that ingest added; the others are the original's."""
    return [value.decode() for name, value in letter.headers if name.startswith(("__connect.", "leadstream."))]


def _get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text
