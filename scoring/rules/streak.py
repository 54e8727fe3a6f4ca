"""Rule kind `streak`: once, from the newest of `times` occurrences that are all later than the latest breaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.evidence import times_at
from scoring.rules.base import (
    NOTHING,
    Duration,
    Evaluator,
    Known,
    RuleKind,
    RulePlace,
    SignalNames,
    Times,
    latest_of,
)

__all__ = ["Streak"]


@dataclass(frozen=True, slots=True)
class Streak(RuleKind):
    """Once, from the newest occurrence, while the `times` latest are all later than the latest breaker."""

    KIND: ClassVar[str] = "streak"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = (
        "{streak}, {times} times running[ in less than {within}][, with no {broken_by} since the first]"
    )

    streak: SignalNames
    times: Annotated[int, Times(2, 64)]
    broken_by: SignalNames = ()
    within: Duration | None = None

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return self.streak + self.broken_by

    def evaluator(self, place: RulePlace) -> Evaluator:
        """The newest occurrence, while enough of them are later than the latest breaker and close together."""
        numbers, breaker = place.numbers(self.streak), latest_of(place.numbers(self.broken_by))
        times, within, worth = self.times, self.within, place.worth

        def evaluate(known: Known, at: int) -> tuple[int, int, int]:
            moments = times_at(known.evidence, known.places, numbers)
            if len(moments) < times:
                return NOTHING
            first, newest = moments[-times], moments[-1]
            if first <= breaker(known.latest) or (within is not None and newest - first >= within):
                return NOTHING
            points, change = worth(newest, at)
            return points, newest, change

        return evaluate

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """The latest `times` occurrences, and the latest breaker."""
        latest = self.times if key == self.KIND else 1
        return [times[-latest:] for times in parts]
