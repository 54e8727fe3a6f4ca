"""What a rule kind is.

A kind is one file in this folder and one line in `RULE_KINDS` (`scoring/rules/__init__.py`). Its class is a frozen
dataclass whose fields are the keys of the rule in the model file, annotated with the types below, so that the
reader, the check and the documents know them without being told again. The field named as the kind holds what the
rule is about (signals, or for `profile` conditions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NewType

from librt.vecs import vec
from mypy_extensions import i64

from scoring.conditions import Conditions
from scoring.evaluators import Evaluator
from scoring.matchers import Matcher
from scoring.points import PointsOverTime

__all__ = [
    "Conditions",
    "Duration",
    "Evaluator",
    "Matcher",
    "RuleKind",
    "RulePlace",
    "SignalNames",
    "Times",
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

    def numbers(self, names: SignalNames) -> vec[i64]:
        """Numbers of signals, each once."""
        return vec[i64](dict.fromkeys(self.signal_numbers[name] for name in names))
