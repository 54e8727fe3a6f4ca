"""Event lines that need no closer look, decoded in one pass: nearly all are such, and cost half as much.

A line is plain where every key is known, stands once, and has a value. Without escapes every text, keys included, has
two quotes in the bytes, and decoding tells which texts there are. Whatever else is in a line brings more quotes: an
unknown key, one whose value is null, one that stands twice. So where the numbers agree there is nothing else.

>>> line = b'{"event_id": "1", "kind": "download", "occurred_at": "2026-03-02T10:15:00Z", "asset": "a.pdf",'
>>> plain_event(line + b'"lead": {"lead_id": "l"}}')[0].event_id
'1'
>>> plain_event(line + b'"asset": "b.pdf", "lead": {"lead_id": "l"}}') is None
True
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from schemas.events_wire import WIRE_EVENTS, AnyWireEvent, WireEvent
from schemas.limits import MAX_EVENT_BYTES
from schemas.wire import BACKSLASH

__all__ = ["plain_event"]


class _Place(msgspec.Struct, gc=False):
    """What `leadstream read` puts into the line of an event."""

    received_at: str | None = None
    partition: int | None = None
    offset: int | None = None


_decode: Callable[[bytes], WireEvent] = msgspec.json.Decoder(AnyWireEvent).decode
_decode_place: Callable[[bytes], _Place] = msgspec.json.Decoder(_Place).decode

_ALWAYS = ("event_id", "occurred_at", "lead")
_KEYS_AND_KIND = 5
"""The keys of these and of `kind`, and its value."""

_NO_TEXT = ("dwell_ms", "machine", "fields")
"""Members whose value is no text."""


def _texts_counter(event_type: type[WireEvent]) -> Callable[[WireEvent], int]:
    """What counts the texts of an event, keys included, those of `lead` not."""
    texts = [name for name in event_type.__struct_fields__ if name not in (*_ALWAYS, *_NO_TEXT)]
    values: Callable[[Any], tuple[object, ...]] = attrgetter("event_id", "occurred_at", *texts)
    most = _KEYS_AND_KIND + 2 + 2 * len(texts)
    other = next((name for name in event_type.__struct_fields__ if name in _NO_TEXT), None)

    def count(event: Any) -> int:
        return most - 2 * values(event).count(None)

    def count_flag(event: Any) -> int:
        return most - 2 * values(event).count(None) + (flag(event) is not None)

    def count_fields(event: Any) -> int:
        fields = event.fields
        inside = 0 if fields is None else 1 + len(fields) + sum(value.__class__ is str for value in fields.values())
        return most - 2 * values(event).count(None) + inside

    if other == "fields":
        return count_fields
    if other is None:
        return count
    flag = attrgetter(other)
    return count_flag


_COUNTERS = {event_type: _texts_counter(event_type) for event_type in WIRE_EVENTS.values()}


def plain_event(raw: bytes) -> tuple[WireEvent, str | None] | None:
    """The event of a line and its `received_at`; None where the line must be looked at more closely.

    What is returned has the bounds of the contract, but its times and the name of its lead are not looked at yet.
    """
    if BACKSLASH in raw or len(raw) > MAX_EVENT_BYTES:
        return None
    try:
        event = _decode(raw)
        place = _decode_place(raw) if raw.find(b'"received_at"') >= 0 else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    lead = event.lead
    texts = _COUNTERS[type(event)](event) + 6 - 2 * (lead.lead_id, lead.email, lead.anonymous_id).count(None)
    received_at = None
    if place is not None:
        received_at = place.received_at
        texts += 4 - (received_at, received_at, place.partition, place.offset).count(None)
    return (event, received_at) if raw.count(b'"') == 2 * texts else None
