"""Records of the route stage's changelog as members of a JSON line, told apart by `type`."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.times import iso
from scoring.memo import ModelRow
from scoring.points import NEVER
from scoring.routing.desk import OWNER_PREFIX, TEAM_PREFIX
from scoring.routing.memo import POLICY_KEY, decode_memo
from scoring.routing.state import Clock, LeadRow, decode_lead
from streams.cli.changelog import line_of, owner_members
from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, decode_checkpoint
from streams.topic_reader import Record

__all__ = ["route_changelog_line"]

_decode = msgspec.msgpack.Decoder().decode


def route_changelog_line(record: Record) -> dict[str, Any]:
    """`lead`, `person`, `team`, `policy`, `checkpoint`, `owner`, or `deleted` where there is no value.

    Raises:
        ValueError: It cannot be read, or is of a newer version.
    """
    return line_of(record, _MEMBERS, _row)


def _row(key: bytes, value: bytes) -> dict[str, Any]:
    for prefix, kind in ((OWNER_PREFIX, "person"), (TEAM_PREFIX, "team")):
        if key.startswith(prefix):
            _, *state = _decode(value)
            return {"type": kind, "name": key.removeprefix(prefix).decode(), "state": state}
    row = decode_lead(value)
    due = None if row.due >= NEVER else iso(row.due)
    members = _members(row) | {"clock": None if row.clock is None else _members(row.clock), "due_next": due}
    return {"type": "lead", "lead_id": key.decode()} | members


def _members(struct: LeadRow | Clock) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(struct, name)) for name in struct.__struct_fields__}


def _checkpoint(_: bytes, value: bytes) -> dict[str, Any]:
    found = decode_checkpoint(value)
    memo = decode_memo(found.memo)
    times = {str(number): iso(time) for number, time in sorted(memo.times.items())}
    line: dict[str, Any] = {"type": "checkpoint", "next_offset": found.offset, "next_index": found.index}
    line |= {"log_time": iso(memo.log_time_ms), "policy_version": memo.version, "score_partitions": memo.partitions}
    return line | {"score_log_times": times}


def _policy(_: bytes, value: bytes) -> dict[str, Any]:
    found = ModelRow.decode(value)
    policy = {"name": found.name, "version": found.version, "sha256": found.sha256}
    return {"type": "policy"} | policy | {"body": found.text}


_MEMBERS = {CHECKPOINT_KEY: _checkpoint, OWNER_KEY: owner_members, POLICY_KEY: _policy}
