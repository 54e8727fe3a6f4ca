"""Rule kind `each`: `points` for each of the `at_most` latest occurrences, each with its own age, summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.evaluators import Latest, Several
from scoring.rules.base import Evaluator, RuleKind, RulePlace, SignalNames, Times

__all__ = ["Each"]


@dataclass(frozen=True, slots=True)
class Each(RuleKind):
    """`points` for each of the `at_most` latest occurrences, each with its own age, summed."""

    KIND: ClassVar[str] = "each"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{each}[, the latest {at_most} of them]"

    each: SignalNames
    at_most: Annotated[int, Times(1, 64)] = 1

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return self.each

    def evaluator(self, place: RulePlace) -> Evaluator:
        """See `RuleKind`."""
        numbers = place.numbers(self.each)
        if self.at_most == 1:
            return Latest(place.number, numbers, place.worth)
        return Several(place.number, numbers, place.worth, self.at_most)

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """See `RuleKind`."""
        return [times[-self.at_most :] for times in parts]
