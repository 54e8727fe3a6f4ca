"""Hours of a week, days of the calendar, zones."""

from __future__ import annotations

import difflib
import re
from datetime import date, timedelta

from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import described, read_list, read_text
from scoring.model import Place
from scoring.routing.policy import Hours, Span
from scoring.routing.zones import known_zones

__all__ = ["DAYS", "MAX_DAYS", "day_text", "read_absences", "read_holidays", "read_hours", "read_zone", "span_text"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_DAYS = 2_000
"""Holidays of a policy, absences of an owner."""

_SPAN = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = date(1970, 1, 1)
_MIDNIGHT = 24 * 60


def read_zone(node: Node, what: str, problems: Problems) -> str | None:
    """The name of a time zone, as IANA has it."""
    name = read_text(node, what, problems)
    if name is None or name in known_zones():
        return name
    folded = {zone.lower(): zone for zone in known_zones()}
    near = difflib.get_close_matches(name[:100].lower(), folded, n=1)
    remedy = f"did you mean {folded[near[0]]}?" if near else "write a name such as Europe/Madrid"
    problems.add(node.place, f"{what} is the unknown zone {quoted(name)}", remedy)
    return None


def read_hours(node: Node, what: str, problems: Problems) -> Hours | None:
    """Spans by day, such as `{mon-thu: 09:00-18:00, fri: [09:00-13:00, 14:00-15:00]}`."""
    if not isinstance(node, Mapping):
        remedy = "write days and their hours, such as {mon-fri: 09:00-18:00}"
        problems.add(node.place, f"{what} is {described(node)}", remedy)
        return None
    before = len(problems.found)
    week: list[tuple[Span, ...] | None] = [None] * 7
    for text, entry in node.entries.items():
        days = _days(text, entry.key.place, what, problems)
        spans = _spans(entry.value, f"{quoted(text)} in {what}", problems)
        for day in days:
            if week[day] is not None:
                problems.add(entry.key.place, f"{what} names {DAYS[day]} twice", "name each day once")
            week[day] = spans
    return tuple(spans or () for spans in week) if len(problems.found) == before else None


def _days(text: str, place: Place, what: str, problems: Problems) -> range:
    first, dash, last = text.partition("-")
    if first in DAYS and (not dash or last in DAYS):
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        if begin <= end:
            return range(begin, end + 1)
        rest = "mon" if last == "mon" else f"mon-{last}"
        remedy = f"a week begins with mon: write {first}-sun and {rest}, each with its hours"
        problems.add(place, f"the days {quoted(text)} in {what} go backwards", remedy)
    else:
        wrong = last if first in DAYS else first
        remedy = suggestion(wrong, DAYS, f"write one of {', '.join(DAYS)}, or a range such as mon-fri")
        problems.add(place, f"unknown day {quoted(text)} in {what}", remedy)
    return range(0)


def _spans(node: Node, what: str, problems: Problems) -> tuple[Span, ...]:
    spans: list[Span] = []
    for item in read_list(node, what, problems) or ():
        text = read_text(item, what, problems)
        span = _span(text, item.place, what, problems) if text is not None else None
        if span is None:
            continue
        if other := next((one for one in spans if span[0] < one[1] and one[0] < span[1]), None):
            remedy = "write spans that do not share a minute"
            problems.add(item.place, f"{quoted(span_text(span))} in {what} overlaps {span_text(other)}", remedy)
        spans.append(span)
    return tuple(sorted(spans))


def span_text(span: Span) -> str:
    """A span as the file has it.

    >>> span_text((540, 1440))
    '09:00-24:00'
    """
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)


def day_text(day: int) -> str:
    """A day as the file has it.

    >>> day_text(20_514)
    '2026-03-02'
    """
    return (_EPOCH + timedelta(days=day)).isoformat()


def _span(text: str, place: Place, what: str, problems: Problems) -> Span | None:
    found = _SPAN.fullmatch(text)
    numbers = [int(number) for number in found.groups()] if found else []
    if not numbers or numbers[1] > 59 or numbers[3] > 59:
        problems.add(place, f"{what} is {quoted(text)}", "write HH:MM-HH:MM, such as 09:00-18:00")
        return None
    begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if begin >= _MIDNIGHT or end > _MIDNIGHT:
        remedy = "24:00 is an end only: begin the next day at 00:00"
        problems.add(place, f"{what} is {quoted(text)}", remedy if begin == _MIDNIGHT else "a day ends at 24:00")
        return None
    if begin >= end:
        remedy = (
            "the end comes after the start; past midnight is written as two days, such as 22:00-24:00 and 00:00-06:00"
        )
        problems.add(place, f"{what} is {quoted(text)}", remedy)
        return None
    return begin, end


def _day(text: str, place: Place, what: str, problems: Problems) -> int | None:
    try:
        if _DATE.fullmatch(text):
            return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        pass
    problems.add(place, f"{what} is {quoted(text)}, which is no day", "write a day such as 2026-12-25")
    return None


def read_holidays(node: Node, problems: Problems) -> tuple[int, ...]:
    """Days that are off."""
    found: dict[int, None] = {}
    items = read_list(node, "holidays", problems, empty=True) or ()
    if len(items) > MAX_DAYS:
        problems.add(node.place, f"there are {len(items)} holidays", f"name {MAX_DAYS} at most")
        return ()
    for item in items:
        text = read_text(item, "a holiday", problems)
        day = _day(text, item.place, "a holiday", problems) if text is not None else None
        if day is not None and day in found:
            problems.add(item.place, f"the holiday {text} stands twice", "keep one of the two")
        if day is not None:
            found[day] = None
    return tuple(sorted(found))


def read_absences(node: Node, what: str, problems: Problems) -> tuple[tuple[int, int], ...]:
    """Days and ranges of days, first and last included, such as `[2026-08-03..2026-08-16, 2026-10-02]`."""
    found: list[tuple[int, int]] = []
    items = read_list(node, what, problems, empty=True) or ()
    if len(items) > MAX_DAYS:
        problems.add(node.place, f"{what} has {len(items)} entries", f"write {MAX_DAYS} at most")
        return ()
    for item in items:
        text = read_text(item, what, problems)
        if text is None:
            continue
        first, dots, last = text.partition("..")
        begin = _day(first, item.place, what, problems)
        end = _day(last, item.place, what, problems) if dots else begin
        if begin is None or end is None:
            continue
        if end < begin:
            problems.add(item.place, f"{what} has {text}, which ends before it begins", f"write {last}..{first}")
            continue
        found.append((begin, end))
    return tuple(sorted(found))
