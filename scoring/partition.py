"""All leads of one partition of the log, and what time it is there: rows in, tier changes and scores out.

The fold is a pure function of the log. Wherever it is cut and taken up again (from the rows, and the memo of what else
must be remembered) it gives the same tier changes with the same ids.

Order: a row brings time (`safe`). All deadlines up to that time are applied, in order of (deadline, lead_id), then
those of the row's own lead up to its `received_at`, then the row, then whatever the row has made due by log time.
A lead's own time never runs backwards: an event is assessed at the later of its `received_at` and the lead's time,
which every row of the lead and every deadline that changes something moves on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeVar

import msgspec
from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

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
    Profile,
    SalesActivity,
    decode_record,
)
from schemas.outputs_wire import Cause, LeadScoreOut, MergedLeadOut, TierChangeOut
from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
)
from scoring.compiled import CompiledModel
from scoring.deadlines import Deadlines
from scoring.identity import Claim
from scoring.kernel import ASKED, TIER_CHANGED, Kernel, profile_growth
from scoring.memo import MEMO_CODEC, MODEL_BEFORE_KEY, MODEL_KEY, Memo, ModelRow, decode_memo, encode_memo
from scoring.merging import follow_link, problem_of, unite
from scoring.model import Model
from scoring.outcomes import content_of, merged_of, score_of, tier_change_of
from scoring.points import NEVER
from scoring.reading import ModelError, read_model
from scoring.row import Row, RowCodecError, encode_row, kept_due
from scoring.signals import UNSEEN, Sighting

__all__ = ["FoldStep", "PartitionFold"]

_NO_TIME: Final = 0
_NEW_BYTES: Final = 200
_RECORD_BYTES: Final = 40
_LINK_BYTES: Final = 400
"""Of a new row without its evidence, of what Kafka adds to a record, of a link without what goes with it."""

_Place = tuple[int, int, int, str]
"""Number of the event, before, at or behind it, deadline, lead."""

_BEFORE_ROW: Final = 0
_AT_ROW: Final = 1
_AFTER_ROW: Final = 2

_ForLead = TypeVar("_ForLead", EventRow, Merge, ByHand)


@mypyc_attr(acyclic=True)
class _Story:
    """Rows of one lead that wait.

    Attributes:
        row: The lead's, where it is in memory.
        queued: At this moment or before, the lead is in the queue of deadlines; `NEVER`: perhaps it is not.
        rows: What waits, in the order of the log. What is no event is seen as `UNSEEN`, and whole.
        whole: Events are kept whole: the lead is an alias, or may be one, so that they may have to go to its owner.
        special: There is more to do than to score plain events.
    """

    __slots__ = ("queued", "row", "rows", "special", "whole")

    def __init__(self, row: Row | None, whole: bool) -> None:
        self.row, self.whole = row, whole
        self.queued = NEVER if row is None else row.due
        self.rows: list[Sighting] = []
        self.special = False


@dataclass(slots=True)
class FoldStep:
    """What a step of the fold brought about.

    Attributes:
        position: Where the next step goes on: offset of a record, and how many of its rows are done.
        memo: What must be remembered beside the rows.
        changes: Tier changes, in the order in which they were decided.
        scores: Leads whose tier, scores or reasons changed, each once.
        rows: Changed rows of the table.
        applied: How many rows of the log were applied.
        lateness_ms: Of each deadline that changed something: log time minus deadline.
        problems: What was wrong with rows that could not be applied, for people.
        merged: Aliases that changed, each once: where they went.
        sent: Rows for other leads, to be carried through ingest: what an alias had learnt, and what came for it later.
        shared: How many aliases have become nobody's.
        routing: What route must know, in each lead's order: what sales did and who asked for a person before the tier
            changes that follow from it, behind those that deadlines brought about before it.
        asked_for_time: A row was there only to bring time.
    """

    position: tuple[int, int] = (0, 0)
    memo: bytes = b""
    changes: list[TierChangeOut] = field(default_factory=list)
    scores: list[LeadScoreOut] = field(default_factory=list)
    rows: list[tuple[bytes, bytes]] = field(default_factory=list)
    applied: int = 0
    lateness_ms: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    merged: list[MergedLeadOut] = field(default_factory=list)
    sent: list[Merge | EventRow | ByHand] = field(default_factory=list)
    shared: int = 0
    routing: list[RoutingRow] = field(default_factory=list)
    asked_for_time: bool = False


class PartitionFold:
    """The state of one partition.

    Args:
        max_step_bytes: A step ends before its rows could be larger than this.
        max_step_deadlines: A step ends after so many deadlines.
        max_live: So many leads are kept ready in memory; of all others only the bytes.
        with_scores: Whether steps have scores.
    """

    def __init__(
        self,
        max_step_bytes: int = 6 << 20,
        max_step_deadlines: int = 5_000,
        max_live: int = 100_000,
        *,
        with_scores: bool = True,
    ) -> None:
        self.log_time_ms = _NO_TIME
        self._with_scores = with_scores
        self.kernel: Kernel | None = None
        self._max_bytes, self._max_deadlines, self._max_live = max_step_bytes, max_step_deadlines, max_live
        self._nearly_full = max_step_bytes * 7 // 8
        # Each lead's row, where it is ready in memory, or its bytes.
        self._known: dict[str, Row | bytes] = {}
        self._live: list[str] = []
        self._due_of = _due_reader(self._known)
        self._deadlines = Deadlines(self._due_of)
        self._version: int | None = None
        self._model_rows: dict[bytes, bytes] = {}
        self._unwritten: list[bytes] = []
        self._before: Kernel | None = None
        self._reassess_at: int | None = None
        self._reassess_after: str | None = None
        self._waiting: list[str] = []
        # Rows of leads that wait: the log time at each, by its number, and what is told of each lead; leads with a
        # deadline up to the latest of these times.
        self._times = vec[i64]()
        self._stories: dict[str, _Story] = {}
        self._due: list[str] = []
        self._due_bytes = 0
        # What is told of rows that are being applied, and where it belongs among them.
        self._ordered: list[tuple[_Place, RoutingRow, TierChangeOut | None]] | None = None
        self._place: _Place = (0, 0, 0, "")
        self._bytes = self._expected = self._fired = 0
        self._begin_step()

    # --- state ------------------------------------------------------------------------------------------------------

    @property
    def model(self) -> CompiledModel | None:
        """The active model; None before the first."""
        return None if self.kernel is None else self.kernel.model

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return len(self._known)

    @property
    def deadlines(self) -> int:
        """How many leads wait for a moment."""
        return len(self._deadlines)

    def restore(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Takes rows of the table, oldest first; None deletes.

        Raises:
            RowCodecError: A row cannot be read, or is of a newer version.
        """
        known = self._known
        for key, value in rows:
            if key[:1] == b"\0":
                if value is not None:
                    self._model_rows[key] = value
            elif value is None:
                known.pop(key.decode(), None)
            else:
                kept_due(value)
                known[key.decode()] = value

    def restore_memo(self, memo: bytes) -> None:
        """Takes what was remembered beside the rows.

        Raises:
            RowCodecError: It cannot be read, or is of a newer version.
        """
        found = decode_memo(memo)
        self.log_time_ms, self._version = found.log_time_ms, found.version
        self._reassess_at, self._reassess_after = found.reassess_at_ms, found.reassess_after

    def opened(self) -> None:
        """Everything is restored.

        Raises:
            RowCodecError: The model that the memo names is not there, or is none.
        """
        if self._version is not None:
            kernel = self._stored_kernel(MODEL_KEY)
            self._begin_model(kernel)
            if kernel.model.ref.version != self._version:
                raise RowCodecError(
                    f"the table has version {kernel.model.ref.version} of the model, "
                    f"its checkpoint says {self._version}"
                )
        self._deadlines.load((self._due_of(lead_id), lead_id) for lead_id in self._known)
        if self._reassess_at is not None:
            self._before = self._stored_kernel(MODEL_BEFORE_KEY)
            waiting = sorted(self._known)
            after = self._reassess_after
            self._waiting = waiting if after is None else waiting[bisect_right(waiting, after) :]

    def _stored_kernel(self, key: bytes) -> Kernel:
        value = self._model_rows.get(key)
        if value is None:
            raise RowCodecError(f"the model is missing in the table (key {key!r})")
        return Kernel(CompiledModel(ModelRow.decode(value).read()))

    def start_with(self, text: str, name: str = "model") -> None:
        """The first model: it holds from the first row.

        Raises:
            ModelError: Everything that is wrong with it.
        """
        self._switch(read_model(text, name))

    def next_deadline_ms(self) -> int | None:
        """The earliest moment at which time alone may change something."""
        return self._deadlines.first()

    @property
    def done_until_ms(self) -> int | None:
        """Log time, where all that was due by then is done; None in the middle of that."""
        first = self._deadlines.first()
        busy = self._reassess_at is not None or (first is not None and first <= self.log_time_ms)
        return None if busy else self.log_time_ms

    def row(self, lead_id: str) -> Row | None:
        """The row of a lead; None if nobody has heard of it."""
        known = self._known.get(lead_id)
        if isinstance(known, bytes):
            return self._keep(self._kernel.read(lead_id, known))
        return known

    def _keep(self, row: Row) -> Row:
        """The row is ready in memory from now on."""
        self._known[row.lead_id] = row
        self._live.append(row.lead_id)
        return row

    def lead_ids(self) -> list[str]:
        """Every lead, sorted."""
        return sorted(self._known)

    @property
    def _kernel(self) -> Kernel:
        assert self.kernel is not None, "the first model comes before the first row"
        return self.kernel

    # --- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, records: Sequence[tuple[int, bytes]], start: tuple[int, int] = (0, 0)) -> FoldStep:
        """Applies records of the log (offset, value) from `start` on, until they are done or the step is large enough.

        Raises:
            LogCodecError: A record cannot be read; the message says which.
        """
        position = start
        take = self.take
        for offset, value in records:
            if offset < start[0]:
                continue
            try:
                safe_ms, rows = decode_record(value)
            except LogCodecError as error:
                raise LogCodecError(f"offset {offset}: {error}") from error
            number = start[1] if offset == start[0] else 0
            while (number := self._take_many(rows, number, safe_ms)) < len(rows):
                if not take(rows[number], safe_ms):
                    return self._end_step((offset, number))
                number += 1
            if self._reassess_at is not None and not self._catch_up():
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
        if self._bytes + self._expected > self._max_bytes and not self._make_room():
            return False
        if self._reassess_at is not None and not self._catch_up():
            return False
        now, queue = max(safe_ms, self.log_time_ms), self._deadlines.queue
        # Also at the same time as before: the step may have been full when time came to stand here.
        if queue and queue[0][0] <= now and not self._take_due(now):
            return False
        self.log_time_ms = now
        lead_id, number = row.lead_id, len(self._times)
        story = self._stories.get(lead_id) or self._begin_story(lead_id)
        if isinstance(row, EventRow):
            self._expected += _tell_later(story, self._kernel.see(row, number, whole=story.whole))
        else:
            self._bytes += self._growth_of(row)
            story.special = story.whole = True
            story.rows.append(Sighting(number, row.received_at_ms, 0, 0, UNSEEN, (), "", row))
        self._times = append(self._times, now)
        return True

    def _begin_story(self, lead_id: str) -> _Story:
        """The lead is told of for the first time in what waits."""
        known = self._known.get(lead_id)
        self._touch(lead_id, known)
        if isinstance(known, Row):
            story = _Story(known, known.is_merged)
        else:
            story = _Story(None, known is not None)
        self._stories[lead_id] = story
        return story

    def _take_many(self, rows: Sequence[LogRow], first: int, safe_ms: int) -> int:
        """What `take` does, for events while nothing else is to be done; the number of the row it stops at."""
        now, queue = max(safe_ms, self.log_time_ms), self._deadlines.queue
        if self._reassess_at is not None or (queue and queue[0][0] <= now):
            return first
        stories, kernel = self._stories, self._kernel
        room = self._max_bytes - self._bytes - self._expected
        times = self._times
        number = before = len(times)
        for row in rows if not first else rows[first:]:
            if room < 0 or not isinstance(row, EventRow):
                break
            story = stories.get(row.lead_id)
            if story is None:
                room += self._bytes
                story = self._begin_story(row.lead_id)
                room -= self._bytes
            room -= _tell_later(story, kernel.see(row, number, whole=story.whole))
            times = append(times, now)
            number += 1
        if number > before:
            self._times = times
            self.log_time_ms = now
            self._expected = self._max_bytes - self._bytes - room
        return first + number - before

    def _make_room(self) -> bool:
        """Applies what waits: mostly rows grow by less than was expected. False: the step is full."""
        self._apply_events()
        return self._bytes <= self._nearly_full

    def _take_due(self, now: int) -> bool:
        """Leads with a deadline up to now wait too. False: the step is full."""
        due, room = self._due, self._max_deadlines - self._fired
        while (lead_id := self._deadlines.pop(now)) is not None:
            due.append(lead_id)
            if lead_id not in self._dirty:
                self._due_bytes += _bytes_of(lead_id, self._known[lead_id])
            if len(due) > room or self._bytes + self._expected + self._due_bytes > self._max_bytes:
                # One after the other now, so that the step ends where it is full.
                return self.advance(now)
        return True

    def advance(self, safe_ms: int) -> bool:
        """Time is `safe_ms`, or later already: applies what is due by then. False: the step is full, call again."""
        self._apply_events()
        self.log_time_ms = max(self.log_time_ms, safe_ms)
        return self._catch_up()

    def told(self) -> list[TierChangeOut]:
        """Tier changes of the step so far, each told once: what waits is applied, and the step goes on."""
        self._apply_events()
        changes, self._step.changes = self._step.changes, []
        return changes

    def told_routing(self) -> list[RoutingRow]:
        """The same of what route must know."""
        self._apply_events()
        rows, self._step.routing = self._step.routing, []
        return rows

    def finish(self) -> FoldStep:
        """Ends a step that was made of `take` and `advance`; what it brought about."""
        return self._end_step((0, 0))

    def _control_row(self, row: LogRow) -> bool:
        """Applies a row that is about no lead, or passes one over. False: the step is full before."""
        if isinstance(row, ModelControl) and (self._version is None or row.version > self._version):
            if not self._drain(max(self.log_time_ms, row.received_at_ms)):
                return False
            self._control(row)
        elif isinstance(row, NextPolicy):
            self._note(PolicyControl(row.received_at_ms, row.policy, row.version, row.sha256, row.body))
        elif isinstance(row, Alarm):
            self._step.asked_for_time = True
        elif isinstance(row, Link | Merge):
            self._step.problems.append(f"a row is passed over: {problem_of(row)}")
        self._step.applied += 1
        return True

    def _catch_up(self) -> bool:
        """Finishes what is under way, and applies what is due by log time; False if the step is full before."""
        self._apply_events()
        if self._reassess_at is not None and not self._reassess():
            return False
        return self._drain(self.log_time_ms) and not self._is_full()

    def _drain(self, until_ms: int) -> bool:
        """Applies all deadlines up to a moment, in order of (deadline, lead_id); False if the step is full before."""
        deadlines = self._deadlines
        while (lead_id := deadlines.pop(until_ms)) is not None:
            row = self.row(lead_id)
            assert row is not None
            if self._is_full():
                deadlines.note(lead_id, row.due)
                return False
            # A row that was just read may be due later than its bytes say: what they knew changed nothing.
            if row.due <= until_ms:
                self._fire(row)
            deadlines.note(lead_id, row.due)
        return True

    def _apply_events(self, *, at_end: bool = False) -> None:
        """Applies the events that wait, lead by lead: what is in memory of a lead is touched once.

        Leads know nothing of each other, so only the order in which tier changes leave must be restored: that of the
        rows, and at each row deadlines first. At the end of a step leads are also put away.
        """
        if not len(self._times):
            for lead_id in self._due:
                self._deadlines.note(lead_id, self._due_of(lead_id))
            self._due, self._due_bytes = [], 0
            return
        stories = self._stories
        for lead_id in self._due:
            story = stories.get(lead_id)
            if story is None:
                story = stories[lead_id] = _Story(self.row(lead_id), whole=False)
            story.queued = NEVER
        now = self.log_time_ms
        self._ordered = []
        for lead_id, story in stories.items():
            row = self._tell(lead_id, story)
            if at_end and self._dirty.get(lead_id) is row:
                self._put_away(row)
        self._ordered.sort(key=itemgetter(0))
        self._step.routing += [row for _, row, _ in self._ordered]
        self._step.changes += [change for _, _, change in self._ordered if change is not None]
        self._step.applied += len(self._times)
        self.log_time_ms = now
        self._times, self._stories, self._ordered = vec[i64](), {}, None
        self._due, self._due_bytes = [], 0
        self._bytes += self._kernel.grown
        self._expected = self._kernel.grown = 0

    def _tell(self, lead_id: str, story: _Story) -> Row:
        """Applies the waiting rows of one lead, and the deadlines that they bring before the last of all waiting."""
        times = self._times
        row = story.row or self.row(lead_id) or self._keep(self._kernel.new(lead_id))
        if story.rows:
            self._dirty[lead_id] = row
        if story.special or row.is_merged:
            row, done = self._tell_special(row, story.rows)
        else:
            done = self._tell_events(row, story.rows, -1)
        last = len(times) - 1
        if row.due <= times[last]:
            self._fire_between(row, last, done)
        if row.due < story.queued:
            self._deadlines.note(lead_id, row.due)
        return row

    def _tell_events(self, row: Row, events: Sequence[Sighting], done: int) -> int:
        """Applies waiting events of one lead; `done` and the result: its latest row so far."""
        times, kernel = self._times, self._kernel
        for sighting in events:
            number, received_at_ms = sighting.number, sighting.received_at_ms
            now = times[number]
            if row.due <= now:
                self._fire_between(row, number, done)
            done = number
            self.log_time_ms = now
            while row.due <= received_at_ms:
                self._place = (number, _AT_ROW, row.due, row.lead_id)
                self._fire(row)
            before = row.tier_name
            changed = kernel.event(row, sighting)
            if changed:
                self._place = (number, _AT_ROW, NEVER, row.lead_id)
                if changed >= ASKED:
                    changed -= ASKED
                    self._note_request(row, sighting)
            if changed:
                self._scored[row.lead_id] = (row, now)
                if changed == TIER_CHANGED:
                    self._note_change(row, before, {"event_id": sighting.event_id, "kind": sighting.found.kind})
        return done

    # --- who is who -------------------------------------------------------------------------------------------------

    def _tell_special(self, row: Row, waiting: Sequence[Sighting]) -> tuple[Row, int]:
        """Applies waiting rows of a lead, whatever they and the lead are; its row and its latest."""
        done, plain = -1, list[Sighting]()
        for sighting in waiting:
            number, whole = sighting.number, sighting.whole
            if whole is None or isinstance(whole, EventRow):
                if row.is_merged:
                    assert whole is not None, "events of an alias are kept whole"
                    self._step.sent.append(_for_owner(whole, row))
                    done = number
                    continue
                plain.append(sighting)
                if isinstance(whole, SalesActivity):
                    # Before the tier change that comes of it: what has the same place stays in this order.
                    self._place = (number, _AT_ROW, NEVER, row.lead_id)
                    self._note(_activity_of(whole))
                continue
            done = self._tell_events(row, plain, done)
            plain = []
            self._bring_time(row, whole, number, done)
            done = number
            if isinstance(whole, Link):
                row = self._link(row, whole)
            elif isinstance(whole, Merge):
                row = self._merge(row, whole)
            else:
                self._hand(row, whole)
        return row, self._tell_events(row, plain, done)

    def _hand(self, row: Row, event: ByHand | Backfill) -> None:
        """Somebody gives the lead away, or asks where it stands: nothing to score, but route must know."""
        # A command for a past stream has no time of its own.
        at = max(event.received_at_ms, self.log_time_ms)
        if isinstance(event, Backfill):
            if row.seq and not row.is_merged:
                self._note(RoutedTier(row.lead_id, row.seq, row.tier_name, at, self._kernel.published(row)))
        elif row.is_merged:
            self._step.sent.append(_for_owner(event, row))
        else:
            self._note(HandCommand(row.lead_id, event.event_id, at, event.owner, event.team, event.by))

    def _bring_time(self, row: Row, event: Link | Merge | ByHand | Backfill, number: int, done: int) -> None:
        """Applies the deadlines of a lead before a row of it, as for an event."""
        now = self._times[number]
        if row.due <= now:
            self._fire_between(row, number, done)
        self.log_time_ms = now
        while row.due <= event.received_at_ms:
            self._place = (number, _AT_ROW, row.due, row.lead_id)
            self._fire(row)
        self._place = (number, _AT_ROW, NEVER, row.lead_id)

    def _link(self, row: Row, link: Link) -> Row:
        is_first, value = not row.is_merged, row.value
        linked = follow_link(self._kernel, row, link)
        row = linked.row
        row.value = value
        self._known[row.lead_id] = self._dirty[row.lead_id] = row
        if linked.merge is not None:
            self._step.sent.append(linked.merge)
            if is_first:
                # Before the tier change: what the lead has goes on elsewhere, it is not given up.
                self._note(LeadMerged(row.lead_id, link.owner, linked.merge.received_at_ms))
        if linked.left is not None:
            self._note_change(row, linked.left, {"merged_into": link.owner})
        self._step.shared += linked.claim == Claim.SHARED
        if linked.claim >= Claim.SHARED:
            self._scored[row.lead_id] = (row, self.log_time_ms)
        return row

    def _merge(self, row: Row, merge: Merge) -> Row:
        if row.is_merged:
            self._step.sent.append(_for_owner(merge, row))
            return row
        before = row.tier_name
        changed, renamed = unite(self._kernel, row, merge)
        if changed or renamed:
            self._scored[row.lead_id] = (row, self.log_time_ms)
        if changed == TIER_CHANGED:
            self._note_change(row, before, {"merged_from": merge.merged_from})
        return row

    def sent(self) -> list[Merge | EventRow | ByHand]:
        """Takes away what was sent to other leads; applies what waits before. For those who have all leads here."""
        self._apply_events()
        found, self._step.sent = self._step.sent, []
        return found

    def _fire_between(self, row: Row, last: int, done: int) -> None:
        """Applies a lead's deadlines up to the time of the event `last`, each at the event that brought the time.

        `done` is the lead's latest event so far, -1 before its first: what that made due by its own time follows it
        at once.
        """
        times = self._times
        while row.due <= times[last]:
            number = _first_at(times, row.due, max(done, 0))
            self.log_time_ms = times[number]
            self._place = (number, _AFTER_ROW if number == done else _BEFORE_ROW, row.due, row.lead_id)
            self._fire(row)

    def _fire(self, row: Row) -> None:
        """Applies the row's next deadline."""
        before, moment = row.tier_name, row.due
        changed, cause = self._kernel.deadline(row)
        if changed:
            self._fired += 1
            self._touch(row.lead_id, row)
            self._dirty[row.lead_id] = row
            self._scored[row.lead_id] = (row, self.log_time_ms)
            self._step.lateness_ms.append(self.log_time_ms - moment)
            if changed == TIER_CHANGED:
                self._note_change(row, before, {"deadline": cause})

    # --- models -----------------------------------------------------------------------------------------------------

    def _switch(self, model: Model) -> None:
        if MODEL_KEY in self._model_rows:
            self._model_rows[MODEL_BEFORE_KEY] = self._model_rows[MODEL_KEY]
        self._model_rows[MODEL_KEY] = ModelRow.of(model).encode()
        self._unwritten = list(self._model_rows)
        self._before = self.kernel
        self._begin_model(Kernel(CompiledModel(model)))
        self._version = model.version

    def _begin_model(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def _control(self, control: ModelControl) -> None:
        """The next model, if it is one: every lead is looked at anew behind it, in order of their names."""
        try:
            model = read_model(control.body, control.model)
        except ModelError as error:
            self._step.problems.append(
                f"model {control.model} version {control.version} is refused, the model before it goes on: {error}"
            )
            return
        self._store_live()
        self._switch(model)
        self._reassess_at, self._reassess_after = control.received_at_ms, None
        self._waiting = sorted(self._known)

    def _store_live(self) -> None:
        """Rows and scores of the model that ends, while it is still known."""
        for row in list(self._dirty.values()):
            if isinstance(row, Row):
                self._put_away(row)
        self._let_go()

    def _let_go(self) -> None:
        """Of rows that are written, only the bytes are kept."""
        for lead_id in self._live:
            row = self._known[lead_id]
            if isinstance(row, Row):
                self._known[lead_id] = row.value
        self._live.clear()

    def _reassess(self) -> bool:
        """Goes on looking at leads anew; False if the step is full before all are done."""
        at = self._reassess_at
        assert at is not None
        for place, lead_id in enumerate(self._waiting):
            if self._is_full():
                del self._waiting[:place]
                return False
            self._reassess_lead(lead_id, at)
            self._reassess_after = lead_id
        self._waiting = []
        self._before = self._reassess_at = self._reassess_after = None
        return True

    def _reassess_lead(self, lead_id: str, at: int) -> None:
        kernel, known = self._kernel, self._known[lead_id]
        value = known.value if isinstance(known, Row) else known
        assert self._before is not None
        row = kernel.read(lead_id, value)
        if row.is_merged:
            return
        content = content_of(self._before, self._before.read(lead_id, value))
        self._keep(row)
        before = row.tier_name
        kernel.model_changed(row, at)
        self._touch(lead_id, row)
        self._dirty[lead_id] = row
        if content_of(kernel, row) != content:
            self._scored[lead_id] = (row, self.log_time_ms)
        if row.tier_name != before:
            self._note_change(row, before, {"model": kernel.model.ref.version})
        self._deadlines.note(lead_id, row.due)

    # --- steps ------------------------------------------------------------------------------------------------------

    def _begin_step(self) -> None:
        self._step = FoldStep()
        # Rows to write, or their bytes; None: something waits for the lead.
        self._dirty: dict[str, Row | bytes | None] = {}
        # Scores to publish: as they stand at the end of the step, with the log time of the last change of content.
        self._scored: dict[str, tuple[Row, int] | LeadScoreOut | MergedLeadOut] = {}
        # Bytes of the rows to write, at most, and those that the events that wait may add.
        self._bytes = self._expected = 0
        # Deadlines that changed something.
        self._fired = 0

    def _is_full(self) -> bool:
        return self._bytes > self._max_bytes or self._fired > self._max_deadlines

    def _touch(self, lead_id: str, known: Row | bytes | None) -> None:
        """The lead's row must be written at the end of the step."""
        if lead_id not in self._dirty:
            self._bytes += _bytes_of(lead_id, known)
            self._dirty[lead_id] = None

    def _growth_of(self, row: Link | Merge | ByHand | Backfill) -> int:
        """Bytes by which a lead's row may grow with what is no event, what is sent to other leads included."""
        if isinstance(row, Link):
            known = self._known.get(row.lead_id, b"")
            return _LINK_BYTES + len(known.value if isinstance(known, Row) else known)
        return _LINK_BYTES + (len(row.body) if isinstance(row, Merge) else 0)

    def _put_away(self, row: Row) -> None:
        """The bytes of a lead's row, and its score: it changes no more in this step, or before the next model."""
        kernel, lead_id = self._kernel, row.lead_id
        kernel.rest(row)
        row.value = self._dirty[lead_id] = encode_row(kernel.model, row)
        scored = self._scored.get(lead_id)
        if isinstance(scored, tuple) and self._with_scores:
            self._scored[lead_id] = _said_of(kernel, scored[0], scored[1])

    def _end_step(self, position: tuple[int, int]) -> FoldStep:
        self._apply_events(at_end=True)
        step = self._step
        step.position = position
        if self.kernel is not None:
            for row in list(self._dirty.values()):
                if isinstance(row, Row):
                    self._put_away(row)
            written = self._dirty.items()
            step.rows = [(lead_id.encode(), row) for lead_id, row in written if isinstance(row, bytes)]
            if self._with_scores:
                said = self._scored.values()
                step.scores = [score for score in said if isinstance(score, LeadScoreOut)]
                step.merged = [merged for merged in said if isinstance(merged, MergedLeadOut)]
            step.rows += [(key, self._model_rows[key]) for key in self._unwritten]
            self._unwritten = []
            if len(self._live) > self._max_live:
                self._let_go()
        step.memo = encode_memo(
            Memo(MEMO_CODEC, self.log_time_ms, self._version, self._reassess_at, self._reassess_after)
        )
        self._begin_step()
        return step

    def _note_change(self, row: Row, before: str, cause: Cause) -> None:
        change = tier_change_of(self._kernel, row, before, cause, self.log_time_ms)
        self._note(RoutedTier(row.lead_id, row.seq, row.tier_name, row.at, change.profile), change)

    def _note_request(self, row: Row, sighting: Sighting) -> None:
        times = sighting.occurred_at_ms, sighting.received_at_ms
        self._note(RoutedRequest(row.lead_id, sighting.event_id, *times, self._kernel.published(row)))

    def _note(self, row: RoutingRow, change: TierChangeOut | None = None) -> None:
        """Something that route must know; a tier change is told to everybody, too."""
        if self._ordered is not None:
            self._ordered.append((self._place, row, change))
            return
        self._step.routing.append(row)
        if change is not None:
            self._step.changes.append(change)


def _first_at(times: vec[i64], moment: i64, first: i64) -> i64:
    """The number of the first time, from `first` on, that is not before a moment; times are in ascending order."""
    last: i64 = len(times)
    while first < last:
        middle = (first + last) // 2
        if times[middle] < moment:
            first = middle + 1
        else:
            last = middle
    return first


def _tell_later(story: _Story, sighting: Sighting) -> int:
    """An event waits; bytes by which the lead's row may grow with it."""
    story.rows.append(sighting)
    found, event = sighting.found, sighting.whole
    if not found.whole:
        return found.growth
    story.special |= isinstance(event, SalesActivity)
    return found.growth + (profile_growth(event) if isinstance(event, Profile) else 0)


def _said_of(kernel: Kernel, row: Row, as_of_ms: int) -> LeadScoreOut | MergedLeadOut:
    """What `lead-scores` says of a lead."""
    return merged_of(row) or score_of(kernel, row, as_of_ms)


def _activity_of(event: SalesActivity) -> RoutedActivity:
    times = event.occurred_at_ms, event.received_at_ms
    return RoutedActivity(event.lead_id, event.event_id, *times, event.activity, event.by)


def _for_owner(row: _ForLead, alias: Row) -> _ForLead:
    """The same row, for the lead that the alias went to."""
    assert alias.identity is not None
    return msgspec.structs.replace(row, lead_id=alias.identity.owner)


def _bytes_of(lead_id: str, known: Row | bytes | None) -> int:
    """Bytes of a lead's row as a record, as it was last written."""
    value = known.value if isinstance(known, Row) else known
    return 4 * len(lead_id) + (len(value) + _RECORD_BYTES if value else _NEW_BYTES)


def _due_reader(known: dict[str, Row | bytes]) -> Callable[[str], int]:
    """What gives the next moment of a lead. It knows no fold: one that is given up is free at once, without cycles."""

    def due_of(lead_id: str) -> int:
        row = known[lead_id]
        return row.due if isinstance(row, Row) else kept_due(row)

    return due_of
