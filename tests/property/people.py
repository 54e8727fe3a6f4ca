"""Random logs of people with several names, told at once: by `People` over one fold, and by the naive reference."""

from random import Random
from typing import Any

from schemas.outputs_wire import LeadScoreOut, MergedLeadOut
from scoring.outcomes import merged_of, score_of
from scoring.partition import PartitionFold
from scoring.people import People
from tests.property.comparing import Case, Plain, Told, compared, plain_change, plain_score
from tests.property.models import model_text, random_model
from tests.property.streams import LogWriter, Row, log_row, reference_rows
from tests.reference.people import tell_people

__all__ = ["HOUR", "people_case", "people_difference"]

HOUR = 3_600_000

NAMES = ("a:1", "a:2", "e:1", "lead-1", "e:2", "lead-2", "a:3")
LINKS = (("a:1", "e:1"), ("a:1", "lead-1"), ("e:1", "lead-1"), ("a:2", "lead-1"), ("a:2", "e:1"), ("e:1", "lead-2"),
         ("a:1", "e:2"), ("e:2", "lead-2"))  # fmt: skip
"""The first four or five make one person of all; the others quarrel about a name."""


class PeopleWriter(LogWriter):
    """Writes a log in which names turn out to be one person; some of them to be another one later."""

    def __init__(self, chance: Random, model: dict[str, Any], names: int) -> None:
        super().__init__(chance, model, 1)
        self.leads = NAMES[:names]
        self.often = (*self.leads, "a:1", "a:1", "lead-1")
        self.links = LINKS if self.maybe(0.5) else LINKS[:4]
        self.crowd = self.maybe(0.1)

    def event(self) -> Row:
        """Something new of some name, or that two names are one person."""
        if not self.maybe(0.5 if self.crowd else 0.2):
            return super().event()
        received_at = self.received()
        alias, owner = self.chance.choice(self.links)
        if self.crowd and self.maybe(0.7):
            alias, owner = "a:1", f"lead-{self.chance.randint(1, 12)}"
        hour = self.occurred(received_at) // HOUR * HOUR
        return {"link": alias, "owner": owner, "hour": hour, "received_at": received_at}


def people_case(seed: int, names: int, rules: int, rows: int) -> Case:
    """The case of a seed."""
    chance = Random(seed)
    model = random_model(chance, rules)
    writer = PeopleWriter(chance, model, names)
    records = writer.records(rows, chance.choice((0, 0, 0, 0.05)))
    return Case(model, records, step_bytes=chance.choice((3 << 20, 400, 1_500)), seed=seed)


def people_difference(case: Case) -> tuple[Any, Any] | None:
    """What `People` says and what the reference says, where that is not the same."""
    return compared(told(case), tell_people(reference_rows(case.records), case.model))


def told(case: Case) -> Told:
    """What `People` tells."""
    fold = PartitionFold(max_step_bytes=case.step_bytes)
    fold.opened()
    fold.start_with(model_text(case.model))
    people = People(fold)
    changes: list[Plain] = []
    published: dict[str, Plain] = {}

    def finish() -> None:
        step = people.finish()
        assert not step.problems, step.problems
        assert not step.sent
        changes.extend(plain_change(change) for change in step.changes)
        published.update({score.lead_id: plain(score) for score in step.scores})
        published.update({merged.lead_id: plain(merged) for merged in step.merged})

    chance = Random(case.seed)
    for record in case.records:
        for row in record.rows:
            made = log_row(row)
            while not people.take(made, record.safe):
                finish()
            if chance.random() < 0.1:
                finish()
        # The reference applies what a row has made due by log time at once.
        while not people.advance(record.safe):
            finish()
    finish()
    return changes, {lead_id: final(fold, lead_id) for lead_id in fold.lead_ids()}, published


def final(fold: PartitionFold, lead_id: str) -> Plain:
    """Where a lead stands."""
    row = fold.row(lead_id)
    assert fold.kernel is not None
    assert row is not None
    return plain(merged_of(row) or score_of(fold.kernel, row, 0))


def plain(score: LeadScoreOut | MergedLeadOut) -> Plain:
    """A record of `lead-scores`, as the reference has it."""
    if isinstance(score, MergedLeadOut):
        return {"lead_id": score.lead_id, "merged_into": score.merged_into, "seq": score.seq}
    return plain_score(score) | {"names": sorted(score.names), "shared": score.shared}
