"""What waits for the leads of a partition, and how it is applied: lead by lead, so that each is touched once.

Leads know nothing of each other, so only the order in which things are told must be restored (`Ledger.end_order`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from schemas.log import Backfill, ByHand, EventRow, Link, LogRow, Merge, Profile, SalesActivity
from schemas.outputs_wire import Cause
from schemas.routing_log import HandCommand, LeadMerged, RoutedActivity, RoutedTier
from scoring.identity import Claim
from scoring.kernel import ASKED, TIER_CHANGED, profile_growth
from scoring.leads import Leads
from scoring.ledger import AFTER_ROW, AT_ROW, BEFORE_ROW, Ledger, bytes_of
from scoring.merging import follow_link, unite
from scoring.points import NEVER
from scoring.row import Row
from scoring.signals import UNSEEN, Sighting

__all__ = ["Telling"]

_LINK_BYTES: Final = 400
"""Of a link, without what goes with it."""

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


class Telling:
    """Rows of leads, and deadlines, that wait until they are applied together.

    Args:
        leads: Of the partition.
        ledger: Takes what they bring about.
    """

    def __init__(self, leads: Leads, ledger: Ledger) -> None:
        self._leads, self._ledger = leads, ledger
        self._forget()

    def _forget(self) -> None:
        # What time it was in the log at each row that waits, by its number; what is told of each lead; leads with a
        # deadline up to the latest of these times, and bytes of the rows of those for which nothing else waits.
        self._times = vec[i64]()
        self._stories: dict[str, _Story] = {}
        self._due: list[str] = []
        self._due_bytes = 0

    # --- what waits -------------------------------------------------------------------------------------------------

    def wait(self, row: EventRow | Link | Merge | ByHand | Backfill, now: int) -> None:
        """A row of a lead waits; `now` is what time it is in the log."""
        lead_id, number = row.lead_id, len(self._times)
        story = self._stories.get(lead_id) or self._begin_story(lead_id)
        if isinstance(row, EventRow):
            sighting = self._leads.kernel.see(row, number, whole=story.whole)
            self._ledger.expected += _tell_later(story, sighting)
        else:
            self._ledger.size += self._growth_of(row)
            story.special = story.whole = True
            story.rows.append(Sighting(number, row.received_at_ms, 0, 0, UNSEEN, (), "", row))
        self._times = append(self._times, now)

    def wait_many(self, rows: Sequence[LogRow], first: int, now: int) -> int:
        """Events wait, up to the first row that is none, or as far as there is room; the number of the row it stops at.

        It is what `wait` does with each of them.
        """
        stories, kernel, ledger, times = self._stories, self._leads.kernel, self._ledger, self._times
        number = before = len(times)
        room = ledger.max_bytes - ledger.size - ledger.expected
        for row in rows if not first else rows[first:]:
            if room < 0 or not isinstance(row, EventRow):
                break
            story = stories.get(row.lead_id)
            if story is None:
                room += ledger.size
                story = self._begin_story(row.lead_id)
                room -= ledger.size
            room -= _tell_later(story, kernel.see(row, number, whole=story.whole))
            times = append(times, now)
            number += 1
        self._times = times
        ledger.expected = ledger.max_bytes - ledger.size - room
        return first + number - before

    def wait_for_due(self, now: int) -> bool:
        """Leads with a deadline up to now wait too. False: they may be too many for the step, `apply` what waits."""
        leads, ledger = self._leads, self._ledger
        room = ledger.max_deadlines - ledger.fired
        while (lead_id := leads.deadlines.pop(now)) is not None:
            self._due.append(lead_id)
            if lead_id not in ledger.dirty:
                self._due_bytes += bytes_of(lead_id, leads.known[lead_id])
            if len(self._due) > room or ledger.size + ledger.expected + self._due_bytes > ledger.max_bytes:
                return False
        return True

    def _begin_story(self, lead_id: str) -> _Story:
        """The lead is told of for the first time in what waits."""
        known = self._leads.known.get(lead_id)
        self._ledger.touch(lead_id, known)
        if isinstance(known, Row):
            story = _Story(known, known.is_merged)
        else:
            story = _Story(None, known is not None)
        self._stories[lead_id] = story
        return story

    def _growth_of(self, row: Link | Merge | ByHand | Backfill) -> int:
        """Bytes by which a lead's row may grow with what is no event, what is sent to other leads included."""
        if isinstance(row, Link):
            known = self._leads.known.get(row.lead_id, b"")
            return _LINK_BYTES + len(known.value if isinstance(known, Row) else known)
        return _LINK_BYTES + (len(row.body) if isinstance(row, Merge) else 0)

    # --- how it is applied ------------------------------------------------------------------------------------------

    def apply(self, *, at_end: bool = False) -> None:
        """Applies all that waits; at the end of a step leads are also put away."""
        leads, ledger = self._leads, self._ledger
        if not len(self._times):
            for lead_id in self._due:
                leads.deadlines.note(lead_id, leads.due_of(lead_id))
            self._due, self._due_bytes = [], 0
            return
        stories, kernel, now = self._stories, leads.kernel, ledger.log_time_ms
        for lead_id in self._due:
            story = stories.get(lead_id)
            if story is None:
                story = stories[lead_id] = _Story(leads.row(lead_id), whole=False)
            story.queued = NEVER
        ledger.begin_order()
        for lead_id, story in stories.items():
            row = self._tell(lead_id, story)
            if at_end and ledger.dirty.get(lead_id) is row:
                ledger.put_away(kernel, row)
        ledger.end_order()
        ledger.step.applied += len(self._times)
        ledger.log_time_ms = now
        ledger.size += kernel.grown
        ledger.expected = kernel.grown = 0
        self._forget()

    def _tell(self, lead_id: str, story: _Story) -> Row:
        """Applies the waiting rows of one lead, and the deadlines that they bring before the last of all waiting."""
        times, leads = self._times, self._leads
        row = story.row or leads.row(lead_id) or leads.keep(leads.kernel.new(lead_id))
        if story.rows:
            self._ledger.dirty[lead_id] = row
        if story.special or row.is_merged:
            row, done = self._tell_special(row, story.rows)
        else:
            done = self._tell_events(row, story.rows, -1)
        last = len(times) - 1
        if row.due <= times[last]:
            self._fire_between(row, last, done)
        if row.due < story.queued:
            leads.deadlines.note(lead_id, row.due)
        return row

    def _tell_events(self, row: Row, events: Sequence[Sighting], done: int) -> int:
        """Applies waiting events of one lead; `done` and the result: its latest row so far."""
        ledger, kernel = self._ledger, self._leads.kernel
        for sighting in events:
            number, received_at_ms = sighting.number, sighting.received_at_ms
            self._bring_time(row, number, received_at_ms, done)
            done = number
            before = row.tier_name
            changed = kernel.event(row, sighting)
            if changed:
                ledger.place = (number, AT_ROW, NEVER, row.lead_id)
                if changed >= ASKED:
                    changed -= ASKED
                    ledger.note_request(kernel, row, sighting)
            if changed:
                ledger.scored(row)
                if changed == TIER_CHANGED:
                    cause: Cause = {"event_id": sighting.event_id, "kind": sighting.found.kind}
                    ledger.note_change(kernel, row, before, cause)
        return done

    def _tell_special(self, row: Row, waiting: Sequence[Sighting]) -> tuple[Row, int]:
        """Applies waiting rows of a lead, whatever they and the lead are; its row and its latest."""
        ledger = self._ledger
        done, plain = -1, list[Sighting]()
        for sighting in waiting:
            number, whole = sighting.number, sighting.whole
            if whole is None or isinstance(whole, EventRow):
                if row.is_merged:
                    assert whole is not None, "events of an alias are kept whole"
                    ledger.step.sent.append(_for_owner(whole, row))
                    done = number
                    continue
                plain.append(sighting)
                if isinstance(whole, SalesActivity):
                    # Before the tier change that comes of it: what has the same place stays in this order.
                    ledger.place = (number, AT_ROW, NEVER, row.lead_id)
                    ledger.note(_activity_of(whole))
                continue
            done = self._tell_events(row, plain, done)
            plain = []
            self._bring_time(row, number, whole.received_at_ms, done)
            ledger.place = (number, AT_ROW, NEVER, row.lead_id)
            done = number
            if isinstance(whole, Link):
                row = self._link(row, whole)
            elif isinstance(whole, Merge):
                self._merge(row, whole)
            else:
                self._hand(row, whole)
        return row, self._tell_events(row, plain, done)

    def _hand(self, row: Row, event: ByHand | Backfill) -> None:
        """Somebody gives the lead away, or asks where it stands: nothing to score, but route must know."""
        ledger = self._ledger
        # A command for a past stream has no time of its own.
        at = max(event.received_at_ms, ledger.log_time_ms)
        if isinstance(event, Backfill):
            if row.seq and not row.is_merged:
                profile = self._leads.kernel.published(row)
                ledger.note(RoutedTier(row.lead_id, row.seq, row.tier_name, at, profile))
        elif row.is_merged:
            ledger.step.sent.append(_for_owner(event, row))
        else:
            ledger.note(HandCommand(row.lead_id, event.event_id, at, event.owner, event.team, event.by))

    def _link(self, row: Row, link: Link) -> Row:
        ledger, kernel = self._ledger, self._leads.kernel
        is_first, value = not row.is_merged, row.value
        linked = follow_link(kernel, row, link)
        row = linked.row
        row.value = value
        self._leads.known[row.lead_id] = ledger.dirty[row.lead_id] = row
        if linked.merge is not None:
            ledger.step.sent.append(linked.merge)
            if is_first:
                # Before the tier change: what the lead has goes on elsewhere, it is not given up.
                ledger.note(LeadMerged(row.lead_id, link.owner, linked.merge.received_at_ms))
        if linked.left is not None:
            ledger.note_change(kernel, row, linked.left, {"merged_into": link.owner})
        ledger.step.shared += linked.claim == Claim.SHARED
        if linked.claim >= Claim.SHARED:
            ledger.scored(row)
        return row

    def _merge(self, row: Row, merge: Merge) -> None:
        ledger, kernel = self._ledger, self._leads.kernel
        if row.is_merged:
            ledger.step.sent.append(_for_owner(merge, row))
            return
        before = row.tier_name
        changed, renamed = unite(kernel, row, merge)
        if changed or renamed:
            ledger.scored(row)
        if changed == TIER_CHANGED:
            ledger.note_change(kernel, row, before, {"merged_from": merge.merged_from})

    # --- deadlines --------------------------------------------------------------------------------------------------

    def _bring_time(self, row: Row, number: i64, received_at_ms: i64, done: i64) -> None:
        """Applies the deadlines of a lead before a row of it: those up to log time there, then up to its own time."""
        now = self._times[number]
        if row.due <= now:
            self._fire_between(row, number, done)
        self._ledger.log_time_ms = now
        while row.due <= received_at_ms:
            self._ledger.place = (number, AT_ROW, row.due, row.lead_id)
            self.fire(row)

    def _fire_between(self, row: Row, last: i64, done: i64) -> None:
        """Applies a lead's deadlines up to the time of the event `last`, each at the event that brought the time.

        `done` is the lead's latest event so far, -1 before its first: what that made due by its own time follows it
        at once.
        """
        times, ledger = self._times, self._ledger
        while row.due <= times[last]:
            number = _first_at(times, row.due, max(done, 0))
            ledger.log_time_ms = times[number]
            ledger.place = (number, AFTER_ROW if number == done else BEFORE_ROW, row.due, row.lead_id)
            self.fire(row)

    def fire(self, row: Row) -> None:
        """Applies the row's next deadline."""
        ledger, kernel = self._ledger, self._leads.kernel
        before, moment = row.tier_name, row.due
        changed, cause = kernel.deadline(row)
        if changed:
            ledger.fired += 1
            ledger.touch(row.lead_id, row)
            ledger.dirty[row.lead_id] = row
            ledger.scored(row)
            ledger.step.lateness_ms.append(ledger.log_time_ms - moment)
            if changed == TIER_CHANGED:
                ledger.note_change(kernel, row, before, {"deadline": cause})


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


def _activity_of(event: SalesActivity) -> RoutedActivity:
    times = event.occurred_at_ms, event.received_at_ms
    return RoutedActivity(event.lead_id, event.event_id, *times, event.activity, event.by)


def _for_owner(row: _ForLead, alias: Row) -> _ForLead:
    """The same row, for the lead that the alias went to."""
    assert alias.identity is not None
    return msgspec.structs.replace(row, lead_id=alias.identity.owner)
