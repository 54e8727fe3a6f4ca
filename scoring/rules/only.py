"""Rule kind `only`: while the signal occurred within `within` and nothing of `none_of` did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.points import NEVER
from scoring.rules.base import (
    NOTHING,
    Duration,
    Evaluator,
    Known,
    RuleKind,
    RulePlace,
    SignalNames,
    latest_of,
)

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
        """The latest occurrence is young enough, and no other thing is."""
        newest, other = latest_of(place.numbers(self.only)), latest_of(place.numbers(self.none_of))
        points, within = place.points, self.within

        def evaluate(known: Known, at: int) -> tuple[int, int, int]:
            latest = newest(known.latest)
            end, clear = latest + within, other(known.latest) + within
            if at >= end:
                return NOTHING
            if at >= clear:
                return points, latest, end
            return 0, 0, clear if clear < end else NEVER

        return evaluate
