"""Commands that only a real Kafka can answer: topics, the next model, reading, releasing."""

from __future__ import annotations

import itertools
import json

import pytest

from schemas.internal import encode_alarm
from schemas.topics import INGEST_PROGRESS, LEAD_INTERNAL, LEAD_SCORES, TOPICS
from streams.breaker import Pause, breaker_key, encode_pause
from streams.clients import Sender
from streams.settings import Settings
from tests.cli.conftest import Leadstream
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka

_numbers = itertools.count(1)


@pytest.fixture
def settings(kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch, leadstream: Leadstream) -> Settings:
    """Topics of this test's own, made by the command."""
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP_SERVERS", kafka.bootstrap)
    monkeypatch.setenv("LEADSTREAM_TOPIC_PREFIX", f"cli{next(_numbers)}-")
    monkeypatch.setenv("LEADSTREAM_PARTITIONS", "2")
    ran = leadstream("topics", "create", "--json")
    assert ran.code == 0
    assert [json.loads(line)["made"] for line in ran.lines] == [True] * len(TOPICS)
    assert f"{len(TOPICS)} topics made" in ran.err
    return Settings.read()


def put(settings: Settings, topic: str, value: bytes | None, key: bytes | None = None) -> None:
    sender = Sender(settings)
    sender.send(settings.topic(topic), value, key=key, partition=0)
    sender.finish()


def test_topics_are_made_once_and_differences_are_told_with_both_numbers(
    settings: Settings, leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = leadstream("topics", "create")
    assert again.code == 0
    assert f"0 topics made at {settings.bootstrap_servers}, {len(TOPICS)} were there" in again.err
    assert settings.topic("page-views") in again.out
    assert leadstream("topics", "check").code == 0
    monkeypatch.setenv("LEADSTREAM_PARTITIONS", "3")
    ran = leadstream("topics", "check")
    assert ran.code == 4
    assert "has 2 partitions, 3 are wanted; set LEADSTREAM_PARTITIONS" in ran.err
    monkeypatch.setenv("LEADSTREAM_TOPIC_PREFIX", "nobody-")
    ran = leadstream("read", "lead-events", "--to-end")
    assert ran.code == 4
    assert "topic nobody-lead-events does not exist" in ran.err


def test_a_model_is_published_once_and_only_a_higher_version_after_it(
    settings: Settings, leadstream: Leadstream
) -> None:
    put(settings, LEAD_INTERNAL, encode_alarm(1))
    asked = leadstream("model", "publish", "b2b-default")
    assert (asked.code, "say --yes" in asked.err) == (2, True)
    done = leadstream("model", "publish", "b2b-default", "--yes")
    assert done.code == 0
    assert "b2b-default version 1" in done.err
    ran = leadstream("model", "publish", "fit-behaviour-200", "--yes")
    assert ran.code == 1
    assert "write `version: 2` or higher" in ran.err
    lines = [json.loads(line) for line in leadstream("read", "lead-internal", "--to-end").lines]
    assert [line["type"] for line in lines] == ["alarm", "model"]


def test_claims_of_workers_are_not_read_as_scores(settings: Settings, leadstream: Leadstream) -> None:
    put(settings, LEAD_SCORES, None, b"\0owner")
    put(settings, LEAD_SCORES, b'{"lead_id":"ann"}', b"ann")
    (line,) = leadstream("read", "lead-scores", "--to-end").lines
    assert json.loads(line) == {"partition": 0, "offset": 1, "lead_id": "ann"}


def test_a_paused_topic_is_released_by_its_name(settings: Settings, leadstream: Leadstream) -> None:
    name = settings.topic("page-views")
    put(settings, INGEST_PROGRESS, encode_pause(Pause(name, 60, 100, "bad_json")), breaker_key(name))
    ran = leadstream("dlq", "release", "page-views")
    assert (ran.code, ran.lines) == (
        0,
        [f"{name} is released; it was paused for 60 dead letters among its last 100 records, the last one bad_json"],
    )
    ran = leadstream("dlq", "release", "page-views")
    assert (ran.code, ran.err) == (1, f"topic {name} is not paused; no topic is\n")
