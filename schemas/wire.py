r"""Bytes of a raw record to a row of the log: the hot path of ingest.

Good events are decoded by msgspec in one pass, bounds included. Whatever that pass does not like is read again by the
contract in `schemas.events`, which decides and words the refusal; so both ways must take the same events with the same
values, and a property test holds them to it.

>>> raw = b'{"event_id": "1", "kind": "download", "occurred_at": "2026-03-02T10:15:00Z", "asset": "a.pdf",' \
...     b'"lead": {"lead_id": "crm-17"}}'
>>> row = decode_event(raw, 1772446500000, b"key")
>>> row.lead_id, row.asset
('crm-17', 'a.pdf')
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.errors import Refused
from schemas.events import EVENT_ADAPTER, EventBase
from schemas.events_wire import AnyWireEvent, WireEvent
from schemas.judging import load_object, validate
from schemas.limits import MAX_AGE_MS, MAX_AHEAD_MS, MAX_DEPTH, MAX_EVENT_BYTES, MAX_TIME_MS
from schemas.links import Links
from schemas.log import EVENT_ROWS, EventRow
from schemas.naming import lead_name
from schemas.native_rows import NativeRow, read_event
from schemas.times import iso, parse_iso

__all__ = ["BACKSLASH", "contract_row", "decode_event", "judge_event", "log_row", "needs_care"]

_decode: Callable[[bytes], WireEvent] = msgspec.json.Decoder(AnyWireEvent).decode

_SHALLOW_BYTES = 2 * MAX_DEPTH
"""Too few for more brackets, opened and closed, than are allowed."""

BACKSLASH = ord("\\")
"""A number: CPython takes the bytes for one first, at ten times the time."""

_NOT_TAKEN = (msgspec.MsgspecError, ValueError, RecursionError)


def log_row(raw: bytes | None, received_at_ms: int, id_key: bytes, links: Links) -> EventRow | NativeRow:
    """What `decode_event` returns, for who only writes it to the log: most of it is encoded already, by native code.

    Args and Raises: See `decode_event`.
    """
    row = read_event(raw, received_at_ms)
    if row is not None and (
        row.is_named_once or links.knows(row.lead_id, row.email, row.anonymous_id, row.occurred_at_ms)
    ):
        return row
    return decode_event(raw, received_at_ms, id_key, links)


def decode_event(raw: bytes | None, received_at_ms: int, id_key: bytes, links: Links | None = None) -> EventRow:
    """The row of an event.

    Args:
        raw: Value of the raw record.
        received_at_ms: Broker time of the raw record.
        id_key: Key of the e-mail hash, not empty.
        links: Told of an event that names its lead in several ways.

    Raises:
        Refused: The event cannot be used.
    """
    if raw is not None and not (
        (len(raw) > _SHALLOW_BYTES or BACKSLASH in raw or not raw.isascii()) and needs_care(raw)
    ):
        try:
            event = _decode(raw)
            occurred_ms = parse_iso(event.occurred_at)
            if (
                -MAX_AHEAD_MS <= received_at_ms - occurred_ms <= MAX_AGE_MS
                and 0 <= occurred_ms <= MAX_TIME_MS
                and 0 <= received_at_ms <= MAX_TIME_MS
            ):
                lead = event.lead
                lead_id, email, anonymous_id = lead.lead_id, lead.email, lead.anonymous_id
                told = None if anonymous_id is None and email is None else links
                if told is not None and lead_id is not None and told.knows(lead_id, email, anonymous_id, occurred_ms):
                    return event.row(lead_id, received_at_ms, occurred_ms)
                name = lead_name(lead_id, email, anonymous_id, id_key)
                row = event.row(name, received_at_ms, occurred_ms)
                if told is not None:
                    if lead_id is not None:
                        told.note(name, email, anonymous_id, received_at_ms, occurred_ms)
                    elif email is not None and anonymous_id is not None:
                        told.note(name, None, anonymous_id, received_at_ms, occurred_ms)
                return row
        except _NOT_TAKEN:
            pass
    return judge_event(raw, received_at_ms, id_key, links)


def needs_care(raw: bytes) -> bool:
    """Whether there is something in the bytes that msgspec takes, at least in unknown members, and we do not."""
    if len(raw) > _SHALLOW_BYTES and (len(raw) > MAX_EVENT_BYTES or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH):
        return True
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            return True
    return BACKSLASH in raw and b"\\u0000" in raw


def judge_event(raw: bytes | None, received_at_ms: int, id_key: bytes, links: Links | None = None) -> EventRow:
    """The row of an event, by the contract itself: ten times as slow as `decode_event`, and the one that words.

    Raises:
        Refused: The event cannot be used.
    """
    if not 0 <= received_at_ms <= MAX_TIME_MS:
        raise Refused("bad_broker_time", f"the record's time is {received_at_ms} ms, not between 1970 and 9999")
    event = validate(EVENT_ADAPTER, load_object(raw, MAX_EVENT_BYTES))
    lead = event.lead
    name = lead_name(lead.lead_id, lead.email, lead.anonymous_id, id_key)
    occurred_ms = parse_iso(event.occurred_at)
    _check_age(occurred_ms, received_at_ms)
    row = contract_row(event, name, received_at_ms, occurred_ms)
    if links is not None and not name.startswith("a:"):
        email = None if lead.lead_id is None else lead.email
        links.note(name, email, lead.anonymous_id, received_at_ms, occurred_ms)
    return row


def _check_age(occurred_ms: int, received_ms: int) -> None:
    if not 0 <= occurred_ms <= MAX_TIME_MS:
        raise Refused("bad_time", "occurred_at is not between 1970 and 9999")
    if received_ms - occurred_ms > MAX_AGE_MS:
        message = f"occurred_at {iso(occurred_ms)} is more than 400 days before the record's time {iso(received_ms)}"
        raise Refused("time_too_old", message)
    if occurred_ms - received_ms > MAX_AHEAD_MS:
        message = (
            f"occurred_at {iso(occurred_ms)} is more than 10 minutes ahead of the record's time {iso(received_ms)}"
        )
        raise Refused("time_ahead", message)


_OF_EVERY_EVENT = frozenset(EventBase.model_fields)


def contract_row(event: EventBase, name: str, received_ms: int, occurred_ms: int) -> EventRow:
    """The row with the fields of its kind; what is null has the row's default."""
    fields: dict[str, Any] = {
        field: value for field, value in event if field not in _OF_EVERY_EVENT and value is not None
    }
    return EVENT_ROWS[event.kind](name, received_ms, occurred_ms, event.event_id, event.source or "", **fields)
