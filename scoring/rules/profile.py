"""Rule kind `profile`: while the profile matches, with the meaning of `where`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring import evaluators
from scoring.rules.base import Conditions, Evaluator, RuleKind, RulePlace

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
        """See `RuleKind`."""
        return evaluators.Profile(place.number, place.points, self.profile)
