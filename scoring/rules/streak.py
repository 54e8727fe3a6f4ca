"""Rule kind `streak`: once, from the newest of `times` occurrences that are all later than the latest breaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring import evaluators
from scoring.rules.base import Duration, Evaluator, RuleKind, RulePlace, SignalNames, Times

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
        """See `RuleKind`."""
        numbers, breakers = place.numbers(self.streak), place.numbers(self.broken_by)
        return evaluators.Streak(place.number, numbers, breakers, place.worth, self.times, self.within)

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """The latest `times` occurrences, and the latest breaker."""
        latest = self.times if key == self.KIND else 1
        return [times[-latest:] for times in parts]
