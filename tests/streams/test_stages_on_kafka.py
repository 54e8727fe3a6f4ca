"""Both stages as real processes on a real broker, compared with the kernel over the log that they made."""

from __future__ import annotations

import hashlib
import json
import random
import signal
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.dead_letters import DeadLetterHeaders
from schemas.internal import encode_model
from schemas.log import ALARM_KEY, MODEL_KEY, EventRow, ModelControl, encode_record
from schemas.naming import partition_of
from schemas.outputs_wire import TierChangeOut, encode_tier_change
from schemas.times import iso
from schemas.topics import DEAD_LETTERS, LEAD_EVENTS, LEAD_INTERNAL, LEADS_CHANGELOG, TIER_CHANGES
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.reading import read_model
from scoring.shipped import shipped_model, shipped_text
from streams.breaker import release
from streams.demo.workers import free_port
from streams.settings import Settings
from tests.pipeline import LogRecord, Pipeline
from tests.streams.conftest import PARTITIONS, MakePipeline
from tests.streams.live import SHORT_MODEL, event, get, metrics, rows_of, send_raw, send_then, wait_for

pytestmark = pytest.mark.kafka

LONG_AGO_MS = 1_740_996_900_000


def folded(records: list[LogRecord], model: str) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Tier changes by id, and scores by lead, of the kernel over the whole log in one go."""
    by_partition: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append((record.offset, record.value))
    changes: dict[str, bytes] = {}
    scores: dict[str, dict[str, Any]] = {}
    for log in by_partition.values():
        fold = PartitionFold(max_step_bytes=1 << 40, max_step_deadlines=1 << 40)
        fold.start_with(model)
        step = fold.fold(log)
        changes |= {change.id: encode_tier_change(change) for change in step.changes}
        assert fold.kernel is not None
        for lead in fold.lead_ids():
            row = fold.row(lead)
            assert row is not None
            scores[lead] = _content(msgspec.to_builtins(score_of(fold.kernel, row, 0)))
    return changes, scores


def _content(score: dict[str, Any]) -> dict[str, Any]:
    """What a score says, apart from moments that move without a change of content."""
    kept = ("lead_id", "tier", "seq", "fit", "engagement", "risk", "total")
    return {name: score[name] for name in kept} | {"rules": [(r["rule"], r["points"]) for r in score["reasons"]]}


def agree(pipeline: Pipeline, model: str) -> int:
    """Asserts that what the workers published is what the kernel makes of the log; how many tier changes."""
    changes, scores = folded(pipeline.log_records(), model)
    published: dict[str, bytes] = {}
    for record in pipeline.read(TIER_CHANGES):
        assert record.value is not None
        change = msgspec.json.decode(record.value, type=TierChangeOut)
        assert published.setdefault(change.id, record.value) == record.value, "an id never carries two bodies"
        assert record.partition == partition_of(change.lead_id, PARTITIONS)
        assert dict(record.headers)["ce_id"] == change.id.encode()
    assert published == changes
    found = {lead: _content(score) for lead, score in pipeline.lead_scores().items()}
    assert {lead: found[lead] for lead in scores if lead in found} == {lead: scores[lead] for lead in found}
    assert all(not scores[lead]["rules"] for lead in scores.keys() - found.keys())
    return len(published)


POISON: dict[bytes | None, str] = {
    None: "null_value",
    b"": "empty_body",
    b"{": "bad_json",
    b"[]": "not_an_object",
    b"\xff\xfe": "bad_utf8",
    b'{"event_id":"1","kind":"telepathy","occurred_at":"2026-03-02T10:15:00Z","lead":{"lead_id":"x"}}': "unknown_kind",
    b'{"event_id":"1","kind":"page_view","url":"/","occurred_at":"2020-03-02T10:15:00Z","lead":{"lead_id":"x"}}': (
        "time_too_old"
    ),
}


def test_the_stream_gives_what_the_kernel_gives_and_dead_letters_keep_the_rest(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline()
    ports = {stage: free_port() for stage in ("ingest", "score")}
    for stage, port in ports.items():
        pipeline.start(stage, metrics_port=port)
    chance = random.Random(7)
    kinds = ["page_view", "page_view", "form_fill", "email_open"]
    events = [
        event(number, f"lead-{chance.randrange(60)}", kind, form_type=chance.choice(["demo", "contact"]))
        | ({"message_id": f"m{chance.randrange(9)}"} if kind == "email_open" else {})
        for number, kind in enumerate(chance.choices(kinds, k=1500))
    ]
    pipeline.send(events)
    send_raw(pipeline, "email-opens", list(POISON), key=b"k", headers=[("trace", b"1")])
    pipeline.send(chance.sample(events, 300))
    pipeline.drained(60)

    rows = rows_of(pipeline.log_records(), EventRow)
    assert len(rows) == 1800
    assert {row.event_id for row in rows} == {str(one["event_id"]) for one in events}
    for record in pipeline.log_records():
        assert all(
            partition_of(row.lead_id, PARTITIONS) == record.partition
            for row in record.rows
            if isinstance(row, EventRow)
        )
    assert agree(pipeline, shipped_text("b2b-default")) > 10

    letters = pipeline.read(DEAD_LETTERS)
    assert {letter.value: DeadLetterHeaders.read(letter.headers).reason for letter in letters} == POISON
    assert all(letter.key == b"k" and ("trace", b"1") in letter.headers for letter in letters)
    seen = metrics(ports["ingest"])
    topic = f"{pipeline.prefix}email-opens"
    assert seen[f'leadstream_dead_letters_total{{reason="bad_json",topic="{topic}"}}'] == 1
    assert seen['leadstream_events_total{kind="unknown",outcome="dead_lettered"}'] == len(POISON)
    assert get(ports["ingest"], "readyz")[0] == get(ports["score"], "readyz")[0] == 200
    seen = metrics(ports["score"])
    leads = len({row.lead_id for row in rows})
    assert sum(value for name, value in seen.items() if name.startswith("leadstream_leads{")) == leads
    assert pipeline.end("ingest", signal.SIGTERM) == pipeline.end("score", signal.SIGTERM) == 0


def test_time_models_and_restarts(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    first = tmp_path / "short.yaml"
    first.write_text(SHORT_MODEL.format(version=1, form_points=20))
    pipeline = make_pipeline(model=first)
    pipeline.start("ingest")
    pipeline.start("score")
    pipeline.send([event(1, "ann"), event(2, "ann", "form_fill"), event(3, "bob")])
    changes = _tier_changes(pipeline, 2)
    assert [(one["lead_id"], one["to_tier"]) for one in changes] == [("ann", "hot"), ("ann", "cold")]
    # Two topics, the same millisecond: which of the two events comes last is anybody's guess.
    assert changes[0]["cause"]["event_id"] in ("page_view-1", "form_fill-2")
    assert changes[1]["cause"] == {"deadline": "quiet"}
    # No other event came: it was an alarm that brought the time.
    assert any(record.key == ALARM_KEY for record in pipeline.read(LEAD_EVENTS))

    second = SHORT_MODEL.format(version=2, form_points=99)
    digest = read_model(second, "second").sha256
    send_raw(pipeline, LEAD_INTERNAL, [encode_model("short", 2, digest, second)], partition=0)
    changes = _tier_changes(pipeline, 3)
    assert changes[2] | {"cause": {"model": 2}, "to_tier": "hot", "lead_id": "ann", "seq": 3} == changes[2]
    wrong = second.replace("version: 2", "version: 3").replace("each: visit", "each: nothing")
    send_raw(
        pipeline,
        LEAD_INTERNAL,
        [encode_model("short", 3, hashlib.sha256(wrong.encode()).hexdigest(), wrong)],
        partition=0,
    )
    letter = wait_for(lambda: pipeline.read(DEAD_LETTERS))[0]
    assert DeadLetterHeaders.read(letter.headers).reason == "bad_model"
    assert "nothing" in DeadLetterHeaders.read(letter.headers).exception_message

    assert pipeline.end("score", signal.SIGKILL) == -signal.SIGKILL
    pipeline.start("score", model="fit-behaviour-200")
    pipeline.send([event(4, "bob", "form_fill")])
    wait_for(lambda: any(one["lead_id"] == "bob" for one in pipeline.tier_changes()))
    wait_for(lambda: "but the log has short version 2" in pipeline.log("score").read_text())
    pipeline.drained()
    agree(pipeline, first.read_text())
    models = Counter(row.version for row in rows_of(pipeline.log_records(), ModelControl))
    assert models == {1: PARTITIONS, 2: PARTITIONS}


def _tier_changes(pipeline: Pipeline, count: int) -> list[dict[str, Any]]:
    """All of them, once there are so many."""
    wait_for(lambda: len(pipeline.tier_changes()) >= count)
    return pipeline.tier_changes()


def test_the_breaker_pauses_a_topic_until_it_is_released(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(breaker_window=20, breaker_share=0.5)
    port = free_port()
    pipeline.start("ingest", metrics_port=port)
    send_raw(pipeline, "email-opens", [b"not json"] * 15, partition=1)
    topic = f"{pipeline.prefix}email-opens"
    wait_for(lambda: get(port, "readyz")[0] == 503 and "is paused" in get(port, "readyz")[1])
    assert metrics(port)[f'leadstream_topic_paused{{topic="{topic}"}}'] == 1
    assert len(pipeline.read(DEAD_LETTERS)) == 11
    pipeline.send([event(1, "ann")])
    wait_for(lambda: rows_of(pipeline.log_records(), EventRow))

    assert pipeline.end("ingest", signal.SIGTERM) == 0
    send_raw(pipeline, "email-opens", [json.dumps(event(2, "bob", "email_open", message_id="m")).encode()], partition=1)
    pipeline.start("ingest", metrics_port=port)
    wait_for(lambda: "is paused" in get(port, "readyz")[1])
    pipeline.send([event(3, "ann")])
    wait_for(lambda: len(rows_of(pipeline.log_records(), EventRow)) == 2)
    assert len(pipeline.read(DEAD_LETTERS)) == 11

    assert release(Settings.read(pipeline.environment), "email-opens").last_reason == "bad_json"
    wait_for(lambda: len(rows_of(pipeline.log_records(), EventRow)) == 3)
    assert len(pipeline.read(DEAD_LETTERS)) == 15
    assert get(port, "readyz")[0] == 200
    late = rows_of(pipeline.log_records(), EventRow)
    assert Counter(row.lead_id for row in late) == {"ann": 2, "bob": 1}


def test_two_ingest_workers_share_the_topics_and_the_time(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    model = tmp_path / "short.yaml"
    model.write_text(SHORT_MODEL.format(version=1, form_points=20))
    pipeline = make_pipeline(model=model)
    ports = {name: free_port() for name in ("ingest", "ingest-2")}
    for name, port in ports.items():
        pipeline.start(name, metrics_port=port)
    pipeline.start("score")
    wait_for(lambda: all("partitions [" in get(port, "readyz")[1] for port in ports.values()))
    pipeline.send([event(number, f"lead-{number % 20}") for number in range(200)])
    pipeline.send([event(number, f"lead-{number % 20}", "form_fill") for number in range(200)])
    wait_for(lambda: Counter(one["to_tier"] for one in pipeline.tier_changes()) == {"hot": 20, "cold": 20}, 40)
    carried = [
        sum(value for name, value in metrics(port).items() if name.startswith("leadstream_events_total"))
        for port in ports.values()
    ]
    assert sum(carried) == 400
    assert min(carried) > 0
    for partition in range(PARTITIONS):
        told = [record.safe_ms for record in pipeline.log_records() if record.partition == partition]
        assert max(told) > 0
        assert any(earlier < later for earlier, later in pairwise(told))
    pipeline.drained()
    agree(pipeline, model.read_text())


def test_a_past_stream_runs_as_if_it_were_then(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    model = tmp_path / "short.yaml"
    model.write_text(SHORT_MODEL.format(version=1, form_points=20))
    pipeline = make_pipeline(history=True, clock="record", model=model)
    # Every half second of that day one event: each lead is quiet for ten seconds between two of its own.
    times = [LONG_AGO_MS + number * 500 for number in range(120)]
    kinds = ["form_fill" if number // 20 % 2 else "page_view" for number in range(120)]
    events = [event(n, f"lead-{n % 20}", kind, at_ms=at) for n, (at, kind) in enumerate(zip(times, kinds, strict=True))]
    send_then(pipeline, list(zip(times, events, strict=True)))
    pipeline.start("ingest")
    pipeline.start("score")
    pipeline.drained()
    assert agree(pipeline, model.read_text()) > 20
    changes = pipeline.tier_changes()
    assert {one["effective_at"][:10] for one in changes} == {iso(LONG_AGO_MS)[:10]}
    assert any(one["cause"] == {"deadline": "quiet"} for one in changes)
    assert not [record for record in pipeline.read(LEAD_EVENTS) if record.key == ALARM_KEY]

    pipeline.start("ingest-2", clock="record", topic_prefix=make_pipeline().prefix)
    assert pipeline.workers["ingest-2"].wait(30) == 4
    assert "leadstream topics create --history" in pipeline.log("ingest-2").read_text()


def test_what_cannot_be_read_is_named_and_never_skipped(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline()
    model = shipped_model("b2b-default")
    control = ModelControl(0, model.name, model.version, model.sha256, model.text)
    send_raw(pipeline, LEAD_EVENTS, [encode_record(0, [control])], partition=1, key=MODEL_KEY)
    send_raw(pipeline, LEAD_EVENTS, [b"\xffno record"], partition=1)
    for partition in (0, 2):
        send_raw(pipeline, LEAD_EVENTS, [encode_record(0, [control])], partition=partition, key=MODEL_KEY)
    pipeline.start("score")
    assert pipeline.workers["score"].wait(30) == 4
    assert f"{pipeline.prefix}lead-events[1]: offset 1: " in pipeline.log("score").read_text()

    send_raw(pipeline, LEADS_CHANGELOG, [b"\xffnewer"], partition=2, key=b"ann")
    pipeline.start("score-2")
    assert pipeline.workers["score-2"].wait(30) == 4
    assert f"{pipeline.prefix}{LEADS_CHANGELOG}[2]" in pipeline.log("score-2").read_text()


def test_no_broker_at_the_address(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline()
    pipeline.start("ingest", bootstrap_servers="127.0.0.1:1")
    assert pipeline.workers["ingest"].wait(30) == 3
    assert "127.0.0.1:1 cannot be reached" in pipeline.log("ingest").read_text()


def test_other_partition_counts_and_no_key_are_refused(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline()
    pipeline.start("score", partitions=5)
    assert pipeline.workers["score"].wait(30) == 4
    said = pipeline.log("score").read_text()
    assert f"topic {pipeline.prefix}lead-events has {PARTITIONS} partitions, 5 are wanted" in said
    pipeline.start("ingest", id_key="")
    assert pipeline.workers["ingest"].wait(30) == 2
    assert "LEADSTREAM_ID_KEY is not set" in pipeline.log("ingest").read_text()
