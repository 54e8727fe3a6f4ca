"""What points are worth at an age: held, faded, halved, and the exact moment at which that changes next.

>>> course = points_over_time(25, hold_ms=10, fade_ms=10, halve_ms=None)
>>> course.at(0, 10), course.at(0, 11), course.at(0, 20)
((25, 11), (22, 12), (0, 4611686018427387904))
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

__all__ = ["NEVER", "PointsOverTime", "points_over_time"]

NEVER: Final = 1 << 62
"""A moment that does not come."""


class PointsOverTime:
    """The course of points after an occurrence; one ahead of the clock has age 0 until its time. This one stays."""

    def __init__(self, points: int) -> None:
        self.points: i64 = points

    def at(self, since: i64, moment: i64) -> tuple[i64, i64]:
        """What an occurrence is worth at a moment, and the first later one at which it is worth something else."""
        return self.points, NEVER


def points_over_time(points: int, hold_ms: int | None, fade_ms: int | None, halve_ms: int | None) -> PointsOverTime:
    """The course of points with these keys of a rule."""
    if fade_ms is not None:
        return _Faded(points, hold_ms or 0, fade_ms)
    if halve_ms is not None:
        return _Halved(points, hold_ms or 0, halve_ms)
    return PointsOverTime(points) if hold_ms is None else _Held(points, hold_ms)


class _Held(PointsOverTime):
    def __init__(self, points: int, hold: int) -> None:
        self.points = points
        self.hold: i64 = hold

    def at(self, since: i64, moment: i64) -> tuple[i64, i64]:
        end = since + self.hold
        if moment < end:
            return self.points, end
        return 0, NEVER


class _Faded(PointsOverTime):
    def __init__(self, points: int, hold: int, fade: int) -> None:
        self.points = points
        self.hold: i64 = hold
        self.fade: i64 = fade
        self.size: i64 = abs(points)

    def at(self, since: i64, moment: i64) -> tuple[i64, i64]:
        # At exactly `hold` the line still stands at its top.
        hold, fade, size = self.hold, self.fade, self.size
        fading = moment - since - hold
        if fading <= 0:
            return self.points, since + hold + 1
        if fading >= fade:
            return 0, NEVER
        left = size * (fade - fading) // fade
        if left <= 0:
            return 0, NEVER
        # The first whole millisecond at which size * (fade - x) // fade is less than `left`.
        change = since + hold + fade - (left * fade + size - 1) // size + 1
        return (left if self.points > 0 else -left), change


class _Halved(PointsOverTime):
    def __init__(self, points: int, hold: int, period: int) -> None:
        self.points = points
        self.hold: i64 = hold
        self.period: i64 = period
        self.size: i64 = abs(points)

    def at(self, since: i64, moment: i64) -> tuple[i64, i64]:
        past = moment - since - self.hold
        periods: i64 = past // self.period if past > 0 else 0
        left: i64 = self.size >> periods if periods < 63 else 0
        if not left:
            return 0, NEVER
        return (left if self.points > 0 else -left), since + self.hold + (periods + 1) * self.period
