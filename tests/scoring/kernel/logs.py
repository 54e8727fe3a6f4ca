"""Words for writing logs by hand, and for folding them as the score stage does. Times count from `T0`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from schemas.log import (
    Alarm,
    Backfill,
    Bounce,
    ByHand,
    Download,
    EmailClick,
    EmailOpen,
    EmailSent,
    Field,
    FormFill,
    LogRow,
    ModelControl,
    PageView,
    Profile,
    SalesActivity,
    encode_record,
)
from schemas.outputs_wire import LeadScoreOut, ReasonOut, TierChangeOut, encode_tier_change
from schemas.routing_log import RoutingRow
from schemas.times import iso, parse_iso
from scoring.partition import PartitionFold
from scoring.reading import read_model

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
T0 = 1_767_261_600_000
"""2026-01-01T10:00:00Z"""

_ids = count(1)


def _id(given: str | None) -> str:
    return given or f"ev-{next(_ids)}"


def view(
    at: int,
    path: str = "/a",
    *,
    lead: str = "lead-1",
    received: int | None = None,
    event_id: str | None = None,
    session: str | None = None,
) -> PageView:
    """A page view, received when it occurred unless said otherwise."""
    got = at if received is None else received
    url = f"https://shop.example{path}"
    return PageView(lead, T0 + got, T0 + at, _id(event_id), "web", url, session_id=session)


def form(
    at: int,
    form_type: str = "contact",
    *,
    lead: str = "lead-1",
    received: int | None = None,
    event_id: str | None = None,
    **fields: Field | None,
) -> FormFill:
    """A form."""
    got = at if received is None else received
    return FormFill(lead, T0 + got, T0 + at, _id(event_id), "web", "form-1", form_type, dict(fields))


def download(at: int, asset: str = "rfp.pdf", *, lead: str = "lead-1", received: int | None = None) -> Download:
    """A download."""
    got = at if received is None else received
    return Download(lead, T0 + got, T0 + at, _id(None), "web", asset)


def opened(
    at: int, message: str = "m-1", *, lead: str = "lead-1", received: int | None = None, machine: bool = False
) -> EmailOpen:
    """An e-mail opened."""
    got = at if received is None else received
    return EmailOpen(lead, T0 + got, T0 + at, _id(None), "mail", message, machine=machine)


def sent(at: int, message: str = "m-1", *, lead: str = "lead-1", received: int | None = None) -> EmailSent:
    """An e-mail sent."""
    got = at if received is None else received
    return EmailSent(lead, T0 + got, T0 + at, _id(None), "mail", message)


def clicked(at: int, message: str = "m-1", *, lead: str = "lead-1", received: int | None = None) -> EmailClick:
    """A link in an e-mail clicked."""
    got = at if received is None else received
    return EmailClick(lead, T0 + got, T0 + at, _id(None), "mail", message)


def bounced(at: int, kind: str = "hard", *, lead: str = "lead-1", received: int | None = None) -> Bounce:
    """A bounce."""
    got = at if received is None else received
    return Bounce(lead, T0 + got, T0 + at, _id(None), "mail", "m-1", kind)


def activity(at: int, what: str = "contacted", *, lead: str = "lead-1", event_id: str | None = None) -> SalesActivity:
    """Something that sales did."""
    return SalesActivity(lead, T0 + at, T0 + at, _id(event_id), "crm", what)


def by_hand(at: int, owner: str | None = "ann", *, lead: str = "lead-1", event_id: str | None = None) -> ByHand:
    """Somebody gives the lead to an owner, or takes it from everybody."""
    return ByHand(lead, T0 + at, _id(event_id), owner, by="eve")


def backfill(at: int, *, lead: str = "lead-1") -> Backfill:
    return Backfill(lead, T0 + at)


def profile(
    at: int, *, lead: str = "lead-1", received: int | None = None, event_id: str | None = None, **fields: Field | None
) -> Profile:
    """Fields of the profile."""
    got = at if received is None else received
    return Profile(lead, T0 + got, T0 + at, _id(event_id), "crm", dict(fields))


def alarm(at: int) -> Alarm:
    """Nothing but time."""
    return Alarm(T0 + at)


def control(at: int, text: str, *, version: int | None = None, name: str = "test") -> ModelControl:
    """The next model; `version` is read from the text where it is not given."""
    model = read_model(text, "model.yaml") if version is None else None
    number = model.version if model is not None else version or 0
    return ModelControl(T0 + at, model.name if model else name, number, model.sha256 if model else "0" * 64, text)


Records = list[tuple[int, bytes]]


def log(rows: Iterable[LogRow], *, pack: int = 1, start: int = 0) -> Records:
    """The bytes of a log: `pack` rows a record; `safe` is the greatest `received_at` of the record."""
    listed = list(rows)
    packs = [listed[at : at + pack] for at in range(0, len(listed), pack)]
    return [
        (start + offset, encode_record(max(row.received_at_ms for row in rows), rows))
        for offset, rows in enumerate(packs)
    ]


@dataclass
class Told:
    """What a fold said: all tier changes, the last score and row of every lead, what went wrong."""

    changes: list[TierChangeOut] = field(default_factory=list)
    scores: dict[str, LeadScoreOut] = field(default_factory=dict)
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    routing: list[RoutingRow] = field(default_factory=list)
    applied: int = 0
    steps: int = 0
    memo: bytes = b""
    position: tuple[int, int] = (0, 0)

    def bodies(self) -> list[bytes]:
        """The tier changes as they leave."""
        return [encode_tier_change(change) for change in self.changes]

    def reasons(self, lead: str = "lead-1") -> list[tuple[str, int]]:
        """(rule, points) that count for a lead."""
        return [(reason.rule, reason.points) for reason in self.scores[lead].reasons] if lead in self.scores else []

    def reason(self, rule: str = "r", lead: str = "lead-1") -> ReasonOut | None:
        """One rule's reason, if it counts."""
        found = self.scores[lead].reasons if lead in self.scores else []
        return next((reason for reason in found if reason.rule == rule), None)

    def path(self, lead: str = "lead-1") -> list[tuple[str, int]]:
        """(tier, effective_at from T0) of a lead's changes."""
        return [
            (change.to_tier, parse_iso(change.effective_at) - T0) for change in self.changes if change.lead_id == lead
        ]


def new_fold(
    model: str, *, max_step_bytes: int = 3 << 20, max_step_deadlines: int = 20_000, together: int = 1_000
) -> PartitionFold:
    """A partition whose first model this is, with nothing in it."""
    fold = PartitionFold(max_step_bytes=max_step_bytes, max_step_deadlines=max_step_deadlines, together=together)
    fold.opened()
    fold.start_with(model)
    return fold


def run(fold: PartitionFold, records: Sequence[tuple[int, bytes]], told: Told | None = None) -> Told:
    """Folds records to their end."""
    said = Told() if told is None else told
    if not records:
        return said
    said.position = max(said.position, (records[0][0], 0))
    while said.position[0] <= records[-1][0]:
        ahead = [record for record in records if record[0] >= said.position[0]]
        step = fold.fold(ahead, said.position)
        if tuple(step.position) <= said.position and not (step.rows or step.changes or step.memo != said.memo):
            raise AssertionError(f"the fold does not get on at {said.position}")
        said.position = (step.position[0], step.position[1])
        said.changes += step.changes
        said.scores |= {score.lead_id: score for score in step.scores}
        said.rows |= dict(step.rows)
        said.problems += [str(problem) for problem in step.problems]
        said.routing += step.routing
        said.applied += step.applied
        said.memo = step.memo
        said.steps += 1
    return said


def tell(model: str, *rows: LogRow, until: int | None = None) -> Told:
    """Folds rows, one a record, under a model; then time runs to `until`."""
    more = [alarm(until)] if until is not None else []
    return run(new_fold(model), log([*rows, *more]))


def at_text(at: int) -> str:
    """A time from T0, as it leaves."""
    return iso(T0 + at)
