"""Where a page ended: what its last lead is sorted by, and its name; as a text that fits into an address."""

from __future__ import annotations

import base64
import binascii

import msgspec

__all__ = ["BadCursor", "Cursor", "read_cursor", "write_cursor"]

Cursor = tuple[int, str]

_decode = msgspec.json.Decoder(tuple[int, str]).decode


class BadCursor(ValueError):  # noqa: N818  # what somebody sent, not a slip
    """No cursor that a page gave."""


def write_cursor(cursor: Cursor) -> str:
    """As text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """From text.

    Raises:
        BadCursor: It is none.
    """
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return _decode(raw)
    except (binascii.Error, UnicodeError, msgspec.MsgspecError) as error:
        raise BadCursor(f"{text!r} is no cursor; take `next` of the page before") from error
