"""What each rule contributes at a moment, and the moments at which time alone may change that.

Everything is asked of one `Known`: a lead's evidence, worked out once per event. Between events only time moves.
"""

from dataclasses import dataclass
from typing import Any

from tests.reference.evidence import Evidence, Occurrence
from tests.reference.model import Model, Rule
from tests.reference.values import is_asked_for

HALVINGS_TO_NOTHING = 10
"""1000 points, the most there are, are less than one after ten halvings."""


@dataclass(frozen=True)
class Contribution:
    """The points that one rule gives now (0 for none), and since when."""

    rule: Rule
    points: int
    since: int


def worth(rule: Rule, age: int) -> int:
    """The points that a fact of this age still gives, cut towards zero."""
    size = abs(rule.points)
    held = rule.hold or 0
    if age >= held:
        if rule.fade is not None:
            size = size * (held + rule.fade - age) // rule.fade if age < held + rule.fade else 0
        elif rule.halve is not None:
            size //= 2 ** min((age - held) // rule.halve, HALVINGS_TO_NOTHING)
        elif rule.hold is not None:
            size = 0
    return size if rule.points > 0 else -size


def next_cut(rule: Rule, time: int, after: int) -> int | None:
    """The first moment later than `after` at which a fact of `time` gives other points than at `after`, if any."""

    def worth_at(moment: int) -> int:
        return worth(rule, max(0, moment - time))

    now = worth_at(after)
    end = time + (rule.hold or 0) + (rule.fade or 0) + (rule.halve or 0) * HALVINGS_TO_NOTHING
    if now == 0 or worth_at(end) == now:
        return None
    # The size never grows with age, so the first change is found by halving: `same` is before it, `other` is not.
    same, other = after, end
    while other - same > 1:
        middle = (same + other) // 2
        if worth_at(middle) == now:
            same = middle
        else:
            other = middle
    return other


class Known:
    """What is known of a lead between two events."""

    def __init__(self, evidence: Evidence) -> None:
        """Work everything out from the evidence."""
        self.model: Model = evidence.model
        self.signals: dict[str, list[Occurrence]] = {}
        self.others: dict[str, list[Occurrence]] = {}
        for rule in self.model.rules:
            if rule.kind in ("each", "streak", "only", "silence"):
                self.signals[rule.name] = evidence.union(rule.signals[0])
                self.others[rule.name] = evidence.union(rule.others)
        self.matches: dict[str, int] = dict(evidence.matches)
        self.profile: dict[str, tuple[Any, int]] = evidence.profile()

    def contribution(self, rule: Rule, at: int) -> Contribution:
        """What a rule gives at a moment."""
        points, since = getattr(self, f"_{rule.kind}")(rule, at)
        return Contribution(rule, points, since)

    def _each(self, rule: Rule, at: int) -> tuple[int, int]:
        giving = [(worth(rule, max(0, at - time)), time) for time, _ in self.signals[rule.name][-rule.at_most :]]
        return sum(points for points, _ in giving), max((time for points, time in giving if points), default=0)

    def _repeat(self, rule: Rule, at: int) -> tuple[int, int]:
        moment = self.matches.get(rule.name)
        return (0, 0) if moment is None else (worth(rule, max(0, at - moment)), moment)

    _together = _repeat

    def _streak_newest(self, rule: Rule) -> int | None:
        """The newest occurrence, while the streak holds."""
        latest = [time for time, _ in self.signals[rule.name][-rule.times :]]
        breaker = max((time for time, _ in self.others[rule.name]), default=None)
        if len(latest) < rule.times or (breaker is not None and latest[0] <= breaker):
            return None
        if rule.within is not None and latest[-1] - latest[0] >= rule.within:
            return None
        return latest[-1]

    def _streak(self, rule: Rule, at: int) -> tuple[int, int]:
        newest = self._streak_newest(rule)
        return (0, 0) if newest is None else (worth(rule, max(0, at - newest)), newest)

    def _only(self, rule: Rule, at: int) -> tuple[int, int]:
        assert rule.within is not None
        within = rule.within
        if any(max(0, at - time) < within for time, _ in self.others[rule.name]):
            return 0, 0
        recent = [time for time, _ in self.signals[rule.name] if max(0, at - time) < within]
        return (rule.points, max(recent)) if recent else (0, 0)

    def _silence(self, rule: Rule, at: int) -> tuple[int, int]:
        assert rule.within is not None
        if not self.signals[rule.name]:
            return 0, 0
        latest = self.signals[rule.name][-1][0]
        broken = any(time > latest for time, _ in self.others[rule.name])
        return (0, 0) if broken or at - latest < rule.within else (rule.points, latest + rule.within)

    def _profile(self, rule: Rule, _at: int) -> tuple[int, int]:
        for field, asked in rule.profile.items():
            if field not in self.profile or not is_asked_for(asked, self.profile[field][0]):
                return 0, 0
        return rule.points, max(self.profile[field][1] for field in rule.profile)

    def moments(self, rule: Rule, after: int) -> list[int]:
        """The moments later than `after` at which time alone may next change what a rule gives.

        Too many do no harm, they are looked at one by one; each first change is among them.
        """
        found: list[int | None] = []
        if rule.kind == "each":
            found = [next_cut(rule, time, after) for time, _ in self.signals[rule.name][-rule.at_most :]]
        elif rule.kind in ("repeat", "together"):
            if rule.name in self.matches:
                found = [next_cut(rule, self.matches[rule.name], after)]
        elif rule.kind == "streak":
            newest = self._streak_newest(rule)
            found = [] if newest is None else [next_cut(rule, newest, after)]
        elif rule.kind in ("only", "silence"):
            assert rule.within is not None
            both = self.signals[rule.name] + self.others[rule.name]
            found = [time + rule.within for time, _ in both]
        return [moment for moment in found if moment is not None and moment > after]
