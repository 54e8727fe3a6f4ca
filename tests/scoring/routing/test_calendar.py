"""Working time, worked out by hand: from when, how much of it, until when.

In each case all times are local ones with their offset, so that a reader can follow on a calendar. What a case is about
stands at its end. 2026-03-08 and 2026-11-01 are the Sundays on which New York changes its clocks (02:00 becomes 03:00,
02:00 becomes 01:00), 2026-03-29 and 2026-10-25 those of Berlin (02:00 becomes 03:00, 03:00 becomes 02:00), 2026-04-05
and 2026-10-04 those of Lord Howe (02:00 becomes 01:30, 02:00 becomes 02:30).
"""

from datetime import datetime
from typing import Any

import pytest

from schemas.times import iso, parse_iso
from scoring.routing.calendars import HORIZON_MS, Calendar
from scoring.routing.presence import Presence
from scoring.routing.reading import read_policy
from tests.scoring.routing.builders import policy_text

OFFICE = {"mon-fri": "09:00-18:00"}
SHORT_FRIDAY = {"mon-thu": "09:00-18:00", "fri": "09:00-15:00"}
LUNCH = {"mon-fri": ["09:00-13:00", "15:00-19:00"]}
NIGHT = {"mon-sun": ["22:00-24:00", "00:00-06:00"]}
ALL_DAY = {"mon-sun": "00:00-24:00"}
SUNDAY = {"sun": "00:00-24:00"}
ALWAYS = None
NEVER: dict[str, str] = {}


def daily(span: str) -> dict[str, str]:
    return {"mon-sun": span}


NEW_YORK, BERLIN, MADRID = "America/New_York", "Europe/Berlin", "Europe/Madrid"
LORD_HOWE, KOLKATA, AUCKLAND = "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland"
UNITS = {"h": 3_600_000, "m": 60_000, "ms": 1}

# zone, hours, start, duration, due
GOLDEN = [
    # New York, the clocks go forward
    (NEW_YORK, OFFICE, "2026-03-06T16:00-05:00", "3h", "2026-03-09T10:00-04:00", "over the weekend of the change"),
    (NEW_YORK, OFFICE, "2026-03-06T16:00-05:00", "2h", "2026-03-06T18:00-05:00", "the first moment, not Monday 09:00"),
    (NEW_YORK, OFFICE, "2026-03-06T16:00-05:00", "2h 1ms", "2026-03-09T09:00:00.001-04:00", "a millisecond more"),
    (NEW_YORK, OFFICE, "2026-03-07T12:00-05:00", "8h", "2026-03-09T17:00-04:00", "starts on a Saturday"),
    (NEW_YORK, daily("01:00-04:00"), "2026-03-07T23:00-05:00", "1h", "2026-03-08T03:00-04:00", "up to the leap"),
    (NEW_YORK, daily("01:00-04:00"), "2026-03-07T23:00-05:00", "2h", "2026-03-08T04:00-04:00", "across the leap"),
    (NEW_YORK, daily("01:00-04:00"), "2026-03-07T23:00-05:00", "3h", "2026-03-09T02:00-04:00", "an hour was missing"),
    (NEW_YORK, daily("02:00-03:00"), "2026-03-07T00:00-05:00", "2h", "2026-03-09T03:00-04:00", "no such hour that day"),
    (NEW_YORK, daily("02:30-05:00"), "2026-03-07T12:00-05:00", "2h", "2026-03-08T05:00-04:00", "begins in the leap"),
    (NEW_YORK, ALL_DAY, "2026-03-08T00:00-05:00", "24h", "2026-03-09T01:00-04:00", "a day of 23 hours"),
    (NEW_YORK, SUNDAY, "2026-03-08T00:00-05:00", "23h", "2026-03-09T00:00-04:00", "all of the short Sunday"),
    (NEW_YORK, SUNDAY, "2026-03-08T00:00-05:00", "24h", "2026-03-15T01:00-04:00", "the rest is next Sunday's"),
    # New York, the clocks go back
    (NEW_YORK, OFFICE, "2026-10-30T16:00-04:00", "3h", "2026-11-02T10:00-05:00", "over the weekend of the change"),
    (NEW_YORK, daily("01:00-02:00"), "2026-10-31T12:00-04:00", "1h", "2026-11-01T01:00-05:00", "the first time"),
    (NEW_YORK, daily("01:00-02:00"), "2026-10-31T12:00-04:00", "2h", "2026-11-01T02:00-05:00", "it counts twice"),
    (NEW_YORK, daily("01:00-02:00"), "2026-10-31T12:00-04:00", "3h", "2026-11-02T02:00-05:00", "and no third time"),
    (NEW_YORK, daily("01:00-02:00"), "2026-11-01T01:15-05:00", "1h", "2026-11-02T01:15-05:00", "starts in the second"),
    (NEW_YORK, daily("01:30-02:30"), "2026-10-31T12:00-04:00", "30m", "2026-11-01T01:00-05:00", "half of the first"),
    (NEW_YORK, daily("01:30-02:30"), "2026-10-31T12:00-04:00", "30m 1ms", "2026-11-01T01:30:00.001-05:00", "closed"),
    (NEW_YORK, daily("01:30-02:30"), "2026-10-31T12:00-04:00", "1h", "2026-11-01T02:00-05:00", "half an hour each"),
    (NEW_YORK, ALL_DAY, "2026-11-01T00:00-04:00", "25h", "2026-11-02T00:00-05:00", "a day of 25 hours"),
    (NEW_YORK, SUNDAY, "2026-11-01T00:00-04:00", "26h", "2026-11-08T01:00-05:00", "the rest is next Sunday's"),
    (NEW_YORK, ALWAYS, "2026-10-31T12:00-04:00", "24h", "2026-11-01T11:00-05:00", "plain time"),
    # Berlin, the clocks go forward
    (BERLIN, SHORT_FRIDAY, "2026-03-27T14:00+01:00", "1h", "2026-03-27T15:00+01:00", "ends with a short Friday"),
    (BERLIN, SHORT_FRIDAY, "2026-03-27T15:00+01:00", "1h", "2026-03-30T10:00+02:00", "starts as it closes"),
    (BERLIN, NIGHT, "2026-03-28T22:00+01:00", "7h", "2026-03-29T06:00+02:00", "a night of 7 hours"),
    (BERLIN, NIGHT, "2026-03-28T22:00+01:00", "8h", "2026-03-29T23:00+02:00", "the next evening"),
    (BERLIN, daily("02:00-03:00"), "2026-03-28T03:00+01:00", "1h", "2026-03-30T03:00+02:00", "no such hour that day"),
    (BERLIN, ALL_DAY, "2026-03-28T12:00+01:00", "24h", "2026-03-29T13:00+02:00", "24 hours, not noon to noon"),
    (BERLIN, ALWAYS, "2026-03-28T12:00+01:00", "24h", "2026-03-29T13:00+02:00", "plain time"),
    (BERLIN, OFFICE, "2026-03-23T09:00+01:00", "45h", "2026-03-27T18:00+01:00", "a week, to its last moment"),
    (BERLIN, OFFICE, "2026-03-23T09:00+01:00", "46h", "2026-03-30T10:00+02:00", "and an hour"),
    # Berlin, the clocks go back
    (BERLIN, daily("02:00-03:00"), "2026-10-24T12:00+02:00", "2h", "2026-10-25T03:00+01:00", "it counts twice"),
    (BERLIN, NIGHT, "2026-10-24T22:00+02:00", "9h", "2026-10-25T06:00+01:00", "a night of 9 hours"),
    (BERLIN, OFFICE, "2026-10-23T17:30+02:00", "1h", "2026-10-26T09:30+01:00", "over the weekend of the change"),
    (BERLIN, ALL_DAY, "2026-10-25T02:30+02:00", "1h", "2026-10-25T02:30+01:00", "half past two, and again"),
    (BERLIN, {"sun": "02:30-02:45"}, "2026-10-25T00:00+02:00", "30m", "2026-10-25T02:45+01:00", "two short ones"),
    # Lord Howe changes by half an hour
    (LORD_HOWE, daily("01:00-02:00"), "2026-04-04T12:00+11:00", "60m", "2026-04-05T01:30+10:30", "the first time"),
    (LORD_HOWE, daily("01:00-02:00"), "2026-04-04T12:00+11:00", "90m", "2026-04-05T02:00+10:30", "half of it twice"),
    (LORD_HOWE, daily("01:00-02:00"), "2026-04-04T12:00+11:00", "91m", "2026-04-06T01:01+10:30", "a minute more"),
    (LORD_HOWE, ALL_DAY, "2026-04-05T00:00+11:00", "24h", "2026-04-05T23:30+10:30", "a day of 24 hours and a half"),
    (LORD_HOWE, ALWAYS, "2026-04-04T12:00+11:00", "24h", "2026-04-05T11:30+10:30", "plain time"),
    (LORD_HOWE, daily("02:00-03:00"), "2026-10-03T12:00+10:30", "30m", "2026-10-04T03:00+11:00", "half of it missing"),
    (LORD_HOWE, daily("02:00-03:00"), "2026-10-03T12:00+10:30", "1h", "2026-10-05T02:30+11:00", "the rest next day"),
    (LORD_HOWE, daily("02:00-02:30"), "2026-10-03T12:00+10:30", "30m", "2026-10-05T02:30+11:00", "all of it missing"),
    (LORD_HOWE, ALL_DAY, "2026-10-04T00:00+10:30", "23h 30m", "2026-10-05T00:00+11:00", "a day of 23 hours and a half"),
    # Kolkata is half an hour beside the others, and never changes
    (KOLKATA, OFFICE, "2026-03-06T17:00+05:30", "2h", "2026-03-09T10:00+05:30", "over a weekend"),
    (KOLKATA, OFFICE, "2026-03-06T03:00+00:00", "1h", "2026-03-06T10:00+05:30", "starts before it opens"),
    (KOLKATA, LUNCH, "2026-06-17T12:30+05:30", "30m", "2026-06-17T13:00+05:30", "up to lunch"),
    (KOLKATA, LUNCH, "2026-06-17T12:30+05:30", "1h", "2026-06-17T15:30+05:30", "over lunch"),
    (KOLKATA, daily("00:00-12:00"), "2027-01-01T00:00+05:30", "6h", "2027-01-01T06:00+05:30", "UTC's year begins"),
    # Edges of days, weeks and years
    (MADRID, OFFICE, "2026-06-15T09:00+02:00", "1ms", "2026-06-15T09:00:00.001+02:00", "starts as it opens"),
    (MADRID, OFFICE, "2026-06-15T18:00+02:00", "1ms", "2026-06-16T09:00:00.001+02:00", "starts as it closes"),
    (MADRID, SHORT_FRIDAY, "2026-06-15T09:00+02:00", "42h", "2026-06-19T15:00+02:00", "a week of 42 hours"),
    (MADRID, {"mon": "18:00-24:00", "tue": "00:00-03:00"}, "2026-06-15T20:00+02:00", "7h", "2026-06-16T03:00+02:00",
     "past midnight"),
    (NEW_YORK, ALL_DAY, "2026-12-31T23:00-05:00", "2h", "2027-01-01T01:00-05:00", "past the end of a year"),
]  # fmt: skip

# holidays, zone, hours, start, duration, due
HOLIDAYS = [
    (["2026-12-25"], MADRID, OFFICE, "2026-12-24T17:00+01:00", "2h", "2026-12-28T10:00+01:00", "and a weekend"),
    (["2026-12-25"], MADRID, OFFICE, "2026-12-25T10:00+01:00", "1h", "2026-12-28T10:00+01:00", "starts on one"),
    (["2027-01-01"], MADRID, SHORT_FRIDAY, "2026-12-31T16:00+01:00", "4h", "2027-01-04T11:00+01:00", "into a year"),
    (["2026-06-17"], MADRID, SHORT_FRIDAY, "2026-06-15T09:00+02:00", "42h", "2026-06-22T18:00+02:00", "in a week"),
    (["2026-03-29"], BERLIN, NIGHT, "2026-03-28T23:00+01:00", "2h", "2026-03-30T01:00+02:00", "the day of the change"),
    (["2026-11-01"], NEW_YORK, ALL_DAY, "2026-10-31T23:00-04:00", "2h", "2026-11-02T01:00-05:00", "of 25 hours"),
]  # fmt: skip


def ms(text: str) -> int:
    return parse_iso(datetime.fromisoformat(text).isoformat())


def milliseconds(text: str) -> int:
    return sum(int(part.rstrip("hms")) * UNITS[part.lstrip("0123456789")] for part in text.split())


def calendar(zone: str, hours: dict[str, Any] | None, holidays: list[str]) -> Calendar:
    sections = {"timezone": zone, "holidays": holidays} | ({} if hours is None else {"hours": hours})
    return Presence(read_policy(policy_text(**sections), "p.yaml")).policy_calendar


@pytest.mark.parametrize(("zone", "hours", "start", "duration", "due", "about"), GOLDEN)
def test_due_is_the_first_moment_at_which_so_much_working_time_has_passed(
    zone: str, hours: dict[str, Any] | None, start: str, duration: str, due: str, about: str
) -> None:
    found = calendar(zone, hours, []).due(ms(start), milliseconds(duration))

    assert iso(found) == iso(ms(due)), about


@pytest.mark.parametrize(("holidays", "zone", "hours", "start", "duration", "due", "about"), HOLIDAYS)
def test_holidays_do_not_count(
    holidays: list[str], zone: str, hours: dict[str, Any], start: str, duration: str, due: str, about: str
) -> None:
    found = calendar(zone, hours, holidays).due(ms(start), milliseconds(duration))

    assert iso(found) == iso(ms(due)), about


# owner, start, 1 hour later by the owner's working time
ABROAD = [
    ({}, "2026-06-17T09:00+02:00", "2026-06-17T10:00+02:00", "hours and zone are the policy's"),
    ({"timezone": NEW_YORK}, "2026-06-17T09:00+02:00", "2026-06-17T10:00-04:00", "the policy's hours in another zone"),
    ({"hours": LUNCH}, "2026-06-17T13:00+02:00", "2026-06-17T16:00+02:00", "other hours in the policy's zone"),
    ({"timezone": KOLKATA, "hours": LUNCH}, "2026-06-17T09:30+02:00", "2026-06-17T16:00+05:30", "both of its own"),
    ({"timezone": NEW_YORK}, "2026-03-08T12:00+01:00", "2026-03-09T10:00-04:00", "changes its clocks before Madrid"),
    ({"timezone": KOLKATA}, "2026-12-24T18:00+05:30", "2026-12-28T10:00+05:30", "the holiday is a day there"),
    ({"timezone": AUCKLAND}, "2026-12-24T17:30+13:00", "2026-12-28T09:30+13:00", "also where it begins earlier"),
]


@pytest.mark.parametrize(("owner", "start", "due", "about"), ABROAD)
def test_zone_and_hours_of_an_owner_fall_back_to_those_of_the_policy(
    owner: dict[str, Any], start: str, due: str, about: str
) -> None:
    text = policy_text(timezone=MADRID, hours=OFFICE, holidays=["2026-12-25"], owners={"ann": owner})
    presence = Presence(read_policy(text, "p.yaml"))

    assert iso(presence.calendar("ann").due(ms(start), UNITS["h"])) == iso(ms(due)), about
    assert presence.calendar(None) is presence.policy_calendar


def test_there_are_sixty_cases() -> None:
    assert len(GOLDEN) + len(HOLIDAYS) + len(ABROAD) >= 60


def test_hours_that_never_open_do_not_stop_a_clock_for_good() -> None:
    start = ms("2026-06-15T09:00+02:00")

    assert calendar(MADRID, NEVER, []).due(start, 1) == start + HORIZON_MS
    assert calendar(MADRID, NEVER, []).next_change(start) is None
