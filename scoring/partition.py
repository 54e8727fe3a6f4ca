"""All leads of one partition of the log, and what time it is there: rows in, tier changes and scores out.

The fold is a pure function of the log. Wherever it is cut and taken up again (from the rows, and the memo of what else
must be remembered) it gives the same tier changes with the same ids.

Order: a row brings time (`safe`). All deadlines up to that time are applied, in order of (deadline, lead_id), then
those of the row's own lead up to its `received_at`, then the row, then whatever the row has made due by log time.
A lead's own time never runs backwards: an event is assessed at the later of its `received_at` and the lead's time,
which every row of the lead and every deadline that changes something moves on.

Rows of leads wait (`scoring.waiting`) and are applied together, lead by lead (`scoring.telling`); what they bring about
is gathered in the order of the log (`scoring.ledger`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.log import (
    Alarm,
    Backfill,
    ByHand,
    EventRow,
    Link,
    LogCodecError,
    LogRow,
    Merge,
    ModelControl,
    NextPolicy,
    decode_record,
)
from schemas.outputs_wire import TierChangeOut
from schemas.routing_log import PolicyControl, RoutingRow
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.leads import Leads
from scoring.ledger import FoldStep, Ledger
from scoring.memo import MEMO_CODEC, Memo, decode_memo, encode_memo
from scoring.merging import problem_of
from scoring.model import Model
from scoring.model_store import ModelStore
from scoring.reading import ModelError, read_model
from scoring.reassessment import Reassessment
from scoring.row import Row
from scoring.telling import Telling
from scoring.waiting import Waiting

__all__ = ["FoldStep", "PartitionFold"]


class PartitionFold:
    """The state of one partition.

    Args:
        max_step_bytes: A step ends before its rows could be larger than this.
        max_step_deadlines: A step ends after so many deadlines.
        max_live: So many leads are kept ready in memory; of all others only the bytes.
        together: So many rows of the log wait before they are applied: what is made of them fits into the second cache
            of a processor. With ten times as many a row costs a sixth more.
        with_scores: Whether steps have scores.
    """

    def __init__(
        self,
        max_step_bytes: int = 6 << 20,
        max_step_deadlines: int = 5_000,
        max_live: int = 100_000,
        together: int = 1_000,
        *,
        with_scores: bool = True,
    ) -> None:
        self._nearly_full = max_step_bytes * 7 // 8
        self._together = together
        self._leads = Leads(max_live)
        self._ledger = Ledger(max_step_bytes, max_step_deadlines, with_scores=with_scores)
        self._waiting = Waiting(self._leads, self._ledger)
        self._telling = Telling(self._leads, self._ledger, self._waiting)
        self._reassessment = Reassessment(self._leads, self._ledger)
        self._models = ModelStore()

    # --- state ------------------------------------------------------------------------------------------------------

    @property
    def kernel(self) -> Kernel | None:
        """Of the active model; None before the first."""
        return self._leads.kernel if self._leads.has_kernel else None

    @property
    def model(self) -> CompiledModel | None:
        """The active model; None before the first."""
        return None if self.kernel is None else self.kernel.model

    @property
    def log_time_ms(self) -> int:
        """What time it is in the log; 0 before the first row."""
        return self._ledger.log_time_ms

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return len(self._leads.known)

    @property
    def deadlines(self) -> int:
        """How many leads wait for a moment."""
        return len(self._leads.deadlines)

    def restore(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Takes rows of the table, oldest first; None deletes.

        Raises:
            RowCodecError: A row cannot be read, or is of a newer version.
        """
        for key, value in rows:
            if key[:1] != b"\0":
                self._leads.restore(key.decode(), value)
            elif value is not None:
                self._models.restore(key, value)

    def restore_memo(self, memo: bytes) -> None:
        """Takes what was remembered beside the rows.

        Raises:
            RowCodecError: It cannot be read, or is of a newer version.
        """
        found = decode_memo(memo)
        self._ledger.log_time_ms, self._models.version = found.log_time_ms, found.version
        self._reassessment.at, self._reassessment.after = found.reassess_at_ms, found.reassess_after

    def opened(self) -> None:
        """Everything is restored.

        Raises:
            RowCodecError: The model that the memo names is not there, or is none.
        """
        if self._models.version is not None:
            self._leads.kernel = Kernel(self._models.active())
        self._leads.restored()
        reassessment = self._reassessment
        if reassessment.at is not None:
            reassessment.begin(Kernel(self._models.before()), reassessment.at, reassessment.after)

    def start_with(self, text: str, name: str = "model") -> None:
        """The first model: it holds from the first row.

        Raises:
            ModelError: Everything that is wrong with it.
        """
        self._switch(read_model(text, name))

    def next_deadline_ms(self) -> int | None:
        """The earliest moment at which time alone may change something."""
        return self._leads.deadlines.first()

    @property
    def done_until_ms(self) -> int | None:
        """Log time, where all that was due by then is done; None in the middle of that."""
        first = self._leads.deadlines.first()
        busy = self._reassessment.at is not None or (first is not None and first <= self.log_time_ms)
        return None if busy else self.log_time_ms

    def row(self, lead_id: str) -> Row | None:
        """The row of a lead; None if nobody has heard of it."""
        return self._leads.row(lead_id)

    def lead_ids(self) -> list[str]:
        """Every lead, sorted."""
        return self._leads.ids()

    # --- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, records: Sequence[tuple[int, bytes]], start: tuple[int, int] = (0, 0)) -> FoldStep:
        """Applies records of the log (offset, value) from `start` on, until they are done or the step is large enough.

        Raises:
            LogCodecError: A record cannot be read; the message says which.
        """
        position = start
        for offset, value in records:
            if offset < start[0]:
                continue
            try:
                safe_ms, rows = decode_record(value)
            except LogCodecError as error:
                raise LogCodecError(f"offset {offset}: {error}") from error
            number = start[1] if offset == start[0] else 0
            while (number := self._take_many(rows, number, safe_ms)) < len(rows):
                if not self.take(rows[number], safe_ms):
                    return self._end_step((offset, number))
                number += 1
            if len(self._waiting.times) >= self._together:
                self._telling.apply()
            if self._reassessment.at is not None and not self._catch_up():
                return self._end_step((offset, len(rows)))
            position = (offset + 1, 0)
        return self._end_step(position)

    def take(self, row: LogRow | EventRow, safe_ms: int) -> bool:
        """Time is `safe_ms`, or later already; then the row. False: the step is full, `finish` it and call again.

        Events wait, to be applied lead by lead: `finish` tells what they brought about.
        """
        if not isinstance(row, EventRow | ByHand | Backfill) and (
            not isinstance(row, Link | Merge) or problem_of(row) is not None
        ):
            return self.advance(safe_ms) and self._control_row(row)
        ledger, queue = self._ledger, self._leads.deadlines.queue
        if ledger.size + ledger.expected > ledger.max_bytes and not self._make_room():
            return False
        if self._reassessment.at is not None and not self._catch_up():
            return False
        now = max(safe_ms, ledger.log_time_ms)
        # Also at the same time as before: the step may have been full when time came to stand here. Where too many
        # leads are due, one after the other is, so that the step ends where it is full.
        if queue and queue[0][0] <= now and not self._waiting.wait_for_due(now) and not self.advance(now):
            return False
        ledger.log_time_ms = now
        self._waiting.wait(row, now)
        return True

    def _take_many(self, rows: Sequence[LogRow], first: int, safe_ms: int) -> int:
        """What `take` does, for events while nothing else is to be done; the number of the row it stops at."""
        now, queue = max(safe_ms, self._ledger.log_time_ms), self._leads.deadlines.queue
        if self._reassessment.at is not None or (queue and queue[0][0] <= now):
            return first
        stopped = self._waiting.wait_many(rows, first, now)
        if stopped > first:
            self._ledger.log_time_ms = now
        return stopped

    def _make_room(self) -> bool:
        """Applies what waits: mostly rows grow by less than was expected. False: the step is full."""
        self._telling.apply()
        return self._ledger.size <= self._nearly_full

    def advance(self, safe_ms: int) -> bool:
        """Time is `safe_ms`, or later already: applies what is due by then. False: the step is full, call again."""
        self._telling.apply()
        self._ledger.log_time_ms = max(self._ledger.log_time_ms, safe_ms)
        return self._catch_up()

    def told(self) -> list[TierChangeOut]:
        """Tier changes of the step so far, each told once: what waits is applied, and the step goes on."""
        self._telling.apply()
        step = self._ledger.step
        changes, step.changes = step.changes, []
        return changes

    def told_routing(self) -> list[RoutingRow]:
        """The same of what route must know."""
        self._telling.apply()
        step = self._ledger.step
        rows, step.routing = step.routing, []
        return rows

    def sent(self) -> list[Merge | EventRow | ByHand]:
        """Takes away what was sent to other leads; applies what waits before. For those who have all leads here."""
        self._telling.apply()
        step = self._ledger.step
        found, step.sent = step.sent, []
        return found

    def finish(self) -> FoldStep:
        """Ends a step that was made of `take` and `advance`; what it brought about."""
        return self._end_step((0, 0))

    def _catch_up(self) -> bool:
        """Finishes what is under way, and applies what is due by log time; False if the step is full before."""
        self._telling.apply()
        return self._reassessment.go_on() and self._drain(self._ledger.log_time_ms) and not self._ledger.is_full

    def _drain(self, until_ms: int) -> bool:
        """Applies all deadlines up to a moment, in order of (deadline, lead_id); False if the step is full before."""
        deadlines = self._leads.deadlines
        while (lead_id := deadlines.pop(until_ms)) is not None:
            row = self._leads.row(lead_id)
            assert row is not None
            if self._ledger.is_full:
                deadlines.note(lead_id, row.due)
                return False
            # A row that was just read may be due later than its bytes say: what they knew changed nothing.
            if row.due <= until_ms:
                self._telling.fire(row)
            deadlines.note(lead_id, row.due)
        return True

    def _end_step(self, position: tuple[int, int]) -> FoldStep:
        self._telling.apply(at_end=True)
        if self._leads.has_kernel:
            self._ledger.put_all_away(self._leads.kernel)
        step = self._ledger.finish()
        step.position = position
        step.rows += self._models.unwritten()
        self._leads.let_go_of_many()
        reassessment = self._reassessment
        step.memo = encode_memo(
            Memo(MEMO_CODEC, self._ledger.log_time_ms, self._models.version, reassessment.at, reassessment.after)
        )
        self._ledger.begin()
        return step

    # --- what is about no lead --------------------------------------------------------------------------------------

    def _control_row(self, row: LogRow) -> bool:
        """Applies a row that is about no lead, or passes one over. False: the step is full before."""
        ledger = self._ledger
        version = self._models.version
        if isinstance(row, ModelControl) and (version is None or row.version > version):
            if not self._drain(max(ledger.log_time_ms, row.received_at_ms)):
                return False
            self._control(row)
        elif isinstance(row, NextPolicy):
            ledger.note(PolicyControl(row.received_at_ms, row.policy, row.version, row.sha256, row.body))
        elif isinstance(row, Alarm):
            ledger.step.asked_for_time = True
        elif isinstance(row, Link | Merge):
            ledger.step.problems.append(f"a row is passed over: {problem_of(row)}")
        ledger.step.applied += 1
        return True

    def _control(self, control: ModelControl) -> None:
        """The next model, if it is one: every lead is looked at anew behind it."""
        try:
            model = read_model(control.body, control.model)
        except ModelError as error:
            self._ledger.step.problems.append(
                f"model {control.model} version {control.version} is refused, the model before it goes on: {error}"
            )
            return
        # Rows and scores of the model that ends, while it is still known.
        before = self._leads.kernel
        self._ledger.put_all_away(before)
        self._leads.let_go()
        self._switch(model)
        self._reassessment.begin(before, control.received_at_ms)

    def _switch(self, model: Model) -> None:
        self._models.switch(model)
        self._leads.kernel = Kernel(CompiledModel(model))
