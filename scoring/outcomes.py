"""What leaves the kernel: tier changes and scores, as their contracts have them."""

from __future__ import annotations

from schemas.outputs_wire import Cause, LeadScoreOut, MergedLeadOut, ReasonOut, TierChangeOut
from schemas.times import iso
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.row import Row

__all__ = ["content_of", "merged_of", "score_of", "tier_change_of"]


def tier_change_of(kernel: Kernel, row: Row, before: str, cause: Cause, log_time_ms: int) -> TierChangeOut:
    """The transition that a row has just made, at its own time."""
    fit, engagement, risk, total = row.scores
    return TierChangeOut(
        id=f"{row.lead_id}:{row.seq}",
        lead_id=row.lead_id,
        seq=row.seq,
        from_tier=before,
        to_tier=row.tier_name,
        effective_at=iso(row.at),
        decided_at=iso(log_time_ms),
        fit=fit,
        engagement=engagement,
        risk=risk,
        total=total,
        reasons=_reasons_of(kernel.model, row),
        cause=cause,
        profile=kernel.published(row),
        model=kernel.model.ref,
    )


def score_of(kernel: Kernel, row: Row, as_of_ms: int) -> LeadScoreOut:
    """The score of a lead; `as_of_ms` is the log time at which its content last changed."""
    fit, engagement, risk, total = row.scores
    identity = row.identity
    changes_next_at = kernel.changes_next_at(row)
    return LeadScoreOut(
        lead_id=row.lead_id,
        tier=row.tier_name,
        tier_since=None if row.tier_since is None else iso(row.tier_since),
        seq=row.seq,
        fit=fit,
        engagement=engagement,
        risk=risk,
        total=total,
        reasons=_reasons_of(kernel.model, row),
        changes_next_at=None if changes_next_at is None else iso(changes_next_at),
        as_of=iso(as_of_ms),
        profile=kernel.published(row),
        model=kernel.model.ref,
        names=[] if identity is None else list(identity.names),
        shared=identity is not None and identity.shared,
    )


def merged_of(row: Row) -> MergedLeadOut | None:
    """Where an alias went; None for a lead of its own."""
    identity = row.identity
    return MergedLeadOut(row.lead_id, identity.owner, row.seq) if identity is not None and identity.owner else None


def content_of(kernel: Kernel, row: Row) -> tuple[object, ...]:
    """What a score says apart from times: two scores with the same content need one record."""
    names = kernel.model.rule_names
    return (
        row.tier_name,
        row.scores,
        [(name, points) for name, points in zip(names, row.counting, strict=True) if points],
    )


def _reasons_of(model: CompiledModel, row: Row) -> list[ReasonOut]:
    """The contributions that count: the largest first, then in the order of the file."""
    counting = row.counting
    ordered = sorted([(-abs(int(counting[rule])), rule) for rule in range(len(counting)) if counting[rule]])
    return [
        ReasonOut(model.rule_names[rule], model.rule_dimensions[rule], counting[rule], iso(row.since[rule]))
        for _, rule in ordered
    ]
