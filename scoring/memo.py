"""What a partition remembers beside its rows: log time, the active model, and how far a new one has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from scoring.model import Model
from scoring.reading import ModelError, read_model
from scoring.row_codec import RowCodecError

__all__ = ["MEMO_CODEC", "MODEL_BEFORE_KEY", "MODEL_KEY", "Memo", "ModelRow", "decode_memo", "encode_memo"]

MEMO_CODEC = 1

MODEL_KEY = b"\0model"
MODEL_BEFORE_KEY = b"\0model-before"
"""Keys under which the table keeps the active model, and the one before it."""


class Memo(msgspec.Struct, array_like=True):
    """See above.

    Attributes:
        codec: `MEMO_CODEC`.
        log_time_ms: The greatest `safe` so far.
        version: Of the active model; None before the first.
        reassess_at_ms: `received_at` of the model's row while leads are still looked at anew; else None.
        reassess_after: The last lead that was; None if none was yet.
    """

    codec: int
    log_time_ms: int
    version: int | None = None
    reassess_at_ms: int | None = None
    reassess_after: str | None = None


class ModelRow(msgspec.Struct, array_like=True):
    """A model as the table keeps it."""

    codec: int
    name: str
    version: int
    sha256: str
    text: str

    @classmethod
    def of(cls, model: Model) -> ModelRow:
        """The row of a model."""
        return cls(MEMO_CODEC, model.name, model.version, model.sha256, model.text)

    @classmethod
    def decode(cls, value: bytes) -> ModelRow:
        """The row of its bytes.

        Raises:
            RowCodecError: It cannot be read, or is of a newer version.
        """
        return _checked(_decode_model, value, "the row of the model")

    def encode(self) -> bytes:
        """The bytes of the row."""
        return _encode(self)

    def read(self) -> Model:
        """The model.

        Raises:
            RowCodecError: It is none.
        """
        try:
            return read_model(self.text, self.name)
        except ModelError as error:
            raise RowCodecError(f"the model {self.name} of the table cannot be read: {error}") from error


_Coded = TypeVar("_Coded", Memo, ModelRow)

_encode = msgspec.msgpack.Encoder().encode
_decode_memo = msgspec.msgpack.Decoder(Memo).decode
_decode_model = msgspec.msgpack.Decoder(ModelRow).decode


def encode_memo(memo: Memo) -> bytes:
    """The bytes of a memo."""
    return _encode(memo)


def decode_memo(value: bytes) -> Memo:
    """The memo of its bytes.

    Raises:
        RowCodecError: It cannot be read, or is of a newer version.
    """
    return _checked(_decode_memo, value, "the memo of the checkpoint")


def _checked(decode: Callable[[bytes], _Coded], value: bytes, what: str) -> _Coded:
    try:
        found = decode(value)
    except msgspec.MsgspecError as error:
        raise RowCodecError(f"{what} cannot be decoded: {error}") from error
    if found.codec != MEMO_CODEC:
        raise RowCodecError(f"{what} has codec {found.codec}, this program reads codec {MEMO_CODEC}; upgrade it")
    return found
