"""Rule kind `each`: `points` for each of the `at_most` latest occurrences, each with its own age, summed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.rules.base import RuleKind, SignalNames, Times

__all__ = ["Each"]


@dataclass(frozen=True, slots=True)
class Each(RuleKind):
    """`points` for each of the `at_most` latest occurrences, each with its own age, summed."""

    KIND: ClassVar[str] = "each"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{each}[, the latest {at_most} of them]"

    each: SignalNames
    at_most: Annotated[int, Times(1, 64)] = 1
