"""Rule kind `together`: once, from the latest moment at which one occurrence of every signal lies within `within`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scoring import matchers
from scoring.evaluators import Matched
from scoring.rules.base import Duration, Evaluator, Matcher, RuleKind, RulePlace, SignalNames

__all__ = ["Together"]


@dataclass(frozen=True, slots=True)
class Together(RuleKind):
    """Once, from the latest moment at which one occurrence of every signal lies within `within`."""

    KIND: ClassVar[str] = "together"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{together} in less than {within}[, in this order{in_order}]"

    together: tuple[SignalNames, ...]
    within: Duration
    in_order: bool = False

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return tuple(name for names in self.together for name in names)

    def evaluator(self, place: RulePlace) -> Evaluator:
        """See `RuleKind`."""
        return Matched(place.number, place.worth)

    def matcher(self, place: RulePlace) -> Matcher:
        """See `RuleKind`."""
        ends = matchers.InOrder if self.in_order else matchers.Together
        return ends(place.number, [place.numbers(names) for names in self.together], self.within)

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """The occurrences of the match, as far as they are kept; without a match the latest of each signal."""
        if match is None:
            return [times[-1:] for times in parts]
        chosen = []
        end = match
        for times in reversed(parts):
            within = [time for time in times if match - self.within < time <= end]
            chosen.append(within[-1:])
            end = within[-1] if within and self.in_order else end
        return chosen[::-1]
