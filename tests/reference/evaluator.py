"""The reference evaluator: rows of the log in, tier changes and scores out.

Rows are plain dicts in log order:

- an event: `lead_id`, `received_at`, `event_id`, `kind`, `occurred_at` and the fields of its kind;
- an alarm: `{"alarm": True, "received_at": …}`, which brings nothing but time;
- a model: `{"model": {…}, "received_at": …}`. The first one of a log holds from its first row; a version that is not
  greater than the active one does nothing.

Every row may bring `safe`, the log time of its record; without one it is `received_at`. All times are milliseconds.
"""

from dataclasses import dataclass
from typing import Any

from tests.reference.model import Model, read_model
from tests.reference.story import Story


@dataclass(frozen=True)
class Outcome:
    """All tier changes in the order in which they were decided, and the score of every lead, by `lead_id`."""

    changes: list[dict[str, Any]]
    scores: dict[str, dict[str, Any]]


def evaluate(rows: list[dict[str, Any]], model: dict[str, Any] | None = None, until: int | None = None) -> Outcome:
    """Read a whole log, then let time run to `until` (never back; by default no further than the log time reached)."""
    log = Log(model if model is not None else next(row["model"] for row in rows if "model" in row))
    for row in rows:
        log.take(row)
    return log.outcome(until)


class Log:
    """A log as it is read: the clock, the model and the stories of all leads."""

    def __init__(self, model: dict[str, Any]) -> None:
        """An empty log under its first model."""
        self.model: Model = read_model(model)
        self.time: int | None = None
        self.stories: dict[str, Story] = {}
        self.changes: list[dict[str, Any]] = []

    def take(self, row: dict[str, Any]) -> None:
        """Take in one row: first its time and all that is due by then, then what it says and makes due by then."""
        self._move_time(row.get("safe", row["received_at"]))
        self._apply(row)
        self._apply_due(list(self.stories.values()), self.time or 0)

    def _apply(self, row: dict[str, Any]) -> None:
        received_at = row["received_at"]
        if "alarm" in row:
            return
        if "model" in row:
            self._take_model(row["model"], received_at)
            return
        lead_id = row["lead_id"]
        if lead_id not in self.stories:
            self.stories[lead_id] = Story(lead_id, self.model, received_at)
        self._apply_due([self.stories[lead_id]], received_at)
        self._note(self.stories[lead_id].take_event(row, received_at))

    def outcome(self, until: int | None = None) -> Outcome:
        """Tier changes and scores at log time or, if that is later, at `until`. Log time moves there."""
        if until is not None:
            self._move_time(until)
        elif self.time is not None:
            self._move_time(self.time)
        return Outcome(list(self.changes), {lead_id: self.stories[lead_id].score() for lead_id in sorted(self.stories)})

    def _move_time(self, safe: int) -> None:
        """Log time is the greatest `safe` so far; all deadlines up to it are due."""
        self.time = safe if self.time is None else max(self.time, safe)
        self._apply_due(list(self.stories.values()), self.time)

    def _apply_due(self, stories: list[Story], to: int) -> None:
        """Apply deadlines up to a moment, in order of (deadline, lead_id); each may bring the next."""
        while True:
            due = [(story.deadline, story.lead_id) for story in stories if story.deadline is not None]
            if not due or min(due)[0] > to:
                return
            self._note(self.stories[min(due)[1]].take_deadline())

    def _take_model(self, plain: dict[str, Any], received_at: int) -> None:
        """Look at every lead anew under a greater version, in order of lead_id."""
        model = read_model(plain)
        if model.version <= self.model.version:
            return
        self._apply_due(list(self.stories.values()), received_at)
        self.model = model
        for lead_id in sorted(self.stories):
            self._note(self.stories[lead_id].take_model(model, received_at))

    def _note(self, change: dict[str, Any] | None) -> None:
        if change is not None:
            self.changes.append({**change, "decided_at": self.time})
