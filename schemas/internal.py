"""Messages of `lead-internal`: what workers and commands ask of ingest. Closed JSON objects, told apart by `type`.

>>> decode_internal(encode_alarm(3))
AlarmRequest(partition=3, type='alarm')
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, TypeAdapter

from schemas.errors import Refused
from schemas.judging import load_object, validate
from schemas.limits import MAX_ID, MAX_INT, MAX_INTERNAL_BYTES, MAX_MODEL_BYTES, MAX_NAME
from schemas.log import EventRow, LogCodecError, Merge, decode_record, encode_record
from schemas.naming import is_weaker

__all__ = [
    "MAX_FORWARD_BYTES",
    "AlarmRequest",
    "ForwardRequest",
    "InternalMessage",
    "MergeRequest",
    "ModelRequest",
    "check_digest",
    "decode_internal",
    "encode_alarm",
    "encode_forward",
    "encode_merge",
    "encode_model",
    "forwarded_rows",
    "merge_row",
]

_LAST_PARTITION = 2**31 - 1


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AlarmRequest(_Closed):
    """A partition of `lead-events` asks for time: the record is carried there behind everything older."""

    partition: Annotated[int, Field(ge=0, le=_LAST_PARTITION)]
    type: Literal["alarm"] = "alarm"


class ModelRequest(_Closed):
    """The next scoring model, for every partition. Taken from partition 0 only."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    version: Annotated[int, Field(ge=1, le=MAX_INT)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    body: Annotated[str, StringConstraints(min_length=1, max_length=MAX_MODEL_BYTES)]
    type: Literal["model"] = "model"


_Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID + len("a:"))]
_Base64 = Annotated[str, StringConstraints(min_length=1, max_length=MAX_INTERNAL_BYTES)]

MAX_FORWARD_BYTES = 400_000
"""A message with several events is no larger than this."""


class MergeRequest(_Closed):
    """What an alias had learnt, on its way to its owner."""

    lead_id: Annotated[_Name, Field(description="The owner")]
    merged_from: Annotated[_Name, Field(description="The alias, a weaker name")]
    number: Annotated[int, Field(ge=1, le=MAX_INT, description="1, 2, 3 … per alias")]
    body: Annotated[_Base64, Field(description="The alias's row of the table, base64")]
    type: Literal["merge"] = "merge"


class ForwardRequest(_Closed):
    """Events that came for an alias after it was linked, on their way to its owner."""

    rows: Annotated[_Base64, Field(description="A record of `lead-events` with rows of events of the owner, base64")]
    type: Literal["forward"] = "forward"


AnyRequest = AlarmRequest | ModelRequest | MergeRequest | ForwardRequest
InternalMessage = Annotated[AnyRequest, Discriminator("type")]
_messages: TypeAdapter[AnyRequest] = TypeAdapter(InternalMessage)
_encode = msgspec.json.Encoder().encode


def encode_alarm(partition: int) -> bytes:
    """The value that asks for time for a partition of `lead-events`."""
    return _encode({"type": "alarm", "partition": partition})


def encode_model(name: str, version: int, sha256: str, body: str) -> bytes:
    """The value that brings the next model.

    Args:
        name: As in the file.
        version: As in the file.
        sha256: Of the file's bytes, hexadecimal.
        body: The file.
    """
    return _encode({"type": "model", "name": name, "version": version, "sha256": sha256, "body": body})


def encode_merge(merge: Merge) -> bytes:
    """The value that brings an alias's row to its owner."""
    body = base64.b64encode(merge.body).decode()
    return _encode(
        {
            "type": "merge",
            "lead_id": merge.lead_id,
            "merged_from": merge.merged_from,
            "number": merge.number,
            "body": body,
        }
    )


def encode_forward(rows: Sequence[EventRow]) -> bytes:
    """The value that brings events of an alias to its owner; `lead_id` of each is the owner already."""
    record = encode_record(0, list(rows))  # type: ignore[arg-type]  # every event row is a log row
    return _encode({"type": "forward", "rows": base64.b64encode(record).decode()})


def merge_row(message: MergeRequest, received_ms: int) -> Merge:
    """The row of the log.

    Raises:
        Refused: `bad_merge`: it goes from a stronger name to a weaker one, or has no body.
    """
    if not is_weaker(message.merged_from, message.lead_id):
        raise Refused("bad_merge", "merged_from is not a weaker name than lead_id: a visitor, an address, an id")
    return Merge(message.lead_id, received_ms, message.merged_from, _bytes(message.body), message.number)


def forwarded_rows(message: ForwardRequest) -> list[EventRow]:
    """The rows of the log.

    Raises:
        Refused: `bad_merge`: they are no events.
    """
    try:
        _, rows = decode_record(_bytes(message.rows))
    except LogCodecError as error:
        raise Refused("bad_merge", "rows cannot be read as a record of lead-events") from error
    events: list[EventRow] = [row for row in rows if isinstance(row, EventRow)]
    if len(events) != len(rows):
        raise Refused("bad_merge", "rows has something else than events in it")
    return events


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("bad_merge", "what should be base64 is not") from error


def decode_internal(raw: bytes | None) -> AnyRequest:
    """The message of a record.

    Raises:
        Refused: It is none; reasons as for events, and `unknown_field`, `digest_mismatch`.
    """
    message = validate(_messages, load_object(raw, MAX_INTERNAL_BYTES))
    if isinstance(message, ModelRequest):
        check_digest(message)
    return message


def check_digest(model: ModelRequest) -> None:
    """Refuses a model whose body is not the one that its digest was taken of.

    Raises:
        Refused: `digest_mismatch`.
    """
    if hashlib.sha256(model.body.encode()).hexdigest() != model.sha256:
        raise Refused("digest_mismatch", f"sha256 of model version {model.version} is not that of its body")
