"""The engine's own records in a changelog: how far a partition is done, and who owns it.

Both are one codec byte and a msgpack array. They stand beside the stage's rows, under keys of their own.

>>> decode_checkpoint(encode_checkpoint(Checkpoint(7, 2, b"memo")))
Checkpoint(offset=7, index=2, memo=b'memo')
"""

from __future__ import annotations

import msgspec

from streams.engine.errors import StateRefused

__all__ = [
    "CHECKPOINT_KEY",
    "OWNER_KEY",
    "Checkpoint",
    "Owner",
    "decode_checkpoint",
    "decode_owner",
    "encode_checkpoint",
    "encode_owner",
]

CHECKPOINT_KEY = b"\0checkpoint"
OWNER_KEY = b"\0owner"
CODEC = b"\x01"


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """Everything before row `index` of the source record at `offset` is in the rows before this record."""

    offset: int
    index: int
    memo: bytes


class Owner(msgspec.Struct, frozen=True, array_like=True):
    """Who claimed a partition: which process, in which generation of the group, as which producer."""

    process: str
    generation: int
    producer_id: int
    epoch: int


_encode = msgspec.msgpack.Encoder().encode
_read_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode
_read_owner = msgspec.msgpack.Decoder(Owner).decode


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Bytes of a checkpoint."""
    return CODEC + _encode(checkpoint)


def encode_owner(owner: Owner) -> bytes:
    """Bytes of an owner record."""
    return CODEC + _encode(owner)


def decode_checkpoint(data: bytes | None) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        StateRefused: It is of another codec, or cannot be read.
    """
    try:
        return _read_checkpoint(_body(data))
    except msgspec.MsgspecError as error:
        raise StateRefused(f"a checkpoint cannot be read: {error}") from error


def decode_owner(data: bytes | None) -> Owner:
    """Reads an owner record.

    Raises:
        StateRefused: It is of another codec, or cannot be read.
    """
    try:
        return _read_owner(_body(data))
    except msgspec.MsgspecError as error:
        raise StateRefused(f"an owner record cannot be read: {error}") from error


def _body(data: bytes | None) -> memoryview:
    if not data or data[:1] != CODEC:
        found = "nothing" if not data else f"codec {data[0]}"
        raise StateRefused(f"the engine's record has {found}, but this version reads codec {CODEC[0]}: upgrade")
    return memoryview(data)[1:]
