"""Rule kind `together`: once, from the latest moment at which one occurrence of every signal lies within `within`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scoring.evidence import times_at
from scoring.rules.base import (
    NO_MATCH,
    Duration,
    Evaluator,
    Known,
    Matcher,
    RuleKind,
    RulePlace,
    SignalNames,
    match_evaluator,
)

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
        """The latest match, worth what its age leaves of it."""
        return match_evaluator(place)

    def matcher(self, place: RulePlace) -> Matcher:
        """The latest moment that ends a window with one occurrence of every signal."""
        parts = [place.numbers(names) for names in self.together]
        number, within, find = place.number, self.within, _in_order if self.in_order else _in_any_order

        def match(known: Known) -> int:
            moments = []
            for numbers in parts:
                times = times_at(known.evidence, known.places, numbers)
                if not times:
                    return NO_MATCH
                moments.append(times)
            return find(moments, within, known.matches[number])

        return match

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


def _in_any_order(moments: list[list[int]], within: int, above: int) -> int:
    """The latest end, later than `above`, of a window that holds a moment of every list."""
    latest = [part[-1] for part in moments]
    end = max(latest)
    if end - min(latest) < within:
        return end
    for end in sorted({moment for part in moments for moment in part if moment > above}, reverse=True):
        if all((place := bisect_right(part, end)) and part[place - 1] > end - within for part in moments):
            return end
    return NO_MATCH


def _in_order(moments: list[list[int]], within: int, above: int) -> int:
    """The same, for moments in the listed order, equal ones allowed.

    For a given end, the chain that reaches back least takes, from the last list to the first, the latest moment that
    is not after the one chosen behind it.
    """
    for end in reversed(moments[-1]):
        if end <= above:
            break
        start = end
        for part in reversed(moments[:-1]):
            place = bisect_right(part, start)
            if not place:
                break
            start = part[place - 1]
        else:
            if end - start < within:
                return end
    return NO_MATCH
