"""`leadstream send`: to the right topics, in order, every record acknowledged; what cannot be used does not go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.limits import MAX_AGE_MS, MAX_ID
from schemas.naming import partition_of
from schemas.times import iso, parse_iso
from schemas.topics import KIND_TOPICS, RAW_TOPICS
from streams.clients import Sender
from streams.clock import now_ms
from streams.settings import Settings
from streams.topic_reader import Record, scan
from tests.cli.conftest import Leadstream
from tests.kafka.broker import KafkaBroker
from tests.schemas.samples import FULL, event

MONTH = Path("examples/one-month.jsonl")
HOT = Path("examples/hot-lead.jsonl")


@pytest.fixture
def on_kafka(kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Settings for the tests' Kafka, with names of the test's own."""
    prefix = f"send-{abs(hash(request.node.name)) % 10**6}-"
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP_SERVERS", kafka.bootstrap)
    monkeypatch.setenv("LEADSTREAM_REPLICATION", "1")
    monkeypatch.setenv("LEADSTREAM_PARTITIONS", "3")
    monkeypatch.setenv("LEADSTREAM_TOPIC_PREFIX", prefix)
    return prefix


def everything() -> Iterator[tuple[str, Record]]:
    """Every raw record, with the topic that it is in."""
    settings = Settings.read()
    for topic in RAW_TOPICS:
        for record in scan(settings, topic):
            yield topic, record


def now_file(folder: Path, *events: dict[str, Any]) -> str:
    file = folder / "events.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in events))
    return str(file)


def test_a_past_stream_keeps_times_and_order(leadstream: Leadstream, on_kafka: str) -> None:
    assert leadstream("topics", "create", "--history").code == 0

    ran = leadstream("send", "--history", str(MONTH))

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("18 events sent to 127.0.0.1:")
    sent = {json.loads(line)["event_id"]: line for line in MONTH.read_text().splitlines()}
    for topic, record in everything():
        assert record.value is not None
        line = record.value.decode()
        found = json.loads(line)
        assert sent.pop(found["event_id"]) == line
        assert KIND_TOPICS[found["kind"]] == topic
        assert record.timestamp_ms == parse_iso(found["occurred_at"])
        assert record.key is None
        if lead_id := found["lead"].get("lead_id"):
            assert record.partition == partition_of(lead_id, 3)
    assert not sent


def test_a_stream_of_now_has_the_brokers_time(leadstream: Leadstream, on_kafka: str, tmp_path: Path) -> None:
    assert leadstream("topics", "create").code == 0
    before = now_ms()
    file = now_file(
        tmp_path,
        *(event(kind, event_id=kind, occurred_at=iso(before), **fields) for kind, fields in FULL.items()),
        event(event_id="old", occurred_at=iso(before - MAX_AGE_MS - 60_000)),
        event(event_id="ahead", occurred_at=iso(before + 3_600_000)),
    )

    ran = leadstream("send", "--json", file)

    assert (ran.code, json.loads(ran.out)) == (1, {"sent": len(FULL), "refused": 2})
    assert [json.loads(line)["reason"] for line in ran.err.splitlines()] == ["time_too_old", "time_ahead"]
    records = list(everything())
    assert sorted(json.loads(record.value or b"")["kind"] for _, record in records) == sorted(FULL)
    assert all(before <= record.timestamp_ms <= now_ms() for _, record in records)


def test_history_wants_topics_that_keep_times(leadstream: Leadstream, on_kafka: str) -> None:
    missing = leadstream("send", "--history", str(MONTH))
    leadstream("topics", "create")
    live = leadstream("send", "--history", str(MONTH))

    assert (missing.code, live.code) == (4, 4)
    assert "make them with `leadstream topics create`" in missing.err
    assert f"topic {on_kafka}page-views at " in live.err
    assert "gives records the broker's time" in live.err
    assert not list(everything())


def test_now_sends_fresh_times_and_ids_each_time(leadstream: Leadstream, embedded: str) -> None:
    assert [leadstream("send", "--now", str(HOT)).code for _ in range(2)] == [0, 0]

    found = [json.loads(record.value or b"") for _, record in everything()]
    lines = [json.loads(line) for line in HOT.read_text().splitlines()]
    assert len({one["event_id"] for one in found}) == 2 * len(lines)
    for line in lines:
        sent = [one for one in found if one["event_id"].startswith(line["event_id"])]
        assert len(sent) == 2
        for one in sent:
            assert one | {"event_id": 0, "occurred_at": 0} == line | {"event_id": 0, "occurred_at": 0}
    newest = max(parse_iso(one["occurred_at"]) for one in found)
    oldest = min(parse_iso(one["occurred_at"]) for one in found)
    times = [parse_iso(line["occurred_at"]) for line in lines]
    assert newest - oldest >= max(times) - min(times)
    assert 0 <= now_ms() - newest < 60_000


def test_now_keeps_what_is_the_same_event_the_same(leadstream: Leadstream, embedded: str, tmp_path: Path) -> None:
    long = ["x" * (MAX_ID - 1) + last for last in "aab"]
    file = now_file(tmp_path, *(event(event_id=event_id) for event_id in long))

    assert leadstream("send", "--now", file).code == 0

    ids = [json.loads(record.value or b"")["event_id"] for _, record in everything()]
    assert sorted(ids.count(one) for one in set(ids)) == [1, 2]
    assert all(len(one) <= MAX_ID for one in ids)


def test_now_tells_what_is_too_far_behind_the_last_event(leadstream: Leadstream, embedded: str, tmp_path: Path) -> None:
    first = parse_iso("2026-03-02T10:15:00Z")
    times = [first, first + MAX_AGE_MS - 1_000, first + MAX_AGE_MS + 60_000]
    file = now_file(tmp_path, *(event(event_id=str(time), occurred_at=iso(time)) for time in times))

    ran = leadstream("send", "--now", file)

    assert (ran.code, ran.out.split(" sent")[0]) == (1, "2 events")
    (told,) = map(json.loads, ran.err.splitlines())
    assert (told["file"], told["line"], told["reason"]) == (file, 1, "time_too_old")


def test_refused_lines_are_told_and_not_sent(leadstream: Leadstream, embedded: str) -> None:
    ran = leadstream("send", "--history", "examples/broken-lines.jsonl")

    assert ran.code == 1
    assert ran.out == f"2 events sent to {embedded} and acknowledged; 7 lines refused\n"
    assert [json.loads(line)["line"] for line in ran.err.splitlines()] == [2, 3, 4, 6, 7, 8, 9]
    assert sorted(json.loads(record.value or b"")["event_id"] for _, record in everything()) == ["b-1", "b-9"]


def test_rows_of_the_log_are_no_events(leadstream: Leadstream, embedded: str, tmp_path: Path) -> None:
    at = "2026-03-02T10:15:00Z"
    row = {"type": "event", "lead_id": "l", "received_at": at, "occurred_at": at, "event_id": "1", "kind": "download"}
    file = now_file(tmp_path, {"partition": 0, "offset": 1, "index": 0, "safe": at} | row | {"asset": "a.pdf"})

    ran = leadstream("send", "--history", file)

    assert ran.code == 1
    assert json.loads(ran.err)["message"] == "lead is missing"


def test_two_ways_to_take_time_are_wrong_usage(leadstream: Leadstream) -> None:
    ran = leadstream("send", "--history", "--now", str(HOT))

    assert (ran.code, ran.out) == (2, "")
    assert "take one of the two" in ran.err


def test_a_broker_that_is_away_is_told_with_3(leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr("streams.clients.REACH_TIMEOUT_S", 1.0)

    ran = leadstream("send", str(HOT))

    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("leadstream: Kafka at 127.0.0.1:1 cannot be reached: ")


def test_who_stops_it_is_told_how_far_it_came(
    leadstream: Leadstream, embedded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(sender: Sender) -> None:
        sender.producer.flush(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(Sender, "finish", interrupted)

    ran = leadstream("send", "--now", str(HOT))

    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "4 events were acknowledged; to send all, send the files again\nstopped\n"
