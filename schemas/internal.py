"""Messages of `lead-internal`: what workers and commands ask of ingest. Closed JSON objects, told apart by `type`.

>>> decode_internal(encode_alarm(3))
AlarmRequest(partition=3, type='alarm')
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, TypeAdapter

from schemas.errors import Refused
from schemas.judging import load_object, validate
from schemas.limits import MAX_INT, MAX_INTERNAL_BYTES, MAX_MODEL_BYTES, MAX_NAME

__all__ = [
    "AlarmRequest",
    "InternalMessage",
    "ModelRequest",
    "check_digest",
    "decode_internal",
    "encode_alarm",
    "encode_model",
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


InternalMessage = Annotated[AlarmRequest | ModelRequest, Discriminator("type")]
_messages: TypeAdapter[AlarmRequest | ModelRequest] = TypeAdapter(InternalMessage)
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


def decode_internal(raw: bytes | None) -> AlarmRequest | ModelRequest:
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
