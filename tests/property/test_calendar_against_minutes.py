"""Working time is what a count of every minute says, in any zone and year, most often where clocks change."""

import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.times import iso
from scoring.routing.presence import Presence
from scoring.routing.reading import read_policy
from scoring.routing.zones import day_begins, known_zones, offsets, year_begins
from tests.reference.routing.wall import EPOCH, MINUTE, due, on_the_wall, works
from tests.scoring.routing.builders import policy_text

CASES = int(os.environ.get("LEADSTREAM_PROPERTY_CASES", "1000")) // 10
HOUR = 60 * MINUTE
LOOKED_AT = 4 * 24 * 60
"""Minutes."""

ZONES = sorted(known_zones())
DAYS = ("mon", "tue-thu", "fri", "sat", "sun")
SPANS: list[Any] = [
    "09:00-18:00",
    "00:00-24:00",
    ["22:00-24:00", "00:00-03:00"],
    "02:00-03:00",
    "01:59-02:31",
    "23:59-24:00",
]


class Case:
    """A zone, hours and days off, and a moment, mostly a little before clocks change there."""

    def __init__(self, seed: int) -> None:
        chance = self.chance = Random(seed)
        self.zone, year = chance.choice(ZONES), chance.randint(1985, 2040)
        changes = [begin for begin, _, _ in offsets(self.zone, year)[1:]]
        near = chance.choice(changes) if changes else chance.randrange(year_begins(year), year_begins(year + 1))
        self.start = near - chance.randrange(60 * HOUR)
        if chance.random() < 0.5:
            self.start -= self.start % (30 * MINUTE)
        self.hours = {days: chance.choice(SPANS) for days in DAYS if chance.random() < 0.8} or {"sun": "01:00-02:00"}
        self.holidays = [self._day(number) for number in range(5) if chance.random() < 0.2]
        sections = {"timezone": self.zone, "hours": self.hours, "holidays": self.holidays}
        self.calendar = Presence(read_policy(policy_text(**sections), "p.yaml")).policy_calendar
        self.minutes = range(self.start // MINUTE, self.start // MINUTE + LOOKED_AT)

    def _day(self, number: int) -> str:
        return (datetime.fromtimestamp(self.start / 1000, UTC) + timedelta(days=number)).date().isoformat()

    def works(self, minute: int) -> bool:
        return works(self.zone, self.hours, self.holidays, minute)

    def __repr__(self) -> str:
        return f"{self.zone} from {iso(self.start)}: {self.hours} without {self.holidays}"


@pytest.mark.property
@pytest.mark.parametrize("seed", range(CASES))
def test_working_time_is_what_a_count_of_every_minute_says(seed: int) -> None:
    case = Case(seed)
    opens = {minute: case.works(minute) for minute in case.minutes}
    for _ in range(2 if sum(opens.values()) > 1 else 0):
        whole = case.chance.randint(1, sum(opens.values()) - 1)
        duration = whole * MINUTE - case.chance.choice((0, 0, 1, MINUTE - 1))
        expected = due(case.zone, case.hours, case.holidays, case.start, duration)
        assert iso(case.calendar.due(case.start, duration)) == iso(expected), (case, duration)
    for minute in case.chance.sample(case.minutes, 100):
        assert case.calendar.working(minute * MINUTE + 59_999) == opens[minute], (case, minute)
    changes, now = list[int](), case.calendar.next_change(case.minutes[0] * MINUTE)
    while now is not None and now <= case.minutes[-1] * MINUTE:
        changes.append(now)
        now = case.calendar.next_change(now)
    assert changes == [minute * MINUTE for minute in case.minutes[1:] if opens[minute] != opens[minute - 1]], case


@pytest.mark.property
@pytest.mark.parametrize("seed", range(CASES))
def test_a_day_begins_at_its_first_existing_minute(seed: int) -> None:
    case = Case(seed)
    latest = on_the_wall(case.zone, case.minutes[0] - 1).date()
    for minute in case.minutes:
        there = on_the_wall(case.zone, minute).date()
        if there > latest:
            latest = there
            assert iso(day_begins(case.zone, (there - EPOCH.date()).days)) == iso(minute * MINUTE), case
