"""What route remembers beside its rows: log time, the active policy, and what is under way."""

from __future__ import annotations

import msgspec

from scoring.row_codec import RowCodecError

__all__ = ["MEMO_CODEC", "POLICY_KEY", "RoutingMemo", "decode_memo", "encode_memo"]

MEMO_CODEC = 1

POLICY_KEY = b"\0policy"
"""The key under which the table keeps the active policy."""


class RoutingMemo(msgspec.Struct, array_like=True):
    """See above.

    Attributes:
        codec: `MEMO_CODEC`.
        log_time_ms: The moment up to which everything is done.
        version: Of the active policy; None before the first.
        partitions: How many score partitions there are; 0 before any has told its time.
        times: Log time of each that has.
        losing: Owners whose other leads than the open ones are being taken from them, and since when.
    """

    codec: int
    log_time_ms: int
    version: int | None = None
    partitions: int = 0
    times: dict[int, int] = {}
    losing: list[tuple[str, int]] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RoutingMemo).decode


def encode_memo(memo: RoutingMemo) -> bytes:
    """The bytes of a memo."""
    return _encode(memo)


def decode_memo(value: bytes) -> RoutingMemo:
    """The memo of its bytes.

    Raises:
        RowCodecError: It cannot be read, or is of a newer version.
    """
    try:
        found = _decode(value)
    except msgspec.MsgspecError as error:
        raise RowCodecError(f"the memo of the checkpoint cannot be decoded: {error}") from error
    if found.codec != MEMO_CODEC:
        raise RowCodecError(f"the memo has codec {found.codec}, this program reads codec {MEMO_CODEC}; upgrade it")
    return found
