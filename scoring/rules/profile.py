"""Rule kind `profile`: while the profile matches, with the meaning of `where`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from scoring.conditions import Condition
from scoring.matching import fits
from scoring.points import NEVER
from scoring.rules.base import NOTHING, Conditions, Evaluator, Known, RuleKind, RulePlace

__all__ = ["Profile"]

_REMEMBERED = 10_000


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
        points = place.points
        checks = [(condition.field, _remembered(condition)) for condition in self.profile]

        def evaluate(known: Known, at: int) -> tuple[int, int, int]:
            profile, since = known.profile, 0
            for field, check in checks:
                found = profile.get(field)
                if found is None or not check(found[0]):
                    return NOTHING
                since = max(since, found[1])
            return points, since, NEVER

        return evaluate


def _remembered(condition: Condition) -> Callable[[str | int | bool | None], bool]:
    """Whether a value fits; most leads share their values, so answers are kept."""
    known: dict[tuple[type, str | int | bool | None], bool] = {}

    def check(value: str | int | bool | None) -> bool:
        asked = (type(value), value)
        answer = known.get(asked)
        if answer is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            answer = known[asked] = fits(condition.allowed, value)
        return answer

    return check
