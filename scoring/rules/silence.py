"""Rule kind `silence`: while the latest occurrence is `within` or longer ago and no `broken_by` occurrence is later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring import evaluators
from scoring.rules.base import Duration, Evaluator, RuleKind, RulePlace, SignalNames

__all__ = ["Silence"]


@dataclass(frozen=True, slots=True)
class Silence(RuleKind):
    """While the latest occurrence is `within` or longer ago and no `broken_by` occurrence is later."""

    KIND: ClassVar[str] = "silence"
    POSTPONED: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{within} since the latest {silence}[ without {broken_by}]"

    silence: SignalNames
    within: Duration
    broken_by: SignalNames | None = None

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return self.silence + (self.broken_by or ())

    def preventing(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return tuple(name for name in self.broken_by or () if name not in self.silence)

    def evaluator(self, place: RulePlace) -> Evaluator:
        """See `RuleKind`."""
        numbers, breakers = place.numbers(self.silence), place.numbers(self.broken_by or ())
        return evaluators.Silence(place.number, place.points, numbers, breakers, self.within)
