"""Event lines that need no closer look, decoded in one pass: nearly all are such, and cost half as much.

A line is plain where every key is known, stands once, and has a value. Decoding tells which members have a value, and
the bytes tell how many keys there are: where the two agree, no key is unknown, null, or there twice.

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

__all__ = ["plain_event"]


class _Place(msgspec.Struct, gc=False):
    """What `leadstream read` puts into the line of an event."""

    received_at: str | None = None
    partition: int | None = None
    offset: int | None = None


_decode: Callable[[bytes], WireEvent] = msgspec.json.Decoder(AnyWireEvent).decode
_decode_place: Callable[[bytes], _Place] = msgspec.json.Decoder(_Place).decode

_ALWAYS = ("kind", "event_id", "occurred_at", "lead")


def _counter(event_type: type[WireEvent]) -> Callable[[WireEvent], int]:
    """What counts the members that have a value, those of `fields` included, those of `lead` not."""
    names = [name for name in event_type.__struct_fields__ if name not in _ALWAYS]
    members: Callable[[Any], tuple[object, ...]] = attrgetter(*names)
    most = len(_ALWAYS) + len(names)
    if "fields" not in names:
        return lambda event: most - members(event).count(None)

    def count(event: Any) -> int:
        fields = event.fields
        return most - members(event).count(None) + (0 if fields is None else len(fields))

    return count


_COUNTERS = {event_type: _counter(event_type) for event_type in WIRE_EVENTS.values()}


def plain_event(raw: bytes) -> tuple[WireEvent, str | None] | None:
    """The event of a line and its `received_at`; None where the line must be looked at more closely.

    What is returned has the bounds of the contract, but its times and the name of its lead are not looked at yet.
    """
    # An escape may hide a key or half a character; a blank may stand between a key and its colon.
    if len(raw) > MAX_EVENT_BYTES or (b"\\" in raw and b"\\u" in raw):
        return None
    if b'" ' in raw or b"\t" in raw or raw.find(b"\r", 0, -1) >= 0:
        return None
    try:
        event = _decode(raw)
        place = _decode_place(raw) if b'"received_at":' in raw else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    lead = event.lead
    keys = _COUNTERS[type(event)](event) + 3 - (lead.lead_id, lead.email, lead.anonymous_id).count(None)
    received_at = None
    if place is not None:
        received_at = place.received_at
        keys += 3 - (received_at, place.partition, place.offset).count(None)
    return (event, received_at) if raw.count(b'":') == keys else None
