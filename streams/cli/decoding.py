"""Records of every topic as JSON lines: what `leadstream read` prints.

Each line begins with `partition` and `offset`. Then come, by topic:

* raw topics and `lead-internal`: `received_at` (the record's time) and the members of the event, so that what is
  read is what `leadstream score` takes; what is no JSON object as `key` and `value`;
* `lead-events`: the rows, one a line (`schemas.lines`);
* `lead-routing`: its rows, one a line (`schemas.routing_lines`);
* `lead-scores`, `tier-changes`, `lead-assignments`, `sla-events`: the members of the contract;
* the changelogs: rows, checkpoints, owners, the model or the policy, told apart by `type`;
* `dead-letters`: place, reason, message, headers, `key` and `value`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.dead_letters import DeadLetterHeaders, HeaderError, original_headers
from schemas.lines import log_lines
from schemas.routing_lines import routing_lines
from schemas.times import iso
from schemas.topics import (
    DEAD_LETTERS,
    LEAD_ASSIGNMENTS,
    LEAD_EVENTS,
    LEAD_ROUTING,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    ROUTES_CHANGELOG,
    SLA_EVENTS,
    TIER_CHANGES,
)
from streams.cli.changelog import changelog_line
from streams.cli.route_changelog import route_changelog_line
from streams.dead_letters import marked_offset
from streams.errors import InputError
from streams.topic_reader import Record

__all__ = ["decoder_of", "text_or_base64"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_PLACE = ("partition", "offset", "received_at")


def text_or_base64(content: bytes | None) -> str | dict[str, str] | None:
    """Bytes for JSON: as text where they are UTF-8, else `{"base64": …}`."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def decoder_of(topic: str) -> Callable[[Record], list[bytes]]:
    """What makes lines of the records of a topic, named without the prefix."""
    return _DECODERS.get(topic, _raw)


def _raw(record: Record) -> list[bytes]:
    """A record as its producer sent it. `received_at` is the broker's word, whatever the producer wrote there."""
    place = {"partition": record.partition, "offset": record.offset, "received_at": iso(record.timestamp_ms)}
    try:
        event = None if record.value is None else _decode(record.value)
    except msgspec.DecodeError:
        event = None
    if isinstance(event, dict):
        return [_encode(place | {name: value for name, value in event.items() if name not in _PLACE})]
    return [_encode(place | _bytes_of(record))]


def _contract(record: Record) -> list[bytes]:
    """Our own JSON objects, spliced: they are trusted, and there may be millions."""
    value = record.value
    if record.key is not None and record.key.startswith(b"\0"):
        return []  # a worker's claim on the partition, nothing for a reader
    if value is None or not value.startswith(b"{") or b"\n" in value:
        return [_encode({"partition": record.partition, "offset": record.offset} | _bytes_of(record))]
    return [b'{"partition":%d,"offset":%d,%s' % (record.partition, record.offset, value[1:])]


def _rows(topic: str, lines: Callable[[int, int, bytes | None], list[bytes]]) -> Callable[[Record], list[bytes]]:
    def decode(record: Record) -> list[bytes]:
        try:
            return lines(record.partition, record.offset, record.value)
        except ValueError as error:
            raise InputError(f"{topic} {record.partition}:{record.offset}: {error}") from error

    return decode


def _changelog(topic: str, line: Callable[[Record], dict[str, Any]]) -> Callable[[Record], list[bytes]]:
    def decode(record: Record) -> list[bytes]:
        try:
            return [_encode(line(record))]
        except ValueError as error:
            raise InputError(f"{topic} {record.partition}:{record.offset}: {error}") from error

    return decode


def _dead_letter(record: Record) -> list[bytes]:
    line: dict[str, Any] = {"partition": record.partition, "offset": record.offset, "at": iso(record.timestamp_ms)}
    try:
        why = DeadLetterHeaders.read(record.headers)
    except HeaderError:
        offset = marked_offset(record)
        line |= {"replayed": f"{record.partition}:{offset}"} if offset is not None else _bytes_of(record)
        return [_encode(line)]
    came_from = {"topic": why.topic, "partition": why.partition, "offset": why.offset}
    headers = [[name, text_or_base64(value)] for name, value in original_headers(record.headers)]
    return [
        _encode(
            line
            | {"reason": why.reason, "message": why.exception_message, "from": came_from, "headers": headers}
            | _bytes_of(record)
        )
    ]


def _bytes_of(record: Record) -> dict[str, Any]:
    return {"key": text_or_base64(record.key), "value": text_or_base64(record.value)}


_DECODERS: dict[str, Callable[[Record], list[bytes]]] = {
    LEAD_EVENTS: _rows(LEAD_EVENTS, log_lines),
    LEAD_ROUTING: _rows(LEAD_ROUTING, routing_lines),
    LEAD_SCORES: _contract,
    TIER_CHANGES: _contract,
    LEAD_ASSIGNMENTS: _contract,
    SLA_EVENTS: _contract,
    LEADS_CHANGELOG: _changelog(LEADS_CHANGELOG, changelog_line),
    ROUTES_CHANGELOG: _changelog(ROUTES_CHANGELOG, route_changelog_line),
    DEAD_LETTERS: _dead_letter,
}
