"""Working time: which moments count, and when so much of it has passed.

>>> office = Calendar("America/New_York", (((540, 1080),),) * 5 + ((), ()))
>>> from schemas.times import iso, parse_iso
>>> iso(office.due(parse_iso("2026-03-06T16:00:00-05:00"), 3 * 3_600_000))  # Friday, before the clocks go forward
'2026-03-09T14:00:00.000Z'

The working moments of a UTC year are worked out once, as a sorted list of stretches with what has passed before each;
so a due time is two searches, however far away it is. An hour that does not exist is in no stretch, one that happens
twice is in two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from scoring.routing.policy import Hours
from scoring.routing.zones import DAY_MS, offsets, utc_year

__all__ = ["HORIZON_MS", "Calendar"]

HORIZON_MS = 3_660 * DAY_MS
"""Ten years. What is not due by then is due then: hours that never open must not stop a clock for good."""

_MINUTE_MS = 60_000
_THURSDAY = 3
"""1970-01-01 was one."""


class _Year(NamedTuple):
    """Working stretches of a UTC year, touching ones joined.

    Attributes:
        begins, ends: Of the stretches, in order.
        passed: Working time of the year before each, and of the whole year at the end.
    """

    begins: tuple[int, ...]
    ends: tuple[int, ...]
    passed: tuple[int, ...]


class Calendar:
    """Hours of a week in a zone, without holidays.

    Args:
        zone: Of the hours and of the holidays.
        hours: None: always.
        holidays: Days since 1970.
    """

    def __init__(self, zone: str, hours: Hours | None, holidays: Iterable[int] = ()) -> None:
        self._zone, self._hours, self._holidays = zone, hours, frozenset(holidays)
        self.always = hours is None

    def due(self, start_ms: int, duration_ms: int) -> int:
        """The first moment at which so much working time has passed since the start."""
        if self.always:
            return start_ms + duration_ms
        year, left = utc_year(start_ms), duration_ms
        last = start_ms + HORIZON_MS
        left += self._passed(year, start_ms)
        while left > (whole := self._year(year).passed[-1]):
            left -= whole
            year += 1
            if year > utc_year(last):
                return last
        begins, _, passed = self._year(year)
        place = bisect_left(passed, left) - 1
        return min(begins[place] + left - passed[place], last)

    def working(self, at_ms: int) -> bool:
        """Whether a moment is within the hours."""
        if self.always:
            return True
        begins, ends, _ = self._year(utc_year(at_ms))
        place = bisect_right(begins, at_ms) - 1
        return place >= 0 and at_ms < ends[place]

    def next_change(self, at_ms: int) -> int | None:
        """The first moment after this one at which the hours begin or end; None: none within ten years."""
        if self.always:
            return None
        last = utc_year(at_ms + HORIZON_MS)
        for year in range(utc_year(at_ms), last + 1):
            begins, ends, _ = self._year(year)
            changes = [edges[place] for edges in (begins, ends) if (place := bisect_right(edges, at_ms)) < len(edges)]
            for change in sorted(changes):
                # Between two years hours may go on, which is no change.
                if self.working(change) != self.working(change - 1):
                    return change
        return None

    def _passed(self, year: int, at_ms: int) -> int:
        """Working time from the year's begin to a moment in it."""
        begins, ends, passed = self._year(year)
        place = bisect_right(begins, at_ms) - 1
        return 0 if place < 0 else passed[place] + min(at_ms, ends[place]) - begins[place]

    def _year(self, year: int) -> _Year:
        assert self._hours is not None
        return _working_year(self._zone, self._hours, self._holidays, year)


@lru_cache(maxsize=1024)
def _working_year(zone: str, hours: Hours, holidays: frozenset[int], year: int) -> _Year:
    stretches: list[tuple[int, int]] = []
    for begin, end, offset in offsets(zone, year):
        # On the wall, this stretch of constant offset goes from `first` to `last`.
        first, last = begin + offset, end + offset
        for day in range(first // DAY_MS, -(-last // DAY_MS)):
            if day in holidays:
                continue
            for opens, closes in hours[(day + _THURSDAY) % 7]:
                since = max(first, day * DAY_MS + opens * _MINUTE_MS)
                until = min(last, day * DAY_MS + closes * _MINUTE_MS)
                if since < until:
                    stretches.append((since - offset, until - offset))
    return _summed(sorted(stretches))


def _summed(stretches: list[tuple[int, int]]) -> _Year:
    begins: list[int] = []
    ends: list[int] = []
    for since, until in stretches:
        if ends and ends[-1] == since:
            ends[-1] = until
        else:
            begins.append(since)
            ends.append(until)
    passed = [0]
    for since, until in zip(begins, ends, strict=True):
        passed.append(passed[-1] + until - since)
    return _Year(tuple(begins), tuple(ends), tuple(passed))
