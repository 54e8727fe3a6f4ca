"""Nothing of the largest size that is read takes long, whatever is in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from schemas.errors import Refused
from schemas.limits import MAX_EVENT_BYTES
from schemas.lines import load_line
from schemas.wire import decode_event
from streams.engine.collector import no_collector
from tests.schemas.samples import BROKER_MS, KEY, event

LONGEST_S = 0.3
"""A bomb takes seconds; the largest honest input a tenth of one, on a machine that does nothing else."""


def filled(begin: bytes, unit: bytes, end: bytes, between: bytes = b"") -> bytes:
    room = MAX_EVENT_BYTES - len(begin) - len(end)
    return begin + between.join([unit] * (room // len(unit + between))) + end


def fields(value: bytes) -> bytes:
    whole = json.dumps(event("profile")).encode()
    members = b",".join(b'"%x":%s' % (number, value) for number in range(18_000))
    return whole[: whole.index(b'"fields"')] + b'"fields":{' + members + b"}}"


BOMBS = {
    "fields that are wrong": fields(b"[]"),
    "fields that are fractions": fields(b"0.5"),
    "fields": fields(b"1"),
    "texts": filled(b'{"a":"', b'\\"', b'"}'),
    "quotes": filled(b'{"a":', b'"', b""),
    "backslashes": filled(b"{", b"\\", b"}"),
    "arrays": filled(b'{"x":[', b"[]", b"]}", b","),
    "digits": filled(b'{"x":', b"9", b"}"),
    "a large exponent": filled(b'{"x":1e', b"9", b"}"),
    "NUL": filled(b'{"x":"', b"\\u0000", b'"}'),
    "halves of pairs": filled(b'{"x":"', b"\\ud83d", b'"}'),
    "the same key": filled(b"{", b'"a":1', b"}", b","),
    "blanks": b" " * MAX_EVENT_BYTES,
    "deep": b'{"x":' + b"[" * 255 + b"]" * 255 + b"}",
    "blanks for an address": json.dumps(event(lead={"email": " " * 320})).encode(),
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS)
def test_no_bomb_goes_off(raw: bytes) -> None:
    assert quickest_s(lambda: load_line(raw)) < LONGEST_S
    assert quickest_s(lambda: decode_event(raw, BROKER_MS, KEY)) < LONGEST_S


def quickest_s(read: Callable[[], object]) -> float:
    """Seconds of processor time. The collector would look through all that the other tests have left."""
    taken_s = []
    for _ in range(3):
        began = time.process_time()
        with suppress(Refused), no_collector():
            read()
        taken_s.append(time.process_time() - began)
    return min(taken_s)
