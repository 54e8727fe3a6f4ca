"""Rows of `lead-routing`, what score copies for route, and their bytes.

The value of a record is one codec byte and a msgpack array of rows, one or more. A row is a flat msgpack array whose
first item says which type it is; new fields are added at the end, with a default.

>>> row = RoutedActivity("lead-1", "ev-1", 900, 1_000, "contacted", "ann")
>>> decode_routing(encode_routing([row])) == [row]
True
"""

from __future__ import annotations

import msgspec

from schemas.log import LogCodecError

__all__ = [
    "ROUTING_CODEC",
    "HandCommand",
    "LeadMerged",
    "LogTime",
    "PolicyControl",
    "RoutedActivity",
    "RoutedRequest",
    "RoutedTier",
    "RoutingRow",
    "decode_routing",
    "encode_routing",
]

ROUTING_CODEC = 1
"""Version of the record's bytes; a reader refuses what it does not know."""

Published = dict[str, str | int | bool]
"""Profile fields that the model publishes."""


class RoutedTier(msgspec.Struct, array_like=True, tag=1, gc=False):
    """A lead entered a tier.

    Attributes:
        seq: Of the tier change.
        effective_at_ms: The record's own time.
    """

    lead_id: str
    seq: int
    tier: str
    effective_at_ms: int
    profile: Published = {}


class RoutedRequest(msgspec.Struct, array_like=True, tag=2, gc=False):
    """A lead asked for a person: a new occurrence of a signal with `request: true`."""

    lead_id: str
    event_id: str
    occurred_at_ms: int
    received_at_ms: int
    profile: Published = {}


class RoutedActivity(msgspec.Struct, array_like=True, tag=3, gc=False):
    """Sales did something."""

    lead_id: str
    event_id: str
    occurred_at_ms: int
    received_at_ms: int
    activity: str
    by: str | None = None


class LeadMerged(msgspec.Struct, array_like=True, tag=4, gc=False):
    """The lead turned out to be another one, `into`."""

    lead_id: str
    into: str
    received_at_ms: int


class HandCommand(msgspec.Struct, array_like=True, tag=5, gc=False):
    """Somebody assigned the lead to an owner or to a team's pick, or released it (neither)."""

    lead_id: str
    event_id: str
    received_at_ms: int
    owner: str | None = None
    team: str | None = None
    by: str | None = None


class PolicyControl(msgspec.Struct, array_like=True, tag=40, gc=False):
    """The next routing policy, its file as text."""

    received_at_ms: int
    policy: str
    version: int
    sha256: str
    body: str


class LogTime(msgspec.Struct, array_like=True, tag=41, gc=False):
    """Log time of a score partition, of so many; everything that it wrote before lies before this row."""

    partition: int
    partitions: int
    log_time_ms: int


RoutingRow = RoutedTier | RoutedRequest | RoutedActivity | LeadMerged | HandCommand | PolicyControl | LogTime

_PREFIX = bytes([ROUTING_CODEC])
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RoutingRow]).decode


def encode_routing(rows: list[RoutingRow]) -> bytes:
    """Bytes of one record."""
    return _PREFIX + _encode(rows)


def decode_routing(value: bytes | None) -> list[RoutingRow]:
    """The rows of one record.

    Raises:
        LogCodecError: The bytes are not a record of `lead-routing`, or of a newer version.
    """
    if not value or value[0] != ROUTING_CODEC:
        found = "an empty value" if not value else f"codec byte {value[0]}"
        message = (
            f"lead-routing record has {found}, this program reads codec {ROUTING_CODEC}; upgrade it or check the topic"
        )
        raise LogCodecError(message)
    try:
        return _decode(memoryview(value)[1:])
    except msgspec.MsgspecError as error:
        raise LogCodecError(f"lead-routing record cannot be decoded: {error}") from error
