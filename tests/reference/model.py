"""Reading a model: from the plain dict to the words that the rest of the reference uses.

Nothing is checked here: the reference is only asked about valid models.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from tests.reference.values import duration_ms, field_of, is_asked_for, plain

DIMENSIONS = ("fit", "engagement", "risk")
RULE_KINDS = ("each", "repeat", "together", "streak", "only", "silence", "profile")
DEFAULT_KEEP = 16


@dataclass(frozen=True)
class Signal:
    """Which events count under a name, and how many of them a lead remembers.

    `keep` is what the file says (16 if nothing), raised to what the rules need: `times` of each `repeat` and `streak`
    and `at_most` of each `each` that name the signal, alone or in a list. Signals that are defined alike keep the same.
    """

    name: str
    kinds: tuple[str, ...]
    where: dict[str, Any]
    unless: dict[str, Any]
    distinct: str | None
    keep: int

    @property
    def definition(self) -> str:
        """What makes it the same signal in two versions of a model: neither its name nor how many are kept.

        Nor the order of kinds, fields and values, which says nothing.
        """
        return json.dumps([sorted(self.kinds), _unordered(self.where), _unordered(self.unless), self.distinct])

    def counts(self, event: dict[str, Any]) -> bool:
        """Whether this event is an occurrence of the signal."""
        if event["kind"] not in self.kinds:
            return False
        if not all(is_asked_for(asked, field_of(event, field)) for field, asked in self.where.items()):
            return False
        return not self.unless or not all(
            is_asked_for(asked, field_of(event, field)) for field, asked in self.unless.items()
        )


@dataclass(frozen=True)
class Rule:
    """One rule of the file. `signals` are its S, each a union of names; `others` are `broken_by` or `none_of`."""

    name: str
    dimension: str
    kind: str
    points: int
    group: str | None
    signals: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    times: int
    at_most: int
    within: int | None
    in_order: bool
    hold: int | None
    fade: int | None
    halve: int | None
    profile: dict[str, Any]


@dataclass(frozen=True)
class Tier:
    """One tier with its conditions."""

    name: str
    at_least: int | None
    above: int | None
    leave_below: int | None
    fit_at_least: int | None
    engagement_at_least: int | None
    requires_any: tuple[str, ...]
    stay: int


@dataclass(frozen=True)
class Model:
    """A model as read: everything in the order of the file."""

    version: int
    signals: dict[str, Signal]
    rules: tuple[Rule, ...]
    score: dict[str, dict[str, Any]]
    tiers: tuple[Tier, ...]
    publish: tuple[str, ...]

    @property
    def profile_fields(self) -> frozenset[str]:
        """The profile fields that the model names; a lead remembers no others."""
        return frozenset(self.publish).union(*(rule.profile for rule in self.rules))

    def match_definition(self, rule: Rule) -> str:
        """What makes a remembered match of `repeat` or `together` the same fact in two versions: all but its points."""
        signals = [sorted(self.signals[name].definition for name in union) for union in rule.signals]
        if not rule.in_order:
            signals.sort()
        return json.dumps([rule.kind, signals, rule.times, rule.within, rule.in_order])


def read_model(plain: dict[str, Any]) -> Model:
    """The model that a plain dict spells."""
    rules = tuple(
        _rule(name, dimension, body)
        for dimension, bodies in plain.get("rules", {}).items()
        for name, body in bodies.items()
    )
    return Model(
        version=plain["version"],
        signals=_alike({name: _signal(name, body, rules) for name, body in plain.get("signals", {}).items()}),
        rules=rules,
        score=plain.get("score") or {},
        tiers=tuple(_tier(name, body or {}) for name, body in plain["tiers"].items()),
        publish=tuple(plain.get("publish") or ()),
    )


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _unordered(conditions: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Conditions as text: text without case and surrounding blanks, as it is compared."""
    return sorted(
        (field, sorted({repr(plain(one) if isinstance(one, str) else one) for one in _listed(asked)}))
        for field, asked in conditions.items()
    )


def _maybe_ms(value: str | None) -> int | None:
    return None if value is None else duration_ms(value)


def _signal(name: str, body: dict[str, Any], rules: tuple[Rule, ...]) -> Signal:
    needed = [
        {"repeat": rule.times, "streak": rule.times, "each": rule.at_most}.get(rule.kind, 1)
        for rule in rules
        if any(name in union for union in rule.signals)
    ]
    return Signal(
        name=name,
        kinds=_listed(body["on"]),
        where=body.get("where") or {},
        unless=body.get("except") or {},
        distinct=body.get("distinct"),
        keep=max([body.get("keep", DEFAULT_KEEP), *needed]),
    )


def _alike(signals: dict[str, Signal]) -> dict[str, Signal]:
    """Of signals with the same definition each keeps as many as the one that keeps most."""
    return {
        name: replace(
            signal, keep=max(other.keep for other in signals.values() if other.definition == signal.definition)
        )
        for name, signal in signals.items()
    }


def _rule(name: str, dimension: str, body: dict[str, Any]) -> Rule:
    kind = next(kind for kind in RULE_KINDS if kind in body)
    what = body[kind]
    if kind == "profile":
        signals: tuple[tuple[str, ...], ...] = ()
    elif kind == "together":
        signals = tuple(_listed(one) for one in what)
    else:
        signals = (_listed(what),)
    others = body.get("none_of") if kind == "only" else body.get("broken_by")
    if kind == "silence" and others is None:
        others = list(signals[0])
    return Rule(
        name=name,
        dimension=dimension,
        kind=kind,
        points=body["points"],
        group=body.get("group"),
        signals=signals,
        others=_listed(others or []),
        times=body.get("times", 1),
        at_most=body.get("at_most", 1),
        within=_maybe_ms(body.get("within")),
        in_order=body.get("in_order", False),
        hold=_maybe_ms(body.get("hold")),
        fade=_maybe_ms(body.get("fade")),
        halve=_maybe_ms(body.get("halve")),
        profile=what if kind == "profile" else {},
    )


def _tier(name: str, body: dict[str, Any]) -> Tier:
    return Tier(
        name=name,
        at_least=body.get("at_least"),
        above=body.get("above"),
        leave_below=body.get("leave_below"),
        fit_at_least=body.get("fit_at_least"),
        engagement_at_least=body.get("engagement_at_least"),
        requires_any=_listed(body.get("requires_any") or []),
        stay=_maybe_ms(body.get("stay_at_least")) or 0,
    )
