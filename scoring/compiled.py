"""A model, compiled once into what the hot path needs: numbers for names, and which rules a signal feeds."""

from __future__ import annotations

from collections.abc import Sequence

from librt.vecs import vec
from mypy_extensions import i64

from schemas.outputs_wire import ModelRef
from scoring.digests import rule_digest
from scoring.evaluators import Evaluator
from scoring.evidence import shortened
from scoring.known import NO_MATCH, filled
from scoring.matchers import Matcher
from scoring.model import DIMENSIONS, Bounds, Model, Rule
from scoring.points import NEVER, points_over_time
from scoring.rules.base import RulePlace
from scoring.signals import Fed, compile_signals
from scoring.tiers import Scores, TierLadder

__all__ = ["CompiledModel"]


class CompiledModel:
    """What the kernel asks a model.

    Attributes:
        signal_digests: By number of the signal: its digest as evidence has it.
        no_places, no_times, no_matches, no_points, no_changes: What a lead has that nobody has heard of; to be copied.
        evaluators: What each rule gives, in the order of the file.
        group_of: By number of the rule: its group, or None.
        find: By type of row: which signals it is, and which rules look at them.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.ref = ModelRef(model.name, model.version, model.sha256)
        numbers = {signal.name: number for number, signal in enumerate(model.signals)}
        self.rule_names = tuple(rule.name for rule in model.rules)
        self.rule_dimensions = tuple(rule.dimension for rule in model.rules)
        self.keep = vec[i64]([signal.keep for signal in model.signals])
        self.signal_digests = vec[i64]([shortened(signal.digest) for signal in model.signals])
        self.signals_by_digest: dict[int, list[int]] = {}
        for number, digest in enumerate(self.signal_digests):
            self.signals_by_digest.setdefault(digest, []).append(number)
        places = [_place(number, rule, numbers) for number, rule in enumerate(model.rules)]
        self.evaluators: list[Evaluator] = [
            rule.kind.evaluator(place) for rule, place in zip(model.rules, places, strict=True)
        ]
        self.matchers: dict[int, Matcher] = {
            place.number: matcher
            for rule, place in zip(model.rules, places, strict=True)
            if (matcher := rule.kind.matcher(place)) is not None
        }
        named = {signal.name: signal for signal in model.signals}
        self.match_digests = tuple((number, rule_digest(model.rules[number], named)) for number in self.matchers)
        self.rules_by_digest: dict[int, list[int]] = {}
        for rule_number, match_digest in self.match_digests:
            self.rules_by_digest.setdefault(match_digest, []).append(rule_number)
        self._fed = [[] for _ in model.signals]  # type: list[list[int]]
        for number, rule in enumerate(model.rules):
            for name in dict.fromkeys(rule.kind.signals()):
                self._fed[numbers[name]].append(number)
        self.find = compile_signals(model.signals, self._feeds)
        self.profile_feeds = {
            field: [
                evaluator
                for evaluator, rule in zip(self.evaluators, model.rules, strict=True)
                if field in rule.kind.profile_fields()
            ]
            for field in _profile_fields(model)
        }
        self.publish = model.publish
        self.ladder = TierLadder(model.tiers, {name: number for number, name in enumerate(self.rule_names)})
        self._dimension_of = vec[i64]([DIMENSIONS.index(rule.dimension) for rule in model.rules])
        self._clamps = [_Clamp(model.bounds.get(dimension, Bounds())) for dimension in DIMENSIONS]
        self._in_total = [dimension in model.total.of for dimension in DIMENSIONS]
        self._total = _Clamp(Bounds(model.total.min, model.total.max))
        grouped = _groups(model.rules)
        groups = {number: place for place, group in enumerate(grouped) for number in group}
        self.group_of = tuple(groups.get(number) for number in range(len(model.rules)))
        self._groups = vec[i64]([-1 if group is None else group for group in self.group_of])
        self._no_best = filled(len(grouped), -1)
        signals, rules = len(model.signals), len(model.rules)
        self.no_places, self.no_times = filled(signals, -1), filled(signals, NO_MATCH)
        self.no_matches, self.no_points, self.no_changes = (
            filled(rules, NO_MATCH),
            filled(rules, 0),
            filled(rules, NEVER),
        )

    def _feeds(self, signals: tuple[int, ...]) -> Fed:
        """The rules that some signals feed."""
        names = {self.model.signals[signal].name for signal in signals}
        looks: list[Evaluator] = []
        postponed = prevented = 0
        for number in sorted({rule for signal in signals for rule in self._fed[signal]}):
            kind = self.model.rules[number].kind
            if names.intersection(kind.signals()) <= set(kind.preventing()):
                prevented |= 1 << number
            elif kind.POSTPONED:
                postponed |= 1 << number
            else:
                looks.append(self.evaluators[number])
        matchers = [self.matchers[rule] for evaluator in looks if (rule := evaluator.rule) in self.matchers]
        return Fed(looks, matchers, postponed, prevented)

    def counting(self, points: vec[i64]) -> vec[i64]:
        """The points that count, by number of the rule: of each group the largest alone, the first of equal ones."""
        groups = self._groups
        counting, best = points[:], self._no_best[:]
        for rule in range(len(points)):
            group = groups[rule]
            if group < 0 or not points[rule]:
                continue
            other = best[group]
            if other < 0:
                best[group] = rule
            elif _size(points[rule]) > _size(points[other]):
                counting[other], best[group] = 0, rule
            else:
                counting[rule] = 0
        return counting

    def scores(self, counting: vec[i64]) -> Scores:
        """The clamped dimensions and the clamped total of what counts."""
        fit, engagement, risk = self._sum(0, counting), self._sum(1, counting), self._sum(2, counting)
        in_fit, in_engagement, in_risk = self._in_total
        total: i64 = (fit if in_fit else 0) + (engagement if in_engagement else 0) + (risk if in_risk else 0)
        return fit, engagement, risk, self._total.of(total)

    def _sum(self, dimension: i64, counting: vec[i64]) -> i64:
        """A dimension, clamped."""
        dimension_of = self._dimension_of
        found: i64 = 0
        for rule in range(len(counting)):
            if dimension_of[rule] == dimension:
                found += counting[rule]
        return self._clamps[dimension].of(found)


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


def _size(points: i64) -> i64:
    return points if points > 0 else -points


class _Clamp:
    """Keeps a number within bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self.low: i64 = -NEVER if bounds.min is None else bounds.min
        self.high: i64 = NEVER if bounds.max is None else bounds.max

    def of(self, value: i64) -> i64:
        """The number, or the bound that it is beyond."""
        if value < self.low:
            return self.low
        return min(value, self.high)
