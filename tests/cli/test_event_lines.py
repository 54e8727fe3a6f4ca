"""Lines of files: the quick way takes what the careful way takes, and log time is the lines'."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.limits import MAX_AGE_MS
from schemas.lines import load_line
from schemas.log import EventRow
from schemas.times import iso
from streams.event_lines import EventLines
from streams.plain_lines import plain_event
from tests.schemas.poison import POISON, Poison
from tests.schemas.samples import BROKER_MS, FULL, KEY, REQUIRED, event
from tests.schemas.test_both_ways import raw_events

CASES = int(os.environ.get("LEADSTREAM_PROPERTY_CASES", "1000"))

PLACE = {"received_at": iso(BROKER_MS), "partition": 3, "offset": 17}

OF_BROKER_TIME = {"time_too_old", "time_ahead", "bad_broker_time"}
POISON_LINES = [poison for poison in POISON if poison.value is not None and poison.reason not in OF_BROKER_TIME]


def line_of(**members: Any) -> bytes:
    return json.dumps(event(**members)).encode()


def outcome(lines: EventLines, raw: bytes, *, careful: bool) -> tuple[EventRow | tuple[str, str], int | None]:
    """What reading a line gives, and the log time behind it."""
    try:
        row = lines.read(raw, load_line(raw)) if careful else lines.read(raw)
    except Refused as refused:
        return (refused.reason, refused.message), lines.log_time_ms
    return row, lines.log_time_ms


received = st.sampled_from(
    [iso(BROKER_MS + away) for away in (-MAX_AGE_MS, -1000, 0, 600_000, 600_001, MAX_AGE_MS + 1)]
    + [None, 5, "", "2026-03-02T10:15:00", "9999-12-31T23:59:59-23:59"]
)
MORE = [
    b'"kind":"download",',
    b'"event_id" :"2",',
    b'"\\u006bind":"profile",',
    b'"lead_id":"x",',
    b'"partition":1,"type":"event",',
    b'"offset":"1",',
    b'"x":"\\":",',
    b'"source":"\\":",',
    b'"source":"a\\u0000",',
    b'"source":null,',
]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line that is an event, nearly one, or no JSON."""
    raw = draw(raw_events())
    place = {name: draw(received if name == "received_at" else st.integers(0, 9)) for name in draw(st.sets(names))}
    more = [json.dumps(place)[1:-1].encode() + b","] if place else []
    more += draw(st.lists(st.sampled_from(MORE), max_size=2))
    if raw.startswith(b"{"):
        raw = b"{" + b"".join(more) + raw[1:]
    if draw(st.booleans()):
        raw = raw.replace(b": ", b":").replace(b", ", b",")
    return raw.replace(b"\n", b" ") + draw(st.sampled_from([b"", b"\r"]))


names = st.sampled_from(sorted(PLACE))


@pytest.mark.property
@settings(max_examples=CASES, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=4))
@example([line_of()[:-1] + b',"event_id" :"2","event_id":"3"}'])
@example([line_of(received_at=iso(BROKER_MS))[:-1] + b',"received_at":"2026-03-02T10:15:01Z"}'])
def test_the_quick_way_and_the_careful_way_have_the_same_outcome(raws: list[bytes]) -> None:
    quick, careful = EventLines(KEY), EventLines(KEY)
    for raw in raws:
        assert outcome(quick, raw, careful=False) == outcome(careful, raw, careful=True)


@pytest.mark.parametrize("poison", POISON_LINES, ids=lambda poison: poison.name)
def test_the_poison_corpus_is_refused_in_both_ways(poison: Poison) -> None:
    assert poison.value is not None
    raw = poison.value.replace(b"\n", b" ")

    found, _ = outcome(EventLines(KEY), raw, careful=False)

    assert found == outcome(EventLines(KEY), raw, careful=True)[0]
    assert isinstance(found, tuple)
    assert found[0] == ("duplicate_key" if "twice" in poison.name else poison.reason)


@pytest.mark.parametrize("place", [{}, PLACE], ids=["sent", "read"])
@pytest.mark.parametrize("kind", FULL)
def test_every_kind_is_plain(kind: str, place: dict[str, Any]) -> None:
    for fields in (FULL[kind], REQUIRED[kind]):
        with_values = {"fields": {"seats": 20, "company": "株式会社"}} if "fields" in fields else {}
        raw = json.dumps(event(kind, **fields) | with_values | place, ensure_ascii=False).encode()
        assert plain_event(raw) is not None
        assert plain_event(raw.replace(b": ", b":").replace(b", ", b",") + b"\r") is not None
        assert plain_event(raw.replace(b'": ', b'"\t : ')) is not None


@pytest.mark.parametrize(
    "raw",
    [
        line_of(unknown=1),
        line_of(source=None),
        line_of()[:-1] + b',"event_id":"2"}',
        line_of(source="é"),
        line_of(source='say "hi"'),
        b"",
        b"nothing",
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_way(raw: bytes) -> None:
    assert plain_event(raw) is None


def test_log_time_is_the_latest_received_at_else_occurred_at() -> None:
    lines = EventLines(KEY)

    first = lines.read(line_of(occurred_at=iso(BROKER_MS)))
    early = lines.read(line_of(occurred_at=iso(BROKER_MS - 5_000)))
    given_early = lines.read(line_of(occurred_at=iso(BROKER_MS - 5_000), received_at=iso(BROKER_MS - 1_000)))
    given_late = lines.read(line_of(occurred_at=iso(BROKER_MS - 5_000), received_at=iso(BROKER_MS + 7_000)))

    assert [row.received_at_ms - BROKER_MS for row in (first, early, given_early, given_late)] == [0, 0, 0, 7_000]
    assert lines.log_time_ms == BROKER_MS + 7_000


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"occurred_at": iso(BROKER_MS + MAX_AGE_MS + 1)}, "time_ahead"),
        ({"occurred_at": iso(BROKER_MS - MAX_AGE_MS - 1)}, "time_too_old"),
        ({"received_at": iso(BROKER_MS + 2 * MAX_AGE_MS)}, "time_too_old"),
        ({"received_at": "yesterday"}, "bad_received_at"),
        ({"received_at": "1969-12-31T23:59:59Z"}, "bad_received_at"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "bad_time"),
        ({"lead": {}, "occurred_at": iso(BROKER_MS + 1)}, "no_lead_name"),
    ],
)
def test_a_refused_line_moves_no_clock(members: dict[str, Any], reason: str) -> None:
    lines = EventLines(KEY)
    lines.read(line_of(occurred_at=iso(BROKER_MS)))

    with pytest.raises(Refused, match=reason):
        lines.read(line_of(**members))

    assert lines.log_time_ms == BROKER_MS
