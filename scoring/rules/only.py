"""Rule kind `only`: while the signal occurred within `within` and nothing of `none_of` did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.rules.base import Duration, RuleKind, SignalNames

__all__ = ["Only"]


@dataclass(frozen=True, slots=True)
class Only(RuleKind):
    """While the signal occurred within `within` and nothing of `none_of` did."""

    KIND: ClassVar[str] = "only"
    SENTENCE: ClassVar[str] = "{only} in the last {within}, and no {none_of}"

    only: SignalNames
    none_of: SignalNames
    within: Duration
