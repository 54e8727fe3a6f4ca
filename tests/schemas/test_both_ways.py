"""The fast decoder and the contract take the same events, with the same values."""

from __future__ import annotations

import json
import os
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.events import EVENT_ADAPTER, EVENTS, EventBase
from schemas.events_wire import WIRE_EVENTS, AnyWireEvent, WireEvent
from schemas.limits import (
    MAX_AGE_MS,
    MAX_AGENT,
    MAX_AHEAD_MS,
    MAX_DWELL_MS,
    MAX_EMAIL,
    MAX_FIELD_NAME,
    MAX_FIELD_TEXT,
    MAX_FIELDS,
    MAX_ID,
    MAX_INT,
    MAX_TEXT,
    MAX_URL,
    MIN_INT,
)
from schemas.log import EVENT_ROWS, EventRow
from schemas.times import iso
from schemas.wire import decode_event, judge_event
from tests.schemas.samples import BROKER_MS, FULL, KEY, REQUIRED, event

CASES = int(os.environ.get("LEADSTREAM_PROPERTY_CASES", "1000"))

HUGGED = sorted({0, 1, MAX_ID, MAX_TEXT, MAX_AGENT, MAX_URL, MAX_EMAIL, MAX_FIELD_TEXT, MAX_FIELD_NAME})


def texts() -> st.SearchStrategy[str]:
    lengths = st.sampled_from([length + by for length in HUGGED for by in (-1, 0, 1) if length + by >= 0])
    return st.one_of(
        st.text(st.characters(codec=None), max_size=30),
        st.builds(lambda char, length: char * length, st.sampled_from(["x", "ü", "🚀", "\0", '"', "\\"]), lengths),
        st.sampled_from(["a:1", "e:1", "ann@example.com", " ANN@example.com ", "a@b@c", "hard", "won", "\ud800"]),
    )


numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, MAX_DWELL_MS, MAX_DWELL_MS + 1, MIN_INT, MIN_INT - 1, MAX_INT, MAX_INT + 1, 2**64]),
)
times = st.one_of(
    st.integers(BROKER_MS - MAX_AGE_MS - 2, BROKER_MS + MAX_AHEAD_MS + 2).map(iso),
    st.sampled_from([-MAX_AGE_MS - 1, -MAX_AGE_MS, 0, MAX_AHEAD_MS, MAX_AHEAD_MS + 1]).map(
        lambda away: iso(BROKER_MS + away)
    ),
    st.sampled_from(["2026-03-02T10:15:00", "2026-03-02T11:15:00.123456789+01:00", "2026-03-02 10:15:00z", "x"]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts())
values = st.one_of(
    scalars,
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3)),
    st.dictionaries(texts(), scalars, max_size=4),
    st.integers(MAX_FIELDS - 1, MAX_FIELDS + 1).map(lambda count: {str(number): number for number in range(count)}),
)
leads = st.dictionaries(st.sampled_from(["lead_id", "email", "anonymous_id", "phone"]), texts() | st.none(), max_size=4)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of a known kind in which some members are right and some are anything."""
    kind = draw(st.sampled_from(sorted(FULL)))
    whole = event(kind, **draw(st.sampled_from([FULL, REQUIRED]))[kind])
    names = sorted({*EVENTS[kind].model_fields, "unknown"} - {"kind"})
    for name in draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        whole[name] = draw({"occurred_at": times, "lead": leads}.get(name, values) | values)
    for name in draw(st.lists(st.sampled_from(names), max_size=1)):
        whole.pop(name, None)
    return whole


@st.composite
def raw_events(draw: st.DrawFn) -> bytes:
    """An event as bytes, sometimes with some of them changed."""
    text = json.dumps(draw(events()), ensure_ascii=draw(st.booleans()))
    raw = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(raw) - 1))
        cut = draw(st.sampled_from([0, 1, 2]))
        raw[place : place + cut] = draw(
            st.sampled_from(
                [b"", b"0", b".", b'"', b"\\", b"\\u", b"{", b"]", b",", b" ", b"\n", b"\xff", b"\xc3", b"e9"]
            )
        )
    return bytes(raw)


def outcome(decode: Any, raw: bytes) -> EventRow | tuple[str, str]:
    try:
        row: EventRow = decode(raw, BROKER_MS, KEY)
    except Refused as refused:
        return refused.reason, refused.message
    return row


@pytest.mark.property
@settings(max_examples=CASES, deadline=None)
@given(raw_events())
@example(
    b'{"lead":{"lead_id":"x"},"kind":"download","asset":"a","kind":"download","event_id":"1",'
    b'"occurred_at":"2026-03-02T10:15:00Z","asset":"b"}'
)
def test_both_ways_have_the_same_outcome(raw: bytes) -> None:
    fast, judged = outcome(decode_event, raw), outcome(judge_event, raw)
    assert fast == judged
    assert type(fast) is type(judged)
    if isinstance(fast, EventRow):
        assert [type(value) for value in values_of(fast)] == [type(value) for value in values_of(judged)]


def values_of(row: Any) -> list[object]:
    found = [getattr(row, name) for name in row.__struct_fields__]
    return [*found, *getattr(row, "fields", {}).values()]


@pytest.mark.parametrize("fields_of", [FULL, REQUIRED], ids=["full", "required"])
@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_takes_the_fast_way(kind: str, fields_of: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps(event(kind, **fields_of[kind])).encode()
    judged = judge_event(raw, BROKER_MS, KEY)

    def not_now(*_: object) -> None:
        pytest.fail("the fast decoder did not take it")

    monkeypatch.setattr("schemas.wire.judge_event", not_now)
    row = decode_event(raw, BROKER_MS, KEY)
    assert row == judged
    assert type(row) is EVENT_ROWS[kind]
    for name, value in fields_of[kind].items():
        assert getattr(row, name) == value


def test_null_is_the_same_as_missing() -> None:
    for kind, required in REQUIRED.items():
        nulls = dict.fromkeys(EVENTS[kind].model_fields.keys() - event(kind).keys())
        with_nulls = json.dumps(event(kind) | nulls).encode()
        assert decode_event(with_nulls, BROKER_MS, KEY) == decode_event(
            json.dumps(event(kind)).encode(), BROKER_MS, KEY
        )
        for name in (*required, "event_id", "occurred_at", "lead", "kind"):
            for spoilt in (
                event(kind) | {name: None},
                {key: value for key, value in event(kind).items() if key != name},
            ):
                assert outcome(decode_event, json.dumps(spoilt).encode()) == ("missing_field", f"{name} is missing")


def test_contract_decoder_and_log_have_the_same_fields() -> None:
    kinds = set(EVENTS)
    assert kinds == set(WIRE_EVENTS) == set(EVENT_ROWS)
    assert len(get_args(AnyWireEvent)) == len(kinds)
    common = set(EventBase.model_fields) - {"kind"}
    assert set(WireEvent.__struct_fields__) == common
    for kind in kinds:
        own = set(EVENTS[kind].model_fields) - common - {"kind"}
        assert set(WIRE_EVENTS[kind].__struct_fields__) - common == own
        assert set(EVENT_ROWS[kind].__struct_fields__) - set(EventRow.__struct_fields__) == own


def test_the_last_of_two_equal_keys_counts() -> None:
    raw = json.dumps(event("download", asset="first.pdf")).encode()[:-1] + b',"asset":"last.pdf"}'
    row: Any = decode_event(raw, BROKER_MS, KEY)
    assert row.asset == "last.pdf"


def test_the_adapter_knows_every_kind() -> None:
    for kind in FULL:
        assert type(EVENT_ADAPTER.validate_python(event(kind))) is EVENTS[kind]
