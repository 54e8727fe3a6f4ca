"""The scoring model as the program holds it: what a model file says, checked, with nothing left to look up by text.

`scoring.reading` makes it from YAML; `scoring.compiled` makes from it what the hot path needs. All times are integer
milliseconds, all points whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scoring.conditions import Conditions
from scoring.evidence import MAX_KEEP
from scoring.rules.base import RuleKind

__all__ = [
    "DEFAULT_KEEP",
    "DIMENSIONS",
    "MAX_KEEP",
    "MAX_VERSION",
    "Bounds",
    "Model",
    "Place",
    "Rule",
    "Signal",
    "Tier",
    "Total",
]

DIMENSIONS = ("fit", "engagement", "risk")

DEFAULT_KEEP = 16

MAX_VERSION = 2**53 - 1
"""So that every JSON reader takes it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file something stands, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Signal:
    """A named predicate over events.

    Attributes:
        name: As in the file.
        on: Event kinds, at least one.
        where: All of these must hold.
        excepted: The signal does not count an event for which all of these hold (`except` in the file).
        distinct: The field whose value makes an occurrence one, or None for the event itself.
        keep: How many of the latest occurrences a lead's row keeps; already raised to what the rules need.
        request: Each new occurrence asks for a person.
        digest: XXH3-64 of the definition (not the name): state made under one definition is not read under another.
    """

    name: str
    on: tuple[str, ...]
    where: Conditions = ()
    excepted: Conditions = ()
    distinct: str | None = None
    keep: int = DEFAULT_KEEP
    request: bool = False
    digest: int = 0
    place: Place = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """What turns evidence or profile into points.

    Attributes:
        name: As in the file.
        dimension: One of `DIMENSIONS`.
        kind: What the rule does, with its own keys; one class per kind under `scoring.rules`.
        points: Not 0.
        group: Of the rules of one dimension with the same group only the largest counts.
        hold_ms: Full points while the age is under it; None: for ever, or none before `fade_ms` or `halve_ms`.
        fade_ms: Points go to nothing in a straight line, after `hold_ms` or at once.
        halve_ms: Points halve each such period, after `hold_ms` or at once.
    """

    name: str
    dimension: str
    kind: RuleKind
    points: int
    group: str | None = None
    hold_ms: int | None = None
    fade_ms: int | None = None
    halve_ms: int | None = None
    place: Place = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A dimension's clamp; None does not clamp on that side."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """The clamped sum of the clamped dimensions `of`."""

    of: tuple[str, ...] = DIMENSIONS
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier and its conditions, all of which must hold.

    Attributes:
        at_least: The total is this or more; with `above`, more than this. At most one of the two.
        leave_below: Takes the place of `at_least` or `above` for a lead that is now in this tier or a better one.
        requires_any: At least one of these rules has more than 0 points now.
        stay_at_least_ms: From exactly so long after entry the lead may go down from the tier.
    """

    name: str
    at_least: int | None = None
    above: int | None = None
    leave_below: int | None = None
    fit_at_least: int | None = None
    engagement_at_least: int | None = None
    requires_any: tuple[str, ...] = ()
    stay_at_least_ms: int | None = None
    place: Place = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Model:
    """The agreement of marketing and sales: signals, rules by dimension, tiers best first.

    Attributes:
        sha256: Of the file's bytes, hexadecimal.
        text: The file itself; it travels in control rows and lies in the changelog.
        rules: In the order of the file.
    """

    name: str
    version: int
    signals: tuple[Signal, ...]
    rules: tuple[Rule, ...]
    tiers: tuple[Tier, ...]
    owner: str | None = None
    review_every_ms: int | None = None
    publish: tuple[str, ...] = ()
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    total: Total = Total()
    sha256: str = ""
    text: str = ""
