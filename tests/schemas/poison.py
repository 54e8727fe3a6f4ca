"""The poison corpus: bytes that must not get in, and why not. Also used against running workers."""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple

from schemas.limits import (
    MAX_AGE_MS,
    MAX_AHEAD_MS,
    MAX_DEPTH,
    MAX_DWELL_MS,
    MAX_EMAIL,
    MAX_EVENT_BYTES,
    MAX_FIELD_NAME,
    MAX_FIELD_TEXT,
    MAX_FIELDS,
    MAX_ID,
    MAX_TEXT,
    MAX_TIME_MS,
    MAX_URL,
)
from schemas.reasons import ReasonName
from schemas.times import iso
from tests.schemas.samples import BROKER_MS, event

__all__ = ["POISON", "Poison"]


class Poison(NamedTuple):
    """A raw record that cannot be used.

    Attributes:
        name: What is wrong with it.
        value: Of the record.
        reason: What it is refused for.
        broker_ms: Time of the record.
    """

    name: str
    value: bytes | None
    reason: ReasonName
    broker_ms: int = BROKER_MS


def _json(**members: Any) -> bytes:
    return json.dumps(event(**members)).encode()


def _with(text: str) -> bytes:
    """An event with this text among its members, as it is."""
    return b'{"x":' + text.encode("utf-8", "surrogatepass") + b"," + _json()[1:]


def _fields(fields: object) -> bytes:
    return _json(kind="form_fill", fields=fields)


def _profile(number: str) -> bytes:
    return _json(kind="profile", fields={"size": "@"}).replace(b'"@"', number.encode())


_BODIES = (
    Poison("tombstone", None, "null_value"),
    Poison("no bytes", b"", "empty_body"),
    Poison("blanks", b" \r\n\t ", "empty_body"),
    Poison("20 MB", b'{"x":"' + b"x" * 20_000_000 + b'"}', "too_large"),
    Poison("one byte too many", _json().ljust(MAX_EVENT_BYTES + 1), "too_large"),
    Poison("byte order mark", b"\xef\xbb\xbf" + _json(), "byte_order_mark"),
    Poison("gzip", gzip.compress(_json(), mtime=0), "bad_utf8"),
    Poison("UTF-16", json.dumps(event()).encode("utf-16"), "bad_utf8"),
    Poison("UTF-16 without a mark", json.dumps(event()).encode("utf-16-le"), "bad_json"),
    Poison("Latin-1", json.dumps(event(title="Müller"), ensure_ascii=False).encode("latin-1"), "bad_utf8"),
    Poison("not UTF-8 in an unknown member", _json(x="@").replace(b"@", b"\xff"), "bad_utf8"),
    Poison("not UTF-8 in an unknown name", _json(**{"@": 1}).replace(b"@", b"\xc0\x80"), "bad_utf8"),
    Poison("surrogate as bytes", _json(title="@").replace(b"@", b"\xed\xa0\x80"), "bad_utf8"),
    Poison("words", b"hello", "bad_json"),
    Poison("cut off", _json()[:-1], "bad_json"),
    Poison("something behind", _json() + b"{}", "bad_json"),
    Poison("a comma too many", _json()[:-1] + b",}", "bad_json"),
    Poison("single quotes", _json().replace(b'"', b"'"), "bad_json"),
    Poison("a control character", _json(title="@").replace(b"@", b"\x01"), "bad_json"),
    Poison("a zero byte in a text", _json(title="@").replace(b"@", b"\0"), "bad_json"),
    Poison("a zero byte behind", _json() + b"\0", "bad_json"),
    Poison("form encoded", b"event_id=1&kind=page_view", "bad_json"),
    Poison("Avro of a registry", b"\0\0\0\0\x01\x06abc", "bad_json"),
    Poison("depth 100,000", b"[" * 100_000, "too_deep"),
    Poison("depth bomb in an unknown member", _with("[" * MAX_DEPTH + "]" * MAX_DEPTH), "too_deep"),
    Poison("objects as depth bomb", _with('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH), "too_deep"),
    Poison("NaN", _profile("NaN"), "not_finite"),
    Poison("NaN in an unknown member", _with("NaN"), "not_finite"),
    Poison("-Infinity", _profile("-Infinity"), "not_finite"),
    Poison("1e400", _profile("1e400"), "not_finite"),
    Poison("null", b"null", "not_an_object"),
    Poison("array", b"[" + _json() + b"]", "not_an_object"),
    Poison("text", b'"event"', "not_an_object"),
    Poison("number", b"17", "not_an_object"),
    Poison("NUL", _json(title="a\0b"), "nul_character"),
    Poison("NUL in a name", _fields({"a\0b": "x"}), "nul_character"),
    Poison("NUL in an unknown member", _json(x="a\0b"), "nul_character"),
    Poison("lone surrogate", _json(title="\ud800"), "lone_surrogate"),
    Poison("lone low surrogate", _json(title="\udc00 x"), "lone_surrogate"),
    Poison("lone surrogate in an unknown member", _json(x=["\udbff"]), "lone_surrogate"),
    Poison("lone surrogate in an unknown name", _json(**{"\ud83d": 1}), "lone_surrogate"),
)

_MEMBERS = (
    Poison("no event_id", _json(event_id=None), "missing_field"),
    Poison("an empty object", b"{}", "missing_field"),
    Poison("no lead", _json(lead=None), "missing_field"),
    Poison("no url", json.dumps({**event(), "url": None}).encode(), "missing_field"),
    Poison("profile without fields", _json(kind="profile", fields=None), "missing_field"),
    Poison("unknown kind", _json(kind="page_views"), "unknown_kind"),
    Poison("kind in capitals", _json(kind="Page_View"), "unknown_kind"),
    Poison("kind twice, the last counts", _json()[:-1] + b',"kind":"x"}', "unknown_kind"),
    Poison("unknown bounce type", _json(kind="bounce", bounce_type="firm"), "unknown_value"),
    Poison("unknown activity", _json(kind="sales_activity", activity="WON"), "unknown_value"),
    Poison("kind as number", _json(kind=1), "wrong_type"),
    Poison("event_id as number", _json(event_id=17), "wrong_type"),
    Poison("lead as text", _json(lead="crm-17"), "wrong_type"),
    Poison("lead_id as number", _json(lead={"lead_id": 17}), "wrong_type"),
    Poison("time as number", _json(occurred_at=253_402_300_800), "wrong_type"),
    Poison("true for a number", _json(dwell_ms=True), "wrong_type"),
    Poison("text for a number", _json(dwell_ms="5"), "wrong_type"),
    Poison("number for true", _json(kind="email_open", machine=1), "wrong_type"),
    Poison("text for true", _json(kind="email_open", machine="true"), "wrong_type"),
    Poison("closed value of another type", _json(kind="bounce", bounce_type=["hard"]), "wrong_type"),
    Poison("fields as list", _fields([]), "wrong_type"),
    Poison("an object in fields", _fields({"a": {}}), "wrong_type"),
    Poison("a list in fields", _fields({"a": ["x"]}), "wrong_type"),
    Poison("1.0 for a number", _json(dwell_ms=1.0), "fractional_number"),
    Poison("1e3 for a number", _profile("1e3"), "fractional_number"),
    Poison("a fraction in fields", _profile("0.5"), "fractional_number"),
    Poison("-0.0", _profile("-0.0"), "fractional_number"),
    Poison("2^63", _profile("9223372036854775808"), "number_out_of_range"),
    Poison("2^64", _profile("18446744073709551616"), "number_out_of_range"),
    Poison("below 64 bits", _profile("-9223372036854775809"), "number_out_of_range"),
    Poison("5,000 digits", _profile("9" * 5_000), "number_out_of_range"),
    Poison("negative dwell_ms", _json(dwell_ms=-1), "number_out_of_range"),
    Poison("more than 400 days of dwell_ms", _json(dwell_ms=MAX_DWELL_MS + 1), "number_out_of_range"),
    Poison("empty event_id", _json(event_id=""), "empty_text"),
    Poison("empty lead_id", _json(lead={"lead_id": "", "email": "a@example.com"}), "empty_text"),
    Poison("empty url", _json(url=""), "empty_text"),
    Poison("empty name in fields", _fields({"": 1}), "empty_text"),
    Poison("long event_id", _json(event_id="x" * (MAX_ID + 1)), "too_long"),
    Poison("long url", _json(url="x" * (MAX_URL + 1)), "too_long"),
    Poison("long title", _json(title="ü" * (MAX_TEXT + 1)), "too_long"),
    Poison("email of 10 KB", _json(lead={"email": "x" * 10_000 + "@example.com"}), "too_long"),
    Poison("email one too long", _json(lead={"email": "@example.com".rjust(MAX_EMAIL + 1, "x")}), "too_long"),
    Poison("long text in fields", _fields({"a": "x" * (MAX_FIELD_TEXT + 1)}), "too_long"),
    Poison("long name in fields", _fields({"a" * (MAX_FIELD_NAME + 1): 1}), "too_long"),
    Poison("time of 10 KB", _json(occurred_at="2026-03-02T10:15:00." + "0" * 10_000 + "Z"), "too_long"),
    Poison("many fields", _fields({str(number): 1 for number in range(MAX_FIELDS + 1)}), "too_many_fields"),
)

_LEADS = (
    Poison("nobody", _json(lead={}), "no_lead_name"),
    Poison("nobody in three ways", _json(lead=dict.fromkeys(("lead_id", "email", "anonymous_id"))), "no_lead_name"),
    Poison("a name of a visitor as lead_id", _json(lead={"lead_id": "a:1"}), "reserved_lead_id"),
    Poison("a name of an address as lead_id", _json(lead={"lead_id": "e:00"}), "reserved_lead_id"),
    Poison("address without @", _json(lead={"email": "ann.example.com"}), "bad_email"),
    Poison("address with two @", _json(lead={"email": "ann@@example.com"}), "bad_email"),
    Poison("address with a blank", _json(lead={"email": "ann b@example.com"}), "bad_email"),
    Poison("two lines as address", _json(lead={"email": "ann@example.com\nb"}), "bad_email"),
    Poison("an empty address", _json(lead={"email": ""}), "bad_email"),
    Poison("a bad address beside a lead_id", _json(lead={"lead_id": "crm-17", "email": "@"}), "bad_email"),
)

_TIMES = (
    Poison("no such day", _json(occurred_at="2026-02-30T10:15:00Z"), "bad_time"),
    Poison("leap second", _json(occurred_at="2026-03-02T10:15:60Z"), "bad_time"),
    Poison("a date", _json(occurred_at="2026-03-02"), "bad_time"),
    Poison("empty time", _json(occurred_at=""), "bad_time"),
    Poison("milliseconds as text", _json(occurred_at=str(BROKER_MS)), "bad_time"),
    Poison("digits of another script", _json(occurred_at="２０２６-03-02T10:15:00Z"), "bad_time"),
    Poison("zone of 25 hours", _json(occurred_at="2026-03-02T10:15:00+25:00"), "bad_time"),
    Poison("before 1970", _json(occurred_at="1969-12-31T23:59:59Z"), "bad_time", 0),
    Poison("behind 9999", _json(occurred_at="9999-12-31T23:59:59-01:00"), "bad_time", MAX_TIME_MS),
    Poison("no zone", _json(occurred_at="2026-03-02T10:15:00"), "time_without_zone"),
    Poison("fraction without zone", _json(occurred_at="2026-03-02T10:15:00.5"), "time_without_zone"),
    Poison("401 days ago", _json(occurred_at=iso(BROKER_MS - MAX_AGE_MS - 1)), "time_too_old"),
    Poison("the year 1971", _json(occurred_at="1971-01-01T00:00:00Z"), "time_too_old"),
    Poison("11 minutes ahead", _json(occurred_at=iso(BROKER_MS + MAX_AHEAD_MS + 1)), "time_ahead"),
    Poison("the last day of 9999", _json(occurred_at="9999-12-31T00:00:00Z"), "time_ahead"),
    Poison("no broker time", _json(), "bad_broker_time", -1),
    Poison("far broker time", _json(), "bad_broker_time", MAX_TIME_MS + 1),
)

POISON = (*_BODIES, *_MEMBERS, *_LEADS, *_TIMES)
"""Every input by which a raw record can be refused."""
