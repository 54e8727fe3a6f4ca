"""Rows of the log and their bytes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.log import CODEC, Alarm, LogCodecError, PageView, decode_record, encode_record


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "an empty value"),
        (b"", "an empty value"),
        (b"\x02\x90", "codec byte 2"),
        (b"{}", "codec byte 123"),
        (b"\x01", "cannot be decoded"),
        (b"\x01\x92\x01\x90\x00", "cannot be decoded"),
        (b"\x01\x92\x01\x91\x91\x63", "cannot be decoded"),
        (encode_record(1, [Alarm(1)])[:-1], "cannot be decoded"),
    ],
)
def test_other_bytes_are_refused_by_name(value: bytes | None, words: str) -> None:
    with pytest.raises(LogCodecError, match=words):
        decode_record(value)


def test_rows_of_an_older_program_have_defaults_for_newer_fields() -> None:
    required: list[Any] = [1, "crm-17", 2, 3, "ev-1", "", "https://example.com/"]
    value = bytes([CODEC]) + msgspec.msgpack.encode([9, [required]])
    assert decode_record(value) == (9, [PageView("crm-17", 2, 3, "ev-1", "", "https://example.com/")])


def test_rows_of_a_newer_program_are_read_without_what_is_new() -> None:
    row = [40, 2, "something new"]
    assert decode_record(bytes([CODEC]) + msgspec.msgpack.encode([9, [row]])) == (9, [Alarm(2)])
