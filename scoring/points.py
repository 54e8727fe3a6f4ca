"""What points are worth at an age: held, faded, halved, and the exact moment at which that changes next.

>>> at = points_over_time(25, hold_ms=10, fade_ms=10, halve_ms=None)
>>> at(0, 10), at(0, 11), at(0, 20)
((25, 11), (22, 12), (0, 4611686018427387904))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["NEVER", "PointsOverTime", "points_over_time"]

NEVER: Final = 1 << 62
"""A moment that does not come."""

PointsOverTime = Callable[[int, int], tuple[int, int]]
"""(time of the occurrence, moment) -> (points then, first later moment with other points)."""


def points_over_time(points: int, hold_ms: int | None, fade_ms: int | None, halve_ms: int | None) -> PointsOverTime:
    """The course of points after an occurrence; one ahead of the clock has age 0 until its time."""
    if fade_ms is not None:
        return _faded(points, hold_ms or 0, fade_ms)
    if halve_ms is not None:
        return _halved(points, hold_ms or 0, halve_ms)
    if hold_ms is not None:
        return _held(points, hold_ms)
    full = (points, NEVER)
    return lambda since, at: full


def _held(points: int, hold: int) -> PointsOverTime:
    def held(since: int, at: int) -> tuple[int, int]:
        end = since + hold
        return (points, end) if at < end else (0, NEVER)

    return held


def _faded(points: int, hold: int, fade: int) -> PointsOverTime:
    size = abs(points)
    sign = 1 if points > 0 else -1

    def faded(since: int, at: int) -> tuple[int, int]:
        # At exactly `hold` the line still stands at its top.
        fading = at - since - hold
        if fading <= 0:
            return points, since + hold + 1
        left = size * (fade - fading) // fade
        if left <= 0:
            return 0, NEVER
        # The first whole millisecond at which size * (fade - x) // fade is less than `left`.
        return sign * left, since + hold + fade - (left * fade + size - 1) // size + 1

    return faded


def _halved(points: int, hold: int, period: int) -> PointsOverTime:
    size = abs(points)
    sign = 1 if points > 0 else -1

    def halved(since: int, at: int) -> tuple[int, int]:
        past = at - since - hold
        periods = past // period if past > 0 else 0
        left = size >> periods
        return (sign * left, since + hold + (periods + 1) * period) if left else (0, NEVER)

    return halved
