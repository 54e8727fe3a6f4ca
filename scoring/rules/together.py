"""Rule kind `together`: once, from the latest moment at which one occurrence of every signal lies within `within`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.rules.base import Duration, RuleKind, SignalNames

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
