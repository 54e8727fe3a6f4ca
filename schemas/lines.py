"""Lines of JSON: what a file may have in it, and the rows of the log as text.

A log line says where the row is (`partition`, `offset`, `index` in its record), the record's `safe`, and the row:

    {"partition": 3, "offset": 17, "index": 0, "safe": "2026-03-02T10:15:00.000Z", "type": "event", "lead_id": "crm-17",
     "received_at": "2026-03-02T10:15:00.120Z", "occurred_at": "2026-03-02T10:15:00.000Z", "event_id": "9f0c",
     "kind": "download", "asset": "a.pdf"}

Other types: `alarm` (`received_at` alone), `model` and `policy` (`name`, `version`, `sha256`, `body`), `link`
(`lead_id`, `owner`, `hour`), `merge` (`lead_id`, `merged_from`, `number`, `body` in base64), `assign` (`lead_id`,
`event_id`, `owner` or `team`, `by`), `release` and `backfill` (`lead_id`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, cast

import msgspec
from pydantic import TypeAdapter

from schemas.errors import Refused
from schemas.events import EVENT_ADAPTER
from schemas.events_wire import WIRE_EVENTS
from schemas.internal import (
    AssignRequest,
    ModelRequest,
    PolicyRequest,
    ReleaseRequest,
    by_hand_row,
    check_digest,
)
from schemas.judging import load_object, validate
from schemas.limits import MAX_ID, MAX_INT, MAX_LINE_BYTES, MAX_TIME_MS
from schemas.log import (
    EVENT_ROWS,
    Alarm,
    Backfill,
    ByHand,
    EventRow,
    Link,
    LogRow,
    Merge,
    ModelControl,
    NextPolicy,
    decode_record,
)
from schemas.reasons import ReasonName
from schemas.times import TimeWithoutZone, iso, parse_iso
from schemas.wire import contract_row, needs_care

__all__ = ["LogLine", "is_log_line", "load_line", "log_lines", "read_log_line"]

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode

_HEAD = EventRow.__struct_fields__
_FIELDS = {row_type: row_type.__struct_fields__[len(_HEAD) :] for row_type in EVENT_ROWS.values()}
_NESTING = (dict, list)
_LAST_PARTITION = 2**31 - 1
_LONGEST_NAME = MAX_ID + len("a:")

_SOMEBODY = {"anonymous_id": "named already"}
"""The contract of events wants to name the lead; a log line's lead has its name."""

_files: dict[str, tuple[TypeAdapter[Any], type[ModelControl] | type[NextPolicy]]] = {
    "model": (TypeAdapter(ModelRequest), ModelControl),
    "policy": (TypeAdapter(PolicyRequest), NextPolicy),
}
_hands: dict[str, type[AssignRequest] | type[ReleaseRequest]] = {"assign": AssignRequest, "release": ReleaseRequest}


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A row of the log and its place.

    Attributes:
        partition: Of `lead-events`.
        offset: Of the record.
        index: Of the row in its record.
        safe_ms: The record's word on time; see `schemas.log`.
        row: The row.
    """

    partition: int
    offset: int
    index: int
    safe_ms: int
    row: LogRow


def log_lines(partition: int, offset: int, value: bytes | None) -> list[bytes]:
    """The lines of one record of `lead-events`, without line ends.

    Raises:
        LogCodecError: The value is no record of the log.
    """
    safe_ms, rows = decode_record(value)
    safe = iso(safe_ms)
    return [
        _encode({"partition": partition, "offset": offset, "index": index, "safe": safe} | _members(row))
        for index, row in enumerate(rows)
    ]


def _members(row: LogRow) -> dict[str, Any]:
    received_at = iso(row.received_at_ms)
    if isinstance(row, EventRow):
        members = {
            "type": "event",
            "lead_id": row.lead_id,
            "received_at": received_at,
            "occurred_at": iso(row.occurred_at_ms),
            "event_id": row.event_id,
            "kind": row.kind,
            "source": row.source or None,
        }
        members |= {name: getattr(row, name) for name in _FIELDS[type(row)]}
        return {name: value for name, value in members.items() if value is not None}
    if isinstance(row, Alarm):
        return {"type": "alarm", "received_at": received_at}
    if isinstance(row, ModelControl | NextPolicy):
        kind, name = ("model", row.model) if isinstance(row, ModelControl) else ("policy", row.policy)
        file = {"name": name, "version": row.version, "sha256": row.sha256, "body": row.body}
        return {"type": kind, "received_at": received_at} | file
    lead = {"lead_id": row.lead_id, "received_at": received_at}
    if isinstance(row, Link):
        return {"type": "link"} | lead | {"owner": row.owner, "hour": iso(row.hour_ms)}
    if isinstance(row, Backfill):
        return {"type": "backfill"} | lead
    if isinstance(row, ByHand):
        rest = {"event_id": row.event_id, "owner": row.owner, "team": row.team, "by": row.by}
        kind = "release" if row.owner is None and row.team is None else "assign"
        return {"type": kind} | lead | {name: value for name, value in rest.items() if value is not None}
    body = base64.b64encode(row.body).decode()
    return {"type": "merge"} | lead | {"merged_from": row.merged_from, "number": row.number, "body": body}


def load_line(raw: bytes) -> dict[str, Any]:
    """The JSON object of a line that is not blank; no object in it has a key twice.

    Args:
        raw: An event or a log line, without its end.

    Raises:
        Refused: The line is no JSON object, has a key twice, or has in it what no text may have.
    """
    if needs_care(raw):
        members = load_object(raw, MAX_LINE_BYTES)
    else:
        try:
            members = _decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            members = load_object(raw, MAX_LINE_BYTES)
    _check_keys(raw, members)
    return members


def _check_keys(raw: bytes, members: dict[str, Any]) -> None:
    """Refuses a line in which an object has a key twice.

    Decoding keeps one of the two, so the line then has more keys than what was decoded. Keys are counted as `":`,
    which is exact but where a text has that in it, or a blank may stand before a colon: such a line is read again
    with care. That costs a tenth of reading every line with care.
    """
    blank_before_colon = b'" ' in raw or b"\t" in raw or raw.find(b"\r", 0, -1) >= 0 or raw.find(b"\n", 0, -1) >= 0
    if not blank_before_colon and raw.count(b'":') == _count_keys(members):
        return
    json.loads(raw, object_pairs_hook=_unique, parse_int=len)


def _count_keys(value: Any) -> int:
    count = 0
    if isinstance(value, dict):
        count = len(value)
        value = value.values()
    for member in value:
        if isinstance(member, _NESTING):
            count += _count_keys(member)
    return count


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("duplicate_key", "a key stands twice in one object; write it once")
    return members


def is_log_line(members: dict[str, Any]) -> bool:
    """Whether a line is a row of the log; else it is an event, perhaps with the place where `read` found it."""
    return "lead_id" in members or ("type" in members and "partition" in members)


def read_log_line(members: dict[str, Any]) -> LogLine:
    """The row of a log line.

    Args:
        members: As `load_line` gives them.

    Raises:
        Refused: It is none.
    """
    received_ms = _time(members, "received_at", "bad_received_at")
    return LogLine(
        _whole(members, "partition", _LAST_PARTITION),
        _whole(members, "offset", MAX_INT),
        _whole(members, "index", MAX_INT),
        _time(members, "safe", "bad_time"),
        _row(members, received_ms),
    )


def _row(members: dict[str, Any], received_ms: int) -> LogRow:
    kind = members.get("type")
    if kind == "event":
        return _event(members, received_ms)
    if kind == "alarm":
        return Alarm(received_ms)
    if isinstance(kind, str) and kind in _files:
        contract, row_type = _files[kind]
        file = validate(contract, {name: members.get(name) for name in ModelRequest.model_fields})
        check_digest(file)
        return row_type(received_ms, file.name, file.version, file.sha256, file.body)
    if isinstance(kind, str) and kind in _hands:
        contract = TypeAdapter(_hands[kind])
        given = {name: members[name] for name in _hands[kind].model_fields if name in members}
        return by_hand_row(validate(contract, given), received_ms)
    if kind == "link":
        hour_ms = _time(members, "hour", "bad_time")
        return Link(_name(members, "lead_id"), received_ms, _name(members, "owner"), hour_ms)
    if kind == "merge":
        body = _body(members)
        number = _whole(members, "number", MAX_INT)
        return Merge(_name(members, "lead_id"), received_ms, _name(members, "merged_from"), body, number)
    if kind == "backfill":
        return Backfill(_name(members, "lead_id"), received_ms)
    if kind is None:
        raise Refused(
            "missing_field", "type is missing; a line with lead_id or partition is taken for a row of the log"
        )
    if not isinstance(kind, str):
        raise Refused("wrong_type", "type is not a text")
    raise Refused(
        "unknown_kind",
        "there is no such type of line; known: event, alarm, model, policy, link, merge, assign, release, backfill",
    )


def _body(members: dict[str, Any]) -> bytes:
    text = members.get("body")
    if text is None:
        raise Refused("missing_field", "body is missing")
    if not isinstance(text, str):
        raise Refused("wrong_type", "body is not a text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("bad_merge", "body is no base64") from error


def _name(members: dict[str, Any], member: str) -> str:
    """The name of a lead."""
    name = members.get(member)
    if name is None:
        raise Refused("missing_field", f"{member} is missing")
    if not isinstance(name, str):
        raise Refused("wrong_type", f"{member} is not a text")
    if not name:
        raise Refused("empty_text", f"{member} is empty")
    if len(name) > _LONGEST_NAME:
        raise Refused("too_long", f"{member} has {len(name)} characters; at most {_LONGEST_NAME} are taken")
    return name


def _event(members: dict[str, Any], received_ms: int) -> LogRow:
    name = _name(members, "lead_id")
    occurred_ms = _time(members, "occurred_at", "bad_time")
    try:
        event = msgspec.convert({**members, "lead": _SOMEBODY}, WIRE_EVENTS[members["kind"]])
    except (msgspec.ValidationError, KeyError, TypeError):
        judged = validate(EVENT_ADAPTER, {**members, "lead": _SOMEBODY})
        return cast("LogRow", contract_row(judged, name, received_ms, occurred_ms))
    return cast("LogRow", event.row(name, received_ms, occurred_ms))


def _time(members: dict[str, Any], name: str, reason: ReasonName) -> int:
    text = members.get(name)
    if text is None:
        raise Refused("missing_field", f"{name} is missing")
    if not isinstance(text, str):
        raise Refused(reason, f"{name} is no text; write it like 2026-03-02T10:15:00Z")
    try:
        ms = parse_iso(text)
    except TimeWithoutZone as error:
        raise Refused(reason, f"{name} does not say its zone; add Z or +01:00") from error
    except ValueError as error:
        raise Refused(reason, f"{name} is no time; write it like 2026-03-02T10:15:00Z") from error
    if not 0 <= ms <= MAX_TIME_MS:
        raise Refused(reason, f"{name} is not between 1970 and 9999")
    return ms


def _whole(members: dict[str, Any], name: str, most: int) -> int:
    value = members.get(name)
    if value is None:
        raise Refused("missing_field", f"{name} is missing")
    if isinstance(value, float):
        raise Refused("fractional_number", f"{name} has a fraction or an exponent; write a whole number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("wrong_type", f"{name} is no number")
    if not 0 <= value <= most:
        raise Refused("number_out_of_range", f"{name} must be from 0 to {most}")
    return value
