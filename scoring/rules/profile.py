"""Rule kind `profile`: while the profile matches, with the meaning of `where`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.matching import fits
from scoring.points import NEVER
from scoring.rules.base import NOTHING, Conditions, Evaluator, Known, RuleKind, RulePlace

__all__ = ["Profile"]


@dataclass(frozen=True, slots=True)
class Profile(RuleKind):
    """While the profile matches, with the meaning of `where`."""

    KIND: ClassVar[str] = "profile"
    SENTENCE: ClassVar[str] = "{profile}"

    profile: Conditions

    def profile_fields(self) -> tuple[str, ...]:
        """See `RuleKind`."""
        return tuple(condition.field for condition in self.profile)

    def evaluator(self, place: RulePlace) -> Evaluator:
        """Every condition holds; since the latest of the values that they look at."""
        conditions, points = self.profile, place.points

        def evaluate(known: Known, at: int) -> tuple[int, int, int]:
            profile, since = known.profile, 0
            for condition in conditions:
                found = profile.get(condition.field)
                if found is None or not fits(condition.allowed, found[0]):
                    return NOTHING
                since = max(since, found[1])
            return points, since, NEVER

        return evaluate
