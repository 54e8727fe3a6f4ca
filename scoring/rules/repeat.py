"""Rule kind `repeat`: once, from the latest occurrence that closes a window of `times` within `within`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring import matchers
from scoring.evaluators import Matched
from scoring.rules.base import Duration, Evaluator, Matcher, RuleKind, RulePlace, SignalNames, Times

__all__ = ["Repeat"]


@dataclass(frozen=True, slots=True)
class Repeat(RuleKind):
    """Once, from the latest occurrence that closes a window of `times` within `within`."""

    KIND: ClassVar[str] = "repeat"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{repeat}, {times} times in less than {within}"

    repeat: SignalNames
    times: Annotated[int, Times(2, 64)]
    within: Duration

    def signals(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return self.repeat

    def evaluator(self, place: RulePlace) -> Evaluator:
        """See `RuleKind`."""
        return Matched(place.number, place.worth)

    def matcher(self, place: RulePlace) -> Matcher:
        """See `RuleKind`."""
        return matchers.Repeat(place.number, place.numbers(self.repeat), self.times, self.within)

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """The occurrences of the match, as far as they are kept; without a match the latest."""
        if match is None:
            return [times[-self.times :] for times in parts]
        closed = [times[: bisect_right(times, match)][-self.times :] for times in parts]
        return [[time for time in times if time > match - self.within] for times in closed]
