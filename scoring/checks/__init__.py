"""What is allowed in a model and still deserves a second look: the warnings of `leadstream model check`.

One function a warning, in the order of the language's list. To add one: a function here or beside, and a line in
`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scoring.checks.groups import rules_that_never_win
from scoring.checks.habits import (
    points_that_never_expire,
    review_is_missing,
    signals_nobody_uses,
    too_many_rules,
)
from scoring.checks.overlaps import facts_rewarded_twice
from scoring.checks.reach import no_hard_signal, unreachable_tiers
from scoring.language.problems import Problem, Problems
from scoring.model import Model, Place

__all__ = ["CHECKS", "Finding", "warnings"]

Finding = tuple[Place, str, str]
"""Where, what is doubtful, what to do about it."""

CHECKS: tuple[Callable[[Model], Iterator[Finding]], ...] = (
    too_many_rules,
    unreachable_tiers,
    signals_nobody_uses,
    rules_that_never_win,
    facts_rewarded_twice,
    points_that_never_expire,
    no_hard_signal,
    review_is_missing,
)


def warnings(model: Model, file: str) -> list[Problem]:
    """Every warning about a model, in the order of the file.

    Args:
        model: As read.
        file: What the messages call its file.
    """
    problems = Problems(file)
    for check in CHECKS:
        for place, what, remedy in check(model):
            problems.add(place, what, remedy)
    return sorted(problems.found)
