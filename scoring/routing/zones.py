"""Time zones, from the pinned `tzdata` package alone: the same on every machine, whatever its system says.

Days are numbers since 1970-01-01, times are milliseconds since then.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

__all__ = ["DAY_MS", "Offsets", "day_begins", "known_zones", "local_ms", "offsets", "utc_year", "year_begins"]

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PROBE_MS = 6 * 3_600_000
"""No zone has gone to another offset and back again within so short a time."""

LAST_YEAR = 9998

Offsets = tuple[tuple[int, int, int], ...]
"""Stretches of constant offset: begin, end (out), local time minus UTC."""


@cache
def known_zones() -> frozenset[str]:
    """Names of all zones.

    >>> "Europe/Madrid" in known_zones(), "Europe/Atlantis" in known_zones()
    (True, False)
    """
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def _zone(name: str) -> ZoneInfo:
    *folders, last = name.split("/")
    place = resources.files("tzdata.zoneinfo")
    for folder in folders:
        place = place.joinpath(folder)
    with place.joinpath(last).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _offset(zone: ZoneInfo, ms: int) -> int:
    there = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone).utcoffset()
    assert there is not None
    return there // _MILLISECOND


@cache
def year_begins(year: int) -> int:
    """The first moment of a year, UTC."""
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def utc_year(ms: int) -> int:
    """The year of a moment, UTC; never later than the last one that is worked out."""
    return min((_EPOCH + timedelta(milliseconds=ms)).year, LAST_YEAR)


@lru_cache(maxsize=4096)
def offsets(zone: str, year: int) -> Offsets:
    """The stretches of a UTC year.

    >>> [(end - begin) // DAY_MS for begin, end, _ in offsets("Europe/Berlin", 2026)]
    [87, 210, 67]
    """
    there, begin, end = _zone(zone), year_begins(year), year_begins(year + 1)
    found: list[tuple[int, int, int]] = []
    since = before = begin
    offset = _offset(there, begin)
    for probe in (*range(begin + _PROBE_MS, end, _PROBE_MS), end - 1):
        if (new := _offset(there, probe)) != offset:
            change = _change(there, before, probe, offset)
            found.append((since, change, offset))
            since, offset = change, new
        before = probe
    found.append((since, end, offset))
    return tuple(found)


def _change(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    """The first moment with another offset than `before`; `low` has it, `high` has not."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def local_ms(zone: str, ms: int) -> int:
    """What a clock on the wall shows at a moment, as milliseconds."""
    for _, end, offset in offsets(zone, utc_year(ms)):
        if ms < end:
            return ms + offset
    raise AssertionError(ms)  # pragma: no cover - a year is covered by its stretches


def day_begins(zone: str, day: int) -> int:
    """The first existing moment of a day.

    Where a zone leaps over midnight, that is the leap; where midnight comes twice, the first.

    >>> (day_begins("America/Sao_Paulo", 17_454) - 17_454 * DAY_MS) // 3_600_000  # 2017-10-15
    3
    """
    midnight = day * DAY_MS
    begin, end = midnight - 2 * DAY_MS, midnight + 2 * DAY_MS
    for year in range(utc_year(begin), utc_year(end) + 1):
        for since, until, offset in offsets(zone, year):
            first = max(since, midnight - offset)
            if first < until and first + offset >= midnight and until > begin:
                return first
    raise AssertionError(day)  # pragma: no cover - every day begins
