"""What an explanation of a score says; `scoring.explain` makes it."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.outputs_wire import ModelRef

__all__ = ["Bar", "Explanation", "NameEvidence", "NextTier", "ProfileEvidence", "RuleExplanation", "SignalEvidence"]


@dataclass(frozen=True, slots=True)
class SignalEvidence:
    """Occurrences of a signal that a rule stands on.

    Attributes:
        key: Under which key the rule names the signal: its kind, `broken_by` or `none_of`.
        times_ms: `occurred_at` of each, oldest first.
    """

    signal: str
    key: str
    times_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProfileEvidence:
    """A profile field that a rule looks at; value None: deleted."""

    field: str
    value: str | int | bool | None
    occurred_at_ms: int


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule and one lead.

    Attributes:
        words: What earns the points, in plain English.
        full_points: What the file says.
        points: What they are now, whether or not the group lets them count.
        since_ms: Since when; None without points.
        counts: Whether they are part of the score (before the clamp).
        beaten_by: The rule of the same group that counts instead; None where the rule counts or has no points.
        changes_at_ms: The next moment at which time alone changes the points; None: never.
        changes_to: The points from then on.
    """

    rule: str
    dimension: str
    kind: str
    words: str
    group: str | None
    full_points: int
    points: int
    since_ms: int | None
    counts: bool
    beaten_by: str | None
    signals: tuple[SignalEvidence, ...]
    profile: tuple[ProfileEvidence, ...]
    changes_at_ms: int | None
    changes_to: int | None

    @property
    def has_evidence(self) -> bool:
        """Whether anything is known that the rule looks at."""
        return bool(self.signals or self.profile)


@dataclass(frozen=True, slots=True)
class Bar:
    """A score that a tier asks for: `total`, `fit` or `engagement`."""

    score: str
    needs: int
    has: int

    @property
    def missing(self) -> int:
        """How many points are missing."""
        return max(0, self.needs - self.has)


@dataclass(frozen=True, slots=True)
class NextTier:
    """What the next better tier asks for.

    Attributes:
        requires_any: The rules one of which must have more than 0 points; empty where none is asked for.
        has_any: Those of them that do.
    """

    tier: str
    bars: tuple[Bar, ...]
    requires_any: tuple[str, ...]
    has_any: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """Another name of the lead, and what came with it when it was found out.

    Attributes:
        merged_at_ms: When; None where that is not told.
        tier: The tier that the name was in.
        signals: What it had done, by signal; `key` is empty.
    """

    name: str
    merged_at_ms: int | None = None
    tier: str | None = None
    signals: tuple[SignalEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about a lead's score at a moment.

    Attributes:
        at_ms: The moment; the lead's own time where that is later than what was asked for.
        tier_since_ms: None for a lead that was never in another tier.
        seq: Number of the lead's latest tier change; 0: none.
        held_until_ms: Until when `stay_at_least` holds a tier that the score no longer gives; None: it does not.
        next_tier: None in the best tier.
        rules: Every rule, in the order of the file.
        changes_next_at_ms: When time alone changes reasons or tier next; None: never.
        tier_then, total_then: What they are from then on; None where nothing will change.
        names: The lead's other names, the latest last.
    """

    lead_id: str
    model: ModelRef
    at_ms: int
    tier: str
    tier_since_ms: int | None
    seq: int
    held_until_ms: int | None
    fit: int
    engagement: int
    risk: int
    total: int
    next_tier: NextTier | None
    rules: tuple[RuleExplanation, ...]
    changes_next_at_ms: int | None
    tier_then: str | None
    total_then: int | None
    profile: dict[str, str | int | bool]
    names: tuple[NameEvidence, ...] = ()
