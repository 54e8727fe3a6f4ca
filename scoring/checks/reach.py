"""How far points can go, and the tiers that they can never reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scoring.language.tiers import entry_total
from scoring.model import DIMENSIONS, Model, Place, Rule, Tier
from scoring.rules.each import Each

__all__ = ["Span", "dimension_span", "no_hard_signal", "total_span", "unreachable_tiers"]


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the most that something can be."""

    low: int
    high: int

    def clamped(self, low: int | None, high: int | None) -> Span:
        """The span after a clamp."""

        def clamp(value: int) -> int:
            value = value if high is None else min(value, high)
            return value if low is None else max(value, low)

        return Span(clamp(self.low), clamp(self.high))


def dimension_span(model: Model, dimension: str) -> Span:
    """From every penalty and no reward to every reward and no penalty, with groups and clamp."""
    rules = [rule for rule in model.rules if rule.dimension == dimension]
    groups = {rule.group for rule in rules if rule.group is not None}
    amounts = [_most(rule) for rule in rules if rule.group is None]
    amounts += [max((_most(rule) for rule in rules if rule.group == group), key=abs) for group in groups]
    span = Span(sum(one for one in amounts if one < 0), sum(one for one in amounts if one > 0))
    bounds = model.bounds.get(dimension)
    return span if bounds is None else span.clamped(bounds.min, bounds.max)


def _most(rule: Rule) -> int:
    return rule.points * (rule.kind.at_most if isinstance(rule.kind, Each) else 1)


def total_span(model: Model) -> Span:
    """The least and the most that the total can be."""
    spans = [dimension_span(model, dimension) for dimension in model.total.of]
    span = Span(sum(one.low for one in spans), sum(one.high for one in spans))
    return span.clamped(model.total.min, model.total.max)


def unreachable_tiers(model: Model) -> Iterator[tuple[Place, str, str]]:
    """Tiers that no lead can enter."""
    spans = (total_span(model), *(dimension_span(model, name) for name in DIMENSIONS[:2]))
    points = {rule.name: rule.points for rule in model.rules}
    for index, tier in enumerate(model.tiers):
        why = _too_high(tier, spans) or _no_reward(tier, points) or _taken(tier, model.tiers[:index], spans)
        if why:
            yield tier.place, f"tier {tier.name} cannot be reached: {why[0]}", why[1]


def _bars(tier: Tier) -> tuple[int | None, int | None, int | None]:
    return entry_total(tier), tier.fit_at_least, tier.engagement_at_least


def _too_high(tier: Tier, spans: Iterable[Span]) -> tuple[str, str] | None:
    for name, bar, span in zip(("the total", *DIMENSIONS[:2]), _bars(tier), spans, strict=True):
        if bar is not None and bar > span.high:
            return f"it needs {name} to be {bar}, which is never over {span.high}", "ask for less, or raise points"
    return None


def _no_reward(tier: Tier, points: dict[str, int]) -> tuple[str, str] | None:
    if tier.requires_any and all(points[name] < 0 for name in tier.requires_any):
        names = ", ".join(tier.requires_any)
        return f"none of its requires_any ({names}) ever has more than 0 points", "name a rule that rewards"
    return None


def _taken(tier: Tier, better: Iterable[Tier], spans: tuple[Span, ...]) -> tuple[str, str] | None:
    """A better tier that takes every lead which this one would take."""
    for other in better:
        gated = other.requires_any and not (tier.requires_any and set(tier.requires_any) <= set(other.requires_any))
        if gated:
            continue
        bars = zip(_bars(tier), _bars(other), spans, strict=True)
        if all(
            want is None or (span.low if have is None else max(have, span.low)) >= want for have, want, span in bars
        ):
            return f"{other.name} takes every lead that it would take", f"ask more of {other.name}, or remove the tier"
    return None


def no_hard_signal(model: Model) -> Iterator[tuple[Place, str, str]]:
    """The best tier can be reached by many soft signals alone."""
    best = model.tiers[0]
    if len(model.tiers) > 1 and not best.requires_any:
        what = f"no hard signal is required for the best tier, {best.name}"
        yield best.place, what, "add requires_any with the rules that show a wish to buy, such as a demo request"
