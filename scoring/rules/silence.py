"""Rule kind `silence`: while the latest occurrence is `within` or longer ago and no `broken_by` occurrence is later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.rules.base import Duration, RuleKind, SignalNames

__all__ = ["Silence"]


@dataclass(frozen=True, slots=True)
class Silence(RuleKind):
    """While the latest occurrence is `within` or longer ago and no `broken_by` occurrence is later."""

    KIND: ClassVar[str] = "silence"
    SENTENCE: ClassVar[str] = "{within} since the latest {silence}[ without {broken_by}]"

    silence: SignalNames
    within: Duration
    broken_by: SignalNames | None = None
