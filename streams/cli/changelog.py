"""Records of the score stage's changelog as members of a JSON line, told apart by `type`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.times import iso
from scoring.memo import MODEL_BEFORE_KEY, MODEL_KEY, ModelRow, decode_memo
from scoring.row_codec import row_members
from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, decode_checkpoint, decode_owner
from streams.engine.errors import StateRefused
from streams.topic_reader import Record

__all__ = ["changelog_line", "line_of", "owner_members"]

Members = Callable[[bytes, bytes], dict[str, Any]]
"""From key and value of a record to what is told of it."""


def changelog_line(record: Record) -> dict[str, Any]:
    """`lead` (a lead's row), `checkpoint`, `owner`, `model`, `model_before`, or `deleted` where there is no value.

    Raises:
        ValueError: It cannot be read, or is of a newer version.
    """
    return line_of(record, _MEMBERS, _lead)


def line_of(record: Record, members: Mapping[bytes, Members], other: Members) -> dict[str, Any]:
    """The line of a changelog record, by what its key is."""
    place = {"partition": record.partition, "offset": record.offset}
    key, value = record.key or b"", record.value
    if value is None:
        return place | {"type": "deleted", "key": key.decode(errors="replace")}
    try:
        return place | members.get(key, other)(key, value)
    except StateRefused as error:
        raise ValueError(str(error)) from error


def _lead(key: bytes, value: bytes) -> dict[str, Any]:
    return {"type": "lead", "lead_id": key.decode()} | row_members(value)


def _checkpoint(_: bytes, value: bytes) -> dict[str, Any]:
    found = decode_checkpoint(value)
    memo = decode_memo(found.memo)
    line: dict[str, Any] = {"type": "checkpoint", "next_offset": found.offset, "next_index": found.index}
    line |= {"log_time": iso(memo.log_time_ms), "model_version": memo.version}
    if memo.reassess_at_ms is not None:
        line |= {"reassess_at": iso(memo.reassess_at_ms), "reassess_after": memo.reassess_after}
    return line


def owner_members(_: bytes, value: bytes) -> dict[str, Any]:
    """Who has taken a partition over."""
    found = decode_owner(value)
    owner = {"process": found.process, "generation": found.generation}
    return {"type": "owner"} | owner | {"producer_id": found.producer_id, "epoch": found.epoch}


def _model(key: bytes, value: bytes) -> dict[str, Any]:
    found = ModelRow.decode(value)
    kind = "model" if key == MODEL_KEY else "model_before"
    return {"type": kind, "name": found.name, "version": found.version, "sha256": found.sha256, "body": found.text}


_MEMBERS = {CHECKPOINT_KEY: _checkpoint, OWNER_KEY: owner_members, MODEL_KEY: _model, MODEL_BEFORE_KEY: _model}
