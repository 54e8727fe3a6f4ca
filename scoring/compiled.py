"""A model, compiled once into what the hot path needs: numbers for names, and which rules a signal feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress

from schemas.outputs_wire import ModelRef
from scoring.digests import rule_digest
from scoring.evidence import shortened
from scoring.model import DIMENSIONS, Bounds, Model, Rule
from scoring.points import points_over_time
from scoring.rules.base import Evaluator, Matcher, RulePlace
from scoring.signals import Fed, Look, compile_signals
from scoring.tiers import Scores, TierLadder

__all__ = ["CompiledModel"]


class CompiledModel:
    """What the kernel asks a model.

    Attributes:
        signal_digests: By number of the signal: its digest as evidence has it.
        evaluators: By number of the rule, in the order of the file.
        looks: Every rule, by its number, and its evaluator.
        group_of: By number of the rule: its group, or None.
        find: By type of row: which signals it is, and which rules look at them.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.ref = ModelRef(model.name, model.version, model.sha256)
        numbers = {signal.name: number for number, signal in enumerate(model.signals)}
        self.rule_names = tuple(rule.name for rule in model.rules)
        self.rule_dimensions = tuple(rule.dimension for rule in model.rules)
        self.keep = tuple(signal.keep for signal in model.signals)
        self.signal_digests = tuple(shortened(signal.digest) for signal in model.signals)
        self.signals_by_digest: dict[int, list[int]] = {}
        for number, digest in enumerate(self.signal_digests):
            self.signals_by_digest.setdefault(digest, []).append(number)
        places = [_place(number, rule, numbers) for number, rule in enumerate(model.rules)]
        self.evaluators: tuple[Evaluator, ...] = tuple(
            rule.kind.evaluator(place) for rule, place in zip(model.rules, places, strict=True)
        )
        self.looks: tuple[Look, ...] = tuple(enumerate(self.evaluators))
        self.matchers: dict[int, Matcher] = {
            place.number: matcher
            for rule, place in zip(model.rules, places, strict=True)
            if (matcher := rule.kind.matcher(place)) is not None
        }
        named = {signal.name: signal for signal in model.signals}
        self.match_digests = tuple((number, rule_digest(model.rules[number], named)) for number in self.matchers)
        self.rules_by_digest: dict[int, list[int]] = {}
        for number, digest in self.match_digests:
            self.rules_by_digest.setdefault(digest, []).append(number)
        self._fed = [[] for _ in model.signals]  # type: list[list[int]]
        for number, rule in enumerate(model.rules):
            for name in dict.fromkeys(rule.kind.signals()):
                self._fed[numbers[name]].append(number)
        self.find = compile_signals(model.signals, self._feeds)
        self.profile_feeds = {
            field: tuple(look for look in self.looks if field in model.rules[look[0]].kind.profile_fields())
            for field in _profile_fields(model)
        }
        self.publish = model.publish
        self.ladder = TierLadder(model.tiers, {name: number for number, name in enumerate(self.rule_names)})
        self._dimension_of = tuple(DIMENSIONS.index(rule.dimension) for rule in model.rules)
        self._clamps = [_clamp(model.bounds.get(dimension, Bounds())) for dimension in DIMENSIONS]
        self._of = tuple(dimension in model.total.of for dimension in DIMENSIONS)
        self._total = _clamp(Bounds(model.total.min, model.total.max))
        groups = {number: place for place, group in enumerate(_groups(model.rules)) for number in group}
        self.group_of = tuple(groups.get(number) for number in range(len(model.rules)))
        self._order = range(len(model.rules))

    def _feeds(self, signals: tuple[int, ...]) -> Fed:
        """The rules that some signals feed."""
        names = {self.model.signals[signal].name for signal in signals}
        looks: list[Look] = []
        postponed = prevented = 0
        for number in sorted({rule for signal in signals for rule in self._fed[signal]}):
            kind = self.model.rules[number].kind
            if names.intersection(kind.signals()) <= set(kind.preventing()):
                prevented |= 1 << number
            elif kind.POSTPONED:
                postponed |= 1 << number
            else:
                looks.append(self.looks[number])
        matchers = tuple((rule, self.matchers[rule]) for rule, _ in looks if rule in self.matchers)
        return Fed(tuple(looks), matchers, postponed, prevented)

    def winners(self, points: Sequence[int]) -> list[tuple[int, int]]:
        """(rule, points) of what counts, in the order of the file: what stands alone, and of each group the largest."""
        found = []
        best: dict[int, int] = {}
        group_of = self.group_of
        for rule in compress(self._order, points):
            group = group_of[rule]
            if group is None:
                found.append((rule, points[rule]))
            elif group not in best or abs(points[rule]) > abs(points[best[group]]):
                best[group] = rule
        if best:
            found += [(rule, points[rule]) for rule in best.values()]
            found.sort()
        return found

    def scores(self, winners: Sequence[tuple[int, int]]) -> Scores:
        """The clamped dimensions and the clamped total of what counts."""
        sums, dimension_of = [0, 0, 0], self._dimension_of
        for rule, points in winners:
            sums[dimension_of[rule]] += points
        clamp_fit, clamp_engagement, clamp_risk = self._clamps
        fit, engagement, risk = clamp_fit(sums[0]), clamp_engagement(sums[1]), clamp_risk(sums[2])
        in_fit, in_engagement, in_risk = self._of
        total = (fit if in_fit else 0) + (engagement if in_engagement else 0) + (risk if in_risk else 0)
        return fit, engagement, risk, self._total(total)


def _place(number: int, rule: Rule, signals: dict[str, int]) -> RulePlace:
    worth = points_over_time(rule.points, rule.hold_ms, rule.fade_ms, rule.halve_ms)
    return RulePlace(number, rule.points, worth, signals)


def _profile_fields(model: Model) -> tuple[str, ...]:
    """The fields that a row keeps: those of rules and those that are published."""
    asked = [field for rule in model.rules for field in rule.kind.profile_fields()]
    return tuple(dict.fromkeys([*asked, *model.publish]))


def _groups(rules: Sequence[Rule]) -> tuple[tuple[int, ...], ...]:
    found: dict[tuple[str, str], list[int]] = {}
    for number, rule in enumerate(rules):
        if rule.group is not None:
            found.setdefault((rule.dimension, rule.group), []).append(number)
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


def _clamp(bounds: Bounds) -> Callable[[int], int]:
    low, high = bounds.min, bounds.max
    if low is None and high is None:
        return int

    def clamp(value: int) -> int:
        if low is not None and value < low:
            return low
        return high if high is not None and value > high else value

    return clamp
