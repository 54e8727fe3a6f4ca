"""Rule kind `silence`: while the latest occurrence is `within` or longer ago and no `broken_by` occurrence is later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.points import NEVER
from scoring.rules.base import (
    NO_MATCH,
    NOTHING,
    Duration,
    Evaluator,
    Known,
    RuleKind,
    RulePlace,
    SignalNames,
    latest_of,
)

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
        """Nothing that breaks the silence is later than the latest occurrence, and that is long enough ago."""
        newest = latest_of(place.numbers(self.silence))
        breaker = latest_of(place.numbers(self.broken_by)) if self.broken_by else None
        points, within = place.points, self.within

        def evaluate(known: Known, at: int) -> tuple[int, int, int]:
            latest = newest(known.latest)
            if latest == NO_MATCH or (breaker is not None and breaker(known.latest) > latest):
                return NOTHING
            begin = latest + within
            return (points, begin, NEVER) if at >= begin else (0, 0, begin)

        return evaluate
