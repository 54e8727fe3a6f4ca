"""Native code makes the row that `decode_event` makes, byte for byte, or leaves the event to it.

There is native code where leadstream is compiled: `tests/scoring/test_compiled.py` runs these tests.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.events import EVENTS
from schemas.limits import MAX_AGE_MS, MAX_AHEAD_MS, MAX_FIELD_NAME, MAX_FIELD_TEXT, MAX_ID, MAX_TEXT, MAX_TIME_MS
from schemas.links import Links
from schemas.log import EventRow, Link, LogRow, decode_record, encode_record
from schemas.naming import HOUR_MS, partition_of
from schemas.native_rows import NativeRow, read_event
from schemas.times import iso
from schemas.wire import decode_event, log_row
from tests.schemas.samples import BROKER_MS, FULL, KEY, REQUIRED, event
from tests.schemas.test_both_ways import CASES, outcome, raw_events

PLACES = 7


def row_of(raw: bytes, received_ms: int = BROKER_MS) -> NativeRow:
    """The native row of an event that has one: the same as the plain one."""
    row = read_event(raw, received_ms)
    assert row is not None
    check(row, raw, received_ms)
    return row


def check(row: NativeRow, raw: bytes, received_ms: int = BROKER_MS) -> None:
    plain = decode_event(raw, received_ms, KEY)
    assert bytes(row) == msgspec.msgpack.encode(plain)
    for name in ("kind", "lead_id", "received_at_ms", "occurred_at_ms"):
        assert getattr(row, name) == getattr(plain, name), name
    assert row.lead_crc % PLACES == partition_of(plain.lead_id, PLACES)
    lead = json.loads(raw)["lead"]
    assert (row.email, row.anonymous_id) == (lead.get("email"), lead.get("anonymous_id"))
    assert row.is_named_once == (row.email is None and row.anonymous_id is None)


@settings(max_examples=5 * CASES, deadline=None)
@given(raw_events())
def test_what_is_taken_is_what_the_plain_way_takes(raw: bytes) -> None:
    row = read_event(raw, BROKER_MS)
    if row is None:
        return
    plain = outcome(decode_event, raw)
    if isinstance(plain, EventRow):
        check(row, raw)
    else:  # `log_row` asks whether the address was looked at before
        assert row.email
        assert plain[0] == "bad_email"


@pytest.mark.parametrize("source", [None, "", "mail"])
@pytest.mark.parametrize("fields_of", [FULL, REQUIRED], ids=["full", "required"])
@pytest.mark.parametrize("kind", EVENTS)
def test_events_of_every_kind_are_taken(kind: str, fields_of: dict[str, Any], source: str | None) -> None:
    whole = event(kind, **fields_of[kind], source=source, ip="::1", tries=3, lead={"lead_id": "Änne", "phone": "1"})
    nulls = dict.fromkeys(EVENTS[kind].model_fields.keys() - whole.keys())
    for raw in (
        json.dumps(whole, ensure_ascii=False),
        json.dumps(nulls | whole, ensure_ascii=False, indent=2),
        json.dumps(dict(reversed(whole.items())), ensure_ascii=False, separators=(",", ":")) + "\r\n\t ",
    ):
        assert row_of(raw.encode()).lead_id == "Änne"


@settings(max_examples=CASES, deadline=None)
@given(st.integers(0, MAX_TIME_MS), st.sampled_from(["milliseconds", "seconds"]))
def test_times_of_every_year_are_taken(occurred_ms: int, to: str) -> None:
    if to == "seconds":
        occurred_ms -= occurred_ms % 1000
    text = iso(occurred_ms) if to == "milliseconds" else iso(occurred_ms).replace(".000Z", "Z")
    assert row_of(json.dumps(event(occurred_at=text)).encode(), occurred_ms).occurred_at_ms == occurred_ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T10:15:00Z",
        "2026-13-01T10:15:00Z",
        "2026-03-00T10:15:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T10:60:00Z",
        "2026-03-02T10:15:60Z",
        "2026-03-02t10:15:00Z",
        "2026-03-02T10:15:00.00Z",
        "2026-03-02T10:15:00.000z",
        "2026-03-02T10:15:0:Z",
        "2026-03-02T11:15:00+01:00",
        "1969-12-31T23:59:59Z",
    ],
)
def test_other_times_are_left_to_others(text: str) -> None:
    assert read_event(json.dumps(event(occurred_at=text)).encode(), BROKER_MS) is None


@pytest.mark.parametrize(("away_ms", "taken"), [(-MAX_AGE_MS, True), (-MAX_AGE_MS - 1, False)])
def test_no_event_is_too_old(away_ms: int, taken: bool) -> None:
    raw = json.dumps(event(occurred_at=iso(BROKER_MS + away_ms))).encode()
    assert (read_event(raw, BROKER_MS) is not None) == taken


@pytest.mark.parametrize(("away_ms", "taken"), [(MAX_AHEAD_MS, True), (MAX_AHEAD_MS + 1, False)])
def test_no_event_is_too_far_ahead(away_ms: int, taken: bool) -> None:
    raw = json.dumps(event(occurred_at=iso(BROKER_MS + away_ms))).encode()
    assert (read_event(raw, BROKER_MS) is not None) == taken


@pytest.mark.parametrize(
    ("members", "most"),
    [
        (lambda text: {"event_id": text}, MAX_ID),
        (lambda text: {"lead": {"lead_id": text}}, MAX_ID),
        (lambda text: {"source": text}, MAX_ID),
        (lambda text: {"title": text}, MAX_TEXT),
        (lambda text: {"kind": "profile", "fields": {text: 1}}, MAX_FIELD_NAME),
        (lambda text: {"kind": "profile", "fields": {"x": text}}, MAX_FIELD_TEXT),
    ],
)
def test_no_text_is_longer_than_its_bound(members: Any, most: int) -> None:
    row_of(json.dumps(event(**members("x" * most))).encode())
    assert read_event(json.dumps(event(**members("x" * (most + 1)))).encode(), BROKER_MS) is None


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_that_ends_too_early_or_goes_on_is_left_to_others(kind: str) -> None:
    raw = json.dumps(event(kind, **FULL[kind]), ensure_ascii=False).encode()
    for end in range(len(raw)):
        assert read_event(raw[:end], BROKER_MS) is None
    for more in (b"{", b"}", b",", b"\0", b"x"):
        assert read_event(raw + more, BROKER_MS) is None


def test_what_is_none_of_its_business_is_left_to_others() -> None:
    raw = json.dumps(event()).encode()
    for spoilt in (None, b"", b"null", b"[]", b"{}", raw + b" " * 8192):
        assert read_event(spoilt, BROKER_MS) is None
    for received_ms in (-1, MAX_TIME_MS + 1, 2**63, -(2**64)):
        assert read_event(raw, received_ms) is None
    with pytest.raises(TypeError):
        read_event(raw, "now")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        NativeRow()


leads = st.fixed_dictionaries(
    {"lead_id": st.sampled_from(["crm-1", "crm-2"])},
    optional={
        "email": st.sampled_from(["ann@example.com", " Ann@Example.com", "nobody"]),
        "anonymous_id": st.sampled_from(["browser-1", "browser-2", ""]),
    },
)


@settings(max_examples=CASES, deadline=None)
@given(st.lists(st.tuples(leads, st.integers(-3, 0)), min_size=1, max_size=12))
def test_who_is_who_is_said_as_the_plain_way_says_it(story: list[tuple[dict[str, str], int]]) -> None:
    times = [iso(BROKER_MS + hours * HOUR_MS) for _, hours in story]
    raws = [json.dumps(event(lead=lead, occurred_at=at)).encode() for (lead, _), at in zip(story, times, strict=True)]
    assert _told(log_row, raws) == _told(decode_event, raws)


def _told(way: Any, raws: list[bytes]) -> tuple[list[bytes | str], list[Link]]:
    links = Links(KEY)
    found: list[bytes | str] = []
    for raw in raws:
        try:
            row: EventRow | NativeRow = way(raw, BROKER_MS, KEY, links)
        except Refused as refused:
            found.append(refused.reason)
        else:
            found.append(bytes(row) if isinstance(row, NativeRow) else msgspec.msgpack.encode(row))
    return found, links.taken()


@settings(max_examples=CASES, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=120), st.integers(0, MAX_TIME_MS))
def test_a_record_is_the_same_whoever_made_its_rows(natives: list[bool], safe_ms: int) -> None:
    raws = [json.dumps(event(event_id=f"ev-{number}")).encode() for number in range(len(natives))]
    plain: list[LogRow] = [decode_event(raw, BROKER_MS, KEY) for raw in raws]  # type: ignore[misc]  # of these kinds
    mixed = [row_of(raw) if native else row for native, raw, row in zip(natives, raws, plain, strict=True)]
    record = encode_record(safe_ms, mixed)
    assert record == encode_record(safe_ms, plain)
    assert decode_record(record) == (safe_ms, plain)
