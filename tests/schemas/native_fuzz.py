"""Spoils events at random and reads them by native code; to be run where a sanitizer watches.

python native_fuzz.py SEED COUNT, with the module `native_rows` on the path.
"""

from __future__ import annotations

import json
import random
import sys

import native_rows  # type: ignore[import-not-found]  # built by the test that runs this

from tests.schemas.samples import BROKER_MS, FULL, REQUIRED, event

BITS = (
    *(b'"', b"\\", b"{", b"}", b"[", b",", b":", b" ", b"\0", b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x9a"),
    *(b"null", b"tru", b"fals", b"-", b"0", b"9" * 18, b"9" * 19, b"a:"),
)


def seeds() -> list[bytes]:
    """Good events: of every kind, with as many fields as are taken, and as long as they are taken."""
    found = [event(kind, **fields[kind]) for fields in (FULL, REQUIRED) for kind in fields]
    names = {"lead_id": "x", "email": "a@b", "anonymous_id": "ü"}
    found.append(event("profile", fields={f"k{number}": "é" * number for number in range(32)}, lead=names))
    found.append(event("page_view", url="x" * 7_900))
    return [json.dumps(one, ensure_ascii=False).encode() for one in found]


def spoilt(raw: bytes, chance: random.Random) -> bytes:
    """The event with up to three places changed."""
    data = bytearray(raw)
    for _ in range(chance.randint(0, 3)):
        place = chance.randint(0, len(data))
        cut = chance.choice([0, 1, 2, 5, len(data)])
        data[place : place + cut] = chance.choice((*BITS, bytes([chance.randrange(256)])))
    return bytes(data)


def main(seed: str, count: str) -> None:
    """Prints how many events were tried, and how many taken."""
    chance, good, taken = random.Random(seed), seeds(), 0
    for _ in range(int(count)):
        row = native_rows.read_event(spoilt(chance.choice(good), chance), BROKER_MS)
        if row is not None:
            taken += 1
            assert bytes(row)
            assert row.lead_id
            assert (row.email is None and row.anonymous_id is None) == row.is_named_once
    print(count, taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
