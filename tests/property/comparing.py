"""A random case: a model and a log, told by the fold of a partition and by the reference, side by side."""

from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.outputs_wire import LeadScoreOut, ReasonOut, TierChangeOut
from schemas.times import parse_iso
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from tests.property.models import model_text, random_model
from tests.property.streams import Record, encoded, random_log, reference_rows
from tests.reference.evaluator import Outcome, evaluate

__all__ = ["Case", "Told", "compared", "difference", "plain_change", "plain_score", "random_case"]

Plain = dict[str, Any]


@dataclass
class Case:
    """A model, a log under it, and how the log is cut.

    Attributes:
        step_bytes: Of a step of the fold, at most.
        share: How often the fold is given fewer records than there are.
        restarts: How often it is thrown away after a step and made anew of what is durable.
    """

    model: Plain
    records: list[Record]
    step_bytes: int = 3 << 20
    share: float = 0.0
    restarts: float = 0.0
    seed: int = 0

    def __repr__(self) -> str:
        rows = "\n".join(f"  safe {record.safe}: {record.rows}" for record in self.records)
        cut = f"step_bytes={self.step_bytes} share={self.share} restarts={self.restarts} seed={self.seed}"
        return f"{model_text(self.model)}\n{rows}\n{cut}"


def random_case(seed: int, leads: int, rules: int, rows: int) -> Case:
    """The case of a seed."""
    chance = Random(seed)
    model = random_model(chance, rules)
    records = random_log(chance, model, leads, rows)
    return Case(
        model,
        records,
        step_bytes=chance.choice((3 << 20, 3 << 20, 400, 1_500)),
        share=chance.choice((0.0, 0.3, 0.9)),
        restarts=chance.choice((0.0, 0.0, 0.2, 1.0)),
        seed=seed,
    )


Told = tuple[list[Plain], dict[str, Plain], dict[str, Plain]]
"""Tier changes, the final score of every lead, and the scores that were published last."""


def difference(case: Case) -> tuple[Any, Any] | None:
    """What the fold says and what the reference says, where that is not the same: tier changes first, then scores."""
    return compared(folded(case), evaluate(reference_rows(case.records), case.model))


def compared(told: Told, expected: Outcome) -> tuple[Any, Any] | None:
    """The first thing that is not the same."""
    changes, scores, published = told
    for number in range(max(len(changes), len(expected.changes))):
        ours, theirs = ([*one, None][number : number + 1] for one in (changes, expected.changes))
        if ours != theirs:
            return ours, theirs
    for lead_id in sorted({*scores, *expected.scores}):
        mine, other = scores.get(lead_id), expected.scores.get(lead_id)
        if mine != other:
            return mine, other
        # What was published last still holds, but for the times that move without a word.
        if (said := published.get(lead_id)) is not None and other is not None and _content(said) != _content(other):
            return said, other
    return None


def folded(case: Case) -> Told:
    """What a fold tells."""
    chance = Random(case.seed)
    log = encoded(case.records)
    fold = PartitionFold(max_step_bytes=case.step_bytes)
    fold.opened()
    fold.start_with(model_text(case.model))
    changes: list[Plain] = []
    published: dict[str, Plain] = {}
    table: dict[bytes, bytes | None] = {}
    position = (0, 0)
    while position[0] < len(log):
        ahead = log[position[0] :]
        if chance.random() < case.share:
            ahead = ahead[: chance.randint(1, len(ahead))]
        step = fold.fold(ahead, position)
        position = step.position
        assert not step.problems, step.problems
        changes += [plain_change(change) for change in step.changes]
        published |= {score.lead_id: plain_score(score) for score in step.scores}
        table |= dict(step.rows)
        if chance.random() < case.restarts:
            fold = PartitionFold(max_step_bytes=case.step_bytes)
            fold.restore(table.items())
            fold.restore_memo(step.memo)
            fold.opened()
    assert fold.kernel is not None
    return changes, {lead_id: _final_score(fold, lead_id) for lead_id in fold.lead_ids()}, published


def _final_score(fold: PartitionFold, lead_id: str) -> Plain:
    row = fold.row(lead_id)
    assert fold.kernel is not None
    assert row is not None
    return plain_score(score_of(fold.kernel, row, 0))


def plain_change(change: TierChangeOut) -> Plain:
    assert change.id == f"{change.lead_id}:{change.seq}"
    return {
        "lead_id": change.lead_id,
        "seq": change.seq,
        "from_tier": change.from_tier,
        "to_tier": change.to_tier,
        "effective_at": parse_iso(change.effective_at),
        "fit": change.fit,
        "engagement": change.engagement,
        "risk": change.risk,
        "total": change.total,
        "reasons": [_plain_reason(one) for one in change.reasons],
        "cause": change.cause,
        "profile": change.profile,
        "decided_at": parse_iso(change.decided_at),
    }


def plain_score(score: LeadScoreOut) -> Plain:
    return {
        "lead_id": score.lead_id,
        "tier": score.tier,
        "tier_since": None if score.tier_since is None else parse_iso(score.tier_since),
        "seq": score.seq,
        "fit": score.fit,
        "engagement": score.engagement,
        "risk": score.risk,
        "total": score.total,
        "reasons": [_plain_reason(one) for one in score.reasons],
        "changes_next_at": None if score.changes_next_at is None else parse_iso(score.changes_next_at),
        "profile": score.profile,
    }


def _plain_reason(reason: ReasonOut) -> Plain:
    return {
        "rule": reason.rule,
        "dimension": reason.dimension,
        "points": reason.points,
        "since": parse_iso(reason.since),
    }


def _content(score: Plain) -> Plain:
    if "merged_into" in score:
        return score
    kept = {key: score[key] for key in ("tier", "tier_since", "seq", "fit", "engagement", "risk", "total")}
    return kept | {"reasons": [(one["rule"], one["points"]) for one in score["reasons"]]}
