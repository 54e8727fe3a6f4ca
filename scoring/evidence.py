"""Evidence: the latest occurrences of each signal, each key once at its latest time. Adding is idempotent, commutative.

An `Occurrences` is a pair of lists, times and keys, side by side, in ascending order of (time, key). The order in which
occurrences arrive, and how often, makes no difference:

>>> one, other = new(), new()
>>> [add(one, 2, time, key) for time, key in [(10, 1), (30, 3), (20, 2), (30, 3)]]
[True, True, True, False]
>>> [add(other, 2, time, key) for time, key in [(30, 3), (20, 2), (10, 1)]]
[True, True, False]
>>> one == other
True

A lead's evidence is one flat array, as it is written: a lead that nobody has touched for a while lies in a few cache
lines and not in as many objects as it has done things. For each signal, in the order in which the lead showed them, it
has a number that says which (the digest but for its lowest six bits) and how many occurrences less one (those bits),
and then time and key of each, in ascending order:

>>> evidence = flat([(0x6400, one), (0x7F00, ([40], [4]))])
>>> [hex(evidence[0]), *evidence[1:5], hex(evidence[5]), *evidence[6:]]
['0x6401', 20, 2, 30, 3, '0x7f00', 40, 4]
>>> occurrences_at(evidence, 1)
([20, 30], [2, 3])
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, TypeAlias

from librt.vecs import vec
from mypy_extensions import i64

__all__ = [
    "MAX_KEEP",
    "NUMBERS",
    "Evidence",
    "Occurrences",
    "add",
    "end_of",
    "flat",
    "new",
    "occurrences_at",
    "pairs_of",
    "shortened",
    "signals_in",
    "times_at",
    "union",
]

MAX_KEEP: Final = 64
"""So many occurrences may be kept of a signal."""

_COUNT: Final = MAX_KEEP - 1

NUMBERS: Final = "Q"
"""Numbers of an `Evidence`: 8 bytes each, without a sign."""

Evidence: TypeAlias = "array[int]"
"""Of one signal or more."""

Occurrences = tuple[list[int], list[int]]
"""Times in milliseconds, and keys (XXH3-64 digests as unsigned numbers)."""


def new() -> Occurrences:
    """No occurrences."""
    return [], []


def add(occurrences: Occurrences, keep: int, time: int, key: int) -> bool:
    """Takes an occurrence in, keeps the `keep` latest; whether that changed anything."""
    times, keys = occurrences
    if key in keys:
        place = keys.index(key)
        if times[place] >= time:
            return False
        del times[place], keys[place]
    size = len(times)
    if size and (time < times[-1] or (time == times[-1] and key < keys[-1])):
        place = bisect_left(times, time)
        while place < size and times[place] == time and keys[place] < key:
            place += 1
        if place == 0 and size >= keep:
            return False
        times.insert(place, time)
        keys.insert(place, key)
    else:
        times.append(time)
        keys.append(key)
    if size >= keep:
        del times[0], keys[0]
    return True


def flat(signals: Iterable[tuple[int, Occurrences]]) -> Evidence:
    """Occurrences of signals, each with the signal's digest, as they lie in memory.

    Raises:
        ValueError: Times and keys are not equally many, or of a signal none or too many.
        OverflowError: A number is below 0 or has more than 64 bits.
    """
    evidence = array(NUMBERS)
    for digest, occurrences in signals:
        count = len(occurrences[0])
        if not 1 <= count <= MAX_KEEP:
            raise ValueError(f"{count} occurrences of one signal")
        evidence.append(shortened(digest) + count - 1)
        evidence += pairs_of(occurrences)
    return evidence


def shortened(digest: int) -> int:
    """A signal's digest as evidence has it, before the number of occurrences is added."""
    return digest & ~_COUNT


def end_of(evidence: Evidence, place: int) -> int:
    """Where the occurrences end whose first time stands at this place."""
    return place + 2 * (evidence[place - 1] & _COUNT) + 2


def occurrences_at(evidence: Evidence, place: int) -> Occurrences:
    """The occurrences of the signal whose first time stands at this place."""
    end = end_of(evidence, place)
    return evidence[place:end:2].tolist(), evidence[place + 1 : end : 2].tolist()


def times_at(evidence: Evidence, places: vec[i64], numbers: vec[i64]) -> list[int]:
    """When some signals occurred, in ascending order; what is an occurrence of several counts once.

    Args:
        evidence: What is known.
        places: By number of the signal: where its first time stands; -1: nowhere.
        numbers: Of the signals.
    """
    found: list[int] = []
    for number in numbers:
        place = places[number]
        if place >= 0:
            found.append(place)
    if not found:
        return []
    if len(found) > 1:
        return union([occurrences_at(evidence, place) for place in found])[0]
    return evidence[found[0] : end_of(evidence, found[0]) : 2].tolist()


def signals_in(evidence: Evidence) -> list[tuple[int, int, int]]:
    """Of each signal: its shortened digest, where its first time stands, and where its occurrences end.

    Raises:
        ValueError: This is no evidence.
    """
    found, place = [], 0
    while place < len(evidence):
        digest, begin = shortened(evidence[place]), place + 1
        place = end_of(evidence, begin)
        if place > len(evidence):
            raise ValueError("its evidence is not as a row has it")
        found.append((digest, begin, place))
    return found


def pairs_of(occurrences: Occurrences) -> Evidence:
    """Times and keys in turn, as evidence has them."""
    times, keys = occurrences
    pairs = array(NUMBERS, [0]) * (2 * len(times))
    pairs[::2], pairs[1::2] = array(NUMBERS, times), array(NUMBERS, keys)
    return pairs


def union(parts: list[Occurrences]) -> Occurrences:
    """The occurrences of several signals, each key once at its latest time."""
    filled = [part for part in parts if part[0]]
    if not filled:
        return [], []
    if len(filled) == 1:
        return filled[0]
    latest: dict[int, int] = {}
    for times, keys in filled:
        for time, key in zip(times, keys, strict=True):
            if latest.get(key, -1) < time:
                latest[key] = time
    ordered = sorted((time, key) for key, time in latest.items())
    return [time for time, _ in ordered], [key for _, key in ordered]
