"""Conditions on fields, as `where`, `except` and `profile` rules have them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Allowed", "Condition", "Conditions", "Pattern", "Range"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text, compared without case and surrounding blanks; `*` stands for anything. `text` is already folded."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `low` to `high`, both included; None is open."""

    low: int | None
    high: int | None


Allowed = Pattern | Range | bool | int
"""One thing that a field may be."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of an event or of the profile, and what it may be: any of `allowed`."""

    field: str
    allowed: tuple[Allowed, ...]


Conditions = tuple[Condition, ...]
"""All of them must hold."""
