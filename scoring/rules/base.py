"""What a rule kind is.

A kind is one file in this folder and one line in `RULE_KINDS` (`scoring/rules/__init__.py`). Its class is a frozen
dataclass whose fields are the keys of the rule in the model file, annotated with the types below, so that the
reader, the check and the documents know them without being told again. The field named as the kind holds what the
rule is about (signals, or for `profile` conditions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import ClassVar, Final, NewType, Protocol

from scoring.conditions import Conditions
from scoring.evidence import Evidence
from scoring.points import PointsOverTime

__all__ = [
    "NOTHING",
    "NO_MATCH",
    "Conditions",
    "Duration",
    "Evaluator",
    "Known",
    "Matcher",
    "ProfileValue",
    "RuleKind",
    "RulePlace",
    "SignalNames",
    "Times",
    "latest_of",
    "match_evaluator",
]

SignalNames = tuple[str, ...]
"""One signal or several. Several at a place where one is meant are the union of their occurrences."""

Duration = NewType("Duration", int)
"""Integer milliseconds, from 1 ms to 400 d."""


@dataclass(frozen=True, slots=True)
class Times:
    """Limits of a whole number, both included: ``Annotated[int, Times(2, 64)]``."""

    low: int
    high: int


class RuleKind:
    """Base of the kinds."""

    KIND: ClassVar[str]
    AGES: ClassVar[bool] = False
    """Whether `hold`, `fade` and `halve` may be given."""
    POSTPONED: ClassVar[bool] = False
    """Whether, once points are only a matter of time, every occurrence of any signal of the rule postpones them."""
    SENTENCE: ClassVar[str]
    """What earns the points, as `model show` says it: keys in braces; what stands in brackets is left out where its
    key is at its default."""

    def signals(self) -> tuple[str, ...]:
        """Names of all signals that the rule looks at."""
        return ()

    def preventing(self) -> tuple[str, ...]:
        """Names of signals that can only prevent or postpone the points of a lead that has none by this rule."""
        return ()

    def profile_fields(self) -> tuple[str, ...]:
        """Names of all profile fields that the rule looks at."""
        return ()

    def evaluator(self, place: RulePlace) -> Evaluator:
        """What the rule gives a lead at a moment."""
        raise NotImplementedError

    def matcher(self, place: RulePlace) -> Matcher | None:
        """For kinds that remember their latest match: how it is found in what is kept now."""
        return None

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """Of the times of occurrences, those that an explanation names.

        Args:
            key: The key of the rule under which the signals stand.
            parts: Times of each signal (or union of signals) under that key, in ascending order.
            match: The latest match, for kinds that remember one.
        """
        return [times[-1:] for times in parts]


ProfileValue = tuple[str | int | bool | None, int, int]
"""Value (None: deleted), `occurred_at` in milliseconds, digest of `event_id`."""

NO_MATCH: Final = -(1 << 62)
"""The time of a match that never was."""


class Known(Protocol):
    """What a rule sees of a lead.

    Attributes:
        evidence: See `scoring.evidence`.
        places: By number of the signal: where its first time stands in `evidence`; -1: nowhere.
        latest: By number of the signal: time of its latest occurrence, or `NO_MATCH`.
        matches: By number of the rule: time of its latest match, or `NO_MATCH`.
        profile: By name of the field.
    """

    evidence: Evidence
    places: list[int]
    latest: list[int]
    matches: list[int]
    profile: dict[str, ProfileValue]


Evaluator = Callable[[Known, int], tuple[int, int, int]]
"""(a lead, a moment) -> points, since when (ms), and the next moment at which time alone changes the points."""

Matcher = Callable[[Known], int]
"""A lead -> the latest match in what is kept now, or `NO_MATCH`."""


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Where a rule stands in its model.

    Attributes:
        number: Of the rule, in the order of the file.
        points: Its full points.
        worth: What they are worth some time after the fact.
        signal_numbers: By name.
    """

    number: int
    points: int
    worth: PointsOverTime
    signal_numbers: Mapping[str, int]

    def numbers(self, names: SignalNames) -> tuple[int, ...]:
        """Numbers of signals, each once."""
        return tuple(dict.fromkeys(self.signal_numbers[name] for name in names))


NOTHING = (0, 0, 1 << 62)
"""No points, and nothing that time will change."""


def latest_of(numbers: tuple[int, ...]) -> Callable[[list[int]], int]:
    """From the latest times of all signals to that of some of them together."""
    if not numbers:
        return lambda latest: NO_MATCH
    if len(numbers) == 1:
        return itemgetter(numbers[0])
    pick = itemgetter(*numbers)
    return lambda latest: max(pick(latest))


def match_evaluator(place: RulePlace) -> Evaluator:
    """Points of a kind that remembers its latest match, worth what its age leaves of them."""
    number, worth = place.number, place.worth

    def evaluate(known: Known, at: int) -> tuple[int, int, int]:
        match = known.matches[number]
        if match == NO_MATCH:
            return NOTHING
        points, change = worth(match, at)
        return points, match, change

    return evaluate
