"""Models in plain English: durations, conditions, signals, rules, tiers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from scoring.conditions import Allowed, Conditions, Pattern, Range
from scoring.language.kinds import Key, keys_of
from scoring.model import Bounds, Rule, Signal, Tier, Total
from scoring.rules.base import Conditions as ConditionsKey
from scoring.rules.base import Duration
from scoring.rules.each import Each

__all__ = [
    "bounds_words",
    "conditions_words",
    "duration_words",
    "lasting_words",
    "leaving_words",
    "points_words",
    "printable",
    "rule_words",
    "signal_words",
    "tier_words",
    "total_words",
]

_DAY_MS = 86_400_000
_UNITS = (
    (7 * _DAY_MS, "week"),
    (_DAY_MS, "day"),
    (3_600_000, "hour"),
    (60_000, "minute"),
    (1_000, "second"),
    (1, "millisecond"),
)
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_KEY = re.compile(r"\{(\w+)\}")


def printable(text: str) -> str:
    """Text from the file without what could steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def duration_words(ms: int, *, weeks: bool = False) -> str:
    """A duration in the largest unit that has no remainder; weeks only where asked for.

    >>> duration_words(86_400_000), duration_words(14 * 86_400_000), duration_words(90_000)
    ('24 hours', '14 days', '90 seconds')
    """
    if ms == _DAY_MS:
        return "24 hours"  # "less than 1 day" is read as "on the same day"
    size, unit = next(pair for pair in _UNITS[0 if weeks else 1 :] if ms % pair[0] == 0)
    count = ms // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _spoken(name: str) -> str:
    return printable(name.replace("_", " "))


def _either(words: Iterable[str], last: str = "or") -> str:
    """Words as a sentence lists them.

    >>> _either(["a", "b", "c"])
    'a, b or c'
    """
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def conditions_words(conditions: Conditions) -> str:
    """All the fields and what they may be."""
    return " and ".join(
        f"{printable(one.field)} is {_either(_allowed(value) for value in one.allowed)}" for one in conditions
    )


def _allowed(value: Allowed) -> str:
    if isinstance(value, Pattern):
        return printable(value.text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _range(value)


def _range(value: Range) -> str:
    if value.low is None:
        return f"{value.high} or less"
    return f"{value.low} or more" if value.high is None else f"{value.low} to {value.high}"


def signal_words(signal: Signal) -> str:
    """Which events a signal names."""
    words = _either(_spoken(kind) for kind in signal.on)
    if signal.where:
        words += f" where {conditions_words(signal.where)}"
    if signal.excepted:
        words += f", but not where {conditions_words(signal.excepted)}"
    if signal.distinct:
        words += f"; each {printable(signal.distinct)} counts once"
    return words + ("; asks for a person" if signal.request else "")


def rule_words(rule: Rule) -> str:
    """What earns the points of a rule."""
    keys = {key.name: key for key in keys_of(type(rule.kind))}

    def optional(found: re.Match[str]) -> str:
        names = _KEY.findall(found[1])
        return found[1] if all(getattr(rule.kind, name) != keys[name].default for name in names) else ""

    def value(found: re.Match[str]) -> str:
        return _key_words(keys[found[1]], getattr(rule.kind, found[1]))

    return _KEY.sub(value, _OPTIONAL.sub(optional, rule.kind.SENTENCE))


def _key_words(key: Key, value: Any) -> str:
    if key.form == ConditionsKey:
        return conditions_words(value)
    if key.form == Duration:
        return duration_words(value)
    if key.form is bool:
        return ""
    if isinstance(value, tuple):
        if isinstance(value[0], str):
            return _either(_spoken(name) for name in value)
        return _either((_either(_spoken(name) for name in union) for union in value), "and")
    return str(value)


def points_words(rule: Rule) -> str:
    """The points with their sign."""
    many = isinstance(rule.kind, Each) and rule.kind.at_most > 1
    return f"{rule.points:+d} each" if many else f"{rule.points:+d}"


def lasting_words(rule: Rule) -> str:
    """How long the points last."""
    if not rule.kind.AGES:
        return "while it is so"
    full = f"{duration_words(rule.hold_ms)}" if rule.hold_ms else ""
    if rule.fade_ms:
        return (f"{full}, then " if full else "") + f"fading over {duration_words(rule.fade_ms)}"
    if rule.halve_ms:
        return (f"{full}, then " if full else "") + f"halved every {duration_words(rule.halve_ms)}"
    return full or "for ever"


def bounds_words(bounds: Bounds | Total | None) -> str:
    """The clamp of a dimension or of the total."""
    low, high = (None, None) if bounds is None else (bounds.min, bounds.max)
    if low is None and high is None:
        return ""
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"from {low} to {high}"


def total_words(total: Total) -> str:
    """What the total is made of."""
    bounds = bounds_words(total)
    return " + ".join(total.of) + (f", {bounds}" if bounds else "")


def tier_words(tier: Tier) -> str:
    """Who gets into a tier."""
    parts = []
    if tier.at_least is not None:
        parts.append(f"total of {tier.at_least} or more")
    if tier.above is not None:
        parts.append(f"total above {tier.above}")
    for name, bar in (("fit", tier.fit_at_least), ("engagement", tier.engagement_at_least)):
        if bar is not None:
            parts.append(f"{name} of {bar} or more")
    if tier.requires_any:
        # Names as the tables have them: spoken, "a, b or c" would hide where `b_or_c` ends.
        parts.append(f"points now for {_either(tier.requires_any)}")
    return " and ".join(parts) or "everybody else"


def leaving_words(tier: Tier) -> str:
    """When a lead goes down from a tier, where that is not when it no longer gets in."""
    parts = []
    if tier.leave_below is not None:
        parts.append(f"stays down to {tier.leave_below}")
    if tier.stay_at_least_ms is not None:
        parts.append(f"stays at least {duration_words(tier.stay_at_least_ms)}")
    return ", ".join(parts)
