"""Rule kind `repeat`: once, from the latest occurrence that closes a window of `times` within `within`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from scoring.rules.base import Duration, RuleKind, SignalNames, Times

__all__ = ["Repeat"]


@dataclass(frozen=True, slots=True)
class Repeat(RuleKind):
    """Once, from the latest occurrence that closes a window of `times` within `within`."""

    KIND: ClassVar[str] = "repeat"
    AGES: ClassVar[bool] = True
    SENTENCE: ClassVar[str] = "{repeat}, {times} times in less than {within}"

    repeat: SignalNames
    times: Annotated[int, Times(2, 64)]
    within: Duration
