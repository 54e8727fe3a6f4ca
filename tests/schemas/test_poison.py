"""Bad input: each has its reason, both ways agree, and nothing that is personal gets into the words."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest

from schemas.errors import Refused
from schemas.internal import (
    AssignRequest,
    ForwardRequest,
    MergeRequest,
    ReleaseRequest,
    by_hand_row,
    decode_internal,
    forwarded_rows,
    merge_row,
)
from schemas.lines import load_line, read_log_line
from schemas.log import Alarm, ByHand, EventRow, Link, Merge, encode_record
from schemas.reasons import REASONS, ReasonName
from schemas.wire import decode_event, judge_event
from tests.schemas.poison import POISON, Poison
from tests.schemas.samples import BROKER_MS, KEY, event

NOT_OF_RECORDS = {
    "duplicate_key",
    "unknown_field",
    "bad_received_at",
    "digest_mismatch",
    "bad_model",
    "bad_merge",
    "bad_policy",
}
"""Of lines and of internal messages; `bad_model` and `bad_policy` are given by ingest, which reads the file."""


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: poison.name)
def test_poison_is_refused_for_its_reason(poison: Poison) -> None:
    with pytest.raises(Refused) as caught:
        decode_event(poison.value, poison.broker_ms, KEY)
    assert caught.value.reason == poison.reason
    with pytest.raises(Refused) as judged:
        judge_event(poison.value, poison.broker_ms, KEY)
    assert (judged.value.reason, judged.value.message) == (caught.value.reason, caught.value.message)


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: poison.name)
def test_words_are_short_and_fit_into_a_header(poison: Poison) -> None:
    with pytest.raises(Refused) as caught:
        decode_event(poison.value, poison.broker_ms, KEY)
    message = caught.value.message
    assert message
    assert len(message) < 250
    assert message.isprintable()
    message.encode()


def test_every_reason_is_reached() -> None:
    reached = {poison.reason for poison in POISON}
    assert reached | NOT_OF_RECORDS == set(get_args(ReasonName)) == set(REASONS)
    assert not reached & NOT_OF_RECORDS


def merge_of(message: dict[str, Any]) -> Merge:
    read = decode_internal(json.dumps(message).encode())
    assert isinstance(read, MergeRequest)
    return merge_row(read, 1)


def forwarded_of(message: dict[str, Any]) -> list[EventRow | ByHand]:
    read = decode_internal(json.dumps(message).encode())
    assert isinstance(read, ForwardRequest)
    return forwarded_rows(read)


def test_reasons_of_internal_messages() -> None:
    alarm = {"type": "alarm", "partition": 1}
    model = {"type": "model", "name": "m", "version": 1, "sha256": "0" * 64, "body": "model: m"}
    merge = {"type": "merge", "lead_id": "crm-17", "merged_from": "a:1", "number": 1, "body": "AgAA"}
    assert merge_of(merge).body == b"\x02\0\0"
    for change, reason in (
        ({"merged_from": "crm-16"}, "bad_merge"),
        ({"lead_id": "a:2"}, "bad_merge"),
        ({"lead_id": "e:1", "merged_from": "e:2"}, "bad_merge"),
        ({"body": "row"}, "bad_merge"),
        ({"number": 0}, "number_out_of_range"),
        ({"lead_id": "x" * 203}, "too_long"),
        ({"merged_from": ""}, "empty_text"),
    ):
        assert reason_of(lambda change=change: merge_of(merge | change)) == reason
    for rows in (b"", b"{}", encode_record(1, [Alarm(1)]), encode_record(1, [Link("a:1", 1, "crm-17", 0)])):
        forward = {"type": "forward", "rows": base64.b64encode(rows).decode() or "="}
        assert reason_of(lambda forward=forward: forwarded_of(forward)) == "bad_merge"
    assert reason_of(lambda: decode_internal(json.dumps(alarm | {"more": 1}).encode())) == "unknown_field"
    assert reason_of(lambda: decode_internal(json.dumps(model).encode())) == "digest_mismatch"
    policy = model | {"type": "policy"}
    assert reason_of(lambda: decode_internal(json.dumps(policy).encode())) == "digest_mismatch"
    assert reason_of(lambda: decode_internal(json.dumps(policy | {"body": ""}).encode())) == "empty_text"
    assert reason_of(lambda: decode_internal(json.dumps(model | {"sha256": "x"}).encode())) == "unknown_value"
    assert reason_of(lambda: decode_internal(json.dumps(alarm | {"partition": True}).encode())) == "wrong_type"
    assert reason_of(lambda: decode_internal(json.dumps(alarm | {"partition": -1}).encode())) == "number_out_of_range"
    assert reason_of(lambda: decode_internal(b'{"type": "alarms"}')) == "unknown_kind"
    assert reason_of(lambda: decode_internal(None)) == "null_value"


def by_hand_of(message: dict[str, Any]) -> ByHand:
    read = decode_internal(json.dumps(message).encode())
    assert isinstance(read, AssignRequest | ReleaseRequest)
    return by_hand_row(read, 1)


def test_reasons_of_hand_commands() -> None:
    assign = {"type": "assign", "lead_id": "crm-17", "event_id": "h-1", "owner": "ann"}
    assert by_hand_of(assign) == ByHand("crm-17", 1, "h-1", "ann")
    for change, reason in (
        ({"owner": None}, "missing_field"),
        ({"team": "desk"}, "missing_field"),
        ({"lead_id": None}, "missing_field"),
        ({"lead_id": ""}, "empty_text"),
        ({"lead_id": "x" * 203}, "too_long"),
        ({"event_id": None}, "missing_field"),
        ({"event_id": "x" * 201}, "too_long"),
        ({"owner": ""}, "empty_text"),
        ({"owner": "x" * 65}, "too_long"),
        ({"owner": 7}, "wrong_type"),
        ({"by": "x" * 1001}, "too_long"),
        ({"received_at": "2026-03-02T10:15:00Z"}, "unknown_field"),
        ({"type": "release"}, "unknown_field"),
    ):
        assert reason_of(lambda change=change: by_hand_of(assign | change)) == reason


def test_reasons_of_lines() -> None:
    assert reason_of(lambda: load_line(b'{"kind": "x", "kind": "x"}')) == "duplicate_key"
    assert reason_of(lambda: read_log_line({"type": "alarm", "received_at": "yesterday"})) == "bad_received_at"


def test_personal_values_stay_out_of_the_words() -> None:
    secret = "Ann.Smith-secret"
    spoilt = [
        event(event_id=secret * 20),
        event(lead={"email": secret}),
        event(lead={"email": f"{secret}@example.com" * 30}),
        event(lead={"lead_id": f"a:{secret}"}),
        event(kind=secret),
        event(url=[secret]),
        event(occurred_at=secret),
        event(kind="bounce", bounce_type=secret),
        event(kind="form_fill", fields={f"{secret}@example.com": 0.5}),
        event(kind="form_fill", fields={"name": [secret]}),
        event(title=f"{secret}\0"),
    ]
    for spoiled in spoilt:
        with pytest.raises(Refused) as caught:
            decode_event(json.dumps(spoiled).encode(), BROKER_MS, KEY)
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "members",
    [
        {"title": "=cmd()|' /C calc'!A0"},
        {"title": "\u202efdp.exe"},
        {"title": "👩\u200d👩\u200d👧\u200d👦 раураl"},
        {"x": {"deep": [[[[1.5, None, True]]]]}},
        {"x": "9" * 5000},
        {"lead": {"lead_id": "crm-17", "email": " Ann@Example.COM "}},
        {"title": "\\u0000 is only how it is written"},
        {"title": "\U0001f680 as an escaped pair"},
    ],
    ids=str,
)
def test_odd_and_harmless_is_taken_as_it_is(members: dict[str, object]) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(event() | members, ensure_ascii=ascii_only).encode()
        row = decode_event(raw, BROKER_MS, KEY)
        assert row == judge_event(raw, BROKER_MS, KEY)
        assert row.lead_id == "crm-17"
        assert getattr(row, "title", None) == members.get("title")


def test_numbers_in_unknown_members_are_not_read() -> None:
    for number in ("1e400", "9" * 5_000, "0.1"):
        raw = json.dumps(event()).encode()[:-1] + f',"x":{number}}}'.encode()
        row: EventRow = decode_event(raw, BROKER_MS, KEY)
        assert row == judge_event(raw, BROKER_MS, KEY)


def reason_of(call: object) -> str:
    assert callable(call)
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.reason
