"""Two rules that reward the same fact outside a group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from scoring.checks.facts import Signals, by_name, same_signals, union_implies
from scoring.language.implied import conditions_overlap
from scoring.model import Model, Place, Rule
from scoring.rules.profile import Profile
from scoring.rules.silence import Silence
from scoring.rules.together import Together

__all__ = ["facts_rewarded_twice"]


def facts_rewarded_twice(model: Model) -> Iterator[tuple[Place, str, str]]:
    """Pairs of rules of the same sign that one fact may feed, and that no group keeps apart."""
    signals = by_name(model)
    for first, second in combinations(model.rules, 2):
        grouped = first.group is not None and (first.dimension, first.group) == (second.dimension, second.group)
        if grouped or (first.points > 0) != (second.points > 0) or not _same_fact(first, second, signals):
            continue
        verb = "reward" if second.points > 0 else "punish"
        what = f"rules {first.name} and {second.name} {verb} the same fact"
        if first.dimension == second.dimension:
            remedy = "put them in one group, or tell them apart"
        else:
            remedy = "keep one of them, or tell them apart: a group does not reach over dimensions"
        yield second.place, what, remedy


def _same_fact(first: Rule, second: Rule, signals: Signals) -> bool:
    match first.kind, second.kind:
        case Profile(), Profile():
            return conditions_overlap(first.kind.profile, second.kind.profile)
        case (Profile(), _) | (_, Profile()):
            return False
        case Together(), Together():
            return _members_within(first.kind, second.kind, signals) or _members_within(
                second.kind, first.kind, signals
            )
        case Together(), _:
            return not isinstance(second.kind, Silence) and _has_member(first.kind, _subject(second), signals)
        case _, Together():
            return not isinstance(first.kind, Silence) and _has_member(second.kind, _subject(first), signals)
        case _:
            if isinstance(first.kind, Silence) != isinstance(second.kind, Silence):
                return False
            return _share_events(_subject(first), _subject(second), signals)


def _subject(rule: Rule) -> tuple[str, ...]:
    """The signals that a rule is about."""
    subject: tuple[str, ...] = getattr(rule.kind, rule.kind.KIND)
    return subject


def _share_events(these: tuple[str, ...], those: tuple[str, ...], signals: Signals) -> bool:
    """Whether a signal of one is a case of a signal of the other."""
    return any(
        union_implies([one], [other], signals) or union_implies([other], [one], signals)
        for one in these
        for other in those
    )


def _has_member(together: Together, subject: tuple[str, ...], signals: Signals) -> bool:
    return any(same_signals(member, subject, signals) for member in together.together)


def _members_within(inner: Together, outer: Together, signals: Signals) -> bool:
    return all(any(same_signals(one, other, signals) for other in outer.together) for one in inner.together)
