"""Rules that can never win their group."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.checks.facts import Signals, by_name, same_signals, union_implies
from scoring.language.implied import conditions_imply
from scoring.model import Model, Place, Rule
from scoring.rules.each import Each
from scoring.rules.only import Only
from scoring.rules.profile import Profile
from scoring.rules.repeat import Repeat
from scoring.rules.silence import Silence
from scoring.rules.streak import Streak
from scoring.rules.together import Together

__all__ = ["rules_that_never_win"]


def rules_that_never_win(model: Model) -> Iterator[tuple[Place, str, str]]:
    """A rule beside another one that always counts when it does, with at least as many points."""
    signals = by_name(model)
    for index, rule in enumerate(model.rules):
        for other_index, other in enumerate(model.rules):
            if index == other_index or rule.group is None or _group(rule) != _group(other):
                continue
            if _outweighs(other, rule, first=other_index < index) and _follows(rule, other, signals):
                what = f"rule {rule.name} can never win its group {rule.group}: whenever it counts, {other.name} does"
                yield rule.place, f"{what} with no fewer points", "give it more points than that, or remove it"
                break


def _group(rule: Rule) -> tuple[str, str | None]:
    return rule.dimension, rule.group


def _outweighs(other: Rule, rule: Rule, *, first: bool) -> bool:
    """Whether the points of `other` are never the fewer, where both count from the same moment."""
    most = abs(rule.points) * (rule.kind.at_most if isinstance(rule.kind, Each) else 1)
    least = abs(other.points)
    if least < most or (least == most and not first):
        return False
    return _never_ages(other) or (first and _ages_alike(other, rule))


def _never_ages(rule: Rule) -> bool:
    return rule.hold_ms is None and rule.fade_ms is None and rule.halve_ms is None


def _ages_alike(other: Rule, rule: Rule) -> bool:
    if other.fade_ms == rule.fade_ms and other.halve_ms == rule.halve_ms:
        if other.hold_ms == rule.hold_ms:
            return True
        # Full points to the end of the hold: the longer one is never the fewer.
        plain = other.fade_ms is None and other.halve_ms is None
        return plain and other.hold_ms is not None and rule.hold_ms is not None and other.hold_ms > rule.hold_ms
    return False


def _follows(rule: Rule, other: Rule, signals: Signals) -> bool:
    """Whether `other` counts whenever `rule` does, from the same moment or a later one."""
    match rule.kind, other.kind:
        case Profile(), Profile():
            return conditions_imply(rule.kind.profile, other.kind.profile)
        case Silence(), Silence():
            return _same_silence(rule.kind, other.kind, signals) and rule.kind.within >= other.kind.within
        case Each() | Repeat() | Streak(), Each():
            subject: tuple[str, ...] = getattr(rule.kind, rule.kind.KIND)
            return union_implies(subject, other.kind.each, signals)
        case Only(), Each():
            return _never_ages(other) and union_implies(rule.kind.only, other.kind.each, signals)
        case Together(), Each():
            # The match may close with another signal, later than what `other` counts from.
            members = rule.kind.together
            return _never_ages(other) and any(union_implies(one, other.kind.each, signals) for one in members)
        case Repeat(), Repeat():
            same = same_signals(rule.kind.repeat, other.kind.repeat, signals)
            return same and rule.kind.times >= other.kind.times and rule.kind.within <= other.kind.within
        case Together(), Together():
            return _same_together(rule.kind, other.kind, signals) and rule.kind.within <= other.kind.within
        case _:
            return False


def _same_silence(one: Silence, other: Silence, signals: Signals) -> bool:
    mine, theirs = (kind.silence if kind.broken_by is None else kind.broken_by for kind in (one, other))
    return same_signals(one.silence, other.silence, signals) and same_signals(mine, theirs, signals)


def _same_together(one: Together, other: Together, signals: Signals) -> bool:
    if other.in_order and not (one.in_order and len(one.together) == len(other.together)):
        return False
    if other.in_order:
        return all(same_signals(*pair, signals) for pair in zip(one.together, other.together, strict=True))
    return all(any(same_signals(want, have, signals) for have in one.together) for want in other.together)
