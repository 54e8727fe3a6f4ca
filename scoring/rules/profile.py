"""Rule kind `profile`: while the profile matches, with the meaning of `where`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scoring.rules.base import Conditions, RuleKind

__all__ = ["Profile"]


@dataclass(frozen=True, slots=True)
class Profile(RuleKind):
    """While the profile matches, with the meaning of `where`."""

    KIND: ClassVar[str] = "profile"
    SENTENCE: ClassVar[str] = "{profile}"

    profile: Conditions
