"""Random logs: rows of a few leads whose times hug every edge of a model, late, early, doubled and in disorder."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from schemas.log import EVENT_ROWS, Alarm, Link, LogRow, ModelControl, encode_record
from scoring.reading import read_model
from tests.property.models import changed_model, durations_of, model_text
from tests.property.world import PROFILE_VALUES, VALUES

__all__ = ["LogWriter", "Record", "encoded", "log_row", "random_log", "reference_rows"]

T0 = 1_767_261_600_000
DAY = 86_400_000
AHEAD = 600_000
"""How far a producer's clock may be ahead."""

LEADS = ("lead-1", "e:2", "a:3", "lead-10", "Ü")
EVENT_KINDS = (*VALUES, "page_view", "page_view", "form_fill", "email_open", "profile", "profile")

Row = dict[str, Any]


@dataclass
class Record:
    """A record of the log: its word on time, and its rows as the reference reads them."""

    safe: int
    rows: list[Row] = field(default_factory=list)


class LogWriter:
    """Writes one log. Every time that was given is remembered, so that later ones lie at its edges."""

    def __init__(self, chance: Random, model: dict[str, Any], leads: int) -> None:
        self.chance = chance
        self.model = model
        self.leads = LEADS[:leads]
        # Most of what happens, happens to the first.
        self.often = (*self.leads, *[LEADS[0]] * leads)
        self.durations = durations_of(model)
        self.kinds = [kind for body in model["signals"].values() for kind in _listed(body["on"])]
        rules = [body for bodies in model["rules"].values() for body in bodies.values()]
        self.kinds += ["profile"] * sum("profile" in body for body in rules)
        self.clock = T0
        self.known = [T0]
        self.events: list[Row] = []

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def edge(self, sign: int = 1) -> int:
        """A time that was given already, plus or minus one of the model's durations; exactly, or just beside it."""
        known = self.chance.choice(self.known[-12:])
        return known + sign * self.chance.choice(self.durations) + self.chance.choice((-1, 0, 0, 1))

    def step(self) -> None:
        """Lets time pass."""
        choice = self.chance.random()
        if choice < 0.35:
            self.clock = max(self.clock, self.edge())
        elif choice < 0.5:
            self.clock += self.chance.randint(0, 2 * self.chance.choice(self.durations))
        elif choice < 0.8:
            self.clock += self.chance.randint(0, self.durations[0])
        self.known.append(self.clock)

    def records(self, count: int, model_share: float) -> list[Record]:
        """A log of so many rows."""
        found: list[Record] = []
        waiting: list[Row] = []
        for _ in range(count):
            self.step()
            choice = self.chance.random()
            if choice < 0.06 or choice > 1 - model_share:
                # Control rows are alone in their records.
                found += self.packed(waiting)
                waiting = []
                found += self.packed([self.alarm() if choice < 0.06 else self.next_model()])
            else:
                waiting.append(self.again() if self.events and self.maybe(0.1) else self.event())
                if self.maybe(0.6):
                    found += self.packed(waiting)
                    waiting = []
        return found + self.packed(waiting)

    def packed(self, rows: list[Row]) -> list[Record]:
        """The rows as one record, if any; `safe` is mostly the time of its newest row."""
        if not rows:
            return []
        newest, oldest = (extreme(row["received_at"] for row in rows) for extreme in (max, min))
        choice = self.chance.random()
        safe = newest if choice < 0.7 else oldest if choice < 0.85 else self.edge(self.chance.choice((1, -1)))
        return [Record(max(0, safe), rows)]

    def received(self) -> int:
        """Mostly now; at times behind what the log has said of time."""
        return self.clock if self.maybe(0.9) else min(self.clock, self.edge(-1))

    def occurred(self, received_at: int) -> int:
        """When it was received, or late by up to days, or ahead of the clock, or at an edge."""
        choice = self.chance.random()
        if choice < 0.4:
            return received_at
        if choice < 0.5:
            return received_at + self.chance.choice((1, AHEAD, self.chance.randint(0, AHEAD)))
        if choice < 0.85:
            at = self.chance.choice(self.known[-12:]) if self.maybe(0.2) else self.edge(self.chance.choice((1, -1)))
            return max(received_at - 399 * DAY, min(at, received_at + AHEAD))
        return received_at - self.chance.randint(0, 10 * DAY)

    def event(self) -> Row:
        """Something new of some lead."""
        kind = self.chance.choice(self.kinds if self.maybe(0.8) else EVENT_KINDS)
        received_at = self.received()
        occurred_at = self.occurred(received_at)
        self.known.append(occurred_at)
        row: Row = {
            "lead_id": self.chance.choice(self.often),
            "received_at": received_at,
            "occurred_at": occurred_at,
            "event_id": f"ev-{len(self.events)}",
            "kind": kind,
        }
        if kind == "profile":
            names = self.chance.sample(list(PROFILE_VALUES), self.chance.randint(1, 4))
            row["fields"] = {name: self.chance.choice(PROFILE_VALUES[name]) for name in names}
        else:
            self.fill(row)
        self.events.append(row)
        return row

    def fill(self, row: Row) -> None:
        """Gives an event its fields; None is left out."""
        for name, values in VALUES[row["kind"]].items():
            value = self.chance.choice(values)
            if name.startswith("fields."):
                fields = row.setdefault("fields", {})
                if value is not None or self.maybe(0.5):
                    fields[name.removeprefix("fields.")] = value
            elif value is not None:
                row[name] = value

    def again(self) -> Row:
        """An event that was there already: doubled, or told again with another time."""
        row = dict(self.chance.choice(self.events))
        row["received_at"] = max(self.received(), row["occurred_at"] - AHEAD)
        if self.maybe(0.3):
            row["occurred_at"] = self.occurred(row["received_at"])
        return row

    def alarm(self) -> Row:
        """Nothing but time."""
        return {"alarm": True, "received_at": self.received()}

    def next_model(self) -> Row:
        """The next version of the model."""
        self.model = changed_model(self.chance, self.model)
        self.durations = sorted({*self.durations, *durations_of(self.model)})
        return {"model": self.model, "received_at": self.received()}


def random_log(chance: Random, model: dict[str, Any], leads: int, rows: int) -> list[Record]:
    """A log of so many rows for so many leads; now and then time runs on at its end."""
    writer = LogWriter(chance, model, leads)
    records = writer.records(rows, chance.choice((0, 0, 0, 0, 0.05)))
    if chance.random() < 0.5:
        end = writer.clock + chance.choice((writer.durations[-1] + 1, 2 * sum(writer.durations), 400 * DAY))
        records.append(Record(end, [{"alarm": True, "received_at": end}]))
    return records


def reference_rows(records: list[Record]) -> list[Row]:
    """The rows of a log as the reference reads them."""
    return [{**row, "safe": record.safe} for record in records for row in record.rows]


def encoded(records: list[Record]) -> list[tuple[int, bytes]]:
    """The bytes of a log, by offset."""
    return [
        (offset, encode_record(record.safe, [log_row(row) for row in record.rows]))
        for offset, record in enumerate(records)
    ]


def log_row(row: Row) -> LogRow:
    if "alarm" in row:
        return Alarm(row["received_at"])
    if "link" in row:
        return Link(row["link"], row["received_at"], row["owner"], row["hour"])
    if "model" in row:
        text = model_text(row["model"])
        model = read_model(text, "model.yaml")
        return ModelControl(row["received_at"], model.name, model.version, model.sha256, text)
    given = {name: value for name, value in row.items() if name not in ("kind", "received_at", "occurred_at")}
    times = {"received_at_ms": row["received_at"], "occurred_at_ms": row["occurred_at"]}
    return cast("LogRow", EVENT_ROWS[row["kind"]](**{"source": ""} | times | given))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
