"""Times as text and as milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import times
from schemas.limits import MAX_TIME_MS
from schemas.times import TimeWithoutZone, iso, parse_iso

FIRST, LAST = datetime(1971, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - hypothesis wants them without a zone
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(0, MAX_TIME_MS))
def test_there_and_back(ms: int) -> None:
    assert parse_iso(iso(ms)) == ms
    assert datetime.fromisoformat(iso(ms)) == EPOCH + timedelta(milliseconds=ms)


@given(st.datetimes(FIRST, LAST), st.integers(-1439, 1439))
def test_any_zone(local: datetime, minutes: int) -> None:
    zoned = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_iso(zoned.isoformat()) == (zoned - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00+00:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00.0019999Z", 1),
        ("1970-01-01T01:00:00.999+01:00", 999),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("9999-12-31T23:59:59.999Z", MAX_TIME_MS),
    ],
)
def test_texts_that_are_times(text: str, ms: int) -> None:
    assert parse_iso(text) == ms
    assert parse_iso(text) == ms, "the second time from what is kept"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02",
        "2026-03-02T10:15Z",
        "2026-03-02T10:15:00,5Z",
        "2026-03-02T10:15:00.Z",
        "2026-03-02T10:15:00 Z",
        "2026-03-02T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-03-02T10:15:60Z",
        "2026-03-02T10:15:00+24:00",
        "2026-03-02T10:15:00+01:60",
        "2026-03-02T10:15:00+0100",
        "2026-03-02T10:15:00Z\n",
        "20260302T101500Z",
        "0000-01-01T00:00:00Z",
        "٢٠٢٦-03-02T10:15:00Z",
        "2026-03-02T10:15:00." + "0" * 60 + "Z",
    ],
)
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the type is asked for below
        parse_iso(text)
    assert not isinstance(caught.value, TimeWithoutZone)


@given(
    st.sampled_from(["2026-03-02T10:15:00", "1999-12-31t23:59:59", "2024-02-29 00:00:00"]),
    st.one_of(st.text("0123456789.", max_size=12), st.integers(0, 40).map("7".__mul__)),
    st.sampled_from(["Z", "z", "+01:00", "-23:59", "", "5Z", "Z5", "+01:0", "٣Z"]),
)
@example("2026-03-02T10:15:00", "7" * 30, "Z")
@example("2026-03-02T10:15:00", "7" * 33, "Z")
def test_what_is_kept_takes_no_text_that_is_new_to_it(head: str, fraction: str, zone: str) -> None:
    """Looked up in pieces or read as a whole: the same answer."""
    text = f"{head}.{fraction}{zone}"
    for known in (f"{head}Z", f"{head}.000Z", f"{head}.123z", f"{head}+01:00", f"{head}.5-23:59"):
        parse_iso(known)
    assert _or_none(parse_iso, text) == _or_none(times._parse_new, text)


@given(st.text("0123456789:. Zz-", min_size=7, max_size=7))
@example(":59.999")
@example(":60.000")
@example(":00:000")
@example(":00. 00")
@example(":+5.000")
def test_within_a_minute_that_is_known(rest: str) -> None:
    minute = "2026-03-02T10:15"
    assert parse_iso(f"{minute}:00.000Z") == parse_iso(f"{minute}:00Z")
    assert _or_none(parse_iso, f"{minute}{rest}Z") == _or_none(times._parse_new, f"{minute}{rest}Z")


def _or_none(read: Callable[[str], int], text: str) -> int | None:
    try:
        return read(text)
    except ValueError:
        return None


@pytest.mark.parametrize("text", ["2026-03-02T10:15:00", "2026-03-02T10:15:00.123"])
def test_a_zone_is_needed(text: str) -> None:
    with pytest.raises(TimeWithoutZone):
        parse_iso(text)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_CACHE_SIZE", 10)
    for second in range(0, 50 * 90_000, 90_000):
        assert parse_iso(iso(second * 1000)) == second * 1000
    read = (times._plain_minutes_read, times._days_read, times._minutes_read, times._seconds_read, times._zones_read)
    for kept in (*read, times._days_written):
        assert len(kept) <= 10
