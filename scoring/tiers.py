"""From scores to the tier: thresholds with hysteresis, gates, and the least stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from librt.vecs import vec
from mypy_extensions import i64

from scoring.model import Tier
from scoring.points import NEVER

__all__ = ["Scores", "TierLadder"]

Scores = tuple[i64, i64, i64, i64]
"""Fit, engagement, risk, total."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One tier, with least totals instead of `at_least`, `above` and `leave_below`."""

    enter: int | None
    stay: int | None
    fit: int | None
    engagement: int | None
    requires_any: tuple[int, ...]
    stay_at_least_ms: int


class TierLadder:
    """The tiers of a model, best first; a tier is named by its number here."""

    def __init__(self, tiers: Sequence[Tier], rule_numbers: Mapping[str, int]) -> None:
        self.names = tuple(tier.name for tier in tiers)
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.last = len(tiers) - 1
        self._steps = tuple(_step(tier, rule_numbers) for tier in tiers)

    def tier(self, scores: Scores, points: vec[i64], current: int) -> int:
        """The first tier whose conditions all hold, for a lead that is in the tier `current` now."""
        fit, engagement, _, total = scores
        for number, step in enumerate(self._steps):
            least = step.stay if current <= number else step.enter
            if least is not None and total < least:
                continue
            if step.fit is not None and fit < step.fit:
                continue
            if step.engagement is not None and engagement < step.engagement:
                continue
            if step.requires_any and not any(points[rule] > 0 for rule in step.requires_any):
                continue
            return number
        return self.last

    def stays_until(self, tier: int, since_ms: int | None) -> int:
        """Until when a lead that entered a tier may not go down from it; a moment long past where nothing holds it."""
        return -NEVER if since_ms is None else since_ms + self._steps[tier].stay_at_least_ms


def _step(tier: Tier, rule_numbers: Mapping[str, int]) -> _Step:
    enter = tier.above + 1 if tier.above is not None else tier.at_least
    return _Step(
        enter=enter,
        stay=tier.leave_below if tier.leave_below is not None else enter,
        fit=tier.fit_at_least,
        engagement=tier.engagement_at_least,
        requires_any=tuple(rule_numbers[name] for name in tier.requires_any),
        stay_at_least_ms=tier.stay_at_least_ms or 0,
    )
