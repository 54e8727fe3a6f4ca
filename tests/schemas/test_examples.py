"""Golden examples: what was written once is read for ever, and written in the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter

from schemas.dead_letters import DeadLetterHeaders
from schemas.events import EVENTS
from schemas.internal import (
    AlarmRequest,
    AssignRequest,
    BackfillRequest,
    ForwardRequest,
    MergeRequest,
    ModelRequest,
    PolicyRequest,
    ReleaseRequest,
    decode_internal,
    encode_alarm,
    encode_assign,
    encode_backfill,
    encode_forward,
    encode_merge,
    encode_model,
    encode_policy,
    encode_release,
    forwarded_rows,
    merge_row,
)
from schemas.lines import load_line, log_lines, read_log_line
from schemas.log import EVENT_ROWS, LogRow, decode_record, encode_record
from schemas.outputs import (
    LeadScoreOut,
    LeadState,
    MergedLead,
    MergedLeadOut,
    TierChange,
    TierChangeOut,
    encode_lead_score,
    encode_merged_lead,
    encode_tier_change,
)
from schemas.times import parse_iso
from schemas.wire import decode_event, judge_event

STATES: TypeAdapter[Any] = TypeAdapter(LeadState)
EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def examples(contract: str) -> list[Any]:
    files = sorted((EXAMPLES / contract / "v1").glob("*.json"))
    assert files
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in files]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("example", examples("event"))
def test_events(example: dict[str, Any]) -> None:
    raw = compact(example)
    received_ms = parse_iso("2026-03-02T10:15:01Z")
    row = decode_event(raw, received_ms, b"key")
    assert row == judge_event(raw, received_ms, b"key")
    (line,) = log_lines(0, 0, encode_record(received_ms, [row]))
    for name, value in example.items():
        if name not in {"lead", "occurred_at"}:
            assert json.loads(line)[name] == value


def test_there_is_an_event_of_every_kind() -> None:
    assert {param.values[0]["kind"] for param in examples("event")} == set(EVENTS)


@pytest.mark.parametrize("example", examples("log_record"))
def test_log_records(example: dict[str, Any]) -> None:
    value = bytes.fromhex(example["hex"])
    safe_ms, rows = decode_record(value)
    assert encode_record(safe_ms, rows) == value
    lines = log_lines(3, 17, value)
    assert lines == [compact(line) for line in example["lines"]]
    for index, (line, row) in enumerate(zip(lines, rows, strict=True)):
        read = read_log_line(load_line(line))
        assert (read.partition, read.offset, read.index, read.safe_ms) == (3, 17, index, safe_ms)
        assert same(read.row, row)


def same(one: LogRow, other: LogRow) -> bool:
    return type(one) is type(other) and one == other


def test_there_is_a_record_of_every_row() -> None:
    found = {
        (line.get("kind") or line["type"]) for param in examples("log_record") for line in param.values[0]["lines"]
    }
    assert found == {*EVENT_ROWS, "link", "merge", "alarm", "model", "policy", "assign", "release", "backfill"}


@pytest.mark.parametrize("example", examples("tier_change"))
def test_tier_changes(example: dict[str, Any]) -> None:
    raw = compact(example)
    assert TierChange.model_validate_json(raw).model_dump(mode="json") == example
    assert encode_tier_change(msgspec.json.decode(raw, type=TierChangeOut)) == raw


@pytest.mark.parametrize("example", examples("lead_score"))
def test_lead_scores(example: dict[str, Any]) -> None:
    raw = compact(example)
    read = STATES.validate_json(raw)
    assert read.model_dump(mode="json", exclude_defaults=True) == example
    if isinstance(read, MergedLead):
        assert encode_merged_lead(msgspec.json.decode(raw, type=MergedLeadOut)) == raw
    else:
        assert encode_lead_score(msgspec.json.decode(raw, type=LeadScoreOut)) == raw


@pytest.mark.parametrize("example", examples("internal"))
def test_internal_messages(example: dict[str, Any]) -> None:
    raw = compact(example)
    message = decode_internal(raw)
    match message:
        case AlarmRequest():
            assert encode_alarm(message.partition) == raw
        case ModelRequest():
            assert encode_model(message.name, message.version, message.sha256, message.body) == raw
        case PolicyRequest():
            assert encode_policy(message.name, message.version, message.sha256, message.body) == raw
        case AssignRequest():
            whom = {"owner": message.owner, "team": message.team}
            assert encode_assign(message.lead_id, message.event_id, **whom, by=message.by) == raw
        case ReleaseRequest():
            assert encode_release(message.lead_id, message.event_id, by=message.by) == raw
        case BackfillRequest():
            assert encode_backfill(message.lead_id) == raw
        case MergeRequest():
            assert encode_merge(merge_row(message, 1)) == raw
        case ForwardRequest():
            assert encode_forward(forwarded_rows(message)) == raw


@pytest.mark.parametrize("example", examples("dead_letter_headers"))
def test_dead_letters(example: dict[str, Any]) -> None:
    read = DeadLetterHeaders.read([(name, value.encode()) for name, value in example.items()])
    told = read.model_dump(by_alias=True, exclude_none=True)
    assert {name: str(value) for name, value in told.items()} == example
