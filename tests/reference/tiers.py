"""From contributions to scores and the tier."""

from dataclasses import dataclass

from tests.reference.model import DIMENSIONS, Model, Tier
from tests.reference.rules import Contribution, Known


@dataclass(frozen=True)
class Scores:
    """The scores of a lead at a moment: what every rule gives, what counts of it, and the sums."""

    contributions: tuple[Contribution, ...]
    reasons: tuple[Contribution, ...]
    dimensions: dict[str, int]
    total: int

    @property
    def points(self) -> dict[str, int]:
        """What every rule gives, whether or not its group lets it count."""
        return {one.rule.name: one.points for one in self.contributions}


def scores_at(known: Known, at: int) -> Scores:
    """All rules at one moment, in the order of the file; then groups, sums and clamps."""
    model = known.model
    contributions = tuple(known.contribution(rule, at) for rule in model.rules)
    counting = [one for one in contributions if one.points != 0 and _counts(one, contributions)]
    dimensions = {
        name: _clamped(sum(one.points for one in counting if one.rule.dimension == name), model, name)
        for name in DIMENSIONS
    }
    of = model.score.get("total", {}).get("of", DIMENSIONS)
    total = _clamped(sum(dimensions[name] for name in of), model, "total")
    # Sorting is stable: equal sizes stay in the order of the file.
    reasons = tuple(sorted(counting, key=lambda one: -abs(one.points)))
    return Scores(contributions, reasons, dimensions, total)


def _counts(one: Contribution, contributions: tuple[Contribution, ...]) -> bool:
    """Whether a contribution is the first of the greatest of its group; one without a group always counts."""
    if one.rule.group is None:
        return True
    group = [
        other
        for other in contributions
        if other.rule.group == one.rule.group and other.rule.dimension == one.rule.dimension
    ]
    return max(group, key=lambda other: abs(other.points)) is one


def _clamped(value: int, model: Model, name: str) -> int:
    limits = model.score.get(name) or {}
    if limits.get("min") is not None:
        value = max(value, limits["min"])
    if limits.get("max") is not None:
        value = min(value, limits["max"])
    return value


def tier_at(model: Model, scores: Scores, current: int, since: int | None, at: int) -> int:
    """The place of the lead's tier in the file, for a lead that is in the tier `current` since `since`."""
    first = next(place for place, tier in enumerate(model.tiers) if _holds(tier, scores, current <= place))
    going_down = first > current
    if going_down and since is not None and at < since + model.tiers[current].stay:
        return current
    return first


def _holds(tier: Tier, scores: Scores, there_or_better: bool) -> bool:
    """Whether all conditions of a tier hold, for a lead that is or is not in that tier or a better one now."""
    if there_or_better and tier.leave_below is not None:
        if scores.total < tier.leave_below:
            return False
    elif (tier.at_least is not None and scores.total < tier.at_least) or (
        tier.above is not None and scores.total <= tier.above
    ):
        return False
    if tier.fit_at_least is not None and scores.dimensions["fit"] < tier.fit_at_least:
        return False
    if tier.engagement_at_least is not None and scores.dimensions["engagement"] < tier.engagement_at_least:
        return False
    return not tier.requires_any or any(scores.points[rule] > 0 for rule in tier.requires_any)
