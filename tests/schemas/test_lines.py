"""Lines of files: stricter than records, and rows of the log as text and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.limits import MAX_LINE_BYTES
from schemas.lines import LogLine, is_log_line, load_line, log_lines, read_log_line
from schemas.log import Alarm, LogCodecError, PageView, encode_record
from tests.schemas.samples import BROKER_MS, event

AT = "2026-03-02T10:15:00.000Z"
LINE: dict[str, Any] = {
    "partition": 3,
    "offset": 17,
    "index": 0,
    "safe": AT,
    "type": "event",
    "lead_id": "a:browser-1",
    "received_at": AT,
    "occurred_at": AT,
    "event_id": "ev-1",
    "kind": "page_view",
    "url": "https://example.com/",
}


def refused(line: bytes | dict[str, Any]) -> tuple[str, str]:
    raw = line if isinstance(line, bytes) else json.dumps(line).encode()
    with pytest.raises(Refused) as caught:
        read_log_line(load_line(raw))
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"b":{"c":1,"c":1}}',
        b'{"b":[{"c":1,"c":1}]}',
        b'{"a" :1,"a" :2}',
        b'{"a"\t:1,"a":2}',
        b'{"a"\r:1,"a":2}',
        b'{"a"\n:1,"a":2}',
        b'{"x":"\\":","a":1,"a" :1}',
        b'{"a":1,"\\u0061":2}',
    ],
)
def test_a_key_twice_is_refused(raw: bytes) -> None:
    assert refused(raw) == ("duplicate_key", "a key stands twice in one object; write it once")


@pytest.mark.parametrize(
    "members",
    [
        {"a": 1, "b": {"a": 1, "b": [{"a": 1}, {"a": 1}]}},
        {"x": '":":":"', '":': 1},
        {"x": "\\", "y": 'say "hi" : there'},
        {},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_the_same_key_in_other_objects_is_fine(members: dict[str, Any], separators: tuple[str, str]) -> None:
    assert load_line(json.dumps(members, separators=separators).encode() + b"\r") == members


pairs = st.recursive(
    st.sampled_from(['"a":1', '"b" :"\\":"', '"c": "x" ', '"\\u0061":2', '"d"\t:null']),
    lambda inner: (
        st.builds('"{}":{{{}}}'.format, st.sampled_from("abc"), st.lists(inner, max_size=3).map(",".join))
        | st.builds('"{}":[{{{}}}]'.format, st.sampled_from("abc"), st.lists(inner, max_size=3).map(",".join))
    ),
)


@pytest.mark.property
@settings(max_examples=500, deadline=None)
@given(st.lists(pairs, max_size=5).map(",".join))
def test_keys_are_counted_right(inside: str) -> None:
    raw = f"{{{inside}}}".encode()
    twice: list[bool] = []

    def note(found: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.append(len(dict(found)) < len(found))
        return dict(found)

    members = json.loads(raw, object_pairs_hook=note)
    if any(twice):
        with pytest.raises(Refused, match="duplicate_key"):
            load_line(raw)
    else:
        assert load_line(raw) == members


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b" ", "empty_body"),
        (b"[]", "not_an_object"),
        (b"{", "bad_json"),
        (b'{"a":"\\u0000"}', "nul_character"),
        (b'{"a":"\\ud800"}', "lone_surrogate"),
        (b'{"a":"\xff"}', "bad_utf8"),
        (b'{"a":NaN}', "not_finite"),
        (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "too_deep"),
        (b" " * (MAX_LINE_BYTES + 1), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_record_may_have_no_line_may_have(raw: bytes, reason: str) -> None:
    assert refused(raw)[0] == reason


def test_large_lines_are_taken() -> None:
    body = "#" * (300 * 1024)
    assert load_line(json.dumps({"body": body}).encode()) == {"body": body}


def test_rows_are_told_from_events() -> None:
    assert is_log_line(LINE)
    assert is_log_line({"partition": 1, "type": "alarm"})
    assert not is_log_line(event())
    assert not is_log_line({"partition": 1, "offset": 2, "received_at": AT} | event())


def test_a_row_with_the_least_that_is_needed() -> None:
    row = PageView("a:browser-1", BROKER_MS, BROKER_MS, "ev-1", "", "https://example.com/")
    assert read_log_line(load_line(json.dumps(LINE).encode())) == LogLine(3, 17, 0, BROKER_MS, row)


def test_unknown_members_and_nulls_are_ignored() -> None:
    assert read_log_line(LINE | {"title": None, "note": [1]}) == read_log_line(LINE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"partition": None}, ("missing_field", "partition is missing")),
        ({"partition": "3"}, ("wrong_type", "partition is no number")),
        ({"partition": True}, ("wrong_type", "partition is no number")),
        ({"offset": -1}, ("number_out_of_range", f"offset must be from 0 to {2**63 - 1}")),
        ({"offset": 1.0}, ("fractional_number", "offset has a fraction or an exponent; write a whole number")),
        ({"index": None}, ("missing_field", "index is missing")),
        ({"safe": None}, ("missing_field", "safe is missing")),
        ({"safe": "2026-03-02T10:15:00"}, ("bad_time", "safe does not say its zone; add Z or +01:00")),
        ({"received_at": 5}, ("bad_received_at", "received_at is no text; write it like 2026-03-02T10:15:00Z")),
        ({"received_at": "x"}, ("bad_received_at", "received_at is no time; write it like 2026-03-02T10:15:00Z")),
        ({"received_at": "1969-01-01T00:00:00Z"}, ("bad_received_at", "received_at is not between 1970 and 9999")),
        ({"occurred_at": "x"}, ("bad_time", "occurred_at is no time; write it like 2026-03-02T10:15:00Z")),
        ({"lead_id": None}, ("missing_field", "lead_id is missing")),
        ({"lead_id": 5}, ("wrong_type", "lead_id is not a text")),
        ({"lead_id": ""}, ("empty_text", "lead_id is empty")),
        ({"lead_id": "x" * 203}, ("too_long", "lead_id has 203 characters; at most 202 are taken")),
        ({"url": None}, ("missing_field", "url is missing")),
        (
            {"dwell_ms": 0.5},
            ("fractional_number", "dwell_ms has a fraction or an exponent; send a whole number, or text"),
        ),
        ({"kind": None}, ("missing_field", "kind is missing")),
        ({"kind": ["page_view"]}, ("wrong_type", "kind is an array, not a text")),
        (
            {"type": None},
            ("missing_field", "type is missing; a line with lead_id or partition is taken for a row of the log"),
        ),
        ({"type": 1}, ("wrong_type", "type is not a text")),
        (
            {"type": "x"},
            (
                "unknown_kind",
                "there is no such type of line; known: event, alarm, model, policy, link, merge, assign, release, "
                "backfill",
            ),
        ),
        ({"type": "merge"}, ("missing_field", "body is missing")),
        ({"type": "merge", "body": "row"}, ("bad_merge", "body is no base64")),
        ({"type": "link", "hour": AT}, ("missing_field", "owner is missing")),
        ({"type": "link", "owner": "", "hour": AT}, ("empty_text", "owner is empty")),
        ({"type": "model", "name": "m", "version": 1}, ("missing_field", "sha256 is missing")),
        (
            {"type": "model", "name": "m", "version": 1, "sha256": "0" * 64, "body": "x"},
            ("digest_mismatch", "sha256 of model version 1 is not that of its body"),
        ),
    ],
    ids=str,
)
def test_what_is_no_row_is_refused_in_words(change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert refused(LINE | change) == expected


def test_an_unknown_kind_of_event_is_refused() -> None:
    assert refused(LINE | {"kind": "page_views"})[0] == "unknown_kind"


def test_a_record_that_is_none_is_named() -> None:
    with pytest.raises(LogCodecError, match="codec byte 123"):
        log_lines(0, 0, b"{}")
    with pytest.raises(LogCodecError, match="an empty value"):
        log_lines(0, 0, None)


def test_rows_of_one_record_are_lines_in_order() -> None:
    lines = [json.loads(line) for line in log_lines(1, 2, encode_record(BROKER_MS, [Alarm(BROKER_MS)] * 3))]
    assert [line["index"] for line in lines] == [0, 1, 2]
    assert lines[0] == {
        "partition": 1,
        "offset": 2,
        "index": 0,
        "safe": AT,
        "type": "alarm",
        "received_at": AT,
    }
