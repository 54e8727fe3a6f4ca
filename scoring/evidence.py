"""Evidence: the latest occurrences of each signal, each key once at its latest time. Adding is idempotent, commutative.

A lead's evidence is one vector of numbers, as it is written: a lead that nobody has touched for a while lies in a few
cache lines and not in as many objects as it has done things. For each signal, in the order in which the lead showed
them, it has a number that says which (the digest but for its lowest six bits) and how many occurrences less one (those
bits), and then time (ms) and key of each, in ascending order of (time, key). Digests and keys are XXH3-64, without a
sign; here a vector holds their bits.

>>> one, other = flat([(0x6400, [(40, 4)])]), flat([(0x6400, [(40, 4)])])
>>> for time, key in [(10, 1), (30, 3), (20, 2), (30, 3)]:
...     one, _ = added(one, 1, 3, time, key)
>>> for time, key in [(30, 3), (20, 2), (10, 1)]:
...     other, _ = added(other, 1, 3, time, key)
>>> list(one) == list(other)
True
>>> occurrences_at(one, 1)
[(20, 2), (30, 3), (40, 4)]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from librt.vecs import append, vec
from mypy_extensions import i64

__all__ = [
    "MAX_KEEP",
    "Occurrence",
    "added",
    "end_of",
    "flat",
    "index_of",
    "is_later",
    "occurrences_at",
    "packed",
    "shortened",
    "signals_in",
    "times_at",
    "unpacked",
]

MAX_KEEP: Final = 64
"""So many occurrences may be kept of a signal."""

_COUNT: Final = MAX_KEEP - 1

_SIGN: Final = -(1 << 63)

Occurrence = tuple[int, int]
"""Time in milliseconds, and key."""


def is_later(time: i64, key: i64, than_time: i64, than_key: i64) -> bool:
    """Whether one occurrence comes behind another; keys are compared without their sign."""
    if time != than_time:
        return time > than_time
    return key ^ _SIGN > than_key ^ _SIGN


def end_of(evidence: vec[i64], place: i64) -> i64:
    """Where the occurrences end whose first time stands at this place."""
    return place + 2 * (evidence[place - 1] & _COUNT) + 2


def index_of(evidence: vec[i64], place: i64, end: i64, key: i64) -> i64:
    """Where the time of the occurrence with this key stands, between a signal's place and end; -1: nowhere."""
    while place < end:
        if evidence[place + 1] == key:
            return place
        place += 2
    return -1


def added(evidence: vec[i64], place: i64, keep: i64, time: i64, key: i64) -> tuple[vec[i64], bool]:
    """Takes an occurrence of the signal at this place in, the `keep` latest of which stay; whether that changed it.

    Evidence that grows may be another vector; then what is behind the signal stands two numbers further on.
    """
    end = end_of(evidence, place)
    known = index_of(evidence, place, end, key)
    if known >= 0:
        if time <= evidence[known]:
            return evidence, False
        free = _close(evidence, known, end)
    elif end - place < 2 * keep:
        evidence = append(append(evidence, 0), 0)
        _open(evidence, end)
        evidence[place - 1] += 1
        free = end
    elif is_later(time, key, evidence[place], evidence[place + 1]):
        free = _close(evidence, place, end)
    else:
        return evidence, False
    while free > place and is_later(evidence[free - 2], evidence[free - 1], time, key):
        evidence[free], evidence[free + 1] = evidence[free - 2], evidence[free - 1]
        free -= 2
    evidence[free], evidence[free + 1] = time, key
    return evidence, True


def _close(evidence: vec[i64], place: i64, end: i64) -> i64:
    """Moves all occurrences behind one over it, up to the end of the signal; where it is free now."""
    last = end - 2
    while place < last:
        evidence[place] = evidence[place + 2]
        place += 1
    return last


def _open(evidence: vec[i64], place: i64) -> None:
    """Moves all from here on to the end, where two numbers are free."""
    last: i64 = len(evidence) - 1
    while last > place + 1:
        evidence[last] = evidence[last - 2]
        last -= 1


def flat(signals: Iterable[tuple[int, list[Occurrence]]]) -> vec[i64]:
    """Occurrences of signals in their order, each with the signal's digest, as they lie in memory.

    Raises:
        ValueError: Of a signal there are none or too many.
        OverflowError: A number is below 0 or has more than 64 bits.
    """
    evidence = vec[i64]()
    for digest, occurrences in signals:
        count = len(occurrences)
        if not 1 <= count <= MAX_KEEP:
            raise ValueError(f"{count} occurrences of one signal")
        evidence = append(evidence, shortened(digest) + count - 1)
        for time, key in occurrences:
            evidence = append(append(evidence, _bits_of(time)), _bits_of(key))
    return evidence


def _bits_of(number: int) -> int:
    """A number without a sign, as one with a sign that has the same bits."""
    if not 0 <= number < 1 << 64:
        raise OverflowError(f"{number} is no number of 64 bits")
    return number - (1 << 64) if number >= 1 << 63 else number


def shortened(digest: int) -> int:
    """A signal's digest as evidence has it, before the number of occurrences is added."""
    return _bits_of(digest) & ~_COUNT


def occurrences_at(evidence: vec[i64], place: i64) -> list[Occurrence]:
    """The occurrences of the signal whose first time stands at this place."""
    return [(evidence[at], evidence[at + 1]) for at in range(place, end_of(evidence, place), 2)]


def times_at(evidence: vec[i64], places: vec[i64], numbers: vec[i64]) -> vec[i64]:
    """When some signals occurred, in ascending order; what is an occurrence of several counts once, at its latest time.

    Args:
        evidence: What is known.
        places: By number of the signal: where its first time stands; -1: nowhere.
        numbers: Of the signals.
    """
    times = vec[i64]()
    found: i64 = 0
    for number in numbers:
        place = places[number]
        if place < 0:
            continue
        found += 1
        for at in range(place, end_of(evidence, place), 2):
            times = append(times, evidence[at])
    return times if found < 2 else _united(evidence, places, numbers)


def _united(evidence: vec[i64], places: vec[i64], numbers: vec[i64]) -> vec[i64]:
    latest: dict[int, int] = {}
    for number in numbers:
        place = places[number]
        if place < 0:
            continue
        for time, key in occurrences_at(evidence, place):
            if latest.get(key, -1) < time:
                latest[key] = time
    return vec[i64](sorted(latest.values()))


def signals_in(evidence: vec[i64]) -> list[tuple[int, int, int]]:
    """Of each signal: its shortened digest, where its first time stands, and where its occurrences end.

    Raises:
        ValueError: This is no evidence.
    """
    found: list[tuple[int, int, int]] = []
    place: i64 = 0
    while place < len(evidence):
        digest, begin = evidence[place] & ~_COUNT, place + 1
        place = end_of(evidence, begin)
        if place > len(evidence):
            raise ValueError("its evidence is not as a row has it")
        found.append((digest, begin, place))
    return found


def packed(evidence: vec[i64]) -> bytes:
    """Evidence as bytes, the lowest byte of a number first."""
    writer = BytesWriter()
    for number in evidence:
        write_i64_le(writer, number)
    return writer.getvalue()


def unpacked(written: bytes) -> vec[i64]:
    """The evidence of its bytes.

    Raises:
        ValueError: These are no whole numbers of 8 bytes.
    """
    if len(written) % 8:
        raise ValueError(f"{len(written)} bytes are no whole numbers of 8 bytes")
    evidence = vec[i64](capacity=len(written) // 8)
    for at in range(0, len(written), 8):
        evidence = append(evidence, read_i64_le(written, at))
    return evidence
