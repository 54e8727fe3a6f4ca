"""What a rule kind is.

A kind is one file in this folder and one line in `RULE_KINDS` (`scoring/rules/__init__.py`). Its class is a frozen
dataclass whose fields are the keys of the rule in the model file, annotated with the types below, so that the
reader, the check and the documents know them without being told again. The field named as the kind holds what the
rule is about (signals, or for `profile` conditions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NewType

from scoring.conditions import Conditions

__all__ = ["Conditions", "Duration", "RuleKind", "SignalNames", "Times"]

SignalNames = tuple[str, ...]
"""One signal or several. Several at a place where one is meant are the union of their occurrences."""

Duration = NewType("Duration", int)
"""Integer milliseconds, from 1 ms to 400 d."""


@dataclass(frozen=True, slots=True)
class Times:
    """Limits of a whole number, both included: ``Annotated[int, Times(2, 64)]``."""

    low: int
    high: int


class RuleKind:
    """Base of the kinds."""

    KIND: ClassVar[str]
    AGES: ClassVar[bool] = False
    """Whether `hold`, `fade` and `halve` may be given."""
    SENTENCE: ClassVar[str]
    """What earns the points, as `model show` says it: keys in braces; what stands in brackets is left out where its
    key is at its default."""
