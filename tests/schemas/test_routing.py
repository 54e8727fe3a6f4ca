"""What route reads and says: golden examples, structs that are their contracts, lines that are their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from schemas.errors import Refused
from schemas.lines import load_line
from schemas.log import LogCodecError
from schemas.routing import Assignment, AssignmentReason, RoutingPolicy, SlaClock, SlaEvent
from schemas.routing_lines import ROUTING_TYPES, own_time_ms, read_routing_line, routing_lines
from schemas.routing_log import decode_routing, encode_routing
from schemas.routing_wire import (
    AssignmentOut,
    AssignmentReasonOut,
    PolicyRef,
    SlaEventOut,
    SlaOut,
    encode_assignment,
    encode_sla_event,
    sla_event_headers,
)

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def examples(contract: str) -> list[Any]:
    files = sorted((EXAMPLES / contract / "v1").glob("*.json"))
    assert files
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in files]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("example", examples("routing_record"))
def test_records(example: dict[str, Any]) -> None:
    value = bytes.fromhex(example["hex"])
    rows = decode_routing(value)
    assert encode_routing(rows) == value
    lines = routing_lines(0, 17, value)
    assert lines == [compact(line) for line in example["lines"]]
    assert [read_routing_line(load_line(line)) for line in lines] == rows
    assert all(own_time_ms(row) > 0 for row in rows)


def test_there_is_a_record_of_every_row() -> None:
    lines = [line for param in examples("routing_record") for line in param.values[0]["lines"]]
    assert {line["type"] for line in lines} == ROUTING_TYPES


@pytest.mark.parametrize("example", examples("assignment"))
def test_assignments(example: dict[str, Any]) -> None:
    raw = compact(example)
    assert Assignment.model_validate_json(raw).model_dump(mode="json") == example
    assert encode_assignment(msgspec.json.decode(raw, type=AssignmentOut)) == raw


@pytest.mark.parametrize("example", examples("sla_event"))
def test_sla_events(example: dict[str, Any]) -> None:
    raw = compact(example)
    assert SlaEvent.model_validate_json(raw).model_dump(mode="json") == example
    event = msgspec.json.decode(raw, type=SlaEventOut)
    assert encode_sla_event(event) == raw
    headers = dict(sla_event_headers(event))
    assert headers["ce_id"].decode() == example["id"]
    assert headers["ce_time"].decode() == example["effective_at"]
    assert headers["ce_subject"].decode() == example["lead_id"]


@pytest.mark.parametrize(
    ("contract", "struct"),
    [
        (Assignment, AssignmentOut),
        (AssignmentReason, AssignmentReasonOut),
        (SlaClock, SlaOut),
        (RoutingPolicy, PolicyRef),
        (SlaEvent, SlaEventOut),
    ],
)
def test_structs_have_the_fields_of_their_contract_in_its_order(contract: type[BaseModel], struct: Any) -> None:
    assert tuple(contract.model_fields) == struct.__struct_fields__


@pytest.mark.parametrize(
    "change", [{"more": 1}, {"what": "done"}, {"id": "L7:0:started"}, {"elapsed_ms": -1}, {"due_at": None}], ids=str
)
def test_other_sla_events_are_refused(change: dict[str, Any]) -> None:
    example = examples("sla_event")[0].values[0]
    with pytest.raises(ValidationError):
        SlaEvent.model_validate_json(json.dumps(example | change))


@pytest.mark.parametrize(
    ("value", "words"), [(None, "empty"), (b"", "empty"), (b"\x02\x90", "codec byte 2"), (b"\x01\xc1", "decoded")]
)
def test_other_bytes_are_no_record(value: bytes | None, words: str) -> None:
    with pytest.raises(LogCodecError, match=words):
        decode_routing(value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"type": "tier"}', "unknown_kind"),
        ('{"lead_id": "L"}', "missing_field"),
        ('{"type": "release", "lead_id": "L", "event_id": "e"}', "missing_field"),
        (
            '{"type": "release", "lead_id": "L", "event_id": "e", "received_at": "2026-03-02T10:15:00"}',
            "time_without_zone",
        ),
        ('{"type": "release", "lead_id": "L", "event_id": "e", "received_at": "1969-03-02T00:00:00Z"}', "bad_time"),
        ('{"type": "assign", "lead_id": "L", "event_id": "e", "received_at": "2026-03-02T10:15:00Z"}', "missing_field"),
        (
            '{"type": "policy", "received_at": "2026-03-02T10:15:00Z", "name": "p", "version": 1, "body": "x", '
            f'"sha256": "{"0" * 64}"}}',
            "digest_mismatch",
        ),
    ],
)
def test_other_lines_are_refused(line: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        read_routing_line(load_line(line.encode()))
    assert caught.value.reason == reason
