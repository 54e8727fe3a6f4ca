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
from schemas.limits import MAX_ID, MAX_INT, MAX_INTERNAL_BYTES, MAX_MODEL_BYTES, MAX_NAME, MAX_TEXT
from schemas.log import ByHand, EventRow, LogCodecError, Merge, decode_record, encode_record
from schemas.naming import is_weaker

__all__ = [
    "MAX_FORWARD_BYTES",
    "AlarmRequest",
    "AssignRequest",
    "BackfillRequest",
    "ForwardRequest",
    "InternalMessage",
    "MergeRequest",
    "ModelRequest",
    "PolicyRequest",
    "ReleaseRequest",
    "by_hand_row",
    "check_digest",
    "decode_internal",
    "encode_alarm",
    "encode_assign",
    "encode_backfill",
    "encode_forward",
    "encode_merge",
    "encode_model",
    "encode_policy",
    "encode_release",
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


class _File(_Closed):
    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    version: Annotated[int, Field(ge=1, le=MAX_INT)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    body: Annotated[str, StringConstraints(min_length=1, max_length=MAX_MODEL_BYTES)]


class ModelRequest(_File):
    """The next scoring model, for every partition. Taken from partition 0 only."""

    type: Literal["model"] = "model"


class PolicyRequest(_File):
    """The next routing policy, for partition 0. Taken from partition 0 only."""

    type: Literal["policy"] = "policy"


_Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID + len("a:"))]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
_PolicyName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
_Who = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
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
    """Events and hand commands that came for an alias after it was linked, on their way to its owner."""

    rows: Annotated[
        _Base64, Field(description="A record of `lead-events` with events and hand commands of the owner, base64")
    ]
    type: Literal["forward"] = "forward"


class AssignRequest(_Closed):
    """Somebody gives a lead to an owner, or to whom a team picks: one of the two."""

    lead_id: _Name
    event_id: Annotated[_Id, Field(description="The same command has the same id, however often it is sent")]
    owner: _PolicyName | None = None
    team: _PolicyName | None = None
    by: Annotated[_Who | None, Field(description="Who did it")] = None
    type: Literal["assign"] = "assign"


class ReleaseRequest(_Closed):
    """Somebody takes a lead from its owner and ends its clock."""

    lead_id: _Name
    event_id: Annotated[_Id, Field(description="The same command has the same id, however often it is sent")]
    by: Annotated[_Who | None, Field(description="Who did it")] = None
    type: Literal["release"] = "release"


class BackfillRequest(_Closed):
    """Route is to hear of the tier that a lead is in: it was in it before routing was switched on."""

    lead_id: _Name
    type: Literal["backfill"] = "backfill"


AnyRequest = (
    AlarmRequest
    | ModelRequest
    | PolicyRequest
    | MergeRequest
    | ForwardRequest
    | AssignRequest
    | ReleaseRequest
    | BackfillRequest
)
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


def encode_policy(name: str, version: int, sha256: str, body: str) -> bytes:
    """The value that brings the next routing policy; arguments as for `encode_model`."""
    return _encode({"type": "policy", "name": name, "version": version, "sha256": sha256, "body": body})


def encode_assign(
    lead_id: str, event_id: str, *, owner: str | None = None, team: str | None = None, by: str | None = None
) -> bytes:
    """The value that gives a lead to an owner or to a team's pick; one of the two.

    Args:
        lead_id: The lead, by any of its names in the log.
        event_id: Of this command; sent twice, it does nothing the second time.
        owner: As the policy names it.
        team: As the policy names it.
        by: Who does it.
    """
    whom = {"owner": owner} if team is None else {"team": team}
    return _encode({"type": "assign", "lead_id": lead_id, "event_id": event_id} | whom | _who(by))


def encode_release(lead_id: str, event_id: str, *, by: str | None = None) -> bytes:
    """The value that takes a lead from its owner; arguments as for `encode_assign`."""
    return _encode({"type": "release", "lead_id": lead_id, "event_id": event_id} | _who(by))


def encode_backfill(lead_id: str) -> bytes:
    """The value that has route hear of the tier that a lead is in."""
    return _encode({"type": "backfill", "lead_id": lead_id})


def _who(by: str | None) -> dict[str, str]:
    return {} if by is None else {"by": by}


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


def encode_forward(rows: Sequence[EventRow | ByHand]) -> bytes:
    """The value that brings what came for an alias to its owner; `lead_id` of each row is the owner already."""
    record = encode_record(0, rows)
    return _encode({"type": "forward", "rows": base64.b64encode(record).decode()})


def merge_row(message: MergeRequest, received_ms: int) -> Merge:
    """The row of the log.

    Raises:
        Refused: `bad_merge`: it goes from a stronger name to a weaker one, or has no body.
    """
    if not is_weaker(message.merged_from, message.lead_id):
        raise Refused("bad_merge", "merged_from is not a weaker name than lead_id: a visitor, an address, an id")
    return Merge(message.lead_id, received_ms, message.merged_from, _bytes(message.body), message.number)


def by_hand_row(message: AssignRequest | ReleaseRequest, received_ms: int) -> ByHand:
    """The row of the log.

    Raises:
        Refused: `missing_field`: it is neither an owner nor a team that gets the lead, or both.
    """
    owner, team = (message.owner, message.team) if isinstance(message, AssignRequest) else (None, None)
    if isinstance(message, AssignRequest) and (owner is None) == (team is None):
        raise Refused("missing_field", "assign needs an owner or a team, and not both")
    return ByHand(message.lead_id, received_ms, message.event_id, owner, team, message.by)


def forwarded_rows(message: ForwardRequest) -> list[EventRow | ByHand]:
    """The rows of the log.

    Raises:
        Refused: `bad_merge`: they are neither events nor hand commands.
    """
    try:
        _, rows = decode_record(_bytes(message.rows))
    except LogCodecError as error:
        raise Refused("bad_merge", "rows cannot be read as a record of lead-events") from error
    found: list[EventRow | ByHand] = [row for row in rows if isinstance(row, EventRow | ByHand)]
    if len(found) != len(rows):
        raise Refused("bad_merge", "rows has something else than events and hand commands in it")
    return found


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
    if isinstance(message, _File):
        check_digest(message)
    return message


def check_digest(file: ModelRequest | PolicyRequest) -> None:
    """Refuses a model or a policy whose body is not the one that its digest was taken of.

    Raises:
        Refused: `digest_mismatch`.
    """
    if hashlib.sha256(file.body.encode()).hexdigest() != file.sha256:
        raise Refused("digest_mismatch", f"sha256 of {file.type} version {file.version} is not that of its body")
