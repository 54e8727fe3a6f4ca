"""How many occurrences of a signal the rules need."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.language.kinds import keys_of
from scoring.model import Rule
from scoring.rules.base import SignalNames

__all__ = ["needed_keep"]


def needed_keep(signal: str, rules: Iterable[Rule]) -> int:
    """The most that one rule counts of a signal: `times` of `repeat` and `streak`, `at_most` of `each`; else 1."""
    return max((_counted(rule) for rule in rules if signal in _subject(rule)), default=1)


def _subject(rule: Rule) -> SignalNames:
    """The signals that a rule is about, where it is about one or a union."""
    subject = getattr(rule.kind, rule.kind.KIND)
    return subject if subject and isinstance(subject[0], str) else ()


def _counted(rule: Rule) -> int:
    """The largest whole number among the keys of its kind that has limits, which is how often."""
    counts = (getattr(rule.kind, key.name) for key in keys_of(type(rule.kind)) if key.times is not None)
    return max(counts, default=1)
