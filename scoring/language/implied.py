"""Conditions of which one holds whenever another does.

Answers err on the side of no: what is called implied is, what is not called so may still be.
"""

from __future__ import annotations

from scoring.conditions import Allowed, Condition, Conditions, Pattern, Range
from scoring.matching import text_fits

__all__ = ["conditions_imply", "conditions_overlap"]


def conditions_imply(narrow: Conditions, wide: Conditions) -> bool:
    """Whether all of `wide` hold wherever all of `narrow` do."""
    return all(any(_condition_implies(have, want) for have in narrow) for want in wide)


def _condition_implies(narrow: Condition, wide: Condition) -> bool:
    return narrow.field == wide.field and all(
        any(_within(have, want) for want in wide.allowed) for have in narrow.allowed
    )


def _within(narrow: Allowed, wide: Allowed) -> bool:
    if isinstance(narrow, Pattern) and isinstance(wide, Pattern):
        # Only a `*` of the wide one can stand over a `*` of the narrow one.
        return text_fits(wide.text, narrow.text)
    if isinstance(narrow, bool) or isinstance(wide, bool):
        return narrow is wide
    if isinstance(narrow, Pattern) or isinstance(wide, Pattern):
        return False
    (low, high), (least, most) = _ends(narrow), _ends(wide)
    return (least is None or (low is not None and low >= least)) and (
        most is None or (high is not None and high <= most)
    )


def _ends(number: Range | int) -> tuple[int | None, int | None]:
    return (number.low, number.high) if isinstance(number, Range) else (number, number)


def conditions_overlap(these: Conditions, those: Conditions) -> bool:
    """Whether two sets of conditions ask for a common field, and for nothing that excludes the other."""
    shared = [(one, other) for one in these for other in those if one.field == other.field]
    return bool(shared) and all(
        any(_overlap(left, right) for left in one.allowed for right in other.allowed) for one, other in shared
    )


def _overlap(left: Allowed, right: Allowed) -> bool:
    if isinstance(left, (Pattern, bool)) or isinstance(right, (Pattern, bool)):
        return _within(left, right) or _within(right, left)
    (low, high), (least, most) = _ends(left), _ends(right)
    return (high is None or least is None or least <= high) and (most is None or low is None or low <= most)
