"""Warnings about good habits: few rules, no dead weight, points that expire, a date for the review."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from scoring.model import DIMENSIONS, Model, Place, Rule

__all__ = [
    "MAX_RULES",
    "points_that_never_expire",
    "review_is_missing",
    "signals_nobody_uses",
    "signals_of",
    "too_many_rules",
]

MAX_RULES = 10
"""In one dimension. Five to ten criteria are what people can agree on and remember."""


def too_many_rules(model: Model) -> Iterator[tuple[Place, str, str]]:
    """More than ten rules in a dimension."""
    for dimension in DIMENSIONS:
        rules = [rule for rule in model.rules if rule.dimension == dimension]
        if len(rules) > MAX_RULES:
            what = f"dimension {dimension} has {len(rules)} rules, this is number {MAX_RULES + 1}"
            yield rules[MAX_RULES].place, what, f"keep the {MAX_RULES} that matter most"


def signals_nobody_uses(model: Model) -> Iterator[tuple[Place, str, str]]:
    """A signal that no rule names and that is no request either."""
    used = {name for rule in model.rules for name in signals_of(rule)}
    for signal in model.signals:
        if signal.name not in used and not signal.request:
            yield signal.place, f"nobody uses signal {signal.name}", "remove it, or name it in a rule"


def signals_of(rule: Rule) -> set[str]:
    """Every signal that a rule names, in whatever key."""
    fields = dataclasses.fields(rule.kind)  # type: ignore[arg-type]  # every kind is a dataclass
    return set().union(*(_names(getattr(rule.kind, field.name)) for field in fields))


def _names(value: Any) -> set[str]:
    if not isinstance(value, tuple):
        return set()
    return set().union(*({item} if isinstance(item, str) else _names(item) for item in value))


def points_that_never_expire(model: Model) -> Iterator[tuple[Place, str, str]]:
    """Points of a kind that ages, without hold, fade or halve."""
    for rule in model.rules:
        if rule.kind.AGES and rule.hold_ms is None and rule.fade_ms is None and rule.halve_ms is None:
            what = f"the {rule.points} points of rule {rule.name} never expire"
            yield rule.place, what, "add hold, fade or halve: what somebody did a year ago says little"


def review_is_missing(model: Model) -> Iterator[tuple[Place, str, str]]:
    """No rhythm for looking at the model again."""
    if model.review_every_ms is None:
        yield Place(1, 1), "the model has no review_every", "add review_every: 5w, or what you agree on"
