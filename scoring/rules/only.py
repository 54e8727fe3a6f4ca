"""Rule kind `only`: while the signal occurred within `within` and nothing of `none_of` did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring import evaluators
from scoring.rules.base import Duration, Evaluator, RuleKind, RulePlace, SignalNames

__all__ = ["Only"]


@dataclass(frozen=True, slots=True)
class Only(RuleKind):
    """While the signal occurred within `within` and nothing of `none_of` did."""

    KIND: ClassVar[str] = "only"
    SENTENCE: ClassVar[str] = "{only} in the last {within}, and no {none_of}"

    only: SignalNames
    none_of: SignalNames
    within: Duration

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return self.only + self.none_of

    def preventing(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return tuple(name for name in self.none_of if name not in self.only)

    def evaluator(self, place: RulePlace) -> Evaluator:
        """See `RuleKind`."""
        numbers, others = place.numbers(self.only), place.numbers(self.none_of)
        return evaluators.Only(place.number, place.points, numbers, others, self.within)
