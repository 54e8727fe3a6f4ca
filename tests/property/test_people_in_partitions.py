"""Whatever the order of events, links and merges, with doubles, across partitions, through deaths and restarts: in the
end a person's evidence, matches, profile and points are those of one lead that had done it all.

Within the limits that the model language tells of: there is room for all occurrences, and where matches are remembered
no key comes again. The history of tiers depends on the way; but no id ever has two bodies, and its numbers have no gap.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from schemas.outputs_wire import MergedLeadOut
from schemas.times import parse_iso
from scoring.evidence import occurrences_at
from scoring.outcomes import merged_of, score_of
from scoring.partition import PartitionFold
from tests.property.models import model_text, random_model
from tests.property.people import PeopleWriter
from tests.property.streams import DAY, Row
from tests.property.test_kernel_against_reference import CASES, SEED, cases, seeds
from tests.property.town import Town
from tests.reference.evaluator import Log
from tests.reference.people import persons

Plain = dict[str, Any]


def roomy(model: Plain) -> Plain:
    """The model with room for all occurrences of what is matched, and no key that could come again."""
    matching = [body for bodies in model["rules"].values() for body in bodies.values()]
    if any("repeat" in body or "together" in body for body in matching):
        for signal in model["signals"].values():
            signal.pop("distinct", None)
            signal["keep"] = 64
    return model


class TownWriter(PeopleWriter):
    """Writes events; those told again keep their time."""

    def again(self) -> Row:
        """The same event, perhaps received later."""
        row = dict(self.chance.choice(self.events))
        row["received_at"] = max(self.clock, row["occurred_at"] - 600_000)
        return row


def evidence_of(fold: PartitionFold, lead_id: str) -> Plain:
    """Occurrences by signal, matches by rule, and the profile with what was deleted."""
    row, model = fold.row(lead_id), fold.model
    assert row is not None
    assert model is not None
    found: dict[str, list[tuple[int, int]]] = {}
    for signal, place in zip(model.model.signals, row.places, strict=True):
        if place >= 0:
            found[signal.name] = [(time, key % (1 << 64)) for time, key in occurrences_at(row.evidence, place)]
    matches = {model.rule_names[rule]: row.matches[rule] for rule in model.matchers if row.matches[rule] > -(1 << 62)}
    return {"occurrences": found, "matches": matches, "profile": {name: one[1:] for name, one in row.profile.items()}}


def points_of(score: Plain) -> Plain:
    """What a score says of points."""
    reasons = [(one["rule"], one["points"], one["since"]) for one in score["reasons"]]
    return {name: score[name] for name in ("fit", "engagement", "risk", "total", "profile")} | {"reasons": reasons}


def ours(fold: PartitionFold, lead_id: str) -> Plain:
    """Points and evidence of a lead in a fold."""
    row = fold.row(lead_id)
    assert row is not None
    assert fold.kernel is not None
    score = score_of(fold.kernel, row, 0)
    reasons = [{"rule": one.rule, "points": one.points, "since": parse_iso(one.since)} for one in score.reasons]
    plain = {name: getattr(score, name) for name in ("fit", "engagement", "risk", "total", "profile")}
    return points_of(plain | {"reasons": reasons}) | evidence_of(fold, lead_id)


def theirs(log: Log, person: str) -> Plain:
    """Points and evidence of the one lead that did it all, by the naive reference."""
    story = log.stories[person]
    evidence = story.evidence
    occurrences = {name: kept for name in evidence.history if (kept := evidence.kept(name))}
    profile = {name: max(one[:2] for one in values) for name, values in evidence.fields.items() if values}
    told = points_of(story.score())
    return told | {"occurrences": occurrences, "matches": evidence.matches, "profile": profile}


@pytest.mark.property
@pytest.mark.timeout(60 + CASES)
@seed(SEED)
@cases
@given(
    seed=seeds, names=st.integers(2, 7), rules=st.integers(1, 6), rows=st.integers(1, 50), partitions=st.integers(1, 4)
)
def test_one_person_in_the_end(seed: int, names: int, rules: int, rows: int, partitions: int) -> None:
    chance = Random(seed)
    model = roomy(random_model(chance, rules))
    writer = TownWriter(chance, model, names)
    town = Town(chance, model_text(model), partitions, chance.choice((3 << 20, 400, 1_500)))
    told: list[Row] = []
    for record in writer.records(rows, 0):
        made = [row for row in record.rows if "alarm" not in row]
        town.take(made, writer.clock)
        told += made
    end = max(writer.clock, town.clock) + chance.choice((0, 0, writer.durations[-1] + 1, 400 * DAY))
    town.settle(end)

    events, links = [row for row in told if "link" not in row], [row for row in told if "link" in row]
    known = persons({row["lead_id"] for row in events}, links)
    log = Log(model)
    for row in sorted(events, key=lambda row: row["received_at"]):
        if row["lead_id"] in known:
            log.take({**row, "lead_id": known[row["lead_id"]]})
    log.outcome(end)
    folds = dict(town.leads())
    for person in sorted(set(known.values()) & set(log.stories)):
        assert ours(folds[person], person) == theirs(log, person), (person, model_text(model), told)
    for lead_id, fold in folds.items():
        check_outputs(town, lead_id, fold, known)


def check_outputs(town: Town, lead_id: str, fold: PartitionFold, known: dict[str, str]) -> None:
    """What was published of a name: numbers without a gap, and last where it stands now."""
    row = fold.row(lead_id)
    assert row is not None
    numbers = {int(one.rpartition(":")[2]) for one in town.bodies if one.rpartition(":")[0] == lead_id}
    assert numbers == set(range(1, row.seq + 1))
    merged = merged_of(row)
    if merged is not None:
        assert town.scores[lead_id] == merged
        assert row.due >= 1 << 62
    elif lead_id in known and lead_id in town.scores:
        assert not isinstance(town.scores[lead_id], MergedLeadOut)
        assert not row.is_merged
