"""Why a lead has its score: rule by rule what counts, what it stands on, and what will change.

`explain` looks at a copy, so the row stays as it is. Deadlines up to the moment that is asked about are applied to the
copy first, as the fold does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from librt.vecs import vec
from mypy_extensions import i64

from schemas.log import Merge
from scoring.evidence import times_at
from scoring.explanation import (
    Bar,
    Explanation,
    NameEvidence,
    NextTier,
    ProfileEvidence,
    RuleExplanation,
    SignalEvidence,
)
from scoring.kernel import Kernel
from scoring.known import NO_MATCH
from scoring.language.kinds import keys_of
from scoring.points import NEVER
from scoring.row import Row
from scoring.row_codec import decode_row, encode_row
from scoring.rules.base import SignalNames
from scoring.show.words import rule_words

__all__ = ["explain"]


def explain(kernel: Kernel, row: Row, at_ms: int, merges: Mapping[str, Merge] | None = None) -> Explanation:
    """Why a lead has its score at a moment, not before the lead's own time.

    `merges` says by alias what came with it, as far as that is known.
    """
    at = max(at_ms, row.at)
    seen = _copy_at(kernel, row, at)
    fit, engagement, risk, total = seen.scores
    changes_next_at = kernel.changes_next_at(seen)
    then = None if changes_next_at is None else _copy_at(kernel, seen, changes_next_at)
    return Explanation(
        lead_id=row.lead_id,
        model=kernel.model.ref,
        at_ms=at,
        tier=seen.tier_name,
        tier_since_ms=seen.tier_since,
        seq=seen.seq,
        held_until_ms=None if seen.stay_until >= NEVER else seen.stay_until,
        fit=fit,
        engagement=engagement,
        risk=risk,
        total=total,
        next_tier=_next_tier(kernel, seen),
        rules=_rules(kernel, seen, at),
        changes_next_at_ms=changes_next_at,
        tier_then=None if then is None else then.tier_name,
        total_then=None if then is None else then.scores[3],
        profile=kernel.published(seen),
        names=_names(kernel, row, merges or {}),
    )


def _names(kernel: Kernel, row: Row, merges: Mapping[str, Merge]) -> tuple[NameEvidence, ...]:
    """The other names of a lead."""
    identity = row.identity
    names = () if identity is None else tuple(identity.names)
    return tuple(_name(kernel, merges[name]) if name in merges else NameEvidence(name) for name in names)


def _name(kernel: Kernel, merge: Merge) -> NameEvidence:
    """A name, and what came with it."""
    alias = decode_row(kernel.model, merge.merged_from, merge.body)
    signals = [signal.name for signal in kernel.model.model.signals]
    came = [SignalEvidence(name, "", tuple(times)) for name in signals if (times := _times(kernel, alias, (name,)))]
    return NameEvidence(merge.merged_from, merge.received_at_ms, alias.tier_name, tuple(came))


def _copy_at(kernel: Kernel, row: Row, at: int) -> Row:
    """A copy of a row, with every deadline up to a moment applied."""
    copy = kernel.read(row.lead_id, encode_row(kernel.model, row))
    while copy.due <= at:
        kernel.deadline(copy)
    return copy


def _rules(kernel: Kernel, row: Row, at: int) -> tuple[RuleExplanation, ...]:
    """Every rule, in the order of the file."""
    model = kernel.model
    best = {group: rule for rule, group in enumerate(model.group_of) if group is not None and row.counting[rule]}
    found = []
    for number in range(len(model.rule_names)):
        group = model.group_of[number]
        found.append(_rule(kernel, row, at, number, None if group is None else best.get(group)))
    return tuple(found)


def _rule(kernel: Kernel, row: Row, at: int, number: int, best: int | None) -> RuleExplanation:
    """One rule; `best` is the one that counts of its group."""
    model = kernel.model
    rule = model.model.rules[number]
    look = model.evaluators[number].look
    points, since, change = look(row, at)
    changes_at, changes_to = change, points
    while change < NEVER and changes_to == points:
        changes_at = change
        changes_to, _, change = look(row, change)
    counts = bool(points) and best in (None, number)
    return RuleExplanation(
        rule=rule.name,
        dimension=rule.dimension,
        kind=rule.kind.KIND,
        words=rule_words(rule),
        group=rule.group,
        full_points=rule.points,
        points=points,
        since_ms=since if points else None,
        counts=counts,
        beaten_by=model.rule_names[best] if points and not counts and best is not None else None,
        signals=_signals(kernel, row, number),
        profile=_profile(row, rule.kind.profile_fields()),
        changes_at_ms=changes_at if changes_to != points else None,
        changes_to=changes_to if changes_to != points else None,
    )


def _signals(kernel: Kernel, row: Row, number: int) -> tuple[SignalEvidence, ...]:
    """The occurrences that a rule stands on, by key and signal."""
    kind = kernel.model.model.rules[number].kind
    match = row.matches[number]
    found: list[SignalEvidence] = []
    for key in keys_of(type(kind)):
        parts = _parts(key.form, getattr(kind, key.name))
        times = [_times(kernel, row, names) for names in parts]
        stood_on = kind.stands_on(key.name, times, None if match == NO_MATCH else match)
        for names, chosen in zip(parts, stood_on, strict=True):
            for name in names:
                own = tuple(time for time in _times(kernel, row, (name,)) if time in chosen)
                found += [SignalEvidence(name, key.name, own)] if own else []
    return tuple(dict.fromkeys(found))


def _parts(form: Any, value: Any) -> tuple[SignalNames, ...]:
    """The signals under a key, each list of which is a union; nothing under a key that names no signals."""
    if form == SignalNames:
        return (value,) if value else ()
    return value if form == tuple[SignalNames, ...] else ()


def _times(kernel: Kernel, row: Row, names: SignalNames) -> list[int]:
    """The times of all occurrences of some signals that the row keeps."""
    numbers = [number for number, signal in enumerate(kernel.model.model.signals) if signal.name in names]
    return list(times_at(row.evidence, row.places, vec[i64](numbers)))


def _profile(row: Row, fields: Sequence[str]) -> tuple[ProfileEvidence, ...]:
    """What is known of the profile fields that a rule looks at."""
    known = [(field, row.profile[field]) for field in dict.fromkeys(fields) if field in row.profile]
    return tuple(ProfileEvidence(field, value, occurred_at) for field, (value, occurred_at, _) in known)


def _next_tier(kernel: Kernel, row: Row) -> NextTier | None:
    """What the tier above the lead's asks for."""
    if row.tier == 0:
        return None
    tier = kernel.model.model.tiers[row.tier - 1]
    fit, engagement, _, total = row.scores
    asked = (
        ("total", tier.at_least if tier.above is None else tier.above + 1, total),
        ("fit", tier.fit_at_least, fit),
        ("engagement", tier.engagement_at_least, engagement),
    )
    points = dict(zip(kernel.model.rule_names, row.points, strict=True))
    return NextTier(
        tier=tier.name,
        bars=tuple(Bar(score, needs, has) for score, needs, has in asked if needs is not None),
        requires_any=tier.requires_any,
        has_any=tuple(rule for rule in tier.requires_any if points[rule] > 0),
    )
