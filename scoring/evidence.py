"""Evidence: the latest occurrences of a signal, each key once at its latest time. Adding is idempotent and commutative.

An `Occurrences` is a pair of lists, times and keys, side by side, in ascending order of (time, key). The order in which
occurrences arrive, and how often, makes no difference:

>>> one, other = new(), new()
>>> [add(one, 2, time, key) for time, key in [(10, 1), (30, 3), (20, 2), (30, 3)]]
[True, True, True, False]
>>> [add(other, 2, time, key) for time, key in [(30, 3), (20, 2), (10, 1)]]
[True, True, False]
>>> one == other
True
"""

from __future__ import annotations

from bisect import bisect_left

__all__ = ["Occurrences", "add", "new", "union"]

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
