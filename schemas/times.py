"""Times: text on the wire, whole milliseconds since 1970 (UTC) inside.

>>> iso(1772446500000)
'2026-03-02T10:15:00.000Z'
>>> parse_iso("2026-03-02T11:15:00.0009+01:00")
1772446500000
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TypeVar

from schemas.limits import MAX_TIME_TEXT

__all__ = ["TimeWithoutZone", "iso", "parse_iso"]

K = TypeVar("K")
V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: both ends of the arithmetic are UTC
_SECONDS_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_REST_TEXT = re.compile(r"(?:\.([0-9]{1,30}))?([Zz]|([+-])([0-9]{2}):([0-9]{2}))")
_FRACTION_TEXT = re.compile(r"(?:\.[0-9]{1,30})?")
_DAY_LENGTH, _MINUTES_LENGTH, _SECONDS_LENGTH = 10, 16, 19
_MANY_DIGITS_LENGTH = 50
"""A shorter text has no more digits than are taken."""
_DAY_MS = 86_400_000

_CACHE_SIZE = 10_000
"""More than a day has minutes: of times of day, none is ever forgotten but for other ways to write them."""
# Of times as `iso` writes them, and up to behind the point.
_PLAIN_LENGTH, _POINT_LENGTH = 24, 20
_PLAIN_SECONDS = {f":{second:02d}.": second * 1000 for second in range(60)}
_plain_minutes_read: dict[str, int] = {}
_days_read: dict[str, int] = {}
_minutes_read: dict[str, int] = {}
_seconds_read: dict[str, int] = {}
_zones_read: dict[str, int] = {}
_THREE_DIGITS = {f"{number:03d}": number for number in range(1000)}
_days_written: dict[int, str] = {}
_HOURS_WRITTEN = tuple(f"T{hour:02d}" for hour in range(24))
_SIXTIETHS_WRITTEN = tuple(f":{number:02d}" for number in range(60))
_MILLIS_WRITTEN = tuple(f".{milli:03d}Z" for milli in range(1000))


class TimeWithoutZone(ValueError):  # noqa: N818 - names what is wrong with the time
    """A time that would be one, had it said in which zone."""


def iso(ms: int) -> str:
    """The text of a time, always with three digits and `Z`.

    Args:
        ms: Milliseconds since 1970, from year 1 to year 9999.
    """
    day, rest = ms // _DAY_MS, ms % _DAY_MS
    date = _days_written.get(day)
    if date is None:
        date = (_EPOCH + timedelta(days=day)).isoformat()[:_DAY_LENGTH]
        _keep(_days_written, day, date)
    minute, rest = rest // 60_000, rest % 60_000
    clock = f"{_HOURS_WRITTEN[minute // 60]}{_SIXTIETHS_WRITTEN[minute % 60]}{_SIXTIETHS_WRITTEN[rest // 1000]}"
    return f"{date}{clock}{_MILLIS_WRITTEN[rest % 1000]}"


def parse_iso(text: str) -> int:
    """Milliseconds of an RFC 3339 time; a zone is needed, digits finer than 1 ms are cut.

    The parts repeat from event to event, so each is looked up, by tables so small that a processor's cache holds them.
    Of times as `iso` writes them these are few: compiled, 0.2 µs where 2.5 µs would be needed.

    Raises:
        TimeWithoutZone: The zone is missing.
        ValueError: No such time, or not in this form.
    """
    if len(text) != _PLAIN_LENGTH or text[-1] != "Z":
        return _parse_parts(text)
    minute = text[:_MINUTES_LENGTH]
    minute_ms = _plain_minutes_read.get(minute)
    if minute_ms is None:
        ms = _parse_parts(text)
        _keep(_plain_minutes_read, minute, ms - ms % 60_000)
        return ms
    try:
        return minute_ms + _PLAIN_SECONDS[text[_MINUTES_LENGTH:_POINT_LENGTH]] + _THREE_DIGITS[text[_POINT_LENGTH:-1]]
    except KeyError:
        return _parse_new(text)


def _parse_parts(text: str) -> int:
    """A time in any form, of parts that are known."""
    try:
        day_ms, minute_ms = _days_read[text[:_DAY_LENGTH]], _minutes_read[text[_DAY_LENGTH:_MINUTES_LENGTH]]
        second_ms = _seconds_read[text[_MINUTES_LENGTH:_SECONDS_LENGTH]]
        end = _SECONDS_LENGTH
        if text[end : end + 1] == ".":
            second_ms += _THREE_DIGITS[text[end + 1 : end + 4]]
            end += 4
            while end + 3 < len(text) < _MANY_DIGITS_LENGTH and text[end : end + 3] in _THREE_DIGITS:
                end += 3
        return day_ms + minute_ms + second_ms + _zones_read[text[end:]]
    except KeyError:
        return _parse_new(text)


def _parse_new(text: str) -> int:
    """Reads a time of which a part is not known yet, and keeps its parts for the next one."""
    if len(text) > MAX_TIME_TEXT:
        message = f"a time of {len(text)} characters"
        raise ValueError(message)
    head, tail = text[:_SECONDS_LENGTH], text[_SECONDS_LENGTH:]
    if not _SECONDS_TEXT.fullmatch(head):
        message = "not a time of the form 2026-03-02T10:15:00Z"
        raise ValueError(message)
    time = datetime.fromisoformat(head.upper())
    day_ms, minute_ms = (time - _EPOCH).days * _DAY_MS, (time.hour * 60 + time.minute) * 60_000
    milli, zone, offset_ms = _parse_rest(tail)
    _keep(_days_read, head[:_DAY_LENGTH], day_ms)
    _keep(_minutes_read, head[_DAY_LENGTH:_MINUTES_LENGTH], minute_ms)
    _keep(_seconds_read, head[_MINUTES_LENGTH:], time.second * 1000)
    _keep(_zones_read, zone, -offset_ms)
    return day_ms + minute_ms + time.second * 1000 + milli - offset_ms


def _parse_rest(tail: str) -> tuple[int, str, int]:
    """Milliseconds of the fraction; the zone, and by how many milliseconds it is ahead of UTC."""
    found = _REST_TEXT.fullmatch(tail)
    if found is None:
        if _FRACTION_TEXT.fullmatch(tail):
            message = "a time without a zone"
            raise TimeWithoutZone(message)
        message = "not a time of the form 2026-03-02T10:15:00Z"
        raise ValueError(message)
    fraction, zone, sign, hours, minutes = found.groups()
    milli = int(fraction[:3].ljust(3, "0")) if fraction else 0
    if sign is None:
        return milli, zone, 0
    if int(hours) > 23 or int(minutes) > 59:
        message = f"no zone is {sign}{hours}:{minutes} away from UTC"
        raise ValueError(message)
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return milli, zone, offset_ms if sign == "+" else -offset_ms


def _keep(cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= _CACHE_SIZE:
        cache.clear()
    cache[key] = value
