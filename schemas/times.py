"""Times: text on the wire, whole milliseconds since 1970 (UTC) inside.

>>> iso(1772446500000)
'2026-03-02T10:15:00.000Z'
>>> parse_iso("2026-03-02T11:15:00.0009+01:00")
1772446500000
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from schemas.limits import MAX_TIME_TEXT

__all__ = ["TimeWithoutZone", "iso", "parse_iso"]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: both ends of the arithmetic are UTC
_SECOND = timedelta(seconds=1)
_SECONDS_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_REST_TEXT = re.compile(r"(?:\.([0-9]{1,30}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")
_FRACTION_TEXT = re.compile(r"(?:\.[0-9]{1,30})?")
_SECONDS_LENGTH = 19

_CACHE_SIZE = 50_000
_seconds_read: dict[str, int] = {}
_rests_read: dict[str, int] = {}
_seconds_written: dict[int, str] = {}
_MILLIS_WRITTEN = tuple(f".{milli:03d}Z" for milli in range(1000))


class TimeWithoutZone(ValueError):  # noqa: N818 - names what is wrong with the time
    """A time that would be one, had it said in which zone."""


def iso(ms: int) -> str:
    """The text of a time, always with three digits and `Z`.

    Args:
        ms: Milliseconds since 1970, from year 1 to year 9999.
    """
    second, milli = divmod(ms, 1000)
    text = _seconds_written.get(second)
    if text is None:
        text = (_EPOCH + timedelta(seconds=second)).isoformat()
        if len(_seconds_written) >= _CACHE_SIZE:
            _seconds_written.clear()
        _seconds_written[second] = text
    return text + _MILLIS_WRITTEN[milli]


def parse_iso(text: str) -> int:
    """Milliseconds of an RFC 3339 time; a zone is needed, digits finer than 1 ms are cut.

    Both halves of the text repeat from event to event, so each is looked up: 0.15 µs where 0.5 µs would be needed.

    Raises:
        TimeWithoutZone: The zone is missing.
        ValueError: No such time, or not in this form.
    """
    try:
        return _seconds_read[text[:_SECONDS_LENGTH]] + _rests_read[text[_SECONDS_LENGTH:]]
    except KeyError:
        return _parse_new(text)


def _parse_new(text: str) -> int:
    """Reads a time of which a half is not known yet, and keeps both halves for the next one."""
    if len(text) > MAX_TIME_TEXT:
        message = f"a time of {len(text)} characters"
        raise ValueError(message)
    head, tail = text[:_SECONDS_LENGTH], text[_SECONDS_LENGTH:]
    if not _SECONDS_TEXT.fullmatch(head):
        message = "not a time of the form 2026-03-02T10:15:00Z"
        raise ValueError(message)
    seconds = (datetime.fromisoformat(head.upper()) - _EPOCH) // _SECOND * 1000
    rest = _parse_rest(tail)
    _keep(_seconds_read, head, seconds)
    _keep(_rests_read, tail, rest)
    return seconds + rest


def _parse_rest(tail: str) -> int:
    """Milliseconds that fraction and zone add."""
    found = _REST_TEXT.fullmatch(tail)
    if found is None:
        if _FRACTION_TEXT.fullmatch(tail):
            message = "a time without a zone"
            raise TimeWithoutZone(message)
        message = "not a time of the form 2026-03-02T10:15:00Z"
        raise ValueError(message)
    fraction, sign, hours, minutes = found.groups()
    milli = int(fraction[:3].ljust(3, "0")) if fraction else 0
    if sign is None:
        return milli
    if int(hours) > 23 or int(minutes) > 59:
        message = f"no zone is {sign}{hours}:{minutes} away from UTC"
        raise ValueError(message)
    offset = (int(hours) * 60 + int(minutes)) * 60_000
    return milli - offset if sign == "+" else milli + offset


def _keep(cache: dict[str, int], text: str, value: int) -> None:
    if len(cache) >= _CACHE_SIZE:
        cache.clear()
    cache[text] = value
