"""Rule kind `each`: `points` for each of the `at_most` latest occurrences, each with its own age, summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.evidence import times_at
from scoring.rules.base import (
    NO_MATCH,
    NOTHING,
    Evaluator,
    Known,
    RuleKind,
    RulePlace,
    SignalNames,
    Times,
    latest_of,
)

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
        """Each of the latest occurrences is worth what its own age leaves of it."""
        numbers, worth, at_most = place.numbers(self.each), place.worth, self.at_most
        newest = latest_of(numbers)

        def one(known: Known, at: int) -> tuple[int, int, int]:
            latest = newest(known.latest)
            if latest == NO_MATCH:
                return NOTHING
            points, change = worth(latest, at)
            return points, latest, change

        def several(known: Known, at: int) -> tuple[int, int, int]:
            total, since, change = NOTHING
            for time in times_at(known.evidence, known.places, numbers)[-at_most:]:
                points, next_change = worth(time, at)
                total += points
                since = time if points else since
                change = min(change, next_change)
            return total, since, change

        return one if at_most == 1 else several

    def stands_on(self, key: str, parts: Sequence[list[int]], match: int | None) -> list[list[int]]:
        """See `RuleKind`."""
        return [times[-self.at_most :] for times in parts]
