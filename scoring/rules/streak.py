"""Rule kind `streak`: once, from the newest occurrence, while the `times` latest are all later than the latest breaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.rules.base import Duration, RuleKind, SignalNames, Times

__all__ = ["Streak"]


@dataclass(frozen=True, slots=True)
class Streak(RuleKind):
    """Once, from the newest occurrence, while the `times` latest are all later than the latest breaker."""

    KIND: ClassVar[str] = "streak"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{streak}, {times} times running[ in less than {within}][, with no {broken_by} since the first]"

    streak: SignalNames
    times: Annotated[int, Times(2, 64)]
    broken_by: SignalNames = ()
    within: Duration | None = None
