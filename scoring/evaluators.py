"""How rules are evaluated: what each gives a lead at a moment, and when time changes that.

The kinds in `scoring.rules` say what a rule means and choose among these. They stand here, apart from the kinds, since
this module is compiled and the kinds are not: an evaluator that a kind brings along in its own file works as well, at
the pace of plain Python.
"""

from __future__ import annotations

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from scoring.conditions import Condition
from scoring.evidence import times_at
from scoring.known import NO_MATCH, Known
from scoring.matching import fits
from scoring.points import NEVER, PointsOverTime

__all__ = [
    "Evaluator",
    "Latest",
    "Matched",
    "Only",
    "Profile",
    "Several",
    "Silence",
    "Streak",
]

_REMEMBERED = 10_000


@mypyc_attr(allow_interpreted_subclasses=True)
class Evaluator:
    """What a rule gives a lead.

    Attributes:
        rule: Its number, in the order of the file.
    """

    def __init__(self, rule: int) -> None:
        self.rule: i64 = rule

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """At a moment: points, since when (ms), and the next moment at which time alone changes the points."""
        raise NotImplementedError


def _latest_of(latest: vec[i64], numbers: vec[i64]) -> i64:
    """The time of the latest occurrence of some signals together, or `NO_MATCH`."""
    found: i64 = NO_MATCH
    for number in numbers:
        time = latest[number]
        found = max(found, time)
    return found


class Latest(Evaluator):
    """The latest occurrence, worth what its age leaves of it."""

    def __init__(self, rule: int, signals: vec[i64], worth: PointsOverTime) -> None:
        super().__init__(rule)
        self.signals, self.worth = signals, worth

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        latest = _latest_of(known.latest, self.signals)
        if latest == NO_MATCH:
            return 0, 0, NEVER
        points, change = self.worth.at(latest, at)
        return points, latest, change


class Several(Evaluator):
    """Each of the `at_most` latest occurrences, worth what its own age leaves of it."""

    def __init__(self, rule: int, signals: vec[i64], worth: PointsOverTime, at_most: int) -> None:
        super().__init__(rule)
        self.signals, self.worth = signals, worth
        self.at_most: i64 = at_most

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        total: i64 = 0
        since: i64 = 0
        change: i64 = NEVER
        times = times_at(known.evidence, known.places, self.signals)
        for place in range(max(0, len(times) - self.at_most), len(times)):
            time = times[place]
            points, next_change = self.worth.at(time, at)
            total += points
            if points:
                since = time
            change = min(change, next_change)
        return total, since, change


class Matched(Evaluator):
    """The latest match, worth what its age leaves of it."""

    def __init__(self, rule: int, worth: PointsOverTime) -> None:
        super().__init__(rule)
        self.worth = worth

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        match = known.matches[self.rule]
        if match == NO_MATCH:
            return 0, 0, NEVER
        points, change = self.worth.at(match, at)
        return points, match, change


class Streak(Evaluator):
    """The newest occurrence, while enough of them are later than the latest breaker and close together."""

    def __init__(
        self,
        rule: int,
        signals: vec[i64],
        breakers: vec[i64],
        worth: PointsOverTime,
        times: int,
        within: int | None,
    ) -> None:
        super().__init__(rule)
        self.signals, self.breakers, self.worth = signals, breakers, worth
        self.times: i64 = times
        self.within: i64 = NEVER if within is None else within

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        moments = times_at(known.evidence, known.places, self.signals)
        count: i64 = len(moments)
        if count < self.times:
            return 0, 0, NEVER
        first, newest = moments[count - self.times], moments[count - 1]
        if first <= _latest_of(known.latest, self.breakers) or newest - first >= self.within:
            return 0, 0, NEVER
        points, change = self.worth.at(newest, at)
        return points, newest, change


class Only(Evaluator):
    """The latest occurrence is young enough, and no other thing is."""

    def __init__(self, rule: int, points: int, signals: vec[i64], others: vec[i64], within: int) -> None:
        super().__init__(rule)
        self.signals, self.others = signals, others
        self.points: i64 = points
        self.within: i64 = within

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        latest = _latest_of(known.latest, self.signals)
        end = latest + self.within
        if at >= end:
            return 0, 0, NEVER
        clear = _latest_of(known.latest, self.others) + self.within
        if at >= clear:
            return self.points, latest, end
        if clear < end:
            return 0, 0, clear
        return 0, 0, NEVER


class Silence(Evaluator):
    """Nothing that breaks the silence is later than the latest occurrence, and that is long enough ago."""

    def __init__(self, rule: int, points: int, signals: vec[i64], breakers: vec[i64], within: int) -> None:
        super().__init__(rule)
        self.signals, self.breakers = signals, breakers
        self.points: i64 = points
        self.within: i64 = within

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        latest = _latest_of(known.latest, self.signals)
        if latest == NO_MATCH or _latest_of(known.latest, self.breakers) > latest:
            return 0, 0, NEVER
        begin = latest + self.within
        if at >= begin:
            return self.points, begin, NEVER
        return 0, 0, begin


class Profile(Evaluator):
    """Every condition holds; since the latest of the values that they look at."""

    def __init__(self, rule: int, points: int, conditions: tuple[Condition, ...]) -> None:
        super().__init__(rule)
        self.points: i64 = points
        self.checks = [_Check(condition) for condition in conditions]

    def look(self, known: Known, at: i64) -> tuple[i64, i64, i64]:
        """See `Evaluator`."""
        profile = known.profile
        since: i64 = 0
        for check in self.checks:
            found = profile.get(check.condition.field)
            if found is None or not check.holds(found[0]):
                return 0, 0, NEVER
            since = max(since, found[1])
        return self.points, since, NEVER


class _Check:
    """Whether a value fits a condition; most leads share their values, so answers are kept."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.known: dict[tuple[type, str | int | bool | None], bool] = {}

    def holds(self, value: str | int | bool | None) -> bool:
        asked = (type(value), value)
        answer = self.known.get(asked)
        if answer is None:
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            answer = self.known[asked] = fits(self.condition.allowed, value)
        return answer
