"""Commands that only a real Kafka can answer: topics, the next model or policy, hands, reading, releasing."""

from __future__ import annotations

import getpass
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.internal import encode_alarm
from schemas.topics import INGEST_PROGRESS, LEAD_INTERNAL, LEAD_SCORES, TOPICS
from streams.breaker import Pause, breaker_key, encode_pause
from streams.clients import Sender
from streams.settings import Settings
from tests.cli.conftest import Leadstream
from tests.kafka.broker import KafkaBroker
from tests.scoring.routing.builders import policy_text

pytestmark = pytest.mark.kafka

_numbers = itertools.count(1)
PLACE = ("partition", "offset", "received_at")


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


def test_topics_are_altered_once_and_only_when_somebody_says_so(
    settings: Settings, leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADSTREAM_RETENTION_OUTPUTS_DAYS", "7")
    asked = leadstream("topics", "alter")
    assert (asked.code, "Nobody can be asked here: say --yes" in asked.err) == (2, True)
    assert settings.topic("tier-changes") in asked.out
    assert "7776000000 (90 days)" in asked.out
    assert "604800000 (7 days)" in asked.out
    assert leadstream("topics", "check").code == 4

    done = leadstream("topics", "alter", "--yes")
    assert done.code == 0
    assert f"4 settings changed at {settings.bootstrap_servers}; all {len(TOPICS)} topics are good" in done.err
    again = leadstream("topics", "alter")
    assert (again.code, again.out) == (0, "")
    assert leadstream("topics", "check").code == 0

    refused = leadstream("topics", "alter", "--history", "--yes")
    assert (refused.code, "leave --history out" in refused.err) == (2, True)
    monkeypatch.setenv("LEADSTREAM_PARTITIONS", "3")
    monkeypatch.setenv("LEADSTREAM_RETENTION_OUTPUTS_DAYS", "8")
    shape = leadstream("topics", "alter", "--yes")
    assert (shape.code, "has 2 partitions, 3 are wanted" in shape.err) == (4, True)
    assert "retention" not in shape.err


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


def internal(leadstream: Leadstream) -> list[dict[str, Any]]:
    """What lies in lead-internal, without its place."""
    lines = [json.loads(line) for line in leadstream("read", "lead-internal", "--to-end").lines]
    return [{name: value for name, value in line.items() if name not in PLACE} for line in lines]


def test_a_policy_is_published_once_and_only_a_higher_version_after_it(
    settings: Settings, leadstream: Leadstream, tmp_path: Path
) -> None:
    leadstream("model", "publish", "fit-behaviour-200", "--yes")
    asked = leadstream("policy", "publish", "b2b-default")
    assert (asked.code, "say --yes" in asked.err) == (2, True)
    done = leadstream("policy", "publish", "b2b-default", "--yes")
    assert done.code == 0
    assert "owner senior_1 is called Senior 1, which is a role" in done.err
    assert "b2b-default version 1 (sha256 " in done.err
    ran = leadstream("policy", "publish", "b2b-default", "--yes")
    assert (ran.code, "write `version: 2` or higher" in ran.err) == (1, True)
    assert [message["type"] for message in internal(leadstream)] == ["model", "policy"]


def test_hands_name_an_owner_or_a_team_of_the_last_policy_published(
    settings: Settings, leadstream: Leadstream, tmp_path: Path
) -> None:
    wrong = leadstream("assign", "L1", "ann")
    assert wrong.code == 1
    assert "policy b2b-default version 1 has neither such an owner nor such a team: ann; it has senior_1, " in wrong.err
    file = tmp_path / "ours.yaml"
    file.write_text(policy_text(owners={"ann": {}, "desk": {}}, teams={"desk": {"members": ["ann"]}}, version=7))
    assert leadstream("policy", "publish", str(file), "--yes").code == 0

    assert "goes to ann" in leadstream("assign", "L1", "ann", "--by", "eve").err
    assert "the owner is meant" in leadstream("assign", "L1", "desk").err
    assert "goes to whom team desk picks" in leadstream("assign", "L1", "desk", "--team").err
    assert leadstream("release", "L1", "--by", "eve").code == 0
    near = leadstream("assign", "L1", "anm")
    assert (near.code, near.err.endswith("anm; did you mean ann?\n")) == (1, True)
    long = leadstream("release", "L" * 300)
    assert (long.code, "this cannot be sent: lead_id has 300 characters" in long.err) == (2, True)
    sent = [message for message in internal(leadstream) if message["type"] != "policy"]
    assert len({message.pop("event_id") for message in sent}) == len(sent)
    assert [message.pop("by") for message in sent] == ["eve", getpass.getuser(), getpass.getuser(), "eve"]
    assert sent == [
        {"type": "assign", "lead_id": "L1", "owner": "ann"},
        {"type": "assign", "lead_id": "L1", "owner": "desk"},
        {"type": "assign", "lead_id": "L1", "team": "desk"},
        {"type": "release", "lead_id": "L1"},
    ]


def test_backfill_asks_once_for_each_lead_that_is_in_a_tier_with_a_route(
    settings: Settings, leadstream: Leadstream
) -> None:
    for lead_id, tier, seq in (
        ("L1", "warm", 1),
        ("L2", "hot", 2),
        ("L3", "cold", 0),
        ("L4", "hot", 1),
        ("L1", "hot", 2),
    ):
        put(
            settings, LEAD_SCORES, json.dumps({"lead_id": lead_id, "tier": tier, "seq": seq}).encode(), lead_id.encode()
        )
    put(settings, LEAD_SCORES, json.dumps({"lead_id": "a:b", "merged_into": "L1"}).encode(), b"a:b")
    put(settings, LEAD_SCORES, None, b"L4")

    ran = leadstream("route", "backfill", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"leads": 2, "tiers": {"hot": 2, "warm": 0, "cold": 0}})
    assert leadstream("route", "backfill", "--tier", "warm").lines[0].startswith("asked for 0 leads (warm 0); ")
    wrong = leadstream("route", "backfill", "--tier", "wram")
    assert (wrong.code, "has no route for tier wram; did you mean warm?" in wrong.err) == (1, True)
    sent = sorted(internal(leadstream), key=lambda message: message["lead_id"])
    assert sent == [{"type": "backfill", "lead_id": "L1"}, {"type": "backfill", "lead_id": "L2"}]


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
